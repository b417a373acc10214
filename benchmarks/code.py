"""How the reader of code scales: 50, 500 and 5,000 generated files, a fifth of them Python.

    python -m benchmarks.code

A service has a serverless.yml, a file of handlers, a repository class and a file of helpers; all share a wrapper and
the names of tables. Each size runs in its own process, so that peak memory is measured per size. Results:
benchmarks/results/latest.md.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FUNCTIONS = 4  # of each service
FILES_PER_SERVICE = 3

WRAPPER = """\
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, UpdateCommand
} from "@aws-sdk/lib-dynamodb";

const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const suffix = () => process.env.ENVIRONMENT || "";

export default {
  async get(id, table) {
    const result = await client.send(new GetCommand({ TableName: table + suffix(), Key: { id } }));
    return result.Item;
  },
  async create(item, table) {
    return client.send(new PutCommand({ TableName: table + suffix(), Item: item }));
  },
  async update(id, values, table) {
    return client.send(new UpdateCommand({ TableName: table + suffix(), Key: { id }, ...values }));
  },
  async query(table, index, condition) {
    const params = { TableName: table + suffix(), IndexName: index };
    return client.send(new QueryCommand({ ...params, KeyConditionExpression: condition }));
  }
};
"""
SERVERLESS = """\
service: shop-{name}
provider:
  name: aws
  environment: {{ENVIRONMENT: "${{opt:stage, ''}}", TABLE: "table{number}${{opt:stage, ''}}"}}
functions:
"""
HANDLERS = """\
import db from "../../lib/db";
import {{ TABLES }} from "../../lib/tables";
import {{ Repository }} from "./repository";
import {{ respond, validate }} from "./helpers";

const repository = new Repository(TABLES.table{number});
"""
HANDLER = """
export const handler{index} = async (event) => {{
  const body = validate(event, ["id", "name"]);
  const found = await db.get(body.id, TABLES.table{other});
  if (!found) return respond(404, {{ message: "not found" }});
  await repository.save({{ ...found, ...body }});
  const items = await db.query(TABLES.table{number}, "by-name", "name = :name");
  return respond(200, items.filter((item) => item.active).map((item) => ({{ id: item.id }})));
}};
"""
REPOSITORY = """\
import db from "../../lib/db";

export class Repository {
  constructor(table) {
    this.table = table;
  }

  async save(item) {
    return item.id ? db.update(item.id, item, this.table) : db.create(item, this.table);
  }
}
"""
HELPERS = """\
export const respond = (statusCode, body) => ({
  statusCode,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body)
});

export function validate(event, names) {
  const body = JSON.parse(event.body);
  for (const name of names) {
    if (body[name] === undefined) throw new Error(`${name} is missing`);
  }
  return body;
}
"""
PYTHON_HANDLERS = """\
import os

from helpers import respond
from repository import Repository

repository = Repository("table{number}" + os.environ.get("ENVIRONMENT", ""))
"""
PYTHON_HANDLER = """

def handler{index}(event, context):
    found = repository.get(event["id"])
    if found is None:
        return respond(404, {{"message": "not found"}})
    Repository("table{other}").save({{**found, "seen": True}})
    return respond(200, [item["id"] for item in repository.all() if item["active"]])
"""
PYTHON_REPOSITORY = """\
import boto3


class Repository:
    def __init__(self, name):
        self.table = boto3.resource("dynamodb").Table(name)

    def get(self, key):
        return self.table.get_item(Key={"id": key}).get("Item")

    def save(self, item):
        self.table.put_item(Item=item)

    def all(self):
        return self.table.scan()["Items"]
"""
PYTHON_HELPERS = """\
import json


def respond(status, body):
    return {"statusCode": status, "body": json.dumps(body)}
"""


def write(folder: Path, files: int) -> None:
    """A monorepo with that many files of code."""
    services = files // FILES_PER_SERVICE
    (folder / "lib").mkdir()
    (folder / "lib/db.js").write_text(WRAPPER)
    tables = [f'  table{number}: "table{number}",' for number in range(services)]
    (folder / "lib/tables.js").write_text("\n".join(["export const TABLES = {", *tables, "};", ""]))
    for number in range(services):
        project = folder / "services" / f"service{number}"
        project.mkdir(parents=True)
        text = SERVERLESS.format(name=project.name, number=number)
        for index in range(FUNCTIONS):
            text += f"  function{index}: {{handler: handlers.handler{index}}}\n"
        (project / "serverless.yml").write_text(text)
        is_python = number % 5 == 0
        write_service(project, number, services, is_python)


def write_service(project: Path, number: int, services: int, is_python: bool) -> None:
    suffix = "py" if is_python else "js"
    text = (PYTHON_HANDLERS if is_python else HANDLERS).format(number=number)
    handler = PYTHON_HANDLER if is_python else HANDLER
    for index in range(FUNCTIONS):
        text += handler.format(index=index, number=number, other=(number + index) % services)
    (project / f"handlers.{suffix}").write_text(text)
    (project / f"repository.{suffix}").write_text(PYTHON_REPOSITORY if is_python else REPOSITORY)
    (project / f"helpers.{suffix}").write_text(PYTHON_HELPERS if is_python else HELPERS)


def measure(files: int) -> None:
    """Read once in this process; print size, accesses, seconds (clock, CPU) and peak memory."""
    from ownership.drift.code.reader import read_code
    from ownership.drift.naming import Names

    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), files)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter(), time.process_time()
        usage = read_code([Path(folder)], Names(), {})
        seconds, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        accesses = sum(access.reachable for access in usage.accesses)
        times = f"{seconds:>8.2f} s {cpu:>8.2f} s of CPU"
        memory = f"{peak // 1024:>6} MB ({(peak - before) // 1024} MB more than before)"
        unresolved = len(usage.unresolved)
        print(
            f"{files:>6} files {accesses:>7} accesses {unresolved:>4} unresolved {times} {memory}"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]))
    else:
        for size in (50, 500, 5000):
            subprocess.run([sys.executable, "-m", "benchmarks.code", str(size)], check=True)
