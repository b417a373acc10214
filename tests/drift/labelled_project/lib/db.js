const { DynamoDBClient } = require("@aws-sdk/client-dynamodb");
const { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, ScanCommand } = require("@aws-sdk/lib-dynamodb");

const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));

exports.getOne = async (id, table) => client.send(new GetCommand({ TableName: table, Key: { id } }));

exports.create = async (item, table) => client.send(new PutCommand({ TableName: table, Item: item }));

exports.scan = async (table) => client.send(new ScanCommand({ TableName: table }));

exports.queryBy = async (index, value, table) =>
  client.send(new QueryCommand({ TableName: table, IndexName: index, ExpressionAttributeValues: { ":v": value } }));
