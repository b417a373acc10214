import { table, Tables } from '@quiz/core';
const sessions = table(Tables.SESSION);
export class Unauthorized extends Error {}
export const requireSession = () => ({
  before: async (request) => {
    const token = request.event.headers.authorization;
    const session = await sessions.get({ token });
    if (!session) throw new Unauthorized();
    request.event.session = session;
  },
});
export const login = async (playerId) => sessions.put({ token: crypto.randomUUID(), playerId });
