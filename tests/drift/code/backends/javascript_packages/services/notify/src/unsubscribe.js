export const handler = async ({ queryStringParameters: { id } }) => {
  const { forget } = await import('./prefs.js');
  await forget(id);
};
