"""Small projects in templates with code and a map, of which every verdict was labelled before they were read."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ownership.drift.command import main
from tests.support.drift_projects import a_map, write

PYTHON_TABLES = """\
import boto3


def get(table, key):
    return boto3.resource("dynamodb").Table(table).get_item(Key=key)


def put(table, item):
    boto3.resource("dynamodb").Table(table).put_item(Item=item)
"""
ROLE_MACRO = """\
{% macro role(name, permitted) %}
  {{ name }}:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement:
{% for table, actions in permitted %}
              - Effect: Allow
                Action: [{% for action in actions %}"dynamodb:{{ action }}"{{ ", " if not loop.last }}{% endfor %}]
                Resource: !Sub "arn:aws:dynamodb:${AWS::Region}:*:table/{{ table }}-{{ stage }}"
{% endfor %}
{% endmacro %}
{% macro function(name, handler, role="Role") %}
  {{ name }}:
    Type: AWS::Lambda::Function
    Properties:
      Handler: {{ handler }}
      Code: {S3Bucket: "{{ bucket }}", S3Key: code.zip}
      Role: !GetAtt {{ role }}.Arn
      Environment: {Variables: {STAGE: "{{ stage }}", USERS: "shop-users-{{ stage }}"}}
{% endmacro %}
"""
JINJA = {
    "macros/lambda.j2": ROLE_MACRO,
    "shared/db.py": PYTHON_TABLES,
    "services/users/template.yml.j2": """\
{% from "macros/lambda.j2" import role, function %}
Resources:
{% for name in ["list", "create"] %}
  {{ function(name | capitalize, "handlers/" ~ name ~ ".handler") }}
{% endfor %}
  {{ role("Role", [("shop-users", ["GetItem", "PutItem"]), ("shop-orders", ["Query"])]) }}
""",
    "services/users/handlers/list.py": """\
import os
from shared import db

def handler(event, context):
    db.get("shop-stock-" + os.environ["STAGE"], {})
    return db.get(os.environ["USERS"], event)
""",
    "services/users/handlers/create.py": """\
import os
from shared.db import put

def handler(event, context):
    put(os.environ["USERS"], event)
""",
    # The names of its functions and of its role mention another service.
    "services/orders/template.yml.j2": """\
{% from "macros/lambda.j2" import role, function %}
Resources:
  {{ function("NotifyUsers", "worker.notify", "UsersQueueRole") }}
  {{ role("UsersQueueRole", [("shop-orders", ["PutItem"])]) }}
""",
    "services/orders/worker.py": """\
import os
from shared import db

def notify(event, context):
    name = f"shop-orders-{os.environ['STAGE']}"
    order = db.get(name, event)
    db.put(name, order)
""",
}
SAM = {
    "template.yaml": """\
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Handler: app.handler, Runtime: python3.12, Environment: {Variables: {LEDGER: shop-ledger}}}}
Resources:
  Bookings: {Type: AWS::DynamoDB::Table, Properties: {TableName: shop-bookings}}
  Create:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/booking
      Policies: [DynamoDBCrudPolicy: {TableName: !Ref Bookings}]
      Environment: {Variables: {BOOKINGS: !Ref Bookings}}
  BookingReceipt:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/payment
      Policies: [DynamoDBReadPolicy: {TableName: !Ref Bookings}]
      Environment: {Variables: {BOOKINGS: !Ref Bookings}}
  Collect: {Type: AWS::Serverless::Function, Properties: {CodeUri: src/payment/collect, Role: !GetAtt Shared.Arn}}
  Check: {Type: AWS::Serverless::Function, Properties: {CodeUri: src/audit, Role: !GetAtt Shared.Arn}}
  Shared:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement: {Effect: Allow, Action: dynamodb:PutItem, Resource: "arn:aws:dynamodb:*:*:table/shop-ledger"}
  Loyalty: {Type: AWS::Serverless::Application, Properties: {Location: extras/template.yaml}}
""",
    "src/booking/app.py": """\
import os, boto3
def handler(event, context):
    boto3.resource("dynamodb").Table(os.environ["BOOKINGS"]).put_item(Item=event)
""",
    "src/payment/app.py": """\
import os, boto3
table = boto3.resource("dynamodb").Table(os.environ["BOOKINGS"])
def handler(event, context):
    table.update_item(Key=event)
""",
    "src/payment/collect/app.py": """\
import os, boto3
def handler(event, context):
    boto3.client("dynamodb").put_item(TableName=os.environ["LEDGER"], Item=event)
""",
    "src/audit/app.py": "def handler(event, context):\n    return event\n",
    # Only the name of the nested stack says whose it is.
    "extras/template.yaml": """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Points:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Handler: points.handler
      Policies: [DynamoDBReadPolicy: {TableName: shop-points}]
""",
    "extras/src/points.py": """\
import boto3
def handler(event, context):
    return boto3.resource("dynamodb").Table("shop-points").get_item(Key=event)
