import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import type { GymClass } from '@gym/data';
import { ClassesService } from './classes.service';
@Controller('classes')
export class ClassesController {
  constructor(private readonly service: ClassesService) {}
  @Get(':id')
  one(@Param('id') id: string) { return this.service.one(id); }
  @Post()
  create(@Body() body: GymClass) { return this.service.create(body); }
}
