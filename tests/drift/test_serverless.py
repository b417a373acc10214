from pathlib import Path

import pytest

from ownership.drift.readers.serverless import read_projects
from ownership.drift.types import GrantedAccess, Location
from tests.support.drift_projects import ARN, grants, names, read, statement, write

FILE = "services/users/serverless.yml"
SUFFIXES = {"config.dev.json": '{"ENVIRONMENT": ""}', "config.prod.json": '{"ENVIRONMENT": "PROD"}'}


@pytest.mark.parametrize("stage", ["dev", "prod", "stage-without-config"])
def test_a_variable_at_the_end_of_a_name_is_the_suffix_whatever_its_value(
    tmp_path: Path, stage: str
) -> None:
    project = statement(f'"{ARN}biztechUsers${{self:provider.environment.ENVIRONMENT}}"')
    found = read(tmp_path, {FILE: project, **SUFFIXES}, {"opt:stage": stage})
    assert grants(found) == {"users read biztechUsers"}
    assert found.unresolved == ()


def test_evidence_is_the_line_of_the_resource(tmp_path: Path) -> None:
    project = statement(f"\n        - {ARN}other\n        - {ARN}biztechUsers")
    found = read(tmp_path, {FILE: project})
    assert found.grants[GrantedAccess("users", "biztechUsers", "read")] == (Location(FILE, 12),)


