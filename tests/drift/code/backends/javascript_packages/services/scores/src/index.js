import { withContext } from './context.js';
import { submitScore } from './use-cases/submit.js';
export const submit = withContext(submitScore);
export const top = withContext(async (event, { leaderboard, batchGetPlayers }) => {
  const rows = await leaderboard.query(undefined, { KeyConditionExpression: 'quiz = :q', ScanIndexForward: false });
  const players = await batchGetPlayers(rows.map((row) => row.playerId));
  return { rows, players };
});
