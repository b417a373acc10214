import { Inject, Injectable } from '@nestjs/common';
import { ClassRepo, GymClass } from '@gym/data';
@Injectable()
export class ClassesService {
  constructor(@Inject('CLASS_REPO') private readonly classes: ClassRepo) {}
  one(id: string) { return this.classes.get(id); }
  create(c: GymClass) { return this.classes.put(c); }
}
