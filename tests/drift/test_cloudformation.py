from pathlib import Path

import pytest

from ownership.drift.readers.cloudformation import read_templates
from ownership.drift.types import Infrastructure, Location
from tests.support.drift_projects import ARN, grants, names, write

TEMPLATE = """
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Stage: {Type: String, Default: dev}
  Account: {Type: String}
  EnvironmentName: {Type: String}
Mappings:
  Suffixes: {dev: {Suffix: ""}, prod: {Suffix: PROD}}
Resources:
  Users:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub "biztechUsers${Stage}"
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Role:
    Type: AWS::IAM::Role
    Properties:
      Tags: [{Key: Service, Value: users}]
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: 2012-10-17
            Statement:
              - Effect: Allow
                Action: [dynamodb:GetItem]
                Resource: RESOURCE
"""


def templates(
    tmp_path: Path, *files: str, roles: dict[str, str] | None = None, **given: str
) -> Infrastructure:
    """What these templates grant; ``given`` are parameters."""
    written = {f"{i}.{'json' if text[:1] == '{' else 'yml'}": text for i, text in enumerate(files)}
    paths = [write(tmp_path, written) / name for name in written]
    known = names(services=("users", "payments", "user"), tables=("biztechUsers", "biztechEvents"))
    return read_templates(paths, known, {f"param:{k}": v for k, v in given.items()}, roles or {})


RESOURCES = {
    "GetAtt": "!GetAtt Users.Arn",
    "GetAtt in long form": '{"Fn::GetAtt": "Users.Arn"}',
    "Sub of a resource's attribute": '!Sub "${Users.Arn}"',
    "Sub with variables of its own": '!Sub ["${Arn}/index/*", {Arn: !GetAtt Users.Arn}]',
    "Sub of a parameter": '!Sub "arn:aws:dynamodb:${AWS::Region}:${Account}:table/biztechUsers${Stage}"',
    "Sub of a parameter without default that is the environment": f'!Sub "{ARN}biztechUsers-${{EnvironmentName}}"',
    "FindInMap by it": f'!Join ["", ["{ARN}biztechUsers", !FindInMap [Suffixes, !Ref EnvironmentName, X]]]',
    "Join": '!Join ["/", ["arn:aws:dynamodb:*:*:table", !Ref Users]]',
    "If": "!If [IsProd, !GetAtt Users.Arn, !Ref AWS::NoValue]",
    "FindInMap": f'!Join ["", ["{ARN}biztechUsers", !FindInMap [Suffixes, !Ref Stage, Suffix]]]',
    "Join of a list": '!Join ["", !Split ["|", "arn:aws:dynamodb:|*:*:table/|biztechUsers"]]',
    "Select and Split": '!Select [1, !Split ["|", !Sub "x|${Users.Arn}"]]',
    "in a list": "[!GetAtt Users.Arn, !Sub '${Users.Arn}/index/*']",
}


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES)
def test_intrinsic_functions_are_read(tmp_path: Path, resource: str) -> None:
    template = TEMPLATE.replace("RESOURCE", resource)
    if "index" in resource and "[!Get" not in resource:
        template = template.replace("dynamodb:GetItem", "dynamodb:Query")
    found = templates(tmp_path, template)
    assert (found.errors, found.unresolved) == ((), ())
    assert grants(found) == {"users read biztechUsers"}
    assert [(table.name, table.locations) for table in found.tables] == [
        ("biztechUsers", (Location("0.yml", 10),))
    ]


def test_both_branches_of_an_if_count(tmp_path: Path) -> None:
    resource = f"!If [IsProd, !GetAtt Users.Arn, ['{ARN}biztechEvents', '{ARN}x']]"
    found = templates(tmp_path, TEMPLATE.replace("RESOURCE", resource))
    assert grants(found) == {"users read biztechUsers", "users read biztechEvents", "users read x"}


BRANCHES = {
    "in a value of Sub": f'!Sub ["{ARN}${{Name}}", {{Name: !If [IsProd, biztechUsers, biztechEvents]}}]',
    "in a table's name, by Sub": '!Sub "${Users.Arn}"',
    "in Join": f'!Join ["", ["{ARN}", biztech, !If [IsProd, Users, Events]]]',
}


