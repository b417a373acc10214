import { createContext } from './context.js';
import { Batch } from '@quiz/core';
const { scores } = createContext();
export async function handler() {
  const target = new Batch();
  for await (const page of scores.pages()) {
    page.forEach((score) => target.put(process.env.LEADERBOARD_TABLE, { quiz: score.quizId }));
  }
  await target.flush();
}
