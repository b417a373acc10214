import { login } from '@quiz/auth';
import { Tables, table } from '@quiz/core';
const connections = table('connections');
const actions = {
  $connect: ({ connectionId }) => connections.put({ connectionId }),
  $disconnect: ({ connectionId }) => connections.remove({ connectionId }),
  async login(context, body) {
    await login(body.playerId);
  },
};
export default async function ({ requestContext, body }) {
  const action = actions[requestContext.routeKey];
  await action(requestContext, body && JSON.parse(body));
  return { statusCode: 200 };
}