FORMS = {
    "v1 statements": """
provider:
  iamRoleStatements:
    - {Effect: Allow, Action: "dynamodb:GetItem", Resource: ARN}
""",
    "v3 statements": """
provider:
  iam:
    role:
      statements:
        - {Effect: Allow, Action: ["dynamodb:GetItem"], Resource: [ARN]}
""",
    "statements of a function": """
functions:
  get:
    iamRoleStatements:
      - {Effect: Allow, Action: "dynamodb:GetItem", Resource: ARN}
""",
    "functions in a list of mappings": """
functions:
  - get:
      iamRoleStatements:
        - {Effect: Allow, Action: "dynamodb:GetItem", Resource: ARN}
""",
    "statements of a function in v4": """
functions:
  get:
    iam: {role: {statements: [{Effect: Allow, Action: "dynamodb:GetItem", Resource: ARN}]}}
""",
    "an included list of statements": "provider:\n  iamRoleStatements: ${file(iam.yml):list}\n",
    "included statements in a list": "provider:\n  iamRoleStatements:\n    - ${file(./iam.yml):one}\n",
    "an included list in a list": "provider:\n  iamRoleStatements:\n    - ${file(./iam.yml):list}\n",
    "an included statement in JSON": "provider:\n  iamRoleStatements:\n    - ${file(iam.json)}\n",
    "an included provider": "provider: ${file(provider.yml)}\n",
    "statements under custom": """
custom:
  allow: [{Effect: Allow, Action: "dynamodb:GetItem", Resource: ARN}]
provider: {iamRoleStatements: "${self:custom.allow}"}
""",
    "an anchor and a merge key": """
custom:
  read: &read {Effect: Allow, Action: "dynamodb:GetItem"}
provider: {iamRoleStatements: [{<<: *read, Resource: ARN}]}
""",
    "an ARN under custom": """
custom: {table: "biztechUsers${self:custom.suffix}", arn: "arn:aws:dynamodb:*:*:table/${self:custom.table}",
         suffix: "-${opt:stage, 'dev'}"}
provider: {iamRoleStatements: [{Effect: Allow, Action: "dynamodb:GetItem", Resource: "${self:custom.arn}"}]}
""",
    "a role in the resources": """
resources:
  Resources:
    Role:
      Type: AWS::IAM::Role
      Properties:
        Policies:
          - PolicyDocument: {Statement: [{Effect: Allow, Action: "dynamodb:GetItem", Resource: ARN}]}
""",
    "a policy for the framework's role": """
resources:
  - Resources:
      Policy:
        Type: AWS::IAM::Policy
        Properties:
          Roles: [!Ref IamRoleLambdaExecution]
          PolicyDocument: {Statement: {Effect: Allow, Action: "dynamodb:GetItem", Resource: ARN}}
""",
    "GetAtt of a table in an included list of resources": """
resources:
  - ${file(tables.yml)}
  - Outputs: {}
provider:
  iam: {role: {statements: [{Effect: Allow, Action: "dynamodb:GetItem", Resource: !GetAtt Users.Arn}]}}
""",
    "GetAtt in its long form, beside its indexes": """
resources: {Resources: "${file(tables.yml):Resources}"}
provider:
  iamRoleStatements:
    - Effect: Allow
      Action: [dynamodb:Query]
      Resource:
        - {"Fn::GetAtt": [Users, Arn]}
        - {"Fn::Join": ["/", [{"Fn::GetAtt": [Users, Arn]}, "index/*"]]}
""",
    "Sub with a table, region and account": """
resources: ${file(tables.yml)}
provider:
  iamRoleStatements:
    - Effect: Allow
      Action: [dynamodb:GetItem]
      Resource: !Sub "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Users}"
""",
    "Join": """
provider:
  iamRoleStatements:
    - Effect: Allow
      Action: [dynamodb:GetItem]
      Resource:
        Fn::Join: ["", ["arn:aws:dynamodb:", {Ref: "AWS::Region"}, ":", {Ref: "AWS::AccountId"}, ":table/",
                   "biztechUsers${self:provider.stage}"]]
""",
    "pseudo parameters of a plugin": """
provider:
  iamRoleStatements:
    - Effect: Allow
      Action: [dynamodb:GetItem]
      Resource: "arn:aws:dynamodb:#{AWS::Region}:#{AWS::AccountId}:table/biztechUsers"
""",
    "a table's name by environment variable, whose value depends on the stage": """
provider:
  environment: {USERS: "${self:custom.${self:provider.stage}.users}"}
  iamRoleStatements:
    - Effect: Allow
      Action: [dynamodb:GetItem]
      Resource: "arn:aws:dynamodb:${self:provider.region}:*:table/${self:provider.environment.USERS}"
custom: {dev: {users: biztechUsers}}
""",
    "a suffix in a file for each stage": """
custom: ${file(./${self:provider.stage}.yml)}
provider:
  iamRoleStatements:
    - Effect: Allow
      Action: dynamodb:GetItem
      Resource: arn:aws:dynamodb:*:*:table/biztechUsers${self:custom.ending}
""",
    "merge keys, in a list": """
x-read: &read {Effect: Allow, Action: "dynamodb:Scan"}
x-some: &some {<<: *read, Action: "dynamodb:GetItem"}
provider: {iamRoleStatements: [{<<: [*some, *read], Resource: ARN}]}
""",
    "a key of a file two folders up": 'provider: {iamRoleStatements: ["${file(../common/all.yml):iam.users}"]}\n',
    "the first file that is there": 'provider:\n  iamRoleStatements: ["${file(none.yml), file(./iam.yml):one}"]\n',
    "settings in a file, with a default stage": """
custom: ${file(../common/all.yml):custom}
provider: {stage: "${opt:stage, self:custom.defaultStage}", iamRoleStatements: "${self:custom.iam}"}
""",
    "a table's name in the resources": """
resources: {Resources: {Users: "${file(tables.yml):Resources.Users}"}}
provider:
  environment: {OTHER: biztechEvents}
  iamRoleStatements:
    - Effect: Allow
      Action: dynamodb:GetItem
      Resource: "arn:aws:dynamodb:*:*:table/${self:resources.Resources.Users.Properties.TableName}"
""",
    "functions in files, with what the plugin inherits": """
custom: {serverless-iam-roles-per-function: {defaultInherit: true}}
provider: {iamRoleStatements: [{Effect: Allow, Action: "dynamodb:GetItem", Resource: ARN}]}
functions:
  - a: {role: !Sub "${Role.Arn}", events: [{stream: "arn:aws:dynamodb:us-west-2:1:table/biztechEvents/stream/*"}]}
  - ${file(../common/all.yml):functions}
resources: {Resources: {Role: {Type: AWS::IAM::Role, Properties: {Policies: []}}}}
""",
    "statements that a function of v4 adds": """
functions:
  a: {iam: {inheritStatements: true, role: {statements: [{Effect: Allow, Action: "dynamodb:GetItem", Resource: ARN}]}}}
""",
    "blocks that end with a line break": """
provider:
  iamRoleStatements:
    - Effect: Allow
      Action: >
        dynamodb:GetItem
      Resource: |
        arn:aws:dynamodb:*:*:table/biztechUsers${self:provider.stage}
""",
    "If, around a statement and in a name": """
provider:
  iamRoleStatements:
    - !If [IsProd, {Effect: Allow, Action: "dynamodb:GetItem", Resource: ARN}, !Ref AWS::NoValue]
    - Effect: Allow
      Action: dynamodb:GetItem
      Resource: !Join ["", ["arn:aws:dynamodb:*:*:table/biztechUsers", !If [IsProd, PROD, ""]]]
""",
    "v1's variableSyntax": """
provider:
  variableSyntax: "\\\\${{([\\\\s\\\\S]+?)}}"
  iamRoleStatements:
    - Effect: Allow
      Action: dynamodb:GetItem
      Resource: arn:aws:dynamodb:*:*:table/biztechUsers${{opt:stage}}
""",
}
INCLUDED = {
    "dev.yml": "ending: -development",
    "iam.yml": f"""
one: &one {{Effect: Allow, Action: dynamodb:GetItem, Resource: '{ARN}biztechUsers'}}
list: [*one]
""",
    "iam.json": f'{{\t"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "{ARN}biztechUsers"}}',
    "../common/all.yml": f"""
iam: {{users: {{Effect: Allow, Action: dynamodb:GetItem, Resource: '{ARN}biztechUsers'}}}}
functions: {{b: {{iamRoleStatementsName: b, iamRoleStatements: []}}}}
custom:
  defaultStage: dev
  suffix: ${{self:custom.suffixes.${{self:provider.stage}}}}
  suffixes: {{dev: ""}}
  iam: [{{Effect: Allow, Action: dynamodb:GetItem, Resource: '{ARN}biztechUsers${{self:custom.suffix}}'}}]
""",
    "provider.yml": "iamRoleStatements: ${file(iam.yml):list}",
    "tables.yml": """
Resources:
  Users:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: biztechUsers${opt:stage}
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
""",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_a_grant_is_read(tmp_path: Path, form: str) -> None:
    project = "service: users\n" + form.replace(
        "ARN", f'"{ARN}biztechUsers${{self:provider.stage}}"'
    )
    included = {f"users/{name}": content for name, content in INCLUDED.items()}
    found = read(tmp_path, {"users/serverless.yml": project, **included})
    assert (found.errors, found.unresolved) == ((), ())
    assert grants(found) == {"users read biztechUsers"}


UNRESOLVED = {
    "a parameter store": '"${ssm:/tables/users}"',
    "a table's name from a parameter store": f'"{ARN}${{ssm:/tables/users}}"',
    "an environment variable": f'"{ARN}${{env:TABLE}}"',
    "an import": "!ImportValue users-arn",
    "a parameter store, for all its default": f'"{ARN}${{ssm:/tables/users, self:service}}"',
    "a table that is not in the resources": "!GetAtt Users.Arn",
    "code": '"${file(./tables.js):users}"',
    "no ARN at all": "biztechUsers",
    "an ARN without table/": "arn:aws:dynamodb:us-west-2:1:biztechUsers",
    "a colon for the slash": "arn:aws:dynamodb:us-west-2:1:table:biztechUsers",
    "a slash at the end": f"{ARN}biztechUsers/",
    "two ARNs in one": f"{ARN}biztechUsers,{ARN}biztechEvents",
    "an ARN without account": "arn:aws:dynamodb:us-west-2:table/biztechUsers",
}


@pytest.mark.parametrize("resource", UNRESOLVED.values(), ids=UNRESOLVED)
def test_unresolved_resources_are_listed_with_their_location(tmp_path: Path, resource: str) -> None:
    found = read(
        tmp_path, {FILE: statement(resource), "services/users/tables.js": "module.exports = {}"}
    )
    assert found.grants == {}
    (unresolved,) = found.unresolved
    assert (unresolved.location, unresolved.service, unresolved.modes) == (
        Location(FILE, 10),
        "users",
        {"read"},
    )
    assert unresolved.reason


def test_an_unresolved_import_is_reported_with_its_name(tmp_path: Path) -> None:
    (unresolved,) = read(
        tmp_path, {FILE: statement('!ImportValue "${self:provider.stage}-users"')}
    ).unresolved
    assert unresolved.reason == "nothing that was read exports dev-users"


def test_given_values_resolve_variables_without_a_value_in_files(tmp_path: Path) -> None:
    files = {FILE: statement('["${ssm:/users}", "arn:aws:dynamodb:*:*:table/${env:TABLE}"]')}
    found = read(
        tmp_path, files, {"ssm:/users": f"{ARN}biztechUsers", "env:TABLE": "biztechEvents"}
    )
    assert grants(found) == {"users read biztechUsers", "users read biztechEvents"}


def test_this_machines_environment_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TABLE", "biztechEvents")
    found = read(tmp_path, {FILE: statement(f'"{ARN}${{env:TABLE}}"')})
    assert found.grants == {}
    assert len(found.unresolved) == 1


@pytest.mark.parametrize(
    ("folder", "service", "expected"),
    [
        ("users", "club-payments", "users"),
        ("Users", "club-payments", "users"),
        ("app", "club-users", "users"),
        ("app", "users", "users"),
        ("admin-users", "club-admin-users", "admin-users"),
        ("pay", "club-pay", "payments"),
        ("users/backend", "backend", "users"),
        ("stickers", "club-stickers", "stickers"),
    ],
    ids=[
        "folder",
        "any case",
        "less a prefix",
        "own name",
        "no other's end",
        "alias",
        "outer folder",
        "unknown",
    ],
)
def test_a_service_is_named_by_folder_then_by_itself(
    tmp_path: Path, folder: str, service: str, expected: str
) -> None:
    known = names(services=("users", "payments"))
    known.services["pay"] = "payments"
    write(tmp_path, {f"{folder}/serverless.yml": f"service: {service}\n"})
    assert read_projects(tmp_path, known, {}).services == {expected}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("x" * 300, "x" * 255), (r"two\nlines \e[31m\u202e", "two lines \ufffd[31m\ufffd")],
    ids=["no longer than a run keeps", "on one line, without what a terminal obeys"],
)
def test_an_unregistered_services_name_is_printable(
    tmp_path: Path, name: str, expected: str
) -> None:
    project = statement(f"{ARN}users").replace("service: club-users", f'service: "{name}"')
    assert read(tmp_path, {"serverless.yml": project}).services == {expected}


