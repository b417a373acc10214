import { withErrors } from "../../../lib/middleware";
import { parse, ok } from "../../../lib/response";
import { createRegistration } from "../../registrations/helpers";
import db from "../../../lib/db";
import { EVENTS_TABLE } from "../../../constants/tables";

async function register(event) {
  const body = parse(event);
  const found = await db.getOne(body.eventID, EVENTS_TABLE, { year: body.year });
  if (!found) return { statusCode: 404 };
  await createRegistration(body);
  return ok(body);
}

export const handler = withErrors(register);
