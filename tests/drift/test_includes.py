"""Files and projects that are not there, or can't be read."""

from pathlib import Path

import pytest

from ownership.drift.model import Place
from tests.drift.projects import read

MISSING = {
    "a function": "functions:\n  a: ${file(missing.yml):a}\n",
    "the functions": "x: y\nfunctions: ${file(missing.yml)}\n",
    "the statements": "provider:\n  iamRoleStatements: ${file(missing.yml)}\n",
    "a statement": "provider: {iamRoleStatements: [\n  '${file(missing.yml)}']}\n",
    "a statement's actions": "provider: {iamRoleStatements: {\n  Effect: Allow, Action: '${file(a.yml)}'}}\n",
    "the provider": "x: y\nprovider: ${file(missing.yml)}\n",
    "a role's properties": "ROLE,\n  Properties: '${file(missing.yml)}'}}}\n",
    "a role's policy": "ROLE,\n  Properties: {Policies: ['${file(a.yml)}']}}}}\n",
}


@pytest.mark.parametrize("project", MISSING.values(), ids=MISSING)
def test_a_missing_include_leaves_its_service_unchecked(tmp_path: Path, project: str) -> None:
    project = project.replace("ROLE", "resources: {Resources: {R: {Type: AWS::IAM::Role")
    found = read(tmp_path, {"users/serverless.yml": project})
    assert found.notes == ()
    assert [(u.place, u.service, u.modes) for u in found.unresolved] == [
        (Place("users/serverless.yml", 2), "users", {"read", "write"})
    ]


def test_a_missing_resource_is_unresolved(tmp_path: Path) -> None:
    project = "resources:\n  Resources:\n    Users: ${file(missing.yml):Users}\n"
    (unresolved,) = read(tmp_path, {"users/serverless.yml": project}).unresolved
    assert (unresolved.place, unresolved.modes) == (Place("users/serverless.yml", 3), set())


def test_a_project_that_could_not_be_read_leaves_its_service_unchecked(tmp_path: Path) -> None:
    found = read(tmp_path, {"users/serverless.ts": "", "pay/serverless.yml": "a: [\n", "x/serverless.yml": "a: b\n"})
    assert (found.unread, found.services) == ({"users", "pay"}, {"x"})