@pytest.mark.parametrize("resource", BRANCHES.values(), ids=BRANCHES)
def test_both_branches_of_an_if_count_within_a_text(tmp_path: Path, resource: str) -> None:
    template = TEMPLATE.replace("RESOURCE", resource)
    template = template.replace(
        '!Sub "biztechUsers${Stage}"', "!If [IsProd, biztechUsers, biztechEvents]"
    )
    assert grants(templates(tmp_path, template)) == {
        "users read biztechUsers",
        "users read biztechEvents",
    }


def test_a_name_has_one_value_throughout_a_text(tmp_path: Path) -> None:
    resource = f'!Sub ["{ARN}${{A}}-${{A}}", {{A: !If [IsProd, x, y]}}]'
    found = templates(tmp_path, TEMPLATE.replace("RESOURCE", resource))
    assert grants(found) == {"users read x-x", "users read y-y"}


@pytest.mark.parametrize(
    "function", ['!Join ["", [VALUES]]', '!Sub ["NAMES", {PAIRS}]'], ids=["Join", "Sub"]
)
def test_too_many_combinations_of_branches_are_an_error(tmp_path: Path, function: str) -> None:
    value = "!If [IsProd, a, b]"
    for short, joined in {
        "VALUES": ", ".join([value] * 10),
        "NAMES": "".join(f"${{N{i}}}" for i in range(10)),
        "PAIRS": ", ".join(f"N{i}: {value}" for i in range(10)),
    }.items():
        function = function.replace(short, joined)
    (error,) = templates(tmp_path, TEMPLATE.replace("RESOURCE", function)).errors
    assert "more than 1,000 texts" in error.reason


@pytest.mark.parametrize(
    "resource",
    [
        "!ImportValue users-arn",
        f'!Sub "{ARN}${{Account}}"',
        f'!Sub "{ARN}biztechUsers${{Account}}"',
        f'!Sub "{ARN}biztechUsers${{AWS::StackName}}"',
        f'!Join ["", ["{ARN}biztechUsers", !FindInMap [Suffixes, !Ref Account, Suffix]]]',
        "!GetAtt Bucket.Arn",
        "!FindInMap [Suffixes, a, b]",
        "!FindInMap [Suffixes, a]",
        "!ImportValue {Ref: AWS::NoValue}",
        "!GetAtt Users.TableId",
        "!GetAtt Role.Outputs.Arn",
        "!GetAZs eu-west-1",
        '!Join ["-"]',
        "!Ref [Users]",
        "!Sub [[a], {}]",
        '!Split ["", "a"]',
        "!Select [2, [a, b]]",
    ],
    ids=[
        "import",
        "parameter without default",
        "one at the end",
        "the stack",
        "a map by one",
        "no table",
        "no such key",
        "a key too few",
        "nothing",
        "another attribute",
        "an output of no stack",
        "another function",
        "an argument too few",
        "a list of names",
        "no text",
        "no separator",
        "no such position",
    ],
)
def test_values_known_only_when_deployed_are_unresolved(tmp_path: Path, resource: str) -> None:
    found = templates(tmp_path, TEMPLATE.replace("RESOURCE", resource))
    assert found.grants == {}
    assert [u.location for u in found.unresolved] == [Location("0.yml", 27)]


def test_a_resource_whose_type_is_not_text_is_no_table(tmp_path: Path) -> None:
    template = TEMPLATE.replace("RESOURCE", "!GetAtt Users.Arn").replace(
        "AWS::DynamoDB::Table", "!Ref Stage"
    )
    found = templates(tmp_path, template)
    assert (found.tables, found.errors) == ((), ())
    assert [u.location for u in found.unresolved] == [Location("0.yml", 27), Location("0.yml", 10)]


def test_parameters_can_be_given(tmp_path: Path) -> None:
    template = TEMPLATE.replace("RESOURCE", f'!Sub "{ARN}${{Account}}"')
    assert grants(templates(tmp_path, template, Account="biztechEvents")) == {
        "users read biztechEvents"
    }


