import { container } from '../modules/inversify.config';
import { TYPES } from '../modules/types';
import { IMembers } from '../modules/members';
const members: IMembers = container.get(TYPES.Members);
export async function handler(event: { pathParameters: { id: string } }) {
  return members.profile(event.pathParameters.id);
}
