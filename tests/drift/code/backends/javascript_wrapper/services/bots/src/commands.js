import db from "../../../lib/db";
import { MEMBERS_TABLE, STICKERS_TABLE } from "../../../constants/tables";

const commands = {
  whois: async (id) => db.getOne(id, MEMBERS_TABLE),
  sticker: async (id) => {
    const sticker = await db.getOne(id, STICKERS_TABLE);
    return db.update({ ...sticker, used: true }, STICKERS_TABLE);
  }
};

export default async (event) => {
  const { command, id } = JSON.parse(event.body);
  const run = commands[command];
  if (!run) return { statusCode: 400 };
  return run(id);
};