ROLE = """
{"Resources": {
\t"ROLE": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": NAME}},
\t"Extra": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "ROLE"}],
\t\t"PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}}}},
\t"Managed": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
\t\t"PolicyDocument": {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "ARNbiztechEvents"}}}}
}}
""".strip().replace("ARN", ARN)
NAMES = {
    "logical name": ("PaymentsFunctionRole", '"x"', "payments"),
    "physical name": ("Role", '"club-payments-prod"', "payments"),
    "a name made by Serverless": (
        "IamRoleLambdaExecution",
        '{"Fn::Join": ["-", ["club-payments", "dev", {"Ref": "AWS::Region"}, "lambdaRole"]]}',
        "payments",
    ),
    "words, not letters": ("UsersRole", '"x"', "users"),
    "nobody's": ("Role", '"x"', None),
    "two services": ("PaymentsUsersRole", '"x"', None),
}


@pytest.mark.parametrize(("role", "name", "service"), NAMES.values(), ids=NAMES)
def test_a_role_belongs_to_the_only_service_in_its_name(
    tmp_path: Path, role: str, name: str, service: str | None
) -> None:
    found = templates(tmp_path, ROLE.replace("ROLE", role).replace("NAME", name))
    assert found.services == ({service} if service else set())
    assert len(found.unresolved) == (0 if service else 1)


def test_a_mapping_of_roles_takes_precedence(tmp_path: Path) -> None:
    template = ROLE.replace("ROLE", "UsersRole").replace("NAME", '"x"')
    assert templates(tmp_path, template, roles={"UsersRole": "payments"}).services == {"payments"}


@pytest.mark.parametrize("tag", ["payments", "Payments", "clubApi-payments"])
def test_a_roles_tag_names_its_service_as_a_project_does(tmp_path: Path, tag: str) -> None:
    name = f'"users", "Tags": [{{"Key": "Service", "Value": "{tag}"}}]'
    assert templates(
        tmp_path, ROLE.replace("ROLE", "UsersRole").replace("NAME", name)
    ).services == {"payments"}


def test_a_table_deployed_with_different_keys_is_noted(tmp_path: Path) -> None:
    template = TEMPLATE.replace("RESOURCE", "!GetAtt Users.Arn")
    found = templates(
        tmp_path, template, template.replace("AttributeName: id", "AttributeName: email")
    )
    assert [str(table.key_schema) for table in found.tables] == ["email (S)"]
    assert [str(note.location) for note in found.notes] == ["1.yml:10"]
    assert templates(tmp_path, template, template).notes == ()


def test_policies_attached_to_a_role_are_its_own(tmp_path: Path) -> None:
    template = ROLE.replace("ROLE", "UsersRole").replace(
        "NAME", '"x", "ManagedPolicyArns": [{"Ref": "Managed"}]'
    )
    found = templates(tmp_path, template)
    assert grants(found) == {"users write biztechUsers"}
    assert {place.line for places in found.grants.values() for place in places} == {4}


def test_a_policy_attached_to_a_role_outside_the_template_is_unresolved(tmp_path: Path) -> None:
    template = ROLE.replace('"Ref": "ROLE"', '"Fn::ImportValue": "role"').replace("NAME", '"users"')
    found = templates(tmp_path, template)
    assert [u.reason for u in found.unresolved] == [
        "is attached to a role that is not in the files (--roles FILE says whose it is)"
    ]


def test_other_files_are_read_when_one_is_not_a_template(tmp_path: Path) -> None:
    found = templates(tmp_path, "a: b", TEMPLATE.replace("RESOURCE", "!GetAtt Users.Arn"))
    assert [str(error.location) for error in found.errors] == ["0.yml:1"]
    assert grants(found) == {"users read biztechUsers"}


def test_templates_with_the_same_name_are_distinguished_by_folder(tmp_path: Path) -> None:
    template = TEMPLATE.replace("RESOURCE", "!GetAtt Users.Arn")
    folder = write(
        tmp_path, {"a/template.yml": template, "b/template.yml": template, "c/template.yml": "x: y"}
    )
    paths = [folder / each / "template.yml" for each in "abc"]
    found = read_templates([*paths, folder / "nowhere.yml"], names(services=("users",)), {}, {})
    assert {place.file for places in found.grants.values() for place in places} == {
        "a/template.yml",
        "b/template.yml",
    }
    assert [error.location.file for error in found.errors] == ["c/template.yml", "nowhere.yml"]
