"""Stacks nested in others, and the values that a template gets from outside: parameters, stores, pseudo parameters."""

from pathlib import Path

import pytest

from ownership.drift.readers.cloudformation import read_templates
from ownership.drift.readers.files import Files
from ownership.drift.readers.stacks import Stacks
from ownership.drift.readers.template import Exports
from ownership.drift.types import Infrastructure
from tests.support.drift_projects import grants, names, write

DATA = """
Parameters:
  Stage: {Type: String}
Resources:
  Invoices: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Sub "invoices-${Stage}"}}
Outputs:
  InvoicesArn: {Value: !GetAtt Invoices.Arn}
  InvoicesName: {Value: !Ref Invoices}
"""
MAIN = """
Parameters:
  Stage: {Type: String, Default: dev}
Resources:
  Data:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: DATA, Parameters: {Stage: !Ref Stage}}
  Billing:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: ./billing.yml, Parameters: {Table: !GetAtt Data.Outputs.InvoicesName}}
"""
BILLING = """
Parameters:
  Table: {Type: String, Default: example}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement:
              - {Effect: Allow, Action: dynamodb:PutItem, Resource: !Sub "arn:aws:dynamodb:*:*:table/${Table}"}
"""


def role(resource: str, tags: str = "[{Key: service, Value: billing}]") -> str:
    """A role of the service billing that reads a resource."""
    return f"""
  Reader:
    Type: AWS::IAM::Role
    Properties:
      Tags: {tags}
      Policies:
        - PolicyDocument: {{Statement: [{{Effect: Allow, Action: dynamodb:GetItem, Resource: {resource}}}]}}
"""


def stacks(
    folder: Path,
    files: dict[str, str],
    given: dict[str, str] | None = None,
    services: tuple[str, ...] = ("billing",),
    leave_out: str = "",
) -> Infrastructure:
    """What these templates hold, all of them given but one."""
    paths = [write(folder, files) / name for name in files if name != leave_out]
    return read_templates(paths, names(services=services), given or {}, {})


ADDRESSES = {
    "a path": "./data.yml",
    "an address of a bucket": "https://bucket.s3.amazonaws.com/v1/data.yml",
    "an address with a parameter": '!Sub "https://s3.amazonaws.com/${Bucket}/data.yml"',
}


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)
def test_a_nested_stack_has_the_parameters_that_it_is_passed(tmp_path: Path, address: str) -> None:
    files = {
        "main.yml": MAIN.replace("DATA", address) + role("!GetAtt Data.Outputs.InvoicesArn"),
        "data.yml": DATA,
        "billing.yml": BILLING,
    }
    found = stacks(tmp_path, files)
    # The role of the nested stack `Billing` has no tag: the stack says whose it is.
    assert grants(found) == {"billing read_write invoices"}
    assert [table.name for table in found.tables] == ["invoices"]
    assert (found.unresolved, found.errors) == ((), ())


def test_a_template_beside_is_read_although_only_its_parent_is_given(tmp_path: Path) -> None:
    files = {"main.yml": MAIN.replace("DATA", "data.yml"), "data.yml": DATA, "billing.yml": BILLING}
    assert grants(stacks(tmp_path, files, leave_out="billing.yml")) == {"billing write invoices"}


def test_a_nested_stack_that_is_not_there_may_permit_anything_to_anyone(tmp_path: Path) -> None:
    files = {
        "main.yml": MAIN.replace("DATA", "https://example.org/data.yml"),
        "billing.yml": BILLING,
    }
    found = stacks(tmp_path, files)
    assert found.grants == {}
    missing, passed = found.unresolved
    assert (missing.text, missing.service, missing.modes) == ("Data", None, {"read", "write"})
    assert (passed.service, passed.modes) == ("billing", {"write"})
    assert passed.reason == "Data.Outputs.InvoicesName is known only when deployed"


def nesting(*urls: str) -> str:
    """A template with these stacks nested in it."""
    resources = [
        f"  S{number}: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: {url}}}}}"
        for number, url in enumerate(urls)
    ]
    return "\n".join(["Resources:", *resources, ""])


CIRCLES = {
    "in itself": {"a.yml": nesting("a.yml")},
    "in each other": {"a.yml": nesting("b.yml"), "b.yml": nesting("a.yml")},
    "below another one": {
        "main.yml": nesting("a.yml"),
        "a.yml": nesting("b.yml"),
        "b.yml": nesting("a.yml"),
    },
}


@pytest.mark.parametrize("files", CIRCLES.values(), ids=CIRCLES)
def test_a_stack_nested_in_itself_is_an_error(tmp_path: Path, files: dict[str, str]) -> None:
    reasons = {error.reason for error in stacks(tmp_path, files).errors}
    assert reasons == {"nested stack S0 has a template that it is a part of"}


