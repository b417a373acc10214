"""What packages do with what they are given, and what can't be told, in JavaScript."""

from pathlib import Path

import pytest

from tests.support.drift_code import V2, V3, accesses, places, read_function

# Body of the handler's file → accesses.
CASES: dict[str, tuple[str, set[str]]] = {
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
    "functions that are set as members": (
        V3
        + """
import { makeWorker } from "workers";
const scan = (TableName) => client.send(new ScanCommand({ TableName }));
const worker = makeWorker();
worker.onmessage = () => scan("a");
export const main = async (event) => {
  worker.run();
  event.tables.flatMap(() => [scan("b")]);
  event.tables.reduce((done) => scan("c"), null);
  new Map(event.pairs).forEach(() => scan("d"));
};""",
        {"read a", "read b", "read c", "read d"},
    ),
    "dependencies that are left out": (
        V3
        + """
class Users { all() { return client.send(new ScanCommand({ TableName: "a" })); } }
export const main = async (event, context, users = new Users()) => users.all();""",
        {"read a"},
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
        V3
        + "export const main = (event) => client.send(new GetCommand({ TableName: event.table }));",
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
        V3
        + "export const main = () => client.send(new GetCommand({ TableName: process.env.NOBODY }));",
        set(),
        ["handler.js:5"],
    ),
    "an operation that can't be told": (
        V2 + 'exports.main = (event) => documents[event.action]({ TableName: "a" }).promise();',
        set(),
        ["handler.js:3"],
    ),
    "a batch whose tables can't be told": (
        V3
        + "export const main = (event) => client.send(new lib.BatchGetCommand({ RequestItems: event.items }));",
        set(),
        ["handler.js:5"],
    ),
    "a statement that can't be told": (
        V2
        + "exports.main = (event) => new AWS.DynamoDB().executeStatement({ Statement: event.sql }).promise();",
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
    "arguments and texts of which only a part is known": (
        V3
        + """
const scan = (TableName) => client.send(new ScanCommand({ TableName }));
const each = (first, ...tables) => tables.forEach((table) => scan(table));
export const main = async (event) => {
  each(1, "a", ...["b"], "c");
  each(...event.all, "d");
  await scan("e-f".replace(event.x, "")); await scan(process.env.TABLE.slice(1)); await scan("g".padEnd(3));
  await scan(["h", event.x].join("-")); await scan("i".split(event.x)[0]); await scan(" ".trim(event.x));
};""",
        {"read a", "read b", "read c", "read d"},
        ["handler.js:6"],
    ),
    "commands and parameters from the event": (
        V3
        + """
export const main = async (event) => {
  await client.send(event.command);
  await client.send(new GetCommand(event));
  await client.send(new GetCommand({ ...event, TableName: "a" }));
};""",
        {"read a"},
        ["handler.js:7", "handler.js:8"],
    ),
    "modules whose names are not known": (
        V3
        + """
export const main = async (event) => {
  for (const name of ["./a", event.name]) require(name).run();
  require(`${event.name}/run`).run();
  require(event.path + ".js").run();
};""",
        set(),
        ["handler.js:7", "handler.js:8", "handler.js:9"],
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
def test_what_cannot_be_told_is_unresolved(
    tmp_path: Path, body: str, expected: set[str], where: list[str]
) -> None:
    usage = read_function(tmp_path, {"handler.js": body})
    assert accesses(usage) == expected
    assert sorted(set(places(usage))) == where
    assert {unresolved.service for unresolved in usage.unresolved} == {"shop"}
