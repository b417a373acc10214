"""Fn::ImportValue of what another template of the same run exports."""

from pathlib import Path

import pytest

from ownership.drift.readers.cloudformation import read_templates
from ownership.drift.types import GrantedAccess, Infrastructure, Location
from tests.support.drift_projects import ARN, grants, names, read, statement, write

EXPORTING = """
resources:
  - Resources:
      Users: {Type: AWS::DynamoDB::Table, Properties: {TableName: "biztechUsers${self:provider.stage}"}}
  - ${file(outputs.yml)}
provider: {stage: "${opt:stage, 'dev'}"}
"""
OUTPUTS = """
Outputs:
  Arn: {Value: !GetAtt Users.Arn, Export: {Name: "${self:provider.stage}-users"}}
  Name: {Value: !Ref Users, Export: {Name: !Join ["-", ["${self:provider.stage}", users, name]]}}
  Elsewhere: {Value: "${ssm:/arn}", Export: {Name: elsewhere}}
  Unnamed: {Value: !GetAtt Users.Arn, Export: {Name: "${ssm:/name}"}}
  Unexported: {Value: !GetAtt Users.Arn}
"""


def importing(tmp_path: Path, resource: str, folder: str = "users") -> Infrastructure:
    """What a project with that resource reads, beside one that exports a table."""
    files = {"database/serverless.yml": EXPORTING, "database/outputs.yml": OUTPUTS}
    return read(
        tmp_path, files | {f"{folder}/serverless.yml": statement(resource)}, {"opt:stage": "prod"}
    )


IMPORTS = {
    "an ARN": '!ImportValue "${self:provider.stage}-users"',
    "in its long form": '{"Fn::ImportValue": {"Fn::Sub": "${self:provider.stage}-users"}}',
    "a name": f'!Join ["", ["{ARN}", !ImportValue "${{opt:stage}}-users-name"]]',
}


@pytest.mark.parametrize("folder", ["users", "accounts"], ids=["read after it", "read before it"])
@pytest.mark.parametrize("resource", IMPORTS.values(), ids=IMPORTS)
def test_exports_of_another_project_are_resolved(
    tmp_path: Path, resource: str, folder: str
) -> None:
    found = importing(tmp_path, resource, folder)
    assert (found.unresolved, [table.name for table in found.tables]) == ((), ["biztechUsers"])
    assert found.grants == {
        GrantedAccess(folder, "biztechUsers", "read"): (Location(f"{folder}/serverless.yml", 10),)
    }


@pytest.mark.parametrize(
    "name", ["dev-users", "elsewhere", '"${ssm:/name}"'], ids=["none", "unknown", "unnamed"]
)
def test_an_import_without_export_is_unresolved_once(tmp_path: Path, name: str) -> None:
    found = importing(tmp_path, f"!ImportValue {name}")
    assert found.grants == {}
    (unresolved,) = found.unresolved
    assert (unresolved.service, unresolved.location) == (
        "users",
        Location("users/serverless.yml", 10),
    )


@pytest.mark.parametrize("order", [("a.yml", "b.yml"), ("b.yml", "a.yml")], ids=["after", "before"])
def test_exports_of_another_template_are_resolved(tmp_path: Path, order: tuple[str, str]) -> None:
    role = f"""
Resources:
  UsersRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument: {{Statement: {{Effect: Allow, Action: dynamodb:PutItem, Resource: !ImportValue t}}}}
Outputs: {{X: {{Value: "{ARN}y", Export: {{Name: y}}}}}}
"""
    table = """
Resources: {T: {Type: AWS::DynamoDB::Table, Properties: {TableName: biztechUsers}}}
Outputs: {X: {Value: !GetAtt T.Arn, Export: {Name: t}}}
"""
    folder = write(tmp_path, {"a.yml": table, "b.yml": role})
    found = read_templates([folder / name for name in order], names(services=("users",)), {}, {})
    assert (found.errors, found.unresolved) == ((), ())
    assert grants(found) == {"users write biztechUsers"}
