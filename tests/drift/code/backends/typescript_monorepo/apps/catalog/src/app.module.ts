import { Module } from '@nestjs/common';
import { ClassRepo } from '@gym/data';
import { ClassesController } from './classes.controller';
import { ClassesService } from './classes.service';
@Module({ controllers: [ClassesController], providers: [ClassesService, { provide: 'CLASS_REPO', useFactory: () => new ClassRepo() }] })
export class AppModule {}
