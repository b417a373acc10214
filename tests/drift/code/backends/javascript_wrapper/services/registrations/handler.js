import db from "../../lib/db";
import { createRegistration } from "./helpers";
import { REGISTRATIONS_TABLE } from "../../constants/tables";

export const post = async (event) => createRegistration(JSON.parse(event.body));

export const byEvent = async (event) => {
  const condition = { expression: "eventID = :id" };
  return db.query(REGISTRATIONS_TABLE, "event-query", condition);
};
