"""Where infrastructure says that functions start, and what it puts into their environment."""

import json
from pathlib import Path

import pytest

from ownership.drift.code.reader import read_code
from ownership.drift.naming import Names
from ownership.drift.types import CodeUsage
from tests.support.drift_code import accesses, places, read_files
from tests.support.drift_projects import names, write

JS = """\
const { DynamoDB } = require("aws-sdk");
const db = new DynamoDB.DocumentClient();
exports.handler = async () => db.scan({ TableName: process.env.TABLE }).promise();
"""
PY = """\
import os
import boto3
def handler(event, context):
    boto3.resource("dynamodb").Table(os.environ["TABLE"]).scan()
"""


def rows(usage: CodeUsage) -> set[str]:
    return {f"{a.service} {a.function} {a.mode} {a.table}" for a in usage.accesses if a.reachable}


SERVERLESS = {
    "the function's environment over the provider's": (
        {
            "a/serverless.yml": """
service: a
provider: {name: aws, environment: {TABLE: one, OTHER: x}}
functions:
  first: {handler: index.handler}
  second: {handler: index.handler, environment: {TABLE: two}}
""",
            "a/index.js": JS,
        },
        {"a first read one", "a second read two"},
    ),
    "functions in files, and handlers in folders": (
        {
            "a/serverless.yml": """
service: a
provider: {name: aws, environment: "${file(env.yml)}"}
functions:
  - ${file(functions.yml)}
  - third: {handler: src/third/index.handler, package: {patterns: ["src/third/**"]}}
""",
            "a/functions.yml": "first: {handler: src/first.handler}\nsecond: {handler: src/second.handler}\n",
            "a/env.yml": "TABLE: users-${opt:stage, 'dev'}\n",
            "a/src/first.js": JS,
            "a/src/second/index.ts": JS,
            "a/src/third/index.mjs": JS.replace("exports.handler =", "export const handler ="),
        },
        {"a first read users", "a second read users", "a third read users"},
    ),
    "Python's modules": (
        {
            "a/serverless.yml": """
service: a
provider: {name: aws, runtime: python3.12, environment: {TABLE: users}}
functions:
  first: {handler: api.users.handler}
  second: {handler: handler.handler, module: workers}
""",
            "a/api/users.py": PY,
            "a/workers/handler.py": PY,
        },
        {"a first read users", "a second read users"},
    ),
    "handlers that are built": (
        {
            "a/serverless.yml": """
service: a
provider: {name: aws, environment: {TABLE: users}}
functions: {first: {handler: dist/api.handler}, second: {handler: build/src/api.handler}}
""",
            "a/src/api.ts": JS,
            "a/dist/api.js": "exports.handler = () => 1;",
        },
        {"a first read users", "a second read users"},
    ),
    "references to tables": (
        {
            "a/serverless.yml": """
service: a
provider: {name: aws}
functions:
  ref: {handler: index.handler, environment: {TABLE: !Ref Users}}
  arn: {handler: index.handler, environment: {TABLE: !GetAtt Users.Arn}}
  unnamed: {handler: index.handler, environment: {TABLE: !Ref Orders}}
  sub: {handler: index.handler, environment: {TABLE: !Sub "${Users}"}}
  imported: {handler: index.handler, environment: {TABLE: !ImportValue stock-table}}
resources:
  Resources:
    Users: {Type: AWS::DynamoDB::Table, Properties: {TableName: "users-${opt:stage, 'dev'}"}}
    Orders: {Type: AWS::DynamoDB::Table, Properties: {}}
""",
            "a/index.js": JS,
            "b/serverless.yml": """
service: b
functions: {}
resources:
  Resources:
    Stock: {Type: AWS::DynamoDB::Table, Properties: {TableName: stock}}
  Outputs: {Name: {Value: !Ref Stock, Export: {Name: stock-table}}}
""",
        },
        {
            "a ref read users",
            "a arn read users",
            "a unnamed read Orders",
            "a sub read users",
            "a imported read stock",
        },
    ),
}