def test_texts_quoted_from_files_are_printable(tmp_path: Path) -> None:
    project = statement(r'"arn:aws:dynamodb:*:*:table/two\nlines\e[31m"')
    assert [one.text for one in read(tmp_path, {"users/serverless.yml": project}).unresolved] == [
        "arn:aws:dynamodb:*:*:table/two lines\ufffd[31m"
    ]


def test_a_project_at_the_top_is_named_by_its_service(tmp_path: Path) -> None:
    write(tmp_path, {"serverless.yml": "service: {name: club-users}\n"})
    assert read_projects(tmp_path, names(services=("users",)), {}).services == {"users"}
    assert read_projects(tmp_path / "serverless.yml", names(), {}).services == {"club-users"}


def test_tables_are_read_with_types_and_indexes(tmp_path: Path) -> None:
    project = """
service: users
resources:
  Resources:
    Orders:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: orders-${self:provider.stage}
        AttributeDefinitions:
          - {AttributeName: id, AttributeType: S}
          - {AttributeName: at, AttributeType: N}
        KeySchema: [{AttributeName: at, KeyType: RANGE}, {AttributeName: id, KeyType: HASH}]
        GlobalSecondaryIndexes:
          - {IndexName: by-time, KeySchema: [{AttributeName: at, KeyType: HASH}]}
"""
    (table,) = read(tmp_path, {"users/serverless.yml": project}).tables
    assert (table.name, str(table.key_schema)) == ("orders", "id (S) + at (N)")
    assert [(name, str(keys)) for name, keys in table.indexes] == [("by-time", "at (N)")]
    assert table.locations == (Location("users/serverless.yml", 5),)


