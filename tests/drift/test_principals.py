"""Whose roles, users, groups and attached policies are, and what is said where nobody knows."""

from pathlib import Path

import pytest

from ownership.drift.readers.cloudformation import read_templates
from ownership.drift.types import Infrastructure
from tests.support.drift_projects import ARN, grants, names, read, write


def statement(action: str, table: str) -> str:
    return (
        f'{{Statement: [{{Effect: Allow, Action: "dynamodb:{action}", Resource: "{ARN}{table}"}}]}}'
    )


def templates(tmp_path: Path, text: str, services: dict[str, str] | None = None) -> Infrastructure:
    write(tmp_path, {"t.yml": text})
    return read_templates([tmp_path / "t.yml"], names(services=("shop", "pay")), {}, services or {})


TAGS = "Tags: [{Key: service, Value: shop}]"
FAR = "arn:aws:iam::111122223333:role/far"
GETS, PUTS, SCANS = (
    statement("GetItem", "carts"),
    statement("PutItem", "orders"),
    statement("Scan", "letters"),
)
OWN = f"Policies: [{{PolicyDocument: {GETS}}}]"


HOLDERS = {
    "a user with a policy of its own": (
        f"Bot: {{Type: AWS::IAM::User, Properties: {{{TAGS}, {OWN}}}}}",
        {"shop read carts"},
    ),
    "a user by its name": (
        f"Bot: {{Type: AWS::IAM::User, Properties: {{UserName: club-shop-bot, {OWN}}}}}",
        {"shop read carts"},
    ),
    "a user with a managed policy": (
        f"Bot: {{Type: AWS::IAM::User, Properties: {{{TAGS}, ManagedPolicyArns: [!Ref P]}}}}\n"
        f"  P: {{Type: AWS::IAM::ManagedPolicy, Properties: {{PolicyDocument: {PUTS}}}}}",
        {"shop write orders"},
    ),
    "a policy attached to users": (
        f"Bot: {{Type: AWS::IAM::User, Properties: {{{TAGS}}}}}\n"
        f"  P: {{Type: AWS::IAM::Policy, Properties: {{Users: [!Ref Bot], PolicyDocument: {PUTS}}}}}",
        {"shop write orders"},
    ),
    "a policy of a user": (
        f"Bot: {{Type: AWS::IAM::User, Properties: {{UserName: x, {TAGS}}}}}\n"
        f"  P: {{Type: AWS::IAM::UserPolicy, Properties: {{UserName: x, PolicyDocument: {PUTS}}}}}",
        {"shop write orders"},
    ),
    "a user's group": (
        f"Bot: {{Type: AWS::IAM::User, Properties: {{{TAGS}, Groups: [!Ref G]}}}}\n"
        f"  G: {{Type: AWS::IAM::Group, Properties: {{{OWN}}}}}",
        {"shop read carts"},
    ),
    "a group by its name, and a policy of the group": (
        f"Bot: {{Type: AWS::IAM::User, Properties: {{{TAGS}, Groups: [bots]}}}}\n"
        "  G: {Type: AWS::IAM::Group, Properties: {GroupName: bots}}\n"
        f"  P: {{Type: AWS::IAM::GroupPolicy, Properties: {{GroupName: !Ref G, PolicyDocument: {PUTS}}}}}",
        {"shop write orders"},
    ),
    "users added to a group": (
        f"Bot: {{Type: AWS::IAM::User, Properties: {{{TAGS}}}}}\n"
        f"  G: {{Type: AWS::IAM::Group, Properties: {{{OWN}}}}}\n"
        "  A: {Type: AWS::IAM::UserToGroupAddition, Properties: {GroupName: !Ref G, Users: [!Ref Bot]}}",
        {"shop read carts"},
    ),
    "a policy attached to a role by its physical name": (
        f"R: {{Type: AWS::IAM::Role, Properties: {{RoleName: !Sub 'x-${{Stage}}', {TAGS}}}}}\n"
        f"  P: {{Type: AWS::IAM::Policy, Properties: {{Roles: [!Sub 'x-${{Stage}}'], PolicyDocument: {PUTS}}}}}",
        {"shop write orders"},
    ),
    "a policy of a role": (
        f"R: {{Type: AWS::IAM::Role, Properties: {{RoleName: x, {TAGS}}}}}\n"
        f"  P: {{Type: AWS::IAM::RolePolicy, Properties: {{RoleName: x, PolicyDocument: {PUTS}}}}}",
        {"shop write orders"},
    ),
    "a policy attached to a role outside whose name says whose it is": (
        f"P: {{Type: AWS::IAM::Policy, Properties: {{Roles: [pay-dev-lambdaRole, shop-dev], PolicyDocument: {PUTS}}}}}",
        {"pay write orders", "shop write orders"},
    ),
    "a policy attached to a role outside that the file for --roles has": (
        f"P: {{Type: AWS::IAM::Policy, Properties: {{Roles: [shared], PolicyDocument: {PUTS}}}}}",
        {"pay write orders"},
    ),
}


