import { transact, Tables } from '@quiz/core';
import { secured } from './middleware.js';
export const handler = secured(async (event) => {
  const { id } = event.pathParameters;
  await transact((tx) => {
    tx.check(Tables.PLAYER, { id: event.session.playerId });
    tx.update(Tables.QUIZ, { id }, { UpdateExpression: 'SET published = :t' });
  });
  return { statusCode: 200 };
});
