import { table, Tables, batch } from '@quiz/core';
// everything that handlers need, made once
export const createContext = ({ tables = Tables, leaderboard = process.env.LEADERBOARD_TABLE } = {}) => ({
  scores: table(tables.SCORE),
  players: table(tables.PLAYER),
  quizzes: table(tables.QUIZ),
  leaderboard: table(leaderboard),
  batchGetPlayers: batch.batchGet.bind(null, tables.PLAYER),
});
export const withContext = (fn) => {
  const context = createContext();
  return (event) => fn(event, context);
};
