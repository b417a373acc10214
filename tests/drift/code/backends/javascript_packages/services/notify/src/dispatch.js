import { channels } from './channels.js';
import { preferencesOf } from './prefs.js';
export const handler = async (event) => {
  const results = await Promise.allSettled(
    event.Records.map(async ({ body }) => {
      const message = JSON.parse(body);
      const prefs = await preferencesOf(message.playerId);
      for (const kind of prefs.channels) await channels.get(kind).deliver(message);
    })
  );
  return { batchItemFailures: results.filter((r) => r.status === 'rejected') };
};