@pytest.mark.parametrize(("resources", "expected"), HOLDERS.values(), ids=HOLDERS)
def test_every_way_to_hold_a_permission_is_read(
    tmp_path: Path, resources: str, expected: set[str]
) -> None:
    text = f"Parameters: {{Stage: {{Type: String, Default: dev}}}}\nResources:\n  {resources}\n"
    found = templates(tmp_path, text, {"shared": "pay"})
    assert (found.errors, found.unresolved) == ((), ())
    assert grants(found) == expected


UNOWNED = {
    "a role": (
        "R: {Type: AWS::IAM::Role, Properties: {Policies: [{PolicyDocument: DOCUMENT}]}}",
        "R",
    ),
    "a user": (
        "U: {Type: AWS::IAM::User, Properties: {Policies: [{PolicyDocument: DOCUMENT}]}}",
        "U",
    ),
    "a group": (
        "G: {Type: AWS::IAM::Group, Properties: {Policies: [{PolicyDocument: DOCUMENT}]}}",
        "G",
    ),
    "a policy attached elsewhere": (
        "P: {Type: AWS::IAM::Policy, Properties: {Roles: [elsewhere], PolicyDocument: DOCUMENT}}",
        "P",
    ),
}


@pytest.mark.parametrize(("resource", "name"), UNOWNED.values(), ids=UNOWNED)
def test_what_nobody_is_known_to_hold_may_be_anybodys(
    tmp_path: Path, resource: str, name: str
) -> None:
    found = templates(tmp_path, f"Resources:\n  {resource.replace('DOCUMENT', GETS)}\n")
    (unresolved,) = found.unresolved
    assert (unresolved.text, unresolved.service, unresolved.modes) == (name, None, {"read"})


@pytest.mark.parametrize("resource", [resource for resource, _ in UNOWNED.values()], ids=UNOWNED)
@pytest.mark.parametrize(
    "document",
    [
        '{Statement: [{Effect: Allow, Action: "s3:*", Resource: "*"}]}',
        f'{{Statement: [{{Effect: Allow, Action: "dynamodb:DescribeTable", Resource: "{ARN}carts"}}]}}',
        f'{{Statement: [{{Effect: Deny, Action: "dynamodb:*", Resource: "{ARN}carts"}}]}}',
    ],
    ids=["another service", "no item", "a denial"],
)
def test_whose_it_is_does_not_matter_where_nothing_is_permitted(
    tmp_path: Path, resource: str, document: str
) -> None:
    assert (
        templates(tmp_path, f"Resources:\n  {resource.replace('DOCUMENT', document)}\n").unresolved
        == ()
    )


def test_a_role_of_unknown_owner_with_an_unknown_policy_may_permit_anything(tmp_path: Path) -> None:
    role = "R: {Type: AWS::IAM::Role, Properties: {ManagedPolicyArns: ['arn:aws:iam::1:policy/x']}}"
    (unresolved,) = templates(tmp_path, f"Resources:\n  {role}\n").unresolved
    assert unresolved.modes == {"read", "write"}


def test_a_project_attaches_policies_to_its_own_role_and_to_those_of_others(tmp_path: Path) -> None:
    project = f"""
service: shop
provider: {{name: aws}}
resources:
  Resources:
    A: {{Type: AWS::IAM::Policy, Properties: {{Roles: [!Ref IamRoleLambdaExecution], PolicyDocument: {GETS}}}}}
    B: {{Type: AWS::IAM::Policy, Properties: {{Roles: [pay-dev-us-east-1-lambdaRole], PolicyDocument: {PUTS}}}}}
    C: {{Type: AWS::IAM::Policy, Properties: {{Roles: [shop-dev-us-east-1-lambdaRole], PolicyDocument: {SCANS}}}}}
"""
    found = read(tmp_path, {"shop/serverless.yml": project}, services=("shop", "pay"))
    assert (grants(found), found.unresolved) == (
        {"shop read carts", "pay write orders", "shop read letters"},
        (),
    )
    assert found.services == {"shop"}  # nobody has read what else pay has


DENIES = f'{{Statement: [{{Effect: Deny, Action: "dynamodb:GetItem", Resource: "{ARN}carts"}}]}}'
SOMETIMES = {
    "a policy of the role": f"!If [IsProd, {{PolicyDocument: {DENIES}}}, !Ref AWS::NoValue]",
    "a statement": "{PolicyDocument: {Statement: [!If [IsProd, DENY, !Ref AWS::NoValue]]}}",
    "what it denies": "{PolicyDocument: {Statement: [DENY_ANY]}}",
}
DENY = f'{{Effect: Deny, Action: "dynamodb:GetItem", Resource: "{ARN}carts"}}'
DENY_ANY = f'{{Effect: Deny, Action: !If [IsProd, "dynamodb:*", "dynamodb:PutItem"], Resource: "{ARN}carts"}}'


