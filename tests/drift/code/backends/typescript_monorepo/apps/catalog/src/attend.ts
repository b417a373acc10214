import { Attendance } from '@gym/data/models/attendance';
import { ClassRepo } from '@gym/data';
export const handler = async (event: { id: string }) => {
  const gymClass = await new ClassRepo().get(event.id);
  return Attendance.put({ id: event.id, gymClass }).go();
};