def test_a_template_that_is_nested_twice_or_in_itself_is_one_template(tmp_path: Path) -> None:
    files = {
        "main.yml": nesting("a.yml", "a.yml"),
        "a.yml": "Resources: {}\n",
        "circle.yml": nesting("circle.yml"),
    }
    folder = write(tmp_path, files)
    known = Stacks(Files(folder), {}, {}, Exports())
    assert list(known.load([folder])) == []
    assert {path.name for path in known.by_path()} == {"main.yml", "circle.yml", "a.yml"}


def test_stacks_are_nested_so_many_levels_deep_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ownership.drift.readers.stacks.MAX_NESTING", 2)
    files = {f"s{number}.yml": nesting(f"s{number + 1}.yml") for number in range(3)}
    files["s3.yml"] = "Resources: {}\n"
    reasons = {error.reason for error in stacks(tmp_path, files).errors}
    assert reasons == {"stacks are nested deeper than 2 levels"}
    assert stacks(tmp_path, files | {"s2.yml": "Resources: {}\n"}).errors == ()


def test_the_number_of_nested_stacks_is_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ownership.drift.readers.stacks.MAX_NESTED_STACKS", 3)
    files = {
        "main.yml": nesting("a.yml", "a.yml"),
        "a.yml": nesting("b.yml"),
        "b.yml": "Resources: {}\n",
    }
    reasons = {error.reason for error in stacks(tmp_path, files).errors}
    assert reasons == {"more than 3 nested stacks are not read"}


def test_an_output_that_a_nested_stack_does_not_have_is_the_reason(tmp_path: Path) -> None:
    passed = MAIN.replace("DATA", "data.yml").replace("InvoicesName", "Typo")
    found = stacks(tmp_path, {"main.yml": passed, "data.yml": DATA, "billing.yml": BILLING})
    (unresolved,) = found.unresolved
    assert unresolved.reason == "the nested stack Data has no output Typo"


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("services/billing/template.yaml", "billing"),
        ("shop-billing.yaml", "billing"),
        ("BillingStack.template.json", "billing"),
        ("other.yaml", None),
    ],
)
def test_a_role_without_a_service_belongs_to_its_stacks(
    tmp_path: Path, name: str, service: str | None
) -> None:
    template = (
        "{Resources: {" + '"Role": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": ['
    )
    template += '"arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"]}}}}'
    found = stacks(tmp_path, {name: template, "x.yaml": "Resources: {}\n"})
    assert found.services == (frozenset({service}) if service else frozenset())


TABLE = '"arn:aws:dynamodb:*:*:table/{}"'
PARAMETERS = """
Parameters:
  Users: {Type: "AWS::SSM::Parameter::Value<String>", Default: /shop/users}
  Arn: {Type: "AWS::SSM::Parameter::Value<String>", Default: /shop/arn}
  Stage: {Type: "AWS::SSM::Parameter::Value<String>", Default: /shop/stage}
  Both: {Type: CommaDelimitedList, Default: "orders,invoices"}
Resources:
"""
VALUES = {
    "a parameter that is stored": (
        '!Sub "arn:aws:dynamodb:*:*:table/${Users}"',
        "ssm:/shop/users",
        "users",
    ),
    "an ARN that is stored": ("!Ref Arn", "ssm:/shop/arn", "arn:aws:dynamodb:*:*:table/users"),
    "a parameter that is given itself": (
        '!Sub "arn:aws:dynamodb:*:*:table/${Users}"',
        "param:Users",
        "users",
    ),
    "a dynamic reference": (
        '"arn:aws:dynamodb:*:*:table/{{resolve:ssm:/a/b:3}}"',
        "ssm:/a/b",
        "users",
    ),
    "one in Sub": (
        '!Sub "arn:aws:dynamodb:*:*:table/{{resolve:ssm:/${Stage}/b}}"',
        "ssm:/x/b",
        "users",
    ),
    "a secret": (
        '"arn:aws:dynamodb:*:*:table/{{resolve:secretsmanager:s:SecretString}}"',
        "secretsmanager:s",
        "users",
    ),
    "a pseudo parameter": (
        '!Sub "arn:aws:dynamodb:*:*:table/${AWS::StackName}"',
        "param:AWS::StackName",
        "users",
    ),
}


@pytest.mark.parametrize(("resource", "variable", "value"), VALUES.values(), ids=VALUES)
def test_a_value_from_elsewhere_is_unresolved_until_it_is_given(
    tmp_path: Path, resource: str, variable: str, value: str
) -> None:
    files = {"t.yml": PARAMETERS + role(resource)}
    (unresolved,) = stacks(tmp_path, files, {"ssm:/shop/stage": "x"}).unresolved
    assert (unresolved.service, unresolved.modes) == ("billing", {"read"})
    if not variable.startswith("param:AWS"):
        assert variable in unresolved.reason
    found = stacks(tmp_path, files, {"ssm:/shop/stage": "x", variable: value})
    assert (grants(found), found.unresolved) == ({"billing read users"}, ())


