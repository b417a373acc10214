"""Calls of the SDK in JavaScript: one small handler each."""

from pathlib import Path

import pytest

from tests.support.drift_code import V2, V3, accesses, places, read_function

# Body of the handler's file → accesses.
CASES: dict[str, tuple[str, set[str]]] = {
    "v3 command": (
        V3 + 'export const main = () => client.send(new GetCommand({TableName: "a"}));',
        {"read a"},
    ),
    "v3 command kept in a variable": (
        V3
        + """
export async function main() {
  const params = { TableName: "a" };
  params.IndexName = "by-b";
  const command = new QueryCommand(params);
  return await client.send(command);
}""",
        {"read a"},
    ),
    "v3 command that is never sent": (
        V3 + 'export const main = () => { new GetCommand({TableName: "a"}); };',
        set(),
    ),
    "v3 low level client": (
        """
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { BatchWriteItemCommand, TransactGetItemsCommand } from "@aws-sdk/client-dynamodb";
const client = new DynamoDBClient({});
export const main = async () => {
  await client.send(new PutItemCommand({ TableName: "a", Item: {} }));
  await client.send(new BatchWriteItemCommand({ RequestItems: { b: [], "c-d": [] } }));
  await client.send(new TransactGetItemsCommand({ TransactItems: [{ Get: { TableName: "e" } }] }));
};""",
        {"write a", "write b", "write c-d", "read e"},
    ),
    "v3 aggregated client": (
        """
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
const plain = new DynamoDB({});
const documents = DynamoDBDocument.from(plain);
export const main = async () => {
  await plain.describeTable({ TableName: "z" });
  await plain.deleteItem({ TableName: "a", Key: {} });
  return documents.query({ TableName: "b" });
};""",
        {"write a", "read b"},
    ),
    "v3 paginator": (
        V3
        + """
export const main = async () => {
  const pages = lib.paginateQuery({ client }, { TableName: "a" });
  for await (const page of pages) console.log(page);
};""",
        {"read a"},
    ),
    "v2 promise": (
        V2 + 'exports.main = () => documents.put({TableName: "a", Item: {}}).promise();',
        {"write a"},
    ),
    "v2 callback": (
        V2
        + """
module.exports.main = (event, context, callback) => {
  documents.get({ TableName: "a", Key: {} }, function (err, data) {
    documents.delete({ TableName: "b", Key: {} }, callback);
  });
};""",
        {"read a", "write b"},
    ),
    "v2 by its own module": (
        """
import DynamoDB, { DocumentClient } from "aws-sdk/clients/dynamodb";
const a = new DocumentClient(), b = new DynamoDB();
export const main = async () => {
  await a.scan({ TableName: "a" }).promise();
  await b.getItem({ TableName: "b" }).promise();
};""",
        {"read a", "read b"},
    ),
    "v2 instrumented": (
        """
const AWSXRay = require("aws-xray-sdk");
const AWS = AWSXRay.captureAWS(require("aws-sdk"));
const documents = new AWS.DynamoDB.DocumentClient({ service: new AWS.DynamoDB() });
exports.main = async () => documents.update({ TableName: "a" }).promise();""",
        {"write a"},
    ),
    "v2 promisified and bound": (
        V2
        + """
const { promisify } = require("util");
const get = promisify(documents.get.bind(documents));
exports.main = async () => documents.query.call(documents, { TableName: "b" }).promise();""",
        {"read b"},
    ),
    "batch of several tables": (
        V3
        + """
export const main = async (event) => {
  const RequestItems = { a: { Keys: [] }, [process.env.TABLE]: { Keys: [] } };
  RequestItems["b" + "c"] = { Keys: [] };
  return client.send(new lib.BatchGetCommand({ RequestItems }));
};""",
        {"read a", "read users", "read bc"},
    ),
    "transaction built by push and a helper": (
        V3
        + """
const check = (TableName) => ({ ConditionCheck: { TableName, Key: {} } });
function addDelete(items, TableName) { items.push({ Delete: { TableName, Key: {} } }); return items; }
export const main = async (event) => {
  let items = [{ Put: { TableName: "a", Item: {} } }];
  items.push(check("b"));
  items = addDelete(items, "c");
  items = [...items, ...event.ids.map((id) => ({ Update: { TableName: "d", Key: { id } } }))];
  await client.send(new lib.TransactWriteCommand({ TransactItems: items }));
};""",
        {"write a", "read b", "write c", "write d"},
    ),
    "PartiQL": (
        V3
        + """
import { ExecuteStatementCommand, BatchExecuteStatementCommand } from "@aws-sdk/client-dynamodb";
const name = "b";
export const main = async () => {
  await client.send(new ExecuteStatementCommand({ Statement: "SELECT * FROM a WHERE id = ?" }));
  await client.send(new ExecuteStatementCommand({ Statement: `INSERT INTO "${name}" VALUE {'id': '1'}` }));
  const Statements = [{ Statement: "UPDATE \\"c\\" SET x = 1" }, { Statement: `delete from "${process.env.TABLE}"` }];
  await client.send(new BatchExecuteStatementCommand({ Statements }));
};""",
        {"read a", "write b", "write c", "write users"},
    ),
    "commands that are built elsewhere": (
        V3
        + """
const build = {
  scan: (TableName) => new ScanCommand({ TableName }),
  get(TableName) { return new GetCommand({ TableName }); }
};
const run = (...commands) => Promise.all(commands.map((command) => client.send(command)));
export const main = async () => run(build.scan("a"), build.get("b"));""",
        {"read a", "read b"},
    ),
    "what is not processed is sent again": (
        V3
        + """
import { BatchWriteCommand } from "@aws-sdk/lib-dynamodb";
export const main = async (event) => {
  let RequestItems = { a: [] };
  while (RequestItems) {
    const { UnprocessedItems } = await client.send(new BatchWriteCommand({ RequestItems }));
    RequestItems = UnprocessedItems;
  }
};""",
        {"write a"},
    ),
    "a client that is handed in": (
        V3
        + """
const read = (db, TableName) => db.send(new ScanCommand({ TableName }));
class Service { constructor({ db }) { this.db = db; } run() { return this.db.get({ TableName: "b" }); } }
export const main = async () => { await read(client, "a"); await new Service({ db: client }).run(); };""",
        {"read a", "read b"},
    ),
    "a client that is made when it is needed": (
        """
const { DynamoDB } = require("aws-sdk");
let client = null;
const connection = () => client || (client = new DynamoDB.DocumentClient());
exports.main = async () => connection().get({ TableName: "a" }).promise();""",
        {"read a"},
    ),
}


@pytest.mark.parametrize(("body", "expected"), CASES.values(), ids=CASES)
def test_accesses_are_found(tmp_path: Path, body: str, expected: set[str]) -> None:
    usage = read_function(tmp_path, {"handler.js": body})
    assert accesses(usage) == expected
    assert places(usage) == []
    assert usage.errors == ()
