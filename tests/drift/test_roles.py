"""Which role a project's functions run in, and resources other than tables in a statement."""

from pathlib import Path

import pytest

from ownership.drift.types import Location
from tests.support.drift_projects import ARN, grants, read

FILE = "users/serverless.yml"
STATEMENTS = f"""\
  iamRoleStatements:
    - {{Effect: Allow, Action: dynamodb:PutItem, Resource: "{ARN}biztechUsers"}}
resources:
  Resources:
    Queue: {{Type: AWS::SQS::Queue}}
    Topic: {{Type: AWS::SNS::Topic}}
    Own:
      Type: AWS::IAM::Role
      Properties:
        Policies:
          - PolicyDocument:
              Statement: [{{Effect: Allow, Action: dynamodb:GetItem, Resource: "{ARN}biztechTeams"}}]
"""
IDLE = {
    "the provider's role": "provider:\n  role: Own\n",
    "the provider's role, by reference": "provider:\n  role: !GetAtt Own.Arn\n",
    "the provider's role in v3": "provider:\n  iam: {role: !Sub '${Own.Arn}'}\n",
    "each function's, made by a plugin": (
        "plugins: [serverless-iam-roles-per-function]\n"
        "functions: {a: {iamRoleStatements: []}, b: {role: Own}}\nprovider:\n"
    ),
    "each function's, made by a plugin among modules": (
        "plugins: {modules: [serverless-iam-roles-per-function]}\nfunctions: {a: {iamRoleStatements: []}}\nprovider:\n"
    ),
    "each function's, made by v4": "\nfunctions: {a: {iam: {role: {statements: []}}}}\nprovider:\n",
    "each function's": "functions: {a: {role: Own}, b: {role: !GetAtt Own.Arn}}\nprovider:\n",
}
USED = {
    "one function of two": "functions: {a: {role: Own}, b: {handler: x.y}}\nprovider:\n  name: aws\n",
    "a function that is not there": "functions: {a: {role: Own}, b: '${file(x.yml)}', c: }\nprovider:\n  name: aws\n",
    "a function that inherits them": (
        "plugins: [serverless-iam-roles-per-function]\n"
        "functions: {a: {iamRoleStatements: [], iamRoleStatementsInherit: true}}\nprovider:\n  name: aws\n"
    ),
    "statements of a function without the plugin": (
        "functions: {a: {iamRoleStatements: []}}\nprovider:\n  name: aws\n"
    ),
    "no role that is known": "provider:\n  role: '${opt:role}'\n",
    "no role": "provider:\n  role: '${opt:role, \"\"}'\n",
    "the role that the framework makes, renamed": "provider:\n  iam: {role: {name: ours}}\n",
}


@pytest.mark.parametrize("head", IDLE.values(), ids=IDLE)
def test_statements_of_an_unused_role_permit_nothing(tmp_path: Path, head: str) -> None:
    found = read(tmp_path, {FILE: head + STATEMENTS})
    assert (grants(found), found.unresolved) == ({"users read biztechTeams"}, ())
    (note,) = found.notes
    line = (head + STATEMENTS).splitlines().index("  iamRoleStatements:") + 2
    assert (note.location, "permits nothing" in note.text) == (Location(FILE, line), True)


@pytest.mark.parametrize("head", USED.values(), ids=USED)
def test_statements_count_if_a_function_may_use_their_role(tmp_path: Path, head: str) -> None:
    found = read(tmp_path, {FILE: head + STATEMENTS})
    assert grants(found) == {"users read biztechTeams", "users write biztechUsers"}


@pytest.mark.parametrize("other", ["!GetAtt Queue.Arn", "!Ref Topic", '!Sub "${Queue.Arn}/*"'])
def test_the_arn_of_another_kind_of_resource_is_ignored(tmp_path: Path, other: str) -> None:
    statements = STATEMENTS.replace(f'"{ARN}biztechUsers"', f'["{ARN}biztechUsers", {other}]')
    found = read(tmp_path, {FILE: "provider:\n" + statements})
    assert (grants(found), found.unresolved) == (
        {"users read biztechTeams", "users write biztechUsers"},
        (),
    )


@pytest.mark.parametrize(
    "plugin", ["stepFunctions: ", "appSync: ", "custom:\n  apiGatewayServiceProxies: "]
)
def test_a_setting_from_which_roles_are_made_is_unread(tmp_path: Path, plugin: str) -> None:
    project = f"service: users\n{plugin}{{stateMachines: {{}}}}\n"
    (unresolved,) = read(tmp_path, {FILE: project}).unresolved
    assert (unresolved.location.line, unresolved.modes) == (project.count("\n"), {"read", "write"})


def test_a_queue_name_inside_a_table_name_is_unresolved(tmp_path: Path) -> None:
    statements = STATEMENTS.replace(f'"{ARN}biztechUsers"', f'!Sub "{ARN}biztech${{Queue}}"')
    (unresolved,) = read(tmp_path, {FILE: "provider:\n" + statements}).unresolved
    assert unresolved.modes == {"write"}