SERVERLESS["a project that is written in code"] = (
    {
        "a/serverless.ts": 'import type { AWS } from "@serverless/typescript";\n'
        'import { hello, other } from "@functions/index";\nimport { tables } from "./tables";\n'
        'const configuration: AWS = { service: "a", provider: { name: "aws", runtime: "nodejs20.x",\n'
        '    environment: { TABLE: tables.users, STAGE: process.env.STAGE || "dev" } },\n'
        "  functions: { hello, other } };\nmodule.exports = configuration;\n",
        "a/tsconfig.json": '{"compilerOptions": {"baseUrl": ".", "paths": {"@functions/*": ["src/functions/*"]}}}',
        "a/tables.ts": 'export const tables = { users: "users-${sls:stage}" };\n',
        "a/src/functions/index.ts": "export { default as hello } from './hello';\n"
        "export const other = { handler: 'src/functions/hello/handler.handler', environment: { TABLE: 'more' } };\n",
        "a/src/functions/hello/index.ts": "import { handlerPath } from '../../libs/path';\n"
        "export default { handler: `${handlerPath(__dirname)}/handler.handler`, events: [] };\n",
        "a/src/libs/path.ts": "export const handlerPath = (context: string) =>\n"
        "  `${context.split(process.cwd())[1].substring(1).replace(/\\\\/g, '/')}`;\n",
        "a/src/functions/hello/handler.ts": JS,
    },
    {"a hello read users", "a other read more"},
)
SERVERLESS["a handler that is a member of a class"] = (
    {
        "a/serverless.yml": "service: a\nprovider: {name: aws, environment: {TABLE: one}}\n"
        "functions: {first: {handler: src/index.Api.handler}}\n",
        "a/src/index.js": JS.replace(
            "exports.handler", "class Api {}\nmodule.exports = { Api };\nApi.handler"
        ),
    },
    {"a first read one"},
)

TEMPLATES = {
    "services by the folder of code or handler": (
        {
            "stacks/one.yaml": """
Resources:
  A: {Type: AWS::Serverless::Function, Properties: {CodeUri: ../functions/users, Handler: app.handler}}
  B: {Type: AWS::Serverless::Function, Properties: {CodeUri: ../functions, Handler: orders.src.app.handler}}
Globals: {Function: {Environment: {Variables: {TABLE: t}}}}
""",
            "functions/users/app.py": PY,
            "functions/orders/src/app.py": PY,
        },
        {"users A read t", "orders B read t"},
    ),
    "SAM with globals": (
        {
            "template.yaml": """
Globals:
  Function:
    CodeUri: users/
    Handler: app.handler
    Environment: {Variables: {TABLE: !Ref Table}}
Resources:
  Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: users}}
  First: {Type: AWS::Serverless::Function, Properties: {}}
  Second:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: orders/src/, Environment: {Variables: {TABLE: orders}}}
""",
            "users/app.py": PY,
            "orders/src/app.py": PY,
        },
        {"users First read users", "orders Second read orders"},
    ),
    "SAM that builds TypeScript": (
        {
            "users/template.yml": """
Resources:
  First:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: esbuild, BuildProperties: {EntryPoints: [handlers/list.ts]}}
    Properties: {CodeUri: src/, Handler: list.handler, Environment: {Variables: {TABLE: users}}}
""",
            "users/src/handlers/list.ts": JS,
        },
        {"users First read users"},
    ),
    "CloudFormation with code in a folder, an archive and itself": (
        {
            "stacks/users/template.json": json.dumps(
                {
                    "Resources": {
                        name: {
                            "Type": "AWS::Lambda::Function",
                            "Properties": {
                                "Handler": handler,
                                "Code": code,
                                "Environment": {"Variables": {"TABLE": "users"}},
                            },
                        }
                        for name, handler, code in (
                            ("Folder", "index.handler", "./code"),
                            (
                                "Archive",
                                "archived.handler",
                                {"S3Bucket": "b", "S3Key": "k.zip"},
                            ),
                            ("Inline", "index.handler", {"ZipFile": JS}),
                        )
                    }
                }
            ),
            "stacks/users/code/index.js": JS,
            "elsewhere/archived.py": PY,
        },
        {
            "users Folder read users",
            "users Archive read users",
            "users Inline read users",
        },
    ),
    "nested stacks": (
        {
            "shop/template.yaml": """
Resources:
  Data: {Type: AWS::Serverless::Application, Properties: {Location: data.yaml}}
  Api:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: ./api.yaml, Parameters: {UsersTable: !GetAtt Data.Outputs.Users}}
""",
            "shop/data.yaml": """
Resources: {Users: {Type: AWS::DynamoDB::Table, Properties: {TableName: users}}}
Outputs: {Users: {Value: !Ref Users}}
""",
            "shop/api.yaml": """
Parameters: {UsersTable: {Type: String}}
Resources:
  List:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: ., Handler: app.handler, Environment: {Variables: {TABLE: !Ref UsersTable}}}
""",
            "shop/app.py": PY,
        },
        {"shop List read users"},
    ),
    "CDK": (
        {
            "shop/cdk.out/Shop.template.json": json.dumps(
                {
                    "Resources": {
                        "Users1": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
                        "List2": {
                            "Type": "AWS::Lambda::Function",
                            "Properties": {
                                "Handler": "index.handler",
                                "Code": {"S3Bucket": "b", "S3Key": "k.zip"},
                                "Environment": {"Variables": {"TABLE": {"Ref": "Users1"}}},
                            },
                            "Metadata": {
                                "aws:asset:path": "asset.1",
                                "aws:asset:property": "Code",
                            },
                        },
                    }
                }
            ),
            "shop/cdk.out/asset.1/index.js": JS,
        },
        {"shop List2 read Users1"},
    ),
    "Jinja2": (
        {
            "shop/template.yml.j2": """
{# names of tables #}
{% set names = {"users": "u", "orders": "o"} -%}
{% macro unused(x) %}nothing{% endmacro %}
Resources:
{% for name, short in names.items() %}
  {{ name | title }}:
    Type: AWS::Lambda::Function
    Properties:
      Handler: app.handler
      Code: {S3Bucket: "{{ bucket }}", S3Key: "{{ key | default('k.zip') }}"}
      Environment:
        Variables:
          TABLE: {{ prefix | default("shop") }}-{{ name }}-{{ stage }}
          SHORT: "{{ short ~ '-' ~ name }}"
{% if name == "orders" %}
          MORE: "x"
{% else %}
          MORE: "y"
{% endif %}
{% endfor %}
{% include "more.yml.j2" %}
""",
            "shop/more.yml.j2": """
  Extra:
    Type: AWS::Lambda::Function
    Properties: {Handler: app.handler, Code: {ZipFile: "x"}, Environment: {Variables: {TABLE: "extra"}}}
""",
            "shop/app.py": PY,
        },
        {"shop Users read shop-users", "shop Orders read shop-orders"},
    ),
}


