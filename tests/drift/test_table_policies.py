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


def table(
    principal: str, action: str = "dynamodb:GetItem", resource: str = '"*"', effect: str = "Allow"
) -> str:
    """A table whose policy has this statement."""
    fields = {"EFFECT": effect, "PRINCIPAL": principal, "ACTION": action, "RESOURCE": resource}
    text = TABLE
    for field, value in fields.items():
        text = text.replace(field, value)
    return text


def found(folder: Path, *resources: str, roles: dict[str, str] | None = None) -> Infrastructure:
    path = write(folder, {"t.yml": "Resources:" + "".join(resources)}) / "t.yml"
    return read_templates(
        [path], names(services=("billing", "shop"), tables=("invoices", "carts")), {}, roles or {}
    )


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
        assert (
            grants(found(tmp_path, table("{AWS: !GetAtt PayRole.Arn}", action), ROLE)) == expected
        )


def test_a_table_that_permits_something_does_not_make_the_service_read(tmp_path: Path) -> None:
    services = found(tmp_path, table(f"{{AWS: '{ACCOUNT}:role/shop-lambda'}}")).services
    assert services == frozenset()


ANYONE = {
    "an account": f"{{AWS: '{ACCOUNT}:root'}}",
    "an account's number": "{AWS: '111122223333'}",
    "everybody": '"*"',
    "a role of nobody's": f"{{AWS: '{ACCOUNT}:role/x'}}",
    "a role from elsewhere": "{AWS: !ImportValue role}",
    "a role whose name is not known": '{AWS: !Sub "arn:aws:iam::1:role/${Name}"}',
    "a parameter": "!Ref Principal",
    "an account in one branch": f"!If [IsProd, {{AWS: '{ACCOUNT}:root'}}, !Ref AWS::NoValue]",
}


@pytest.mark.parametrize("principal", ANYONE.values(), ids=ANYONE)
def test_a_principal_that_is_not_known_may_be_any_service(tmp_path: Path, principal: str) -> None:
    (unresolved,) = found(tmp_path, table(principal)).unresolved
    assert (unresolved.service, unresolved.modes) == (None, {"read", "write"})
    # What touches no items does not matter.
    assert found(tmp_path, table(principal, "dynamodb:DescribeTable")).unresolved == ()


def test_all_but_a_principal_may_be_any_service(tmp_path: Path) -> None:
    others = table(PRINCIPALS["one in a path"]).replace("Principal:", "NotPrincipal:")
    (unresolved,) = found(tmp_path, others, ROLE).unresolved
    assert (unresolved.text, unresolved.service) == ("NotPrincipal", None)


UNREAD = {
    "a document that is a parameter": ("PolicyDocument: !Ref Document", "the table's policy"),
    "a document by a condition": (
        "PolicyDocument: !If [IsProd, {Statement: []}, {Statement: []}]",
        "the table's policy",
    ),
    "a document as text": ("PolicyDocument: '{\"Statement\": []}'", "the table's policy"),
    "no document": ("Policy: {}", "the table's policy"),
    "a statement that is included": (
        "PolicyDocument: {Statement: [{Fn::Transform: {Name: AWS::Include}}]}",
        "the statement",
    ),
}


@pytest.mark.parametrize(("policy", "reason"), UNREAD.values(), ids=UNREAD)
def test_a_policy_that_can_not_be_read_may_permit_anyone_anything(
    tmp_path: Path, policy: str, reason: str
) -> None:
    resources = (
        "\n  Invoices:\n    Type: AWS::DynamoDB::Table\n"
        f"    Properties: {{TableName: invoices, ResourcePolicy: {{{policy}}}}}\n"
    )
    (unresolved,) = found(tmp_path, resources).unresolved
    assert unresolved.reason == f"{reason} can't be resolved"
    assert (unresolved.service, unresolved.modes) == (None, {"read", "write"})


def test_services_of_aws_are_no_services_of_the_map(tmp_path: Path) -> None:
    result = found(tmp_path, table("{Service: replication.dynamodb.amazonaws.com}", "dynamodb:*"))
    assert (result.grants, result.unresolved) == ({}, ())


PERMITTED = """
  PayRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: payer
      Tags: [{Key: service, Value: billing}]
      Policies:
        - PolicyDocument:
            Statement:
              {Effect: Allow, Action: ['dynamodb:GetItem', 'dynamodb:PutItem'], Resource: !GetAtt Invoices.Arn}
"""
OTHER_ROLE = (
    PERMITTED.replace("PayRole", "ShopRole").replace("payer", "shopper").replace("billing", "shop")
)
BOTH = {"billing read_write invoices", "shop read_write invoices"}
DENIED = {
    "all, to a role": ("{AWS: !GetAtt PayRole.Arn}", "dynamodb:*", {"shop read_write invoices"}),
    "all, to a role by its ARN": (
        PRINCIPALS["one in a path"],
        "dynamodb:*",
        {"shop read_write invoices"},
    ),
    "what reads": (
        PRINCIPALS["a role of the template"],
        "dynamodb:GetItem",
        {"billing write invoices", "shop read_write invoices"},
    ),
    "all, to everyone": ('"*"', "dynamodb:*", set()),
    "all, to every account": ('{AWS: "*"}', "dynamodb:*", set()),
    "all, to an account": (f"{{AWS: '{ACCOUNT}:root'}}", "dynamodb:*", BOTH),
    "all, to a role that only mentions the service": (
        PRINCIPALS["a role that mentions the service"],
        "dynamodb:*",
        BOTH,
    ),
}


@pytest.mark.parametrize(("principal", "action", "expected"), DENIED.values(), ids=DENIED)
def test_a_deny_takes_off_what_roles_permit_if_it_is_certain_for_whom(
    tmp_path: Path, principal: str, action: str, expected: set[str]
) -> None:
    result = found(tmp_path, table(principal, action, effect="Deny"), PERMITTED, OTHER_ROLE)
    assert grants(result) == expected
    notes = [note.text for note in result.notes]
    assert any("is not taken off" in note for note in notes) == (expected == BOTH)


def test_a_deny_that_is_not_always_there_takes_nothing_off(tmp_path: Path) -> None:
    whole = table('"*"', "dynamodb:*", effect="Deny")
    for sometimes in (
        whole.replace("Type: AWS", "Condition: IsProd\n    Type: AWS"),
        whole.replace(
            "Statement:\n            - {", "Statement:\n            - !If [IsProd, {"
        ).replace('"*"}', '"*"}, !Ref AWS::NoValue]'),
        whole.replace(
            'Resource: "*"', 'Resource: !If [IsProd, "*", "arn:aws:dynamodb:*:*:table/x"]'
        ),
        whole.replace(
            'Resource: "*"', 'Resource: "*", Condition: {Bool: {"aws:SecureTransport": "false"}}'
        ),
    ):
        assert sometimes != whole
        assert grants(found(tmp_path, sometimes, PERMITTED, OTHER_ROLE)) == BOTH


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


def test_a_role_of_another_project_is_known_by_its_name(tmp_path: Path) -> None:
    resources = table(f"{{AWS: '{ACCOUNT}:role/shop-dev-lambda'}}").replace("\n", "\n  ")
    project = f"service: billing\nprovider: {{name: aws}}\nresources:\n  Resources:{resources}"
    result = read(tmp_path, {"serverless.yml": project}, services=("billing", "shop"))
    assert (grants(result), result.unresolved) == ({"shop read invoices"}, ())
