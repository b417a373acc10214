import { requireSession } from '@quiz/auth';
const guard = requireSession();
export const handler = async (event) => {
  await guard.before({ event });
  return { principalId: 'x' };
};
