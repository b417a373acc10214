"""A reason that is given is the cause: the variable, file or parameter that was really missing."""

from pathlib import Path

import pytest

from ownership.drift.readers.cloudformation import read_templates
from ownership.drift.readers.intrinsics import SUBSTITUTION
from tests.support.drift_projects import grants, names, read, write

FILE = "shop/serverless.yml"
SUB = "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/"

# A resource in a Serverless project, the settings that it takes, and the reason.
PROJECTS = {
    "code that is not there": (
        f"!Sub '{SUB}${{self:custom.prefix}}-orders'",
        "custom: {prefix: '${file(settings.js):prefix}'}",
        "settings.js is code, which is not run",
    ),
    "a file that is not there": (
        f"!Sub '{SUB}${{self:custom.prefix}}-orders'",
        "custom: {prefix: '${file(settings.yml):prefix}'}",
        "there is no file settings.yml",
    ),
    "a setting, and not the stage behind it": (
        f"!Sub '{SUB}${{self:custom.typo}}-${{opt:stage}}'",
        "custom: {}",
        "no value for self:custom.typo",
    ),
    "a setting, and not the stage before it": (
        f"!Sub '{SUB}${{opt:stage}}-${{self:custom.typo}}'",
        "custom: {}",
        "no value for self:custom.typo",
    ),
    "a resource that is none of DynamoDB": (
        "!Sub 'arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:tabel/orders'",
        "",
        "is not a DynamoDB resource: did you mean table/NAME?",
    ),
    "a wildcard after the stage": (
        f"!Sub '{SUB}${{self:provider.stage}}-*'",
        "custom: {stage: dev}",
        "only the name pattern of an environment can say which tables this means",
    ),
    "the service of the ARN": (
        "'arn:aws:${self:custom.kind}:${aws:region}:${aws:accountId}:table/orders'",
        "",
        "no value for self:custom.kind",
    ),
}


@pytest.mark.parametrize(("resource", "rest", "reason"), PROJECTS.values(), ids=PROJECTS)
def test_the_reason_is_that_of_the_part_that_matters(
    tmp_path: Path, resource: str, rest: str, reason: str
) -> None:
    project = f"""\
service: shop
provider:
  iamRoleStatements:
    - {{Effect: Allow, Action: dynamodb:GetItem, Resource: !Join ["", [{resource}]]}}
{rest}
"""
    if resource.startswith("'"):
        project = project.replace(f'!Join ["", [{resource}]]', resource)
    (unresolved,) = read(tmp_path, {FILE: project}).unresolved
    assert (unresolved.location.line, unresolved.reason) == (4, reason)


TEMPLATE = """
Transform: AWS::LanguageExtensions
Parameters: {Stage: {Type: String, Default: dev}, Area: {Type: String}}
Mappings: {Names: {prod: {orders: orders-prod}}}
Resources:
  Own:
    Type: AWS::IAM::Role
    Properties:
      Tags: [{Key: service, Value: shop}]
      Policies:
        - PolicyDocument:
            Statement: [{Effect: Allow, Action: dynamodb:GetItem, Resource: !Sub ["ARN${N}-x", {N: VALUE}]}]
""".replace("ARN", SUB)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("!FindInMap [Names, prod, orders]", {"shop read orders-prod-x"}),
        ("!FindInMap [Names, dev, orders, {DefaultValue: other}]", {"shop read other-x"}),
        ("!FindInMap [Names, prod, orders, {DefaultValue: other}]", {"shop read orders-prod-x"}),
        ("!GetAtt Typo.Arn", "there is no resource or parameter Typo in the template"),
        ("!Ref Typo", "there is no resource or parameter Typo in the template"),
        ("!ImportValue typo", "nothing that was read exports typo"),
        ("!ImportValue {Ref: Area}", "parameter Area has no default (--var param:Area=…)"),
        (
            "!Select [1, !Split [',', !Ref Area]]",
            "parameter Area has no default (--var param:Area=…)",
        ),
        ("!FindInMap [Names, prod, carts]", "the mapping Names has no prod.carts"),
        ("!FindInMap [Other, prod, carts]", "the mapping Other has no prod.carts"),
        (
            "!FindInMap [Names, !Ref Area, orders]",
            "parameter Area has no default (--var param:Area=…)",
        ),
        (
            "!FindInMap [Names, !Ref Area, orders, {DefaultValue: other}]",
            "parameter Area has no default (--var param:Area=…)",
        ),
    ],
)
def test_a_mapping_gives_its_default_for_a_key_that_it_does_not_have(
    tmp_path: Path, value: str, expected: set[str] | str
) -> None:
    write(tmp_path, {"t.yml": TEMPLATE.replace("VALUE", value)})
    found = read_templates([tmp_path / "t.yml"], names(), {}, {})
    if isinstance(expected, set):
        assert (grants(found), found.unresolved) == (expected, ())
    else:
        assert [u.reason for u in found.unresolved] == [expected]


def test_what_a_loop_may_make_is_unresolved_because_of_the_loop(tmp_path: Path) -> None:
    loop = "  Fn::ForEach::Tables: [N, [orders], {'Table${N}': {Type: AWS::DynamoDB::Table}}]\n"
    template = TEMPLATE.replace(
        "Transform: AWS::LanguageExtensions", ""
    )  # without which it is none of CloudFormation's
    write(tmp_path, {"t.yml": template.replace("VALUE", "!GetAtt Tableorders.Arn") + loop})
    found = read_templates([tmp_path / "t.yml"], names(), {}, {})
    assert {u.reason.partition(",")[0] for u in found.unresolved} == {
        "Fn::ForEach::Tables is not expanded"
    }


@pytest.mark.parametrize(
    ("resource_type", "key"),
    [("AWS::IAM::Role", "RoleName"), ("AWS::IAM::ManagedPolicy", "ManagedPolicyName")],
)
def test_a_name_that_refers_to_itself_is_an_error_and_its_reason(
    tmp_path: Path, resource_type: str, key: str
) -> None:
    resources = (
        f"Resources: {{Own: {{Type: '{resource_type}', Properties: {{{key}: !Ref Own}}}}}}\n"
    )
    write(tmp_path, {"t.yml": resources})
    (error,) = read_templates([tmp_path / "t.yml"], names(), {}, {}).errors
    assert error.reason == (
        "takes too many steps to resolve: it is nested too deeply, or refers to itself"
    )


def test_a_substitution_ends_before_the_next_one_begins() -> None:
    assert [match[1] for match in SUBSTITUTION.finditer("${${Orders}-${!Literal}-${A.B}")] == [
        "Orders",
        "A.B",
    ]
