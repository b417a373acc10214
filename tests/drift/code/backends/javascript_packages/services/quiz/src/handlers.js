import { secured, open } from './middleware.js';
import { QuizRepo } from './repo.js';
import { Batch, Tables } from '@quiz/core';

const repo = new QuizRepo();

export const create = secured(async (event) => {
  const quiz = JSON.parse(event.body);
  const saved = await repo.save({ ...quiz, owner: event.session.playerId });
  return { statusCode: 201, body: JSON.stringify(saved) };
});

export const get = open(async ({ pathParameters: { id } }) => {
  const [quiz, questions] = await Promise.all([repo.load(id), repo.questions(id)]);
  return { statusCode: 200, body: JSON.stringify({ ...quiz, questions }) };
});

export const mine = secured(async function (event) {
  return { statusCode: 200, body: JSON.stringify(await repo.ownedBy(event.session.playerId)) };
});

const removeQuiz = async (event) => {
  const batch = new Batch().delete(Tables.QUIZ, { id: event.pathParameters.id });
  for (const question of await repo.questions(event.pathParameters.id)) {
    batch.delete(Tables.QUESTION, { id: question.id });
  }
  await batch.flush();
  return { statusCode: 204 };
};
export { removeQuiz as remove };
