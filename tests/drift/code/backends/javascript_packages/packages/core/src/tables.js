const env = process.env;
const withStage = (name) => [env.APP, name, env.STAGE].join('-');
export const Tables = Object.freeze({
  QUIZ: withStage('quizzes'),
  QUESTION: withStage('questions'),
  SCORE: withStage('scores'),
  PLAYER: withStage('players'),
  SESSION: withStage('sessions'),
});
export const Indexes = { byOwner: 'owner-index', byQuiz: 'quiz-index' };
