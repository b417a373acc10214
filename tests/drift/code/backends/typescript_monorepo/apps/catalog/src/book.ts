import { ClassRepo, MemberRepo } from '@gym/data';
interface Dependencies { classes: ClassRepo; members: Pick<MemberRepo, 'touch'> }
export const buildHandler = ({ classes, members }: Dependencies) => async (event: { classId: string; memberId: string }) => {
  await classes.book(event.classId, event.memberId);
  await members.touch(event.memberId);
};
export const handler = buildHandler({ classes: new ClassRepo(), members: new MemberRepo() });
