"""What CloudFormation's loops, ``Fn::ForEach``, make, and what is said of those that can't be expanded."""

import json
from pathlib import Path

import pytest

from ownership.drift.readers.cloudformation import read_templates
from ownership.drift.types import Infrastructure
from tests.support.drift_projects import ARN, grants, names, read, write

HEAD = """
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList}, Listed: {Type: CommaDelimitedList, Default: "orders, carts"}}
Mappings: {Of: {shop: {Names: [orders, carts]}}}
"""
TABLES = """
  Fn::ForEach::Tables:
    - Name
    - COLLECTION
    - Table${Name}:
        Type: AWS::DynamoDB::Table
        Properties: {TableName: !Ref Name, Tags: }
      Policy&{Name}:
        Type: AWS::IAM::Policy
        Properties:
          Roles: [!Ref Shop]
          PolicyDocument:
            Statement: [{Effect: Allow, Action: "dynamodb:PutItem", Resource: !GetAtt "Table${Name}.Arn"}]
"""
SHOP = """
  Shop:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement:
              - {Effect: Allow, Action: "dynamodb:GetItem", Resource: !GetAtt Tableorders.Arn}
"""


SAM = "AWS::Serverless-2016-10-31"


def found(
    folder: Path, resources: str, head: str = HEAD, given: dict[str, str] | None = None
) -> Infrastructure:
    path = write(folder, {"t.yml": f"{head}Resources:{resources}"}) / "t.yml"
    return read_templates([path], names(services=("shop", "pay", "send")), given or {}, {})


@pytest.mark.parametrize(
    ("collection", "given"),
    [
        ("[orders, carts]", {}),
        ("[orders, carts, orders]", {}),
        ("!Ref Listed", {}),
        ("!Ref Names", {"param:Names": "orders,carts"}),
        ("!FindInMap [Of, shop, Names]", {}),
        ("!Split ['|', 'orders|carts']", {}),
    ],
)
def test_a_loop_makes_its_resources_for_each_value(
    tmp_path: Path, collection: str, given: dict[str, str]
) -> None:
    result = found(tmp_path, TABLES.replace("COLLECTION", collection) + SHOP, given=given)
    assert (result.unresolved, result.errors) == ((), ())
    assert [table.name for table in result.tables] == ["orders", "carts"]
    assert grants(result) == {"shop read_write orders", "shop write carts"}
    assert {str(location) for location in result.tables[0].locations} == {"t.yml:9"}


def test_loops_in_loops_and_in_properties_know_the_values_of_those_around(tmp_path: Path) -> None:
    resources = f"""
  Fn::ForEach::Services:
    - Service
    - [shop, pay]
    - Fn::ForEach::Kinds:
        - Kind
        - [big-one, "${{Service}}-own"]
        - Role${{Service}}&{{Kind}}:
            Type: AWS::IAM::Role
            Properties:
              Tags: [{{Key: service, Value: !Ref Service}}]
              Policies:
                - Fn::ForEach::Part:
                    - Part
                    - [PolicyDocument]
                    - ${{Part}}:
                        Statement: [{{Effect: Allow, Action: "dynamodb:GetItem", Resource: !Sub "{ARN}${{Kind}}"}}]
"""
    result = found(tmp_path, resources)
    assert result.unresolved == ()
    assert grants(result) == {
        "shop read big-one",
        "shop read shop-own",
        "pay read big-one",
        "pay read pay-own",
    }


@pytest.mark.parametrize(
    ("collection", "reason"),
    [
        ("!Ref Names", "parameter Names has no default (--var param:Names=…)"),
        ("[orders, !ImportValue x]", "nothing that was read exports x"),
    ],
)
def test_a_loop_over_unknown_values_may_permit_anything_and_says_why(
    tmp_path: Path, collection: str, reason: str
) -> None:
    result = found(tmp_path, TABLES.replace("COLLECTION", collection) + SHOP)
    assert [(u.text, u.service, u.reason, len(u.modes)) for u in result.unresolved] == [
        (
            "…",
            "shop",
            f"{reason}; so Fn::ForEach::Tables is not expanded, and may make Tableorders",
            1,
        ),
        ("Fn::ForEach::Tables", None, reason, 2),
    ]


