"""Calls and names in JavaScript and TypeScript: one small handler each."""

from pathlib import Path

import pytest

from tests.support.drift_code import accesses, places, read_function

V3 = """\
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import * as lib from "@aws-sdk/lib-dynamodb";
const { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, ScanCommand } = lib;
const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));
"""
V2 = """\
const AWS = require("aws-sdk");
const documents = new AWS.DynamoDB.DocumentClient();
"""

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
    "names": (
        V3
        + """
const TABLES = Object.freeze({ a: "t-a", nested: { b: `t-${"b"}` } });
const { a, nested: { b } } = TABLES;
const [first, , third = "t-d"] = ["t-c", "no"];
const scan = (TableName) => client.send(new ScanCommand({ TableName }));
export const main = async ({ table = "t-e" }) => {
  await scan(a);
  await scan(b);
  await scan(first);
  await scan(third);
  await scan(["t", "f"].join("-"));
  await scan("T-G".toLowerCase());
  await scan("t-".concat("h"));
  await scan(TABLES["a"]);
};""",
        {
            "read t-a",
            "read t-b",
            "read t-c",
            "read t-d",
            "read t-f",
            "read t-g",
            "read t-h",
        },
    ),
    "environment": (
        V3
        + """
const env = process.env;
const { TABLE: users, MISSING = "fallback" } = process.env;
const scan = (TableName) => client.send(new ScanCommand({ TableName }));
export const main = async () => {
  await scan(env.TABLE);
  await scan(users);
  await scan(MISSING);
  await scan(process.env["ORDERS"]);
  await scan(process.env.NOT_SET || "other");
  await scan(process.env.NOT_SET ?? `more-${process.env.STAGE}`);
};""",
        {"read users", "read fallback", "read OrdersTable", "read other", "read more"},
    ),
    "default parameters": (
        V3
        + """
function read(id, table = "a", { index, consistent = true } = {}) {
  return client.send(new GetCommand({ TableName: table, Key: { id } }));
}
export const main = async () => { await read(1); await read(1, undefined); await read(1, "b"); };""",
        {"read a", "read b"},
    ),
    "dispatch by a constant": (
        V2
        + """
function call(action, params) {
  switch (action) {
    case "get": return documents.get(params).promise();
    case "put": return documents.put(params).promise();
    default: throw new Error(action);
  }
}
exports.main = async () => { await call("get", { TableName: "a" }); await call("put", { TableName: "b" }); };""",
        {"read a", "write b"},
    ),
    "dispatch by a computed member": (
        V2
        + """
const run = (method, table, rest) => documents[method]({ TableName: table, ...rest }).promise();
exports.main = async () => { await run("query", "a"); await run("delete", "b", {}); };""",
        {"read a", "write b"},
    ),
    "closures and factories": (
        V3
        + """
const repository = (TableName) => {
  const send = (command) => client.send(command);
  return { all: () => send(new ScanCommand({ TableName })), add: (Item) => send(new PutCommand({ TableName, Item })) };
};
const users = repository("a");
const { add } = repository("b");
export const main = async () => { await users.all(); await add({}); };""",
        {"read a", "write b"},
    ),
    "classes": (
        V3
        + """
class Base {
  static prefix = "t-";
  constructor(name) { this.name = Base.prefix + name; }
  get params() { return { TableName: this.name }; }
  all() { return client.send(new ScanCommand(this.params)); }
}
class Users extends Base {
  #more;
  constructor() { super("users"); this.#more = new Base("more"); }
  async all() { await this.#more.all(); return super.all(); }
  static create() { return new this(); }
}
export const main = async () => Users.create().all();""",
        {"read t-users", "read t-more"},
    ),
    "names in classes": (
        V3
        + """
class Model {
  static get table() { throw new Error("none"); }
  static all() { return client.send(new ScanCommand({ TableName: this.table })); }
  get table() { return this.constructor.table; }
  save() { return client.send(new PutCommand({ TableName: this.table })); }
}
class Cat extends Model { static get table() { return "a"; } }
class Dog extends Model { static table = process.env.TABLE; }
const Timestamped = (Base, name) => class extends Base { static table = name; };
class Bird extends Timestamped(Model, "b") {}
class Settings { constructor(values) { Object.assign(this, { table: "c" }, values); } }
export const main = async () => {
  await new Cat().save();
  await Dog.all();
  await Bird.all();
  await client.send(new ScanCommand({ TableName: new Settings({}).table }));
};""",
        {"write a", "read users", "read b", "read c"},
    ),
    "classes as handlers": (
        V3
        + """
class Handler {
  constructor(db = client) { this.db = db; }
  async handle(event) { return this.db.send(new ScanCommand({ TableName: "a" })); }
}
const handler = new Handler();
export const main = handler.handle.bind(handler);""",
        {"read a"},
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
    "old-style classes": (
        V2
        + """
function Repository(table) { this.table = table; }
Repository.prototype.all = function () { return documents.scan({ TableName: this.table }).promise(); };
exports.main = async () => new Repository("a").all();""",
        {"read a"},
    ),
    "callbacks of lists": (
        V3
        + """
const tables = ["a", "b"];
export const main = async () => {
  await Promise.all(tables.map((TableName) => client.send(new ScanCommand({ TableName }))));
  for (const [key, TableName] of Object.entries({ x: "c" })) await client.send(new ScanCommand({ TableName }));
  Object.keys({ d: 1 }).forEach(async (name) => { await client.send(new ScanCommand({ TableName: name })); });
};""",
        {"read a", "read b", "read c", "read d"},
    ),
    "promises": (
        V3
        + """
const load = () => Promise.resolve("a");
export const main = () => load()
  .then((table) => client.send(new GetCommand({ TableName: table })))
  .catch(() => client.send(new PutCommand({ TableName: "errors" })))
  .finally(() => {});""",
        {"read a", "write errors"},
    ),
    "functions handed to packages": (
        V3
        + """
import retry from "async-retry";
export const main = async () => retry(async (bail) => client.send(new ScanCommand({ TableName: "a" })), {});""",
        {"read a"},
    ),
    "handlers wrapped by packages": (
        V3
        + """
import middy from "@middy/core";
import cors from "@middy/http-cors";
const base = async () => client.send(new ScanCommand({ TableName: "a" }));
export const main = middy().use(cors()).handler(base);""",
        {"read a"},
    ),
    "functions that share what a package made": (
        V3
        + """
import pLimit from "p-limit";
import { Cache } from "some-cache";
import { memoize } from "lodash";
const limit = pLimit(2);
const cache = new Cache();
const unused = () => limit(() => client.send(new ScanCommand({ TableName: "a" })));
export const other = cache.wrap(async () => client.send(new ScanCommand({ TableName: "b" })));
const one = cache.wrap(async () => client.send(new ScanCommand({ TableName: "c" })));
const table = memoize((TableName) => client.send(new ScanCommand({ TableName })));
export const main = async () => {
  await limit(() => client.send(new ScanCommand({ TableName: "d" })));
  await cache.get("x");
  await one();
  await table("e");
};""",
        {"read c", "read d", "read e"},
    ),
    "a loader that is made of a function": (
        V3
        + """
import DataLoader from "dataloader";
const users = new DataLoader(async (ids) => client.send(new ScanCommand({ TableName: "a" })));
export const main = async (event) => users.load(event.id);""",
        {"read a"},
    ),
    "an application of a package": (
        V3
        + """
import express from "express";
import serverless from "serverless-http";
const app = express();
const router = express.Router();
router.get("/users", async (req, res) => { res.json(await client.send(new ScanCommand({ TableName: "a" }))); });
app.use(router);
app.use((req, res) => res.status(404));
export const main = serverless(app);""",
        {"read a"},
    ),
    "branches that are known not to be taken": (
        V3
        + """
const get = (table, write) => write
  ? client.send(new PutCommand({ TableName: table })) : client.send(new GetCommand({ TableName: table }));
export const main = async () => { await get("a", false); await get("b", true); };""",
        {"read a", "write b"},
    ),
    "values of packages that may be there or not": (
        V3
        + """
import _ from "lodash";
export const main = async (event) => {
  const found = _.find(event.items, (item) => item.id);
  if (found) await client.send(new GetCommand({ TableName: "a" }));
  else await client.send(new PutCommand({ TableName: "b" }));
  if (found === null) await client.send(new ScanCommand({ TableName: "c" }));
  const db = _.get(event, "db") || client;
  await db.send(new ScanCommand({ TableName: "d" }));
};""",
        {"read a", "write b", "read c", "read d"},
    ),
    "variables that are assigned again": (
        V3
        + """
export const main = async (event) => {
  let params = { TableName: "a" };
  await client.send(new GetCommand(params));
  params = { TableName: "b" };
  await client.send(new PutCommand(params));
  if (event.x) { const params = { TableName: "c" }; await client.send(new GetCommand(params)); }
  else { const params = { TableName: "d" }; await client.send(new PutCommand(params)); }
};""",
        {"read a", "write b", "read c", "write d"},
    ),
    "recursion": (
        V3
        + """
async function all(params, items = []) {
  const page = await client.send(new QueryCommand(params));
  if (!page.LastEvaluatedKey) return items;
  return all({ ...params, ExclusiveStartKey: page.LastEvaluatedKey }, [...items, ...page.Items]);
}
export const main = async () => all({ TableName: "a" });""",
        {"read a"},
    ),
    "generators": (
        V3
        + """
async function* names() { yield "a"; yield* ["b"]; }
export const main = async () => {
  for await (const TableName of names()) await client.send(new ScanCommand({ TableName }));
};""",
        {"read a", "read b"},
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
    "the environment, validated": (
        V3
        + """
import { z } from "zod";
const env = z.object({ TABLE: z.string() }).parse(process.env);
export const main = async () => client.send(new ScanCommand({ TableName: env.TABLE }));""",
        {"read users"},
    ),
    "functions that are called at once": (
        V3
        + """
const run = (() => { const name = "a"; return () => client.send(new ScanCommand({ TableName: name })); })();
export const main = () => (async () => { await run(); })();""",
        {"read a"},
    ),
    "comments, texts and what is not called": (
        V3
        + """
// client.send(new ScanCommand({ TableName: "comment" }))
const unused = () => client.send(new ScanCommand({ TableName: "unused" }));
const text = 'client.send(new ScanCommand({ TableName: "text" }))';
export const main = async () => text;
export const other = async () => unused();""",
        set(),
    ),
    "settings by stage": (
        V3
        + """
const stages = { dev: { users: "dev-users" }, prod: { users: "prod-users" } };
const { users } = stages[process.env.STAGE || "prod"];
const orders = process.env.STAGE === "prod" ? "prod-orders" : "dev-orders";
export const main = async () => {
  await client.send(new ScanCommand({ TableName: users }));
  await client.send(new ScanCommand({ TableName: orders }));
  if (process.env.STAGE === "prod") await client.send(new PutCommand({ TableName: "audit" }));
};""",
        {"read dev-users", "read dev-orders", "write audit"},
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
    "dependencies that are left out": (
        V3
        + """
class Users { all() { return client.send(new ScanCommand({ TableName: "a" })); } }
export const main = async (event, context, users = new Users()) => users.all();""",
        {"read a"},
    ),
    "old-style inheritance and mixins": (
        V2
        + """
const util = require("util");
function Base() {}
Base.prototype.all = function () { return documents.scan({ TableName: this.table }).promise(); };
function Users() { this.table = "users"; }
util.inherits(Users, Base);
function Orders() { this.table = "orders"; }
Orders.prototype = Object.create(Base.prototype);
class Stock { constructor() { this.table = "stock"; } }
Object.assign(Stock.prototype, { put() { return documents.put({ TableName: this.table }).promise(); } });
class Own extends AWS.DynamoDB.DocumentClient { set name(value) { this.table = value; }
  get name() { return this.table; } remove() { return this.delete({ TableName: this.name }).promise(); } }
exports.main = async () => {
  await new Users().all(); await new Orders().all(); await new Stock().put();
  const own = new Own(); own.name = "own"; await own.remove();
};""",
        {"read users", "read orders", "write stock", "write own"},
    ),
    "methods of the SDK that a package gets": (
        V2
        + """
const { promisify } = require("util");
const get = promisify(documents.get.bind(documents));
const _ = require("lodash");
const save = (items, done) => documents.batchWrite({ RequestItems: items }, (error, data) =>
  data.UnprocessedItems ? save(data.UnprocessedItems, done) : done());
exports.main = async (event, context, done) => {
  await get({ TableName: "a" });
  await Promise.all(_.map(["b", "c"], (TableName) => documents.scan({ TableName }).promise()));
  save({ d: [] }, done);
};""",
        {"read a", "read b", "read c", "write d"},
    ),
    "functions from the right": (
        V3
        + """
const compose = (...functions) => (handler) => functions.reduceRight((next, wrap) => wrap(next), handler);
const logged = (next) => async (event) => {
  await client.send(new PutCommand({ TableName: "log" })); return next(event); };
export const main = compose(logged)(async () => client.send(new ScanCommand({ TableName: "a" })));""",
        {"write log", "read a"},
    ),
    "a piece of an ARN": (
        V2
        + """
const [, table] = `arn/${process.env.TABLE}`.split("/");
exports.main = async () => {
  await documents.scan({ TableName: table }).promise();
  await documents.put({ TableName: `arn/${process.env.TABLE}`.split("/").pop() }).promise();
};""",
        {"read users", "write users"},
    ),
}


@pytest.mark.parametrize(("body", "expected"), CASES.values(), ids=CASES)
def test_accesses_are_found(tmp_path: Path, body: str, expected: set[str]) -> None:
    usage = read_function(tmp_path, {"handler.js": body})
    assert accesses(usage) == expected
    assert places(usage) == []
    assert usage.errors == ()


UNRESOLVED: dict[str, tuple[str, set[str], list[str]]] = {
    "a table from the event": (
        V3 + "export const main = (event) => client.send(new GetCommand({ TableName: event.table }));",
        set(),
        ["handler.js:5"],
    ),
    "a table from a parameter store": (
        V3
        + """
import { SSMClient, GetParameterCommand } from "@aws-sdk/client-ssm";
export const main = async () => {
  const { Parameter } = await new SSMClient({}).send(new GetParameterCommand({ Name: "/table" }));
  await client.send(new GetCommand({ TableName: Parameter.Value }));
  await client.send(new PutCommand({ TableName: "a" }));
};""",
        {"write a"},
        ["handler.js:9"],
    ),
    "a variable that nobody sets": (
        V3 + "export const main = () => client.send(new GetCommand({ TableName: process.env.NOBODY }));",
        set(),
        ["handler.js:5"],
    ),
    "an operation that can't be told": (
        V2 + 'exports.main = (event) => documents[event.action]({ TableName: "a" }).promise();',
        set(),
        ["handler.js:3"],
    ),
    "a batch whose tables can't be told": (
        V3 + "export const main = (event) => client.send(new lib.BatchGetCommand({ RequestItems: event.items }));",
        set(),
        ["handler.js:5"],
    ),
    "a statement that can't be told": (
        V2 + "exports.main = (event) => new AWS.DynamoDB().executeStatement({ Statement: event.sql }).promise();",
        set(),
        ["handler.js:3"],
    ),
    "code that is not there": (
        'import { save } from "./generated/store";\nexport const main = () => save({});',
        set(),
        ["handler.js:2"],
    ),
    "a repository that nobody is seen to hand in": (
        V3
        + """
export class UserRepository { find(id) { return client.send(new GetCommand({ TableName: "a", Key: { id } })); } }
export const main = async (event) => event.container.userRepository.find(event.items.find((item) => item.id));""",
        set(),
        ["handler.js:7"],
    ),
    "a container with names": (
        V3
        + """
import { asClass, createContainer } from "awilix";
class Users { constructor({ prefix }) {} all() { return client.send(new ScanCommand({ TableName: "a" })); } }
class App { constructor({ users }) { this.users = users; } run() { return this.users.all(); } }
const container = createContainer().register({ users: asClass(Users), app: asClass(App) });
export const main = async () => container.resolve(App).run();""",
        set(),
        ["handler.js:8"],
    ),
    "a library with models of its own": (
        'import dynamoose from "dynamoose";\nexport const main = () => dynamoose.model("Cat", {}).scan().exec();',
        set(),
        ["handler.js:2"],
    ),
    "a syntax error": (
        "export const main = () => {{{ ;",
        set(),
        ["handler.js:1", "serverless.yml:9"],
    ),
    "a client that a package gets": (
        V3
        + """
import { Mapper } from "some-mapper";
const mapper = new Mapper({ client });
export const main = () => mapper.find({ id: 1 });""",
        set(),
        ["handler.js:7"],
    ),
    "a Proxy": (
        V3
        + """
const db = new Proxy({}, { get: (_, TableName) => ({ all: () => client.send(new ScanCommand({ TableName })) }) });
export const main = () => db.users.all();""",
        set(),
        ["handler.js:6"],
    ),
}


@pytest.mark.parametrize(("body", "expected", "where"), UNRESOLVED.values(), ids=UNRESOLVED)
def test_what_cannot_be_told_is_unresolved(tmp_path: Path, body: str, expected: set[str], where: list[str]) -> None:
    usage = read_function(tmp_path, {"handler.js": body})
    assert accesses(usage) == expected
    assert sorted(set(places(usage))) == where
    assert {unresolved.service for unresolved in usage.unresolved} == {"shop"}


MODULES: dict[str, tuple[dict[str, str], set[str]]] = {
    "default exports and re-exports": (
        {
            "handler.js": 'import { users, orders as o } from "./lib";\n'
            "export const main = async () => { await users.all(); await o(); };",
            "lib/index.js": 'export { default as users } from "./users";\nexport * from "./orders";',
            "lib/users.js": V3
            + 'export default { async all() { return client.send(new ScanCommand({ TableName: "a" })); } };',
            "lib/orders.js": V3
            + 'export function orders() { return client.send(new ScanCommand({ TableName: "b" })); }',
        },
        {"read a", "read b"},
    ),
    "CommonJS in both styles": (
        {
            "handler.js": 'const db = require("./db"); const { put } = require("./db");\n'
            'exports.main = async () => { await db.get("a"); await put("b"); await require("./one")(); };',
            "db.js": V2
            + "const get = (TableName) => documents.get({ TableName }).promise();\n"
            + "module.exports = { get, put: async (TableName) => documents.put({ TableName }).promise() };",
            "one.js": V2 + 'module.exports = () => documents.scan({ TableName: "c" }).promise();',
        },
        {"read a", "write b", "read c"},
    ),
    "one style imports the other": (
        {
            "handler.mjs": 'import db from "./db.cjs"; import { names } from "./names.mjs";\n'
            "export const main = async () => db.get(names.users);",
            "db.cjs": V2 + "exports.get = (TableName) => documents.get({ TableName }).promise();",
            "names.mjs": 'const users = "a";\nexport const names = { users };',
        },
        {"read a"},
    ),
    "names in JSON": (
        {
            "handler.js": V3
            + 'import names from "./names.json";\n'
            + "export const main = async () => client.send(new ScanCommand({ TableName: names.users }));",
            "names.json": '{"users": "a"}',
        },
        {"read a"},
    ),
    "cyclic imports": (
        {
            "handler.js": 'import { a } from "./a";\nexport const main = () => a();',
            "a.js": 'import { b } from "./b";\nexport const a = () => b();\nexport const table = "t";',
            "b.js": V3
            + 'import { table } from "./a";\n'
            + "export const b = () => client.send(new ScanCommand({ TableName: table }));",
        },
        {"read t"},
    ),
    "imports of modules whose functions are not called": (
        {
            "handler.js": 'import { a } from "./lib";\nimport "./other";\nexport const main = () => a();',
            "lib.js": V3
            + 'export const a = () => client.send(new ScanCommand({ TableName: "a" }));\n'
            + 'export const b = () => client.send(new ScanCommand({ TableName: "b" }));',
            "other.js": V3 + 'export const c = () => client.send(new ScanCommand({ TableName: "c" }));',
        },
        {"read a"},
    ),
    "what a module does when it is imported": (
        {
            "handler.js": 'import "./warm";\nexport const main = () => 1;',
            "warm.js": V3 + 'await client.send(new ScanCommand({ TableName: "a" }));',
        },
        {"read a"},
    ),
    "a package of the same repository": (
        {
            "handler.ts": 'import { all } from "@shop/db";\nimport { one } from "@shop/db/one";\n'
            "export const main = async () => { await all(); await one(); };",
            "packages/db/package.json": '{"name": "@shop/db", "main": "dist/index.js"}',
            "packages/db/src/index.ts": V3
            + 'export const all = () => client.send(new ScanCommand({ TableName: "a" }));',
            "packages/db/src/one.ts": V3 + 'export const one = () => client.send(new GetCommand({ TableName: "b" }));',
        },
        {"read a", "read b"},
    ),
    "a layer": (
        {
            "handler.js": 'const { all } = require("/opt/nodejs/db");\nexports.main = () => all();',
            "layers/shared/nodejs/db.js": V2 + 'exports.all = () => documents.scan({ TableName: "a" }).promise();',
        },
        {"read a"},
    ),
    "an import when it is needed": (
        {
            "handler.js": "export const main = async () => {\n"
            '  const { all } = await import("./db.js"); return all(); };',
            "db.ts": V3
            + 'export const all = (): Promise<unknown> => client.send(new ScanCommand({ TableName: "a" }));',
        },
        {"read a"},
    ),
    "constructor injection by type": (
        {
            "handler.ts": 'import "reflect-metadata";\nimport { Container } from "inversify";\n'
            'import { App } from "./app";\nconst container = new Container();\n'
            "export const main = async () => container.get(App).run();",
            "app.ts": 'import { Users } from "./users";\n'
            "export class App { constructor(private readonly users: Users) {}\n"
            "  run() { return this.users.all(); } }",
            "users.ts": "export interface Users { all(): Promise<unknown> }",
            "dynamo-users.ts": V3
            + 'import type { Users } from "./users";\n'
            + "export class DynamoUsers implements Users { constructor(private client: DynamoDBDocumentClient) {}\n"
            + '  async all() { return this.client.send(new ScanCommand({ TableName: "a" })); } }',
        },
        {"read a"},
    ),
    "several handlers that one function wraps": (
        {
            "handler.js": 'import { wrap } from "./wrap";\n'
            + V3
            + 'const a = async () => client.send(new ScanCommand({ TableName: "a" }));\n'
            + 'const b = async () => client.send(new ScanCommand({ TableName: "b" }));\n'
            + "export const main = wrap(a);\nexport const other = wrap(b);",
            "wrap.js": 'import middy from "@middy/core";\nimport cors from "@middy/http-cors";\n'
            "export const wrap = (handler) => middy(handler).use([cors()]).use({ after: async () => {} });",
        },
        {"read a"},
    ),
    "what an index collects": (
        {
            "handler.js": 'const { all, one } = require("./lib");\n'
            "exports.main = async () => { await all(); await one(); };",
            "lib/index.js": 'module.exports = { ...require("./all"), ...require("./one") };',
            "lib/all.js": V3 + 'export const all = () => client.send(new ScanCommand({ TableName: "a" }));',
            "lib/one.js": V2 + 'exports.one = () => documents.get({ TableName: "b" }).promise();',
        },
        {"read a", "read b"},
    ),
    "injection by objects, fields and tokens": (
        {
            "handler.ts": 'import { container } from "./container";\nimport type { Users } from "./users";\n'
            "import { App } from './app';\nimport { Jobs } from './jobs';\n"
            'export const main = async () => { await container.get<Users>("Users").all();\n'
            "  await container.resolve(App).run(); await container.resolve(Jobs).run(); };",
            "container.ts": 'import { Container } from "inversify";\nexport const container = new Container();',
            "app.ts": 'import { Orders } from "./orders";\ninterface Dependencies { orders: Orders; name: string }\n'
            "export class App { private orders: Orders;\n"
            "  constructor({ orders }: Dependencies) { this.orders = orders; }\n"
            "  run() { return this.orders.all(); } }",
            "jobs.ts": 'import { Inject } from "@nestjs/common";\nimport { Stock } from "./stock";\n'
            "export class Jobs { @Inject() private readonly stock!: Stock;\n  run() { return this.stock.all(); } }",
            "users.ts": "export interface Users { all(): Promise<unknown> }",
            "dynamo-users.ts": V3
            + 'import { Users } from "./users";\nexport class DynamoUsers implements Users {\n'
            + '  all() { return client.send(new ScanCommand({ TableName: "a" })); } }',
            "orders.ts": V3
            + 'export class Orders { all() { return client.send(new ScanCommand({ TableName: "b" })); } }',
            "stock.ts": V3
            + 'export class Stock { all() { return client.send(new ScanCommand({ TableName: "c" })); } }',
        },
        {"read a", "read b", "read c"},
    ),
    "a module's function by an unknown name": (
        {
            "handler.js": 'import * as effects from "./effects";\n'
            "export const main = (event) => effects[`on${event.name}`]?.(event);",
            "effects.js": V3
            + 'export const onInsert = () => client.send(new PutCommand({ TableName: "a" }));\n'
            + 'export const onRemove = () => client.send(new ScanCommand({ TableName: "b" }));\n'
            + 'export const other = () => client.send(new ScanCommand({ TableName: "c" }));',
        },
        {"write a", "read b"},
    ),
    "what a type says of a container's result": (
        {
            "handler.ts": 'import { container } from "awilix";\nimport type { Users } from "./users";\n'
            'const users: Users = container.resolve("users");\n'
            "async function* rows(this: void, source: Users) { yield* await source.all(); }\n"
            "export const main = async () => { for await (const row of rows(users)) console.log(row); };",
            "users.ts": V3
            + 'export class Users { all() { return client.send(new ScanCommand({ TableName: "a" })); } }',
        },
        {"read a"},
    ),
    "modules by a part of their name": (
        {
            "handler.js": "exports.main = async (event) => { await require(`./actions/${event.name}`).run();\n"
            "  const { run } = await import(`./more/${event.name}.js`); await run(); };",
            "actions/a.js": V2 + 'exports.run = () => documents.scan({ TableName: "a" }).promise();',
            "actions/a.test.js": V2 + 'exports.run = () => documents.scan({ TableName: "test" }).promise();',
            "more/b.js": V3 + 'export const run = () => client.send(new PutCommand({ TableName: "b" }));',
        },
        {"read a", "write b"},
    ),
    "controllers of a framework": (
        {
            "handler.ts": 'import { NestFactory } from "@nestjs/core";\nimport { AppModule } from "./app.module";\n'
            "export const main = async (event: unknown) => {\n"
            "  const app = await NestFactory.create(AppModule); return app.listen(event); };",
            "app.module.ts": 'import { Module } from "@nestjs/common";\nimport { Users } from "./users";\n'
            "@Module({ controllers: [Users], providers: [] }) export class AppModule {}",
            "users.ts": V3
            + 'import { Controller, Get } from "@nestjs/common";\n'
            + 'class Store { all() { return client.send(new ScanCommand({ TableName: "a" })); }\n'
            + '  unused() { return client.send(new ScanCommand({ TableName: "b" })); } }\n'
            + "@Controller() export class Users { constructor(private readonly store: Store) {}\n"
            + "  @Get(':id') one(id: string) { return this.store.all(); }\n"
            + "  notRouted() { return this.store.unused(); } }",
        },
        {"read a"},
    ),
    "a module that is one value": (
        {
            "handler.ts": 'import db = require("./db");\nexport const main = async () => db.all();',
            "db.ts": V3 + 'const db = { all: () => client.send(new ScanCommand({ TableName: "a" })) };\nexport = db;',
        },
        {"read a"},
    ),
    "TypeScript's own syntax": (
        {
            "handler.ts": V3
            + """
enum Table { Users = 'a', Orders = "b" }
namespace Names { export const carts = 'c'; }
const config = { stock: 'd' } as const satisfies Record<string, string>;
type Key = keyof typeof config;
abstract class Store<T> { protected abstract table(): string; all(): Promise<T[]> { return scan(this.table()!); } }
class Audit extends Store<string> { protected override table() { return 'e'; } }
function scan<T>(TableName: string): Promise<T[]> { return client.send(new ScanCommand({ TableName })) as never; }
declare const nothing: string;
export const main = async (): Promise<void> => {
  await scan<string>(Table.Users); await scan(Table['Orders']); await scan(Names.carts);
  await scan(config['stock' as Key]); await new Audit().all();
};""",
        },
        {"read a", "read b", "read c", "read d", "read e"},
    ),
}


@pytest.mark.parametrize(("files", "expected"), MODULES.values(), ids=MODULES)
def test_modules_are_followed(tmp_path: Path, files: dict[str, str], expected: set[str]) -> None:
    usage = read_function(tmp_path, files)
    assert accesses(usage) == expected
    assert places(usage) == []