def test_parts_of_resources_are_laid_over_one_another_as_the_framework_does(
    tmp_path: Path,
) -> None:
    project = """
resources:
  - Resources:
      Orders:
        Type: AWS::DynamoDB::Table
        Properties:
          TableName: old
          AttributeDefinitions: [{AttributeName: id}]
          KeySchema: [{AttributeName: id, KeyType: HASH}]
          ResourcePolicy: {PolicyDocument: "${file(gone.yml)}"}
  - Resources:
      Orders:
        Properties:
          TableName: orders
          AttributeDefinitions: [{AttributeType: S}, {AttributeName: at, AttributeType: N}]
          KeySchema: [{}, {AttributeName: at, KeyType: RANGE}]
          ResourcePolicy: null
"""
    found = read(tmp_path, {"users/serverless.yml": project})
    (table,) = found.tables
    assert (table.name, str(table.key_schema)) == ("orders", "id (S) + at (N)")
    assert found.unresolved == ()


def test_keys_that_are_not_known_are_not_stated(tmp_path: Path) -> None:
    project = """
resources:
  Resources:
    Orders:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: orders
        AttributeDefinitions: [{AttributeName: id}, {AttributeName: "${ssm:/key}", AttributeType: S}]
        KeySchema: [{AttributeName: "${ssm:/key}", KeyType: HASH}]
        GlobalSecondaryIndexes: [{KeySchema: [{AttributeName: id, KeyType: HASH}]}]
"""
    (table,) = read(tmp_path, {"users/serverless.yml": project}).tables
    assert table.key_schema is None
    assert [(name, str(keys)) for name, keys in table.indexes] == [("…", "id")]


