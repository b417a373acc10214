"""Names, functions and classes in JavaScript: one small handler each."""

from pathlib import Path

import pytest

from tests.support.drift_code import V2, V3, accesses, places, read_function

# Body of the handler's file → accesses.
CASES: dict[str, tuple[str, set[str]]] = {
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
    "a comment between two cases of one branch": (
        V2
        + """
function call(action, params) {
  switch (action) {
    case "get":
    // the older name
    case "read":
      return documents.get(params).promise();
  }
}
exports.main = async () => { await call("get", { TableName: "a" }); };""",
        {"read a"},
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
    "old-style classes": (
        V2
        + """
function Repository(table) { this.table = table; }
Repository.prototype.all = function () { return documents.scan({ TableName: this.table }).promise(); };
exports.main = async () => new Repository("a").all();""",
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
    "settings by stage that may be either": (
        V3
        + """
const first = process.env.STAGE !== "dev" ? "no" : "a";
const second = process.env.NOT_SET === "x" ? "b" : "c";
const third = process.env.STAGE === process.env.TABLE ? "no" : "d";
const fourth = process.env[process.env.STAGE] === "x" ? "e" : "f";
const fifth = (process.env.KIND || "dev") === "dev" ? "g" : "no";
export const main = async () => {
  for (const TableName of [first, second, third, fourth, fifth]) {
    await client.send(new ScanCommand({ TableName }));
  }
  if (false && first) await client.send(new PutCommand({ TableName: "no" }));
};""",
        {f"read {letter}" for letter in "abcdefg"},
    ),
    "classes that extend old-style ones": (
        V2
        + """
function Base(table) { this.table = table; }
Base.prototype.all = function () { return documents.scan({ TableName: this.table }).promise(); };
class Users extends Base { constructor() { super("a"); } every = () => this.all(); }
const Orders = class extends Base {};
exports.main = async () => { await new Users().every(); await new Orders("b").table; };""",
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
    "super in static methods": (
        V3
        + """
class Base { static table = "a"; static make() { return new this(); } static name() { return this.table; } }
class Users extends Base {
  static table = "b";
  static make() { client.send(new PutCommand({ TableName: super.name() })); return super.make(); }
  all() { return client.send(new ScanCommand({ TableName: Users.table })); }
}
export const main = async () => Users.make().all();""",
        {"read b", "write b"},
    ),
    "what runs without a call": (
        V3
        + """
const put = (TableName) => client.send(new PutCommand({ TableName }));
class Users { static { put("a"); } }
const counter = { get name() { return "b"; }, set name(value) { put("c"); } };
export const main = async (event) => {
  let table = "no";
  switch (true) {
    case event.first: break;
    case (table = "d") !== null: await put(table); break;
  }
  await put(counter.name);
  require("observer").watch(counter);
};""",
        {"write a", "write b", "write c", "write d"},
    ),
    "texts that are changed": (
        V3
        + r"""
const scan = (TableName) => client.send(new ScanCommand({ TableName }));
export const main = async () => {
  await scan("t\x2da"); await scan("t\u{2d}b"); await scan("t\u002dc"); await scan("t-\
d"); await scan(`t-\u0065`); await scan("t-f".toString().trim());
  await scan("g-h-i".replace("-", "_")); await scan("j-k-l".replaceAll("-", "_"));
  await scan("m/n/o".replace(/\//g, "-")); await scan(` ${process.env.TABLE} `.trim());
  await scan(["p", -1, 2.5].join("-"));
};""",
        {f"read t-{letter}" for letter in "abcdef"}
        | {"read g_h-i", "read j_k_l", "read m-n-o", "read users", "read p--1-2.5"},
    ),
    "loops, branches and what catches": (
        V3
        + """
const scan = (TableName) => client.send(new ScanCommand({ TableName }));
export const main = async (event) => {
  let table = "a"; let number = 0;
  for (; number < 2; number++) await scan(table);
  do { table = "b"; } while (event.more);
  await scan(table);
  outer: for (const name of ["c"]) { for (;;) { if (name) { await scan(name); continue outer; } break outer; } }
  try { await scan("d"); } catch { await scan("e"); } finally { await scan("f"); }
  try { await scan("g"); } catch ({ message }) { await scan("h"); }
  for (table of ["i"]) await scan(table);
  if (event.a) await scan("j"); else if (event.b) await scan("k"); else await scan("l");
  const again = function itself(n) { return n ? itself(n - 1) : scan("m"); };
  await again(2);
  const one = name => scan(name);
  await one("n");
  while (number++ < 3) await scan("o");
  throw new Error("x");
};""",
        {f"read {letter}" for letter in "abcdefghijklmno"},
    ),
    "assignments and what is taken out": (
        V3
        + """
const scan = (TableName) => client.send(new ScanCommand({ TableName }));
const object = { get table() { return "a"; }, set table(value) {}, ["b"]: "b", "c d": "c", 5: "d" };
export const main = async (event) => {
  await scan(object.table); await scan(object["b"]); await scan(object["c d"]); await scan(object[5]);
  let e = "e"; e &&= "f"; await scan(e);
  let g; g ??= "g"; await scan(g);
  let h = "h"; h += "-h"; await scan(h); h -= 1; delete event.x; void 0;
  const { i: { j = "i" } = {}, ...others } = event;
  const [, [k] = ["j"], ...rest] = ["no"];
  await scan(k);
  let l, m;
  [l, m] = ["k", "l"]; await scan(l); await scan(m);
  ({ l, o: m = "m" } = { l: "n" }); await scan(l); await scan(m);
  (e, await scan("o"));
  const nested = {}; nested.inner = {}; nested.inner.name = "q"; await scan(nested.inner.name);
  const callable = () => 0; callable.table = "r"; await scan(callable.table);
};""",
        {f"read {name}" for name in [*"abcdefgjklmnoqr", "h-h"]},
    ),
    "functions with another this": (
        V2
        + """
function Repo(table) { this.table = table; }
Repo.table = "a";
Repo.prototype = { all: function (suffix) {
  return documents.scan({ TableName: this.table + suffix }).promise(); } };
const all = Repo.prototype.all.bind({ table: "b" });
const same = all.bind(null, "-c");
exports.main = async () => {
  await new Repo("d").all("");
  await documents.put({ TableName: Repo.table }).promise();
  await all(""); await same();
  await Repo.prototype.all.call({ table: "e" }, ""); await Repo.prototype.all.apply({ table: "f" }, [""]);
};""",
        {"write a", "read b", "read b-c", "read d", "read e", "read f"},
    ),
}


@pytest.mark.parametrize(("body", "expected"), CASES.values(), ids=CASES)
def test_accesses_are_found(tmp_path: Path, body: str, expected: set[str]) -> None:
    usage = read_function(tmp_path, {"handler.js": body})
    assert accesses(usage) == expected
    assert places(usage) == []
    assert usage.errors == ()