@pytest.mark.parametrize("transform", ["AWS::LanguageExtensions", SAM])
@pytest.mark.parametrize("loop", ["[Name, [orders]]", "", "[Name, [orders], no resources]"])
def test_a_loop_of_another_form_may_permit_anything(
    tmp_path: Path, loop: str, transform: str
) -> None:
    head = f"Transform: [AWS::LanguageExtensions, {transform}]\n"
    resources = f"\n  Fn::ForEach::Tables: {loop}\n{SHOP}"
    (unresolved,) = found(tmp_path, resources, head).unresolved[1:]
    assert (unresolved.text, unresolved.service) == ("Fn::ForEach::Tables", None)
    assert unresolved.modes == {"read", "write"}


@pytest.mark.slow
def test_loops_can_not_grow_without_end(tmp_path: Path) -> None:
    many = [f"v{number}" for number in range(60)]
    body: dict[str, object] = {"Queue${A}${B}${C}": {"Type": "AWS::SQS::Queue"}}
    for name in "CBA":
        body = {f"Fn::ForEach::{name}": [name, many, body]}
    result = found(tmp_path, f" {json.dumps(body)}\n")
    assert ["takes too many steps" in error.reason for error in result.errors] == [True]


def test_sams_functions_and_connectors_are_made_in_loops(tmp_path: Path) -> None:
    head = "Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]\nGlobals: {Function: {Tags: {a: b}}}\n"
    resources = """
  Orders: {Type: AWS::DynamoDB::Table, Properties: {TableName: orders}}
  Fn::ForEach::Functions:
    - Service
    - [shop, pay]
    - ${Service}Fn:
        Type: AWS::Serverless::Function
        Properties:
          Tags: {service: !Ref Service}
          Policies: [{DynamoDBReadPolicy: {TableName: !Sub "${Service}-own"}}]
        Connectors: {Db: {Properties: {Destination: {Id: Orders}, Permissions: [Write]}}}
      ${Service}Far:
        Type: AWS::Serverless::Connector
        Properties: {Source: {Id: "${Service}Elsewhere"}, Destination: {Id: Orders}, Permissions: [Write]}
"""
    result = found(tmp_path, resources, head)
    assert grants(result) == {
        "shop read shop-own",
        "pay read pay-own",
        "shop write orders",
        "pay write orders",
    }
    # Of what nobody has the type, nobody knows what the connector permits.
    assert {u.reason.partition(",")[0] for u in result.unresolved} == {
        "resources of type AWS::Serverless::Connector are not read"
    }


def test_a_projects_resources_and_outputs_may_have_loops(tmp_path: Path) -> None:
    loop = TABLES.replace("COLLECTION", "${self:custom.tables}").replace(
        "!Ref Shop", "!Ref IamRoleLambdaExecution"
    )
    indented = loop.replace("\n", "\n  ")
    tables = f"""
service: shop
custom: {{tables: [orders, carts]}}
provider: {{name: aws}}
functions: {{a: {{handler: a.b}}}}
resources:
  Transform: AWS::LanguageExtensions
  Resources:{indented}
  Outputs:
    Fn::ForEach::Arns:
      - Name
      - [orders, carts]
      - ${{Name}}Arn: {{Value: !GetAtt "Table${{Name}}.Arn", Export: {{Name: "${{Name}}-arn"}}}}
"""
    pay = """
service: pay
provider:
  name: aws
  iamRoleStatements: [{Effect: Allow, Action: "dynamodb:GetItem", Resource: !ImportValue carts-arn}]
"""
    result = read(
        tmp_path,
        {"shop/serverless.yml": tables, "pay/serverless.yml": pay},
        services=("shop", "pay"),
    )
    assert result.unresolved == ()
    assert grants(result) == {"shop write orders", "shop write carts", "pay read carts"}
