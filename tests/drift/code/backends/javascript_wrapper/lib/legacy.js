const AWS = require("aws-sdk");
const dynamo = new AWS.DynamoDB.DocumentClient();

function call(action, params) {
  return dynamo[action](params).promise();
}

exports.call = call;
module.exports.increment = function (table, id) {
  return dynamo.update({
    TableName: table + process.env.ENVIRONMENT, Key: { id },
    UpdateExpression: "ADD total :one", ExpressionAttributeValues: { ":one": 1 }
  }).promise();
};
