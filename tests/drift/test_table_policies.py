"""What a table itself permits, by its resource policy, and to whom."""

from pathlib import Path

import pytest

from ownership.drift.readers.cloudformation import read_templates
from ownership.drift.types import Infrastructure
from tests.support.drift_projects import grants, names, read, write

TABLE = """
  Invoices:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: invoices
      ResourcePolicy:
        PolicyDocument:
          Statement:
            - {Effect: EFFECT, Principal: PRINCIPAL, Action: ACTION, Resource: RESOURCE}
"""
ROLE = """
  PayRole:
    Type: AWS::IAM::Role
    Properties: {RoleName: payer, Tags: [{Key: service, Value: billing}]}
"""
ACCOUNT = "arn:aws:iam::111122223333"
PRINCIPALS = {
    "a role of the template": "{AWS: !GetAtt PayRole.Arn}",
    "one by the name of its role": f"{{AWS: '{ACCOUNT}:role/payer'}}",
    "one in a path": f"{{AWS: ['{ACCOUNT}:role/teams/money/payer']}}",
    "a role that mentions the service": f"{{AWS: '{ACCOUNT}:role/billing-prod-lambdaRole'}}",
    "a session": "{AWS: 'arn:aws:sts::111122223333:assumed-role/payer/nightly'}",
    "a role of any account": '{AWS: !Sub "arn:aws:iam::${AWS::AccountId}:role/payer"}',
}


def table(principal: str, action: str = "dynamodb:GetItem", resource: str = '"*"', effect: str = "Allow") -> str:
    """A table whose policy has this statement."""
    fields = {"EFFECT": effect, "PRINCIPAL": principal, "ACTION": action, "RESOURCE": resource}
    text = TABLE
    for field, value in fields.items():
        text = text.replace(field, value)
    return text


def found(folder: Path, *resources: str, roles: dict[str, str] | None = None) -> Infrastructure:
    path = write(folder, {"t.yml": "Resources:" + "".join(resources)}) / "t.yml"
    return read_templates([path], names(services=("billing", "shop"), tables=("invoices", "carts")), {}, roles or {})


@pytest.mark.parametrize("principal", PRINCIPALS.values(), ids=PRINCIPALS)
def test_a_table_permits_the_service_of_its_principal(tmp_path: Path, principal: str) -> None:
    read_by = found(tmp_path, table(principal), ROLE)
    assert (grants(read_by), read_by.unresolved) == ({"billing read invoices"}, ())


def test_an_asterisk_is_the_table_and_its_indexes_alone(tmp_path: Path) -> None:
    for action, expected in {
        "dynamodb:Query": {"billing read invoices"},
        "dynamodb:*": {"billing read_write invoices"},
        "dynamodb:DescribeTable": set(),
    }.items():
        assert grants(found(tmp_path, table("{AWS: !GetAtt PayRole.Arn}", action), ROLE)) == expected


def test_a_table_that_permits_something_does_not_make_the_service_read(tmp_path: Path) -> None:
    services = found(tmp_path, table(f"{{AWS: '{ACCOUNT}:role/shop-lambda'}}")).services
    assert services == frozenset()


ANYONE = {
    "an account": f"{{AWS: '{ACCOUNT}:root'}}",
    "an account's number": "{AWS: '111122223333'}",
    "everybody": '"*"',
    "a role of nobody's": f"{{AWS: '{ACCOUNT}:role/x'}}",
    "a role from elsewhere": "{AWS: !ImportValue role}",
}


@pytest.mark.parametrize("principal", ANYONE.values(), ids=ANYONE)
def test_a_principal_that_is_not_known_may_be_any_service(tmp_path: Path, principal: str) -> None:
    (unresolved,) = found(tmp_path, table(principal)).unresolved
    assert (unresolved.service, unresolved.modes) == (None, {"read", "write"})
    # What touches no items does not matter.
    assert found(tmp_path, table(principal, "dynamodb:DescribeTable")).unresolved == ()


def test_services_of_aws_are_no_services_of_the_map(tmp_path: Path) -> None:
    result = found(tmp_path, table("{Service: replication.dynamodb.amazonaws.com}", "dynamodb:*"))
    assert (result.grants, result.unresolved) == ({}, ())


def test_a_deny_is_noted_and_takes_nothing_away(tmp_path: Path) -> None:
    for principal, role in (("{AWS: !GetAtt PayRole.Arn}", ROLE), ('"*"', "")):
        result = found(tmp_path, table(principal, effect="Deny"), role)
        (note,) = result.notes
        assert "a Deny in a table's policy is not taken off" in note.text
        assert (result.grants, result.unresolved) == ({}, ())


def test_the_roles_file_names_a_principal(tmp_path: Path) -> None:
    result = found(tmp_path, table(f"{{AWS: '{ACCOUNT}:role/x'}}"), roles={"x": "till"})
    assert grants(result) == {"till read invoices"}


REPLICAS = """
  Invoices:
    Type: AWS::DynamoDB::GlobalTable
    Properties:
      TableName: invoices
      Replicas:
        - Region: eu-west-1
          ResourcePolicy:
            PolicyDocument:
              Statement:
                Effect: Allow
                Principal: {AWS: !GetAtt PayRole.Arn}
                Action: dynamodb:GetItem
                Resource: "*"
"""


def test_replicas_have_policies_too(tmp_path: Path) -> None:
    assert grants(found(tmp_path, REPLICAS, ROLE)) == {"billing read invoices"}


def test_a_projects_own_roles_are_its_services(tmp_path: Path) -> None:
    resources = table("{AWS: !GetAtt IamRoleLambdaExecution.Arn}").replace("\n", "\n  ")
    project = f"service: billing\nprovider: {{name: aws}}\nresources:\n  Resources:{resources}"
    result = read(tmp_path, {"serverless.yml": project}, services=("billing",))
    assert (grants(result), result.unresolved) == ({"billing read invoices"}, ())