@pytest.mark.parametrize(("files", "expected"), SERVERLESS.values(), ids=SERVERLESS)
def test_functions_of_serverless_projects_are_found(
    tmp_path: Path, files: dict[str, str], expected: set[str]
) -> None:
    usage = read_files(tmp_path, files)
    assert rows(usage) == expected
    assert places(usage) == []


@pytest.mark.parametrize(("files", "expected"), TEMPLATES.values(), ids=TEMPLATES)
def test_functions_of_templates_are_found(
    tmp_path: Path, files: dict[str, str], expected: set[str]
) -> None:
    usage = read_files(tmp_path, files)
    assert rows(usage) == expected
    assert [unresolved for unresolved in usage.unresolved if unresolved.text != "Extra"] == []


@pytest.mark.parametrize(
    ("function", "why"),
    [
        ("{handler: nowhere.handler}", "is not among those that were read"),
        ("{handler: index.nothing}", "is not among what its file exports"),
        ("{image: repository/image}", "runs an image"),
        ("{handler: '${ssm:/handler}'}", "has no handler"),
        ("{handler: minified.handler}", "is minified"),
    ],
    ids=["no file", "no export", "an image", "no text", "minified"],
)
def test_a_function_that_cannot_be_read_is_unresolved(
    tmp_path: Path, function: str, why: str
) -> None:
    files = {
        "a/serverless.yml": f"service: a\nfunctions:\n  first: {function}\n",
        "a/index.js": JS,
        "a/minified.js": "exports.handler=function(){return 1};" * 1000,
    }
    usage = read_files(tmp_path, files)
    (unresolved,) = usage.unresolved
    assert (unresolved.service, unresolved.location.file) == ("a", "a/serverless.yml")
    assert why in unresolved.reason
    assert usage.services == {"a"}


