export async function submitScore(event, context) {
  const { scores, quizzes, ...rest } = context;
  const body = JSON.parse(event.body);
  const quiz = await quizzes.get({ id: body.quizId });
  if (!quiz) return { statusCode: 404 };
  await scores.put(body);
  await updateBoard(rest, body);
  return { statusCode: 202 };
}
const updateBoard = ({ leaderboard }, { quizId, points }) => leaderboard.update({ quiz: quizId }, { points });
