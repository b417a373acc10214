import { table, Tables } from '@quiz/core';
export default async (quiz) => {
  for await (const items of table(Tables.SCORE).pages({ FilterExpression: 'quizId = :q' })) {
    await Promise.all(items.map(({ id }) => table(Tables.SCORE).remove({ id })));
  }
};
