"""Stacks nested in a project's, and stacks beside it: what they permit is its service's."""

from pathlib import Path

import pytest

from ownership.drift.types import Infrastructure
from tests.support.drift_projects import ARN, grants, read

PROJECT = """
service: shop
provider:
  name: aws
  iamRoleStatements: [{Effect: Allow, Action: "dynamodb:GetItem", Resource: !GetAtt Tables.Outputs.OrdersArn}]
functions: {a: {handler: a.b}}
resources:
  Resources:
    Tables:
      Type: AWS::CloudFormation::Stack
      Properties: {TemplateURL: "ADDRESS", Parameters: {Stage: "${sls:stage}"}}
"""
TABLES = f"""
Parameters: {{Stage: {{Type: String}}}}
Resources:
  Orders: {{Type: AWS::DynamoDB::Table, Properties: {{TableName: !Sub "orders-${{Stage}}"}}}}
  Audit:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument: {{Statement: [{{Effect: Allow, Action: "dynamodb:PutItem", Resource: "{ARN}audits"}}]}}
  Check: {{Type: AWS::Lambda::Function, Properties: {{Role: !GetAtt Audit.Arn}}}}
  Inner: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: inner.json}}}}
Outputs: {{OrdersArn: {{Value: !GetAtt Orders.Arn}}}}
"""
INNER = '{"Resources": {"Carts": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "carts"}}}}'


def found(folder: Path, url: str, **files: str) -> Infrastructure:
    """A project with a stack at that address, whose template is ``infra/tables.yml``."""
    all_files = {
        "shop/serverless.yml": PROJECT.replace("ADDRESS", url),
        "shop/infra/tables.yml": TABLES,
        "shop/infra/inner.json": INNER,
    }
    for name, text in files.items():
        all_files[f"shop/{name}/tables.yml"] = text
    return read(folder, all_files, services=("shop", "pay"))


@pytest.mark.parametrize(
    "url",
    [
        "infra/tables.yml",
        "./infra/tables.yml",
        "https://s3.amazonaws.com/our-${self:service}/v1/tables.yml",
    ],
)
def test_a_nested_stack_is_read_with_what_it_is_passed(tmp_path: Path, url: str) -> None:
    result = found(tmp_path, url)
    assert (result.unresolved, result.errors) == ((), ())
    assert grants(result) == {"shop read orders", "shop write audits"}
    assert {table.name for table in result.tables} == {"orders", "carts"}


@pytest.mark.parametrize(
    ("url", "files"),
    [
        ("infra/missing.yml", {}),
        ("https://example.org/tables.yml", {"old": TABLES}),  # which of the two is not certain
        ("${ssm:/shop/url}", {}),
    ],
)
def test_a_nested_stack_that_is_not_there_may_permit_its_service_anything(
    tmp_path: Path, url: str, files: dict[str, str]
) -> None:
    result = found(tmp_path, url, **files)
    unresolved = [u for u in result.unresolved if u.text == "Tables"]
    assert [(u.location.line, u.service, u.modes) for u in unresolved] == [
        (9, "shop", {"read", "write"})
    ]
    assert grants(result) == set()


@pytest.mark.parametrize(
    "user",
    [
        "{Type: AWS::Lambda::Function, Properties: {Role: FAR}}",
        "{Type: AWS::Glue::Job, Properties: {Role: FAR}}",
    ],
)
def test_what_runs_in_a_nested_stack_in_a_role_from_elsewhere_is_unread(
    tmp_path: Path, user: str
) -> None:
    function = "{Type: AWS::Lambda::Function, Properties: {Role: !GetAtt Audit.Arn}}"
    far = user.replace("FAR", "'arn:aws:iam::111122223333:role/far'")
    elsewhere = TABLES.replace(function, far)
    result = found(tmp_path, "infra/tables.yml", infra=elsewhere)
    assert [(u.text, u.service) for u in result.unresolved] == [
        ("arn:aws:iam::111122223333:role/far", "shop")
    ]


def test_a_stack_beside_a_project_does_not_make_another_service_read(tmp_path: Path) -> None:
    project = f"""
service: shop
plugins: [serverless-plugin-additional-stacks]
custom:
  additionalStacks:
    more:
      Resources:
        P:
          Type: AWS::IAM::Policy
          Properties:
            Roles: [pay-dev-lambdaRole]
            PolicyDocument: {{Statement: [{{Effect: Allow, Action: "dynamodb:GetItem", Resource: "{ARN}carts"}}]}}
"""
    result = read(tmp_path, {"shop/serverless.yml": project}, services=("shop", "pay"))
    assert (grants(result), result.services) == ({"pay read carts"}, {"shop"})