UNRESOLVED: dict[str, tuple[dict[str, str], set[str], list[str]]] = {
    "functions that are made elsewhere": (
        {
            "a/serverless.ts": 'import { api } from "@package/api";\n'
            'const one = { handler: "index.handler", environment: { TABLE: "one", ...api.env } };\n'
            'module.exports = { service: "a", functions: { ...api, one } };\n',
            "a/index.js": JS,
            "b/serverless.yml": "service: b\nfunctions:\n  - ${file(nowhere.yml)}\n"
            "  - {two: '${file(nowhere.yml)}', three: {handler: ../a/index.handler, environment: {TABLE: three}}}\n",
        },
        {"a one read one", "b three read three"},
        [
            "a/serverless.ts:3 …: the function can't be resolved",
            "b/serverless.yml:3 functions: the functions can't be resolved",
            "b/serverless.yml:4 two: the function can't be resolved",
        ],
    ),
    "values of a project in code that can't be told": (
        {
            "a/serverless.ts": 'import * as functions from "./functions";\n'
            'import { name } from "@package/names";\n'
            "const settings = { tracing: true, memorySize: 512, vpc: undefined, plugins: [`x`, ...name] };\n"
            'module.exports = { service: "a", functions, provider: { ...settings, environment: { TABLE: name } } };\n',
            "a/functions.ts": 'export const one = { handler: "index.handler" };\n'
            "const TABLE = process.env.NAME;\n"
            'export const two = { handler: "index.handler", environment: { TABLE } };\n'
            'export const three = { ...two, environment: { TABLE: process.env.NAME || "three" } };\n',
            "a/index.js": JS,
        },
        {"a three read three"},
        [
            "a/index.js:3 …: can't be told from the code",
            "a/index.js:3 …: no value for env:NAME (--var env:NAME=…)",
        ],
    ),
    "functions of SAM that have no code": (
        {
            "a/template.yaml": """
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList}}
Resources:
  One: {Type: AWS::Serverless::Function, Properties: {PackageType: Image}}
  Two: {Type: AWS::Serverless::Function, Properties: {CodeUri: src/}}
  Three: {Type: AWS::Serverless::Function, Properties: {CodeUri: built/, Handler: index.handler}}
  'Fn::ForEach::Functions':
    - Name
    - !Ref Names
    - '${Name}': {Type: AWS::Serverless::Function, Properties: {Handler: index.handler}}
""",
            "b/index.js": JS,
            "c/index.js": JS,
        },
        set(),
        [
            "a/template.yaml:5 One: runs an image, whose code is not read",
            "a/template.yaml:6 Two: has no handler that can be read",
            "a/template.yaml:7 Three: the file of the handler index.handler is not among those that were read",
            "a/template.yaml:9 Fn::ForEach::Functions: is not expanded, and may make functions",
        ],
    ),
    "nested stacks and values that are not known": (
        {
            "a/template.yaml": """
Resources:
  Gone: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: gone.yaml}}
  Given: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: !Ref Url}}
  Child:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: child.yaml
      Parameters: {Name: !If [Some, one, two], Other: {'Fn::Sub': [a, b, c]}}
  Own:
    Type: AWS::Serverless::Function
    Properties: {Handler: index.handler, Environment: {Variables: {TABLE: {'Fn::Sub': [a, b, c]}}}}
""",
            "a/child.yaml": """
Parameters: {Name: {Type: String}}
Resources:
  Some:
    Type: AWS::Serverless::Function
    Properties: {Handler: index.handler, Environment: {Variables: {TABLE: !Ref Name}}}
""",
            "a/index.js": JS,
        },
        set(),
        [
            "a/index.js:3 …: Fn::Sub without a text",
            "a/index.js:3 …: parameter Name has no default (--var param:Name=…)",
        ],
    ),
}


@pytest.mark.parametrize(("files", "expected", "unresolved"), UNRESOLVED.values(), ids=UNRESOLVED)
def test_what_infrastructure_does_not_say_is_unresolved(
    tmp_path: Path, files: dict[str, str], expected: set[str], unresolved: list[str]
) -> None:
    usage = read_files(tmp_path, files)
    assert rows(usage) == expected
    found = [f"{item.location} {item.text or '…'}: {item.reason}" for item in usage.unresolved]
    assert sorted(found) == unresolved


def test_a_project_in_code_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    project = 'module.exports = { service: "a", functions: {} };\n'
    files = {
        "a/serverless.ts": 'export const config = { service: "a" };\n',
        "build/serverless.js": project,
        "c/serverless.js": f"{project[:-2]};{' ' * 1_000_000}",
    }
    usage = read_files(tmp_path, files)
    assert sorted(f"{error.location}: {error.reason}" for error in usage.errors) == [
        "a/serverless.ts: exports no object that can be told; `serverless print` makes a serverless.yml of it",
        "build/serverless.js: is not among the files that were read",
        "c/serverless.js: c/serverless.js is larger than 1,000,000 characters, and is not read",
    ]


