const db = require("../../lib/db");
const { findMember } = require("../../lib/members");

exports.charge = async (event) => {
  const member = await findMember(event.member);
  const order = await db.getOne(event.order, "shopOrders");
  await db.create({ id: event.id, member, order }, "shopPayments");
  return db.create({ id: event.id }, "shopReceipts");
};

exports.report = async (event) => {
  await db.scan("shopPayments");
  return db.queryBy("by-day", event.day, "shopPayments");
};

exports.old = async (event) => db.create(event, "shopLegacy");
