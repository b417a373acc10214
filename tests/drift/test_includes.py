"""Files and projects that are missing or can't be read."""

from pathlib import Path

import pytest

from ownership.drift.types import Location
from tests.support.drift_projects import read

MISSING = {
    "a function": "functions:\n  a: ${file(missing.yml):a}\n",
    "the functions": "service: users\nfunctions: ${file(missing.yml)}\n",
    "the statements": "provider:\n  iamRoleStatements: ${file(missing.yml)}\n",
    "a statement": "provider: {iamRoleStatements: [\n  '${file(missing.yml)}']}\n",
    "a statement's actions": "provider: {iamRoleStatements: {\n  Effect: Allow, Action: '${file(a.yml)}'}}\n",
    "the provider": "service: users\nprovider: ${file(missing.yml)}\n",
    "a role's properties": "ROLE,\n  Properties: '${file(missing.yml)}'}}}\n",
    "a role's policy": "ROLE,\n  Properties: {Policies: ['${file(a.yml)}']}}}}\n",
}


@pytest.mark.parametrize("project", MISSING.values(), ids=MISSING)
def test_a_missing_include_leaves_its_service_unchecked(tmp_path: Path, project: str) -> None:
    project = project.replace("ROLE", "resources: {Resources: {R: {Type: AWS::IAM::Role")
    found = read(tmp_path, {"users/serverless.yml": project})
    assert found.notes == ()
    assert [(u.location, u.service, u.modes) for u in found.unresolved] == [
        (Location("users/serverless.yml", 2), "users", {"read", "write"})
    ]


RESOURCES = {
    "a resource": "resources:\n  Resources:\n    Users: ${file(missing.yml):Users}\n",
    "a list for a resource": "resources:\n  Resources:\n    Users: [a]\n",
    "all resources": "resources:\n  Resources:\n    ${file(missing.yml)}\n",
    "a part": "resources:\n  - Resources: {}\n  - ${file(missing.yml)}\n",
    "code": "resources:\n  - Resources: {}\n  - ${file(tables.js)}\n",
    "a loop of CloudFormation": "resources:\n  Resources:\n    Fn::ForEach::Tables: [X, [a, b], {}]\n",
}


@pytest.mark.parametrize("project", RESOURCES.values(), ids=RESOURCES)
def test_unread_resources_might_contain_a_policy(tmp_path: Path, project: str) -> None:
    (unresolved,) = read(
        tmp_path, {"users/serverless.yml": project, "users/tables.js": ""}
    ).unresolved
    assert unresolved.location == Location("users/serverless.yml", 3)
    assert (unresolved.service, unresolved.modes) == ("users", {"read", "write"})


def test_a_missing_part_of_a_table_grants_nothing(tmp_path: Path) -> None:
    project = "resources: {Resources: {Users: {Type: AWS::DynamoDB::Table, Properties: '${file(missing.yml)}'}}}\n"
    (unresolved, _) = read(tmp_path, {"users/serverless.yml": project}).unresolved
    assert unresolved.modes == set()


def test_an_unreadable_project_leaves_its_service_unchecked(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {"users/serverless.ts": "", "pay/serverless.yml": "a: [\n", "x/serverless.yml": "a: b\n"},
    )
    assert (found.unread, found.services) == ({"users", "pay"}, {"x"})