def test_a_file_that_is_no_text_is_no_template(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_bytes(b"\xff\xfeAWS::Serverless::Function")
    files = {
        "serverless.yml": "service: a\nlayers: {one: {path: layer}, two: {path: ../..}}\n"
        "functions: {one: {handler: index.handler, environment: {TABLE: one}}}\n",
        "index.py": "from shared import load\ndef handler(event, context): load()\n",
        "layer/python/shared.py": PY.replace("handler(event, context)", "load()"),
    }
    usage = read_files(tmp_path, files)
    assert {f"{access.mode} {access.table}" for access in usage.accesses} == {"read one"}
    assert usage.errors == ()


def test_services_and_tables_have_the_maps_names(tmp_path: Path) -> None:
    files = {
        "template.yaml": """
Resources:
  UsersRole: {Type: AWS::IAM::Role, Properties: {Tags: [{Key: service, Value: members}]}}
  First:
    Type: AWS::Lambda::Function
    Properties:
      {Handler: app.handler, Code: src/x, Role: !GetAtt UsersRole.Arn, Environment: {Variables: {TABLE: usersPROD}}}
  OrdersList:
    Type: AWS::Lambda::Function
    Properties: {Handler: app.handler, Code: src/y, Environment: {Variables: {TABLE: ordersPROD}}}
""",
        "src/x/app.py": PY,
        "src/y/app.py": PY,
    }
    known = names("production", tables=("users", "orders"), services=("members", "orders"))
    usage = read_code([write(tmp_path, files)], known, {})
    assert rows(usage) == {"members First read users", "orders OrdersList read orders"}


def test_an_access_named_in_another_services_folder_is_indirect(tmp_path: Path) -> None:
    files = {
        "serverless.yml": "service: shop\nfunctions: {main: {handler: index.handler}}\n",
        "index.js": 'const { all } = require("./users/db");\nexports.handler = () => all();\n',
        "users/serverless.yml": "service: users\nfunctions: {list: {handler: db.all}}\n",
        "users/db.js": JS.replace("process.env.TABLE", '"users"').replace("handler", "all"),
    }
    usage = read_files(tmp_path, files)
    direct = {(access.service, access.function): access.direct for access in usage.accesses}
    assert direct == {("shop", "main"): False, ("users", "list"): True}


def test_an_access_named_in_the_folder_that_code_uri_names_is_direct(tmp_path: Path) -> None:
    files = {
        "template.yaml": """
Globals: {Function: {Handler: app.handler, Environment: {Variables: {TABLE: users}}}}
Resources:
  ByFolder: {Type: AWS::Serverless::Function, Properties: {CodeUri: src/users/}}
  ByTag: {Type: AWS::Serverless::Function, Properties: {CodeUri: src/pay/, Tags: {service: orders}}}
""",
        "src/users/app.py": PY,
        "src/pay/app.py": PY,
    }
    usage = read_code([write(tmp_path, files)], names(services=("users", "orders")), {})
    direct = {(access.service, access.function): access.direct for access in usage.accesses}
    assert direct == {("users", "ByFolder"): True, ("orders", "ByTag"): True}


def test_the_command_prints_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from ownership.drift.command import main

    files = {
        "a/serverless.yml": "service: a\nfunctions: {first: {handler: index.handler}, second: {handler: gone.x}}\n",
        "a/index.js": JS.replace("process.env.TABLE", '"users", IndexName: "by-x"'),
    }
    assert main(["code", str(write(tmp_path, files)), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "accesses": [
            {
                "service": "a",
                "table": "users",
                "mode": "read",
                "function": "first",
                "direct": True,
                "path": ["a/index.js#handler"],
                "operations": ["Scan"],
                "indexes": ["by-x"],
                "evidence": [{"file": "a/index.js", "line": 3}],
                "reachable": True,
            }
        ],
        "unresolved": [
            {
                "service": "a",
                "file": "a/serverless.yml",
                "line": 2,
                "why": "second: the file of the handler gone.x is not among those that were read",
                "mode": None,
            }
        ],
    }


def test_two_paths_are_read_together(tmp_path: Path) -> None:
    files = {
        "a/serverless.yml": "service: a\nfunctions: {first: {handler: index.handler}}\n",
        "a/index.js": 'exports.handler = require("../lib/db").handler;',
        "lib/db.js": JS.replace("process.env.TABLE", '"users"'),
        "b/serverless.yml": "service: b\nfunctions: {first: {handler: index.handler}}\n",
        "b/index.js": JS,
    }
    folder = write(tmp_path, files)
    usage = read_code([folder / "a", folder / "lib"], Names(), {})
    assert accesses(usage) == {"read users"}
    assert usage.services == {"a"}