def test_a_parameter_may_be_a_list(tmp_path: Path) -> None:
    resource = '!Sub ["arn:aws:dynamodb:*:*:table/${N}", {N: !Select [1, !Ref Both]}]'
    assert grants(stacks(tmp_path, {"t.yml": PARAMETERS + role(resource)})) == {
        "billing read invoices"
    }


NAMELESS = """
Resources:
  Invoices:
    Type: AWS::DynamoDB::Table
    Properties: {KeySchema: [{AttributeName: id, KeyType: HASH}]}
"""


def test_a_table_without_a_name_goes_by_its_logical_id_and_may_be_any_of_the_map(
    tmp_path: Path,
) -> None:
    found = stacks(tmp_path, {"t.yml": NAMELESS + role("!GetAtt Invoices.Arn")})
    assert grants(found) == {"billing read Invoices"}
    (unresolved,) = found.unresolved
    assert (unresolved.text, unresolved.service, unresolved.modes) == (
        "Invoices",
        "billing",
        {"read"},
    )
    assert unresolved.reason.endswith(
        "so it goes by its logical id (--tables FILE says which it is)"
    )


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("!If [Named, bills, !Ref AWS::NoValue]", {"bills", "Invoices"}),
        ("!Ref AWS::NoValue", {"Invoices"}),
        ("!If [Old, bills, letters]", {"bills", "letters"}),
    ],
)
def test_a_table_may_have_a_name_or_none(tmp_path: Path, name: str, tables: set[str]) -> None:
    template = NAMELESS.replace("Properties: {", f"Properties: {{TableName: {name}, ")
    assert {table.name for table in stacks(tmp_path, {"t.yml": template}).tables} == tables


def test_a_table_without_a_name_is_the_maps_table_of_that_name(tmp_path: Path) -> None:
    path = write(tmp_path, {"t.yml": NAMELESS + role("!GetAtt Invoices.Arn")}) / "t.yml"
    found = read_templates([path], names(tables=("Invoices",)), {}, {})
    assert (grants(found), found.unresolved) == ({"billing read Invoices"}, ())


POLICY = """
Resources:
  ReadInvoices:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      NAME
      PolicyDocument:
        Statement: {Effect: Allow, Action: dynamodb:GetItem, Resource: "arn:aws:dynamodb:*:*:table/invoices"}
"""
HOLDER = """
  Holder: {Type: AWS::IAM::Role, Properties: {Tags: [{Key: service, Value: billing}], ManagedPolicyArns: [ARN]}}
"""
NAMED = 'ManagedPolicyName: !Sub "read-${AWS::Region}-invoices"'
EXPORT = "Outputs: {P: {Value: !Ref ReadInvoices, Export: {Name: reading}}}\n"
MANAGED = {
    "by reference": ("", "!Ref ReadInvoices", False),
    "by attribute": ("", "!GetAtt ReadInvoices.PolicyArn", False),
    "by name": (
        "ManagedPolicyName: reader",
        '!Sub "arn:aws:iam::${AWS::AccountId}:policy/reader"',
        True,
    ),
    "by name in a path": (
        "ManagedPolicyName: reader",
        "arn:aws:iam::111122223333:policy/a/b/reader",
        True,
    ),
    "imported": ("", "!ImportValue reading", True),
    "imported, with a name that is not known": (NAMED, "!ImportValue reading", True),
}


@pytest.mark.parametrize(("name", "arn", "elsewhere"), MANAGED.values(), ids=MANAGED)
def test_a_managed_policy_of_any_template_is_read(
    tmp_path: Path, name: str, arn: str, elsewhere: bool
) -> None:
    policy, holder = POLICY.replace("NAME", name), HOLDER.replace("ARN", arn)
    files = {"t.yml": policy + holder}
    if elsewhere:
        # The template that has the policy is read last.
        files = {"a.yml": f"Resources:{holder}", "b.yml": policy + EXPORT}
    found = stacks(tmp_path, files)
    assert (grants(found), found.unresolved) == ({"billing read invoices"}, ())


def test_a_policy_that_no_template_makes_is_unresolved(tmp_path: Path) -> None:
    holder = HOLDER.replace("ARN", "arn:aws:iam::111122223333:policy/other")
    found = stacks(
        tmp_path, {"a.yml": f"Resources:{holder}", "b.yml": POLICY.replace("NAME", "Path: /")}
    )
    assert [(item.service, item.modes) for item in found.unresolved] == [
        ("billing", {"read", "write"})
    ]
