"""Modules of JavaScript and TypeScript: a few small files each."""

from pathlib import Path

import pytest

from tests.support.drift_code import V2, V3, accesses, places, read_function

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
            "other.js": V3
            + 'export const c = () => client.send(new ScanCommand({ TableName: "c" }));',
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
            "packages/db/src/one.ts": V3
            + 'export const one = () => client.send(new GetCommand({ TableName: "b" }));',
        },
        {"read a", "read b"},
    ),
    "a layer": (
        {
            "handler.js": 'const { all } = require("/opt/nodejs/db");\nexports.main = () => all();',
            "layers/shared/nodejs/db.js": V2
            + 'exports.all = () => documents.scan({ TableName: "a" }).promise();',
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
            "lib/all.js": V3
            + 'export const all = () => client.send(new ScanCommand({ TableName: "a" }));',
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
            "actions/a.js": V2
            + 'exports.run = () => documents.scan({ TableName: "a" }).promise();',
            "actions/a.test.js": V2
            + 'exports.run = () => documents.scan({ TableName: "test" }).promise();',
            "more/b.js": V3
            + 'export const run = () => client.send(new PutCommand({ TableName: "b" }));',
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
            "db.ts": V3
            + 'const db = { all: () => client.send(new ScanCommand({ TableName: "a" })) };\nexport = db;',
        },
        {"read a"},
    ),
    "modules that export others and a package again": (
        {
            "handler.ts": 'import { DynamoDBClient, ScanCommand, more, users } from "./lib/dynamo";\n'
            "const client = new DynamoDBClient({});\nexport const main = async () => {\n"
            "  for (const TableName of [users, more.table]) await client.send(new ScanCommand({ TableName }));\n};",
            "lib/dynamo.ts": 'export * from "./cyclic";\n'
            'export * from "@aws-sdk/client-dynamodb";\nexport * from "./names";\n',
            "lib/cyclic.ts": 'export * from "./dynamo";\n'
            'export type { Type } from "./types";\nexport const other = 1;\n',
            "lib/names.ts": 'import * as more from "./more";\nexport const users = "a";\nexport { more };\n'
            'export default class { table = "no"; }\n',
            "lib/more.ts": 'export const table = "b";\n',
        },
        {"read a", "read b"},
    ),
    "a component that is rendered on the server": (
        {
            "handler.js": 'export { main } from "./page";\n',
            "page.tsx": V3
            + """
const load = (TableName: string) => client.send(new ScanCommand({ TableName }));
const Page = ({ table }: { table: string }) => <ul title={`${table}`}>{load(table)}</ul>;
export const main = async () => { await load("a"); return <main>{Page({ table: "b" })}</main>; };""",
        },
        {"read a", "read b"},
    ),
    "names that are written in JSON": (
        {
            "handler.js": V3
            + 'const { tables, limits: [first], none } = require("./config.json");\n'
            "export const main = async () => {\n"
            "  for (const TableName of tables) await client.send(new ScanCommand({ TableName }));\n"
            "  await client.send(new ScanCommand({ TableName: `t-${first}` }));\n};",
            "config.json": '{"tables": ["a", "b"], "limits": [1, 2], "none": null}',
        },
        {"read a", "read b", "read t-1"},
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
