"""Resources merged and extended as the Serverless Framework does it."""

from pathlib import Path

import pytest

from tests.support.drift_projects import ARN, grants, read

EXTENDED = """
provider:
  iamRoleStatements: [{Effect: Allow, Action: dynamodb:GetItem, Resource: "ARNbiztechUsers"}]
resources:
  - Resources:
      Role: {Type: AWS::IAM::Role, Properties: {RoleName: x, Policies: []}}
      Users:
        Type: AWS::DynamoDB::Table
        Properties:
          TableName: biztechUsers
          KeySchema: [{AttributeName: id, KeyType: HASH}]
  - Resources: {Users: {Properties: {TableName: biztechMembers}}}
  - extensions: EXTENSIONS
""".replace("ARN", ARN)
STATEMENT = f'{{Effect: Allow, Action: dynamodb:PutItem, Resource: "{ARN}new"}}'
WRITES = f"Policies: [{{PolicyDocument: {{Statement: {STATEMENT}}}}}]"
EXTENSIONS = {
    "nothing": ("{}", {"users read biztechUsers"}, "id"),
    "keys": (
        "{Users: {Properties: {KeySchema: [{AttributeName: email, KeyType: HASH}]}}}",
        {"users read biztechUsers"},
        "email",
    ),
    "a role": (
        f"{{Role: {{Properties: {{{WRITES}}}}}}}",
        {"users read biztechUsers", "users write new"},
        "id",
    ),
    "the framework's role": (
        f"{{IamRoleLambdaExecution: {{Properties: {{{WRITES}}}}}}}",
        {"users write new"},
        "id",
    ),
    "a role that a plugin makes": (
        f"{{GetIamRoleLambdaExecution: {{Properties: {{{WRITES}}}}}}}",
        {"users read biztechUsers", "users write new"},
        "id",
    ),
}


@pytest.mark.parametrize(("extensions", "expected", "key"), EXTENSIONS.values(), ids=EXTENSIONS)
def test_extensions_of_resources_are_applied(
    tmp_path: Path, extensions: str, expected: set[str], key: str
) -> None:
    found = read(tmp_path, {"users/serverless.yml": EXTENDED.replace("EXTENSIONS", extensions)})
    assert (found.errors, found.unresolved) == ((), ())
    assert grants(found) == expected
    assert [(t.name, str(t.key_schema)) for t in found.tables] == [("biztechMembers", key)]


def test_managed_policies_of_an_extension_replace_those_of_the_provider(tmp_path: Path) -> None:
    readers = "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"
    project = EXTENDED.replace(
        "iamRoleStatements:", f"iamManagedPolicies: [{readers}]\n  iamRoleStatements:"
    )
    for extension, expected in {
        "{}": {"users read biztechUsers", "users read biztechMembers"},
        "{IamRoleLambdaExecution: {Properties: {ManagedPolicyArns: []}}}": {
            "users read biztechUsers"
        },
    }.items():
        files = {"users/serverless.yml": project.replace("EXTENSIONS", extension)}
        assert grants(read(tmp_path, files)) == expected


def test_a_group_of_the_resources_is_its_services(tmp_path: Path) -> None:
    project = EXTENDED.replace("AWS::IAM::Role", "AWS::IAM::Group").replace("RoleName", "GroupName")
    project = project.replace("Policies: []", WRITES).replace("EXTENSIONS", "{}")
    found = read(tmp_path, {"users/serverless.yml": project})
    assert (grants(found), found.unresolved) == (
        {"users read biztechUsers", "users write new"},
        (),
    )


def test_extensions_in_a_missing_file_are_unresolved(tmp_path: Path) -> None:
    found = read(
        tmp_path, {"users/serverless.yml": EXTENDED.replace("EXTENSIONS", "${file(missing.yml)}")}
    )
    assert [u.location.line for u in found.unresolved] == [13]


def test_policies_merged_into_the_generated_role_add_to_it(tmp_path: Path) -> None:
    project = EXTENDED.replace("Role: {Type: AWS::IAM::Role,", "IamRoleLambdaExecution: {")
    project = project.replace("Policies: []", WRITES).replace("EXTENSIONS", "{}")
    found = read(tmp_path, {"users/serverless.yml": project})
    assert grants(found) == {"users read biztechUsers", "users write new"}
