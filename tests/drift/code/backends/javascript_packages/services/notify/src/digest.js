import { preferencesOf } from './prefs.js';
export const handler = async () => {
  const { table, Tables } = await import('@quiz/core');
  for await (const players of table(Tables.PLAYER).pages()) {
    for (const player of players) await preferencesOf(player.id);
  }
};
