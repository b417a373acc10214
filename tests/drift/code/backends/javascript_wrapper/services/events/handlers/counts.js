const { call, increment } = require("../../../lib/legacy");
const { REGISTRATIONS_TABLE, EVENTS_TABLE } = require("../../../constants/tables");

module.exports.handler = async (event) => {
  const params = {
    TableName: REGISTRATIONS_TABLE + process.env.ENVIRONMENT,
    IndexName: "event-query"
  };
  const found = await call("query", params);
  if (found.Count > 0) await increment(EVENTS_TABLE, event.id);
  return found.Count;
};
