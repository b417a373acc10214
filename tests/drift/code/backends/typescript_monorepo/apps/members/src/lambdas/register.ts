import { container } from '../modules/inversify.config';
import { TYPES } from '../modules/types';
import type { IMembers } from '../modules/members';
export const handler = async (event: { email: string }) => {
  const members = container.get<IMembers>(TYPES.Members);
  await members.register(event.email);
};
