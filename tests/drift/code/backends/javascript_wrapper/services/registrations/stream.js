import { DynamoDB } from "aws-sdk";

const documents = new DynamoDB.DocumentClient({ convertEmptyValues: true });

export const main = (event, context, callback) => {
  const writes = [];
  event.Records.forEach((record) => {
    writes.push({ Update: { TableName: "clubCounters", Key: { id: record.eventName } } });
    writes.push({ ConditionCheck: { TableName: "clubEvents" + process.env.ENVIRONMENT, Key: {} } });
  });
  documents.transactWrite({ TransactItems: writes }, (error, data) => {
    if (error) {
      documents.put({ TableName: "clubFailures", Item: { error } }, callback);
    } else {
      callback(null, data);
    }
  });
};