def test_an_attribute_of_what_is_not_known_is_unresolved(tmp_path: Path) -> None:
    project = statement('!GetAtt ["${ssm:/table}", Arn]')
    (unresolved,) = read(tmp_path, {"users/serverless.yml": project}).unresolved
    assert unresolved.reason == "….Arn is known only when deployed"


@pytest.mark.parametrize(
    ("end", "indexes", "unresolved"),
    [("-${opt:stage}", ["by-time"], 0), ("${ssm:/x}", [], 1)],
    ids=["the stage", "unknown"],
)
def test_index_names_are_read_like_table_names(
    tmp_path: Path, end: str, indexes: list[str], unresolved: int
) -> None:
    project = f"""
resources:
  Resources:
    Orders:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: orders
        GlobalSecondaryIndexes: [{{IndexName: "by-time{end}", KeySchema: [{{AttributeName: at, KeyType: HASH}}]}}]
"""
    found = read(tmp_path, {"users/serverless.yml": project})
    assert [name for table in found.tables for name, _ in table.indexes] == indexes
    assert len(found.unresolved) == unresolved


def test_a_broken_file_is_an_error_and_other_files_are_read(tmp_path: Path) -> None:
    files = {
        "a/serverless.yml": "service: a\nprovider: {name: aws\n",
        "b/serverless.ts": "export default {}",
        "users/serverless.yml": statement(ARN + "biztechUsers"),
    }
    found = read(tmp_path, files)
    assert [error.location.file for error in found.errors] == [
        "a/serverless.yml",
        "b/serverless.ts",
    ]
    assert found.errors[0].location.line is not None
    assert grants(found) == {"users read biztechUsers"}


