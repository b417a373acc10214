import db from "../../../lib/db";
import { EVENTS_TABLE, REGISTRATIONS_TABLE, STICKERS_TABLE } from "../../../constants/tables";

const affected = [REGISTRATIONS_TABLE, EVENTS_TABLE];

export const handler = async (event) => {
  const { ids } = JSON.parse(event.body);
  await Promise.all(affected.map((table) => db.batchDelete(ids, table)));
  const steps = [];
  steps.push(db.createPut({ id: ids[0] }, STICKERS_TABLE));
  await db.transact(steps);
  return { statusCode: 204 };
};
