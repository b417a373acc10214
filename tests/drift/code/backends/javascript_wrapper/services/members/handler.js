import db from "../../lib/db";
import * as responses from "../../lib/response";
import { MEMBERS_TABLE, EVENTS_TABLE } from "../../constants/tables";

export const create = async (event) => {
  const member = responses.parse(event);
  const existing = await db.getOne(member.id, MEMBERS_TABLE);
  if (existing) return { statusCode: 409 };
  await db.put(member, MEMBERS_TABLE, true);
  return responses.ok(member);
};

export const get = async (event) => {
  const member = await db.getOne(event.pathParameters.id, MEMBERS_TABLE);
  return member ? responses.ok(member) : responses.notFound("member");
};

export async function list() {
  const members = await db.scan(MEMBERS_TABLE);
  return responses.ok(members.filter((member) => member.active));
}

export const remove = async (event) => {
  await db.deleteOne(event.pathParameters.id, MEMBERS_TABLE);
  return responses.ok({});
};

// Not deployed.
export const migrate = async () => {
  const events = await db.scan(EVENTS_TABLE);
  return Promise.all(events.map((event) => db.create(event, "clubEventsOld")));
};