def test_a_project_outside_the_root_and_a_list_of_settings_are_errors(tmp_path: Path) -> None:
    write(tmp_path, {"users/serverless.json": "[1]", "root/x": ""})
    (error,) = read_projects(tmp_path / "users", names(), {}).errors
    assert (error.location.file, error.reason) == (
        "serverless.json",
        "is not a mapping of settings",
    )
    (error,) = read_projects(tmp_path / "users", names(), {}, tmp_path / "root").errors
    assert error.reason == f"is outside the root, {tmp_path / 'root'}"


def test_node_modules_and_hidden_folders_are_skipped(tmp_path: Path) -> None:
    project = statement(ARN + "biztechUsers")
    found = read(
        tmp_path, {f"{f}/x/serverless.yml": project for f in ("node_modules", ".serverless")}
    )
    assert found.grants == {}
    assert "contains no serverless.yml" in found.errors[0].reason


def test_a_role_defined_elsewhere_is_unresolved(tmp_path: Path) -> None:
    found = read(
        tmp_path, {FILE: "service: users\nprovider:\n  role: arn:aws:iam::1:role/shared\n"}
    )
    (unresolved,) = found.unresolved
    assert unresolved.modes == {"read", "write"}


BOUNDARIES = {
    "v1": "provider:\n  rolePermissionsBoundary: arn:aws:iam::1:policy/b\n",
    "v3": "provider: {iam: {role: {\n  permissionsBoundary: arn:aws:iam::1:policy/b}}}\n",
    "a role's": "resources: {Resources: {R: {Type: AWS::IAM::Role, Properties: {\n  PermissionsBoundary: x}}}}\n",
}


@pytest.mark.parametrize("project", BOUNDARIES.values(), ids=BOUNDARIES)
def test_a_permissions_boundary_is_noted(tmp_path: Path, project: str) -> None:
    (note,) = read(tmp_path, {"users/serverless.yml": project}).notes
    assert (note.location, "boundary" in note.text) == (Location("users/serverless.yml", 2), True)


def test_aws_managed_policies_grant_what_aws_documents(tmp_path: Path) -> None:
    project = """
provider:
  iam:
    role:
      managedPolicies:
        - arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess
        - arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
        - arn:aws:iam::1:policy/our-own
"""
    found = read(tmp_path, {"users/serverless.yml": project}, tables=("biztechUsers",))
    assert grants(found) == {"users read biztechUsers"}
    assert [u.text for u in found.unresolved] == ["arn:aws:iam::1:policy/our-own"]


def test_pseudo_parameters_are_what_the_settings_state(tmp_path: Path) -> None:
    project = f"""
service: shop
provider:
  name: aws
  region: eu-west-1
  stackName: club
  iamRoleStatements:
    - Effect: Allow
      Action: dynamodb:GetItem
      Resource: [!Sub "{ARN}${{AWS::StackName}}-carts", !Sub "{ARN}orders-${{AWS::Region}}"]
    - {{Effect: Allow, Action: dynamodb:PutItem, Resource: !Sub "{ARN}bills-${{AWS::AccountId}}"}}
"""
    found = read(tmp_path, {"shop/serverless.yml": project})
    assert grants(found) == {"shop read club-carts", "shop read orders-eu-west-1"}
    assert [u.reason for u in found.unresolved] == ["AWS::AccountId is known only when deployed"]
