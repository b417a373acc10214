import db from "./db";
import { UNUSED_TABLE } from "../constants/tables";

export const ok = (body) => ({ statusCode: 200, body: JSON.stringify(body) });
export const notFound = (what) => ({ statusCode: 404, body: `${what} not found` });
export const parse = (event) => JSON.parse(event.body);
// Nobody calls this.
export const log = async (entry) => db.create(entry, UNUSED_TABLE);
