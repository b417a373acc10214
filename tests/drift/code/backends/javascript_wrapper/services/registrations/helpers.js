import db from "../../lib/db";
import { MEMBERS_TABLE, PAYMENTS_TABLE, REGISTRATIONS_TABLE } from "../../constants/tables";

export async function createRegistration(registration) {
  const member = await db.getOne(registration.email, MEMBERS_TABLE);
  return db.create({ ...registration, member }, REGISTRATIONS_TABLE);
}

export const payFor = async (registration) => db.create(registration, PAYMENTS_TABLE);
