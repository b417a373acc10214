import db from "../../../lib/db";
import { wrap } from "../../../lib/middleware";
import { EVENTS_TABLE } from "../../../constants/tables";

const list = async () => db.scan(EVENTS_TABLE, {}, "by-date");

export const handler = wrap(list);
