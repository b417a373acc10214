import { table, Tables } from '@quiz/core';
export async function onINSERT(quiz) {
  await table(Tables.PLAYER).update({ id: quiz.owner }, { quizzes: 1 });
}
