import db from "../../lib/db";
import { PAYMENTS_TABLE } from "../../constants/tables";

test("payments", async () => { await db.scan(PAYMENTS_TABLE); });
