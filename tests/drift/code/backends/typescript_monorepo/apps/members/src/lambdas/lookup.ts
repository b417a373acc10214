import { MemberRepo } from '@gym/data';
type Lookup = (repo: MemberRepo, value: string) => Promise<unknown>;
const lookups: Record<string, Lookup> = {
  email: (repo, value) => repo.byEmail(value),
};
export const handler = async (event: { by: string; value: string }, _c: unknown, repo = new MemberRepo()) => {
  const lookup = lookups[event.by];
  return lookup?.(repo, event.value);
};