@pytest.mark.parametrize("policy", SOMETIMES.values(), ids=SOMETIMES)
def test_a_denial_that_a_condition_decides_takes_nothing_off(tmp_path: Path, policy: str) -> None:
    policy = policy.replace("DENY_ANY", DENY_ANY).replace("DENY", DENY)
    role = f"Type: AWS::IAM::Role, Properties: {{{TAGS}, Policies: [{{PolicyDocument: {GETS}}}, {policy}]}}"
    found = templates(tmp_path, f"Resources:\n  R: {{{role}}}\n")
    assert grants(found) == {"shop read carts"}
    assert ["may not apply" in note.text for note in found.notes] == [True]


@pytest.mark.parametrize(
    ("role_condition", "policy_condition", "expected"),
    [
        ("", "Condition: IsProd, ", {"shop read carts"}),
        ("Condition: IsProd, ", "Condition: IsProd, ", set()),
    ],
)
def test_an_attached_denial_counts_if_it_is_made_whenever_the_role_is(
    tmp_path: Path, role_condition: str, policy_condition: str, expected: set[str]
) -> None:
    text = f"""
Resources:
  R: {{{role_condition}Type: AWS::IAM::Role, Properties: {{{TAGS}, {OWN}}}}}
  P: {{{policy_condition}Type: AWS::IAM::Policy, Properties: {{Roles: [!Ref R], PolicyDocument: {DENIES}}}}}
"""
    assert grants(templates(tmp_path, text)) == expected


def test_sams_policies_keep_their_conditions(tmp_path: Path) -> None:
    text = f"""
Transform: AWS::Serverless-2016-10-31
Resources:
  Shop:
    Type: AWS::Serverless::Function
    Properties:
      Policies:
        - {GETS}
        - !If [IsProd, {DENIES}, !Ref AWS::NoValue]
        - !If [IsProd, AWSDenyAll, !Ref AWS::NoValue]
"""
    assert grants(templates(tmp_path, text)) == {"shop read carts"}


def test_a_projects_denial_to_a_role_elsewhere_is_not_its_own_roles(tmp_path: Path) -> None:
    project = f"""
service: shop
provider:
  name: aws
  iamRoleStatements: [{{Effect: Allow, Action: "dynamodb:*", Resource: "{ARN}carts"}}]
functions: {{a: {{handler: a.b}}}}
resources:
  Resources:
    A: {{Type: AWS::IAM::Policy, Properties: {{Roles: [shop-admin], PolicyDocument: {DENIES}}}}}
"""
    found = read(tmp_path, {"shop/serverless.yml": project}, services=("shop",))
    assert grants(found) == {"shop read_write carts"}


@pytest.mark.parametrize("order", [("role.yml", "policies.yml"), ("policies.yml", "role.yml")])
def test_a_role_of_another_template_is_known_in_whichever_order_they_are_read(
    tmp_path: Path, order: tuple[str, str]
) -> None:
    principal = f"{{AWS: '{FAR}'}}"
    reads = f"{{Effect: Allow, Principal: {principal}, Action: dynamodb:GetItem, Resource: '*'}}"
    policies = f"""
Resources:
  P: {{Type: AWS::IAM::ManagedPolicy, Properties: {{Roles: [far], PolicyDocument: {PUTS}}}}}
  Carts:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: carts
      ResourcePolicy: {{PolicyDocument: {{Statement: [{reads}]}}}}
"""
    role = f"Resources: {{R: {{Type: AWS::IAM::Role, Properties: {{RoleName: far, {TAGS}}}}}}}\n"
    folder = write(tmp_path, {"policies.yml": policies, "role.yml": role})
    known = names(services=("shop", "pay"))
    found = read_templates([folder / name for name in order], known, {}, {})
    assert grants(found) == {"shop write orders", "shop read carts"}
    assert found.unresolved == ()


def test_a_role_of_which_nothing_is_known_is_the_reason_in_a_tables_policy(tmp_path: Path) -> None:
    statement = (
        f"{{Effect: Allow, Principal: {{AWS: '{FAR}'}}, Action: dynamodb:GetItem, Resource: '*'}}"
    )
    policy = f"{{PolicyDocument: {{Statement: [{statement}]}}}}"
    table = f"{{Type: AWS::DynamoDB::Table, Properties: {{TableName: carts, ResourcePolicy: {policy}}}}}"
    (unresolved,) = templates(tmp_path, f"Resources: {{T: {table}}}\n").unresolved
    assert unresolved.reason.startswith("a table's policy permits this to a role whose service")