""",
}
REPOSITORY = """\
import { DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
export class Repository {
  constructor(private readonly client: DynamoDBDocumentClient, private readonly table: string) {}
  find(id: string) { return this.client.send(new GetCommand({ TableName: this.table, Key: { id } })); }
  save(Item: object) { return this.client.send(new PutCommand({ TableName: this.table, Item })); }
}
"""


def handler(method: str, variable: str) -> str:
    """A handler that calls a method of a repository, which is handed in."""
    return f"""\
import {{ DynamoDBClient }} from "@aws-sdk/client-dynamodb";
import {{ DynamoDBDocumentClient }} from "@aws-sdk/lib-dynamodb";
import {{ Repository }} from "../../../packages/data/repository";
class Service {{ constructor(private repository: Repository) {{}} run(event: any) {{ {method} }} }}
const client = DynamoDBDocumentClient.from(new DynamoDBClient({{}}));
const service = new Service(new Repository(client, process.env.{variable}!));
export const handler = async (event: any) => service.run(event);
"""


TYPESCRIPT = {
    "packages/data/repository.ts": REPOSITORY,
    # Its folder says nothing; the tag in Globals does.
    "apps/one/template.yaml": """\
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Tags: {service: catalog}, Runtime: nodejs20.x}}
Resources:
  Get:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: esbuild, BuildProperties: {EntryPoints: [src/get.ts]}}
    Properties:
      CodeUri: .
      Handler: get.handler
      Environment: {Variables: {TABLE: shop-items}}
      Policies: [DynamoDBReadPolicy: {TableName: shop-items}]
""",
    "apps/one/src/get.ts": handler("return this.repository.find(event.id);", "TABLE"),
    "apps/billing/template.yaml": """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Invoices: {Type: AWS::Serverless::SimpleTable, Properties: {TableName: shop-invoices}}
  Catalog:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: esbuild}
    Properties:
      CodeUri: src
      Handler: pay.handler
      Environment: {Variables: {INVOICES: !Ref Invoices}}
      Policies: [DynamoDBCrudPolicy: {TableName: !Ref Invoices}, DynamoDBWritePolicy: {TableName: shop-items}]
""",
    "apps/billing/src/pay.ts": handler(
        "this.repository.find(event.id); return this.repository.save(event);", "INVOICES"
    ),
    # Not to be read: another copy of a template, as SAM builds it, and a package's.
    "apps/billing/.aws-sam/build/template.yaml": "Resources: {R: {Type: AWS::IAM::Role}}",
    "node_modules/x/template.yaml": "Resources: {R: {Type: AWS::Unknown::Thing}}",
}
PROJECTS: dict[str, tuple[dict[str, str], dict[str, Any], set[str]]] = {
    "Python with a shared library, CloudFormation in Jinja2": (
        JINJA,
        a_map(
            "users read shop-users",
            "users read shop-stock",
            "users write shop-carts",
            "orders read_write shop-orders",
        ),
        {
            "wider_grant shop-users users: fix_map",
            "undeclared_access shop-orders users: trim_iam",
            "access_not_granted shop-stock users: fix_iam",
            "access_not_granted shop-carts users: remove_from_map",
            "narrower_grant shop-orders orders: fix_iam",
        },
    ),
    "Python in SAM": (
        SAM,
        a_map(
            "booking write shop-bookings",
            "payment read shop-bookings",
            "payment write shop-ledger",
            "audit read shop-ledger",
            "loyalty read_write shop-points",
        ),
        {
            "wider_grant shop-bookings booking: trim_iam",
            "unused_declaration shop-bookings payment: remove_from_map",
            "undeclared_use shop-bookings payment: fix_map",
            "narrower_grant shop-ledger audit: remove_from_map",
            "wider_grant shop-ledger audit: trim_iam",
            "narrower_grant shop-points loyalty: remove_from_map",
        },
    ),
    "TypeScript with repositories in SAM": (
        TYPESCRIPT,
        a_map("catalog read_write shop-items", "billing read_write shop-invoices"),
        {
            "narrower_grant shop-items catalog: remove_from_map",
            "undeclared_access shop-items billing: trim_iam",
        },
    ),
}


def report(folder: Path, declared: dict[str, Any], paths: Iterable[str] = (".",)) -> dict[str, Any]:
    """What the command says of these paths in a folder, as JSON."""
    map_file = folder.parent / "map.json"
    map_file.write_text(json.dumps(declared), encoding="utf-8")
    output: list[str] = []
    templates = [str(folder / path) for path in paths]
    main(
        [
            "cloudformation",
            *templates,
            "--code",
            str(folder),
            "--registry",
            str(map_file),
            "--format",
            "json",
        ],
        output.append,
    )
    content: dict[str, Any] = json.loads("".join(output))
    return content


@pytest.mark.parametrize(("files", "declared", "labels"), PROJECTS.values(), ids=PROJECTS)
def test_each_verdict_is_the_labelled_one(
    tmp_path: Path, files: dict[str, str], declared: dict[str, Any], labels: set[str]
) -> None:
    found = report(write(tmp_path / "backend", files), declared)
    verdicts = {
        f"{row['kind']} {row['table']} {row['service']}: {row['verdict']}"
        for row in found["findings"]
    }
    assert (verdicts, found["unchecked"], found["errors"]) == (labels, [], [])
