"""Whose a function is, is the same for what its role permits and for what its code does."""

import json
from pathlib import Path

import pytest

from ownership.drift.code.reader import read_code
from ownership.drift.readers.cloudformation import read_templates
from tests.support.drift_projects import names, write

PY = 'import boto3\ndef handler(event, context):\n    boto3.resource("dynamodb").Table("users").get_item(Key=event)\n'
POLICIES = "Policies: [DynamoDBReadPolicy: {TableName: users}]"
SAM = "Transform: AWS::Serverless-2016-10-31\n"


def function(name: str, code: str, more: str = POLICIES) -> str:
    properties = f"{{CodeUri: {code}, Handler: app.handler, {more}}}"
    return f"  {name}: {{Type: AWS::Serverless::Function, Properties: {properties}}}\n"


def role(name: str, more: str = "") -> str:
    statement = (
        "{Effect: Allow, Action: dynamodb:GetItem, Resource: 'arn:aws:dynamodb:*:*:table/users'}"
    )
    policies = f"Policies: [{{PolicyDocument: {{Statement: {statement}}}}}]"
    return f"  {name}: {{Type: AWS::IAM::Role, Properties: {{{more}{policies}}}}}\n"


RUN = "Role: !GetAtt {}.Arn"
CDK_FUNCTION = {
    "Type": "AWS::Lambda::Function",
    "Metadata": {"aws:asset:path": "asset.1"},
    "Properties": {
        "Handler": "app.handler",
        "Code": {},
        "Role": {"Fn::GetAtt": ["RunRole1234ABCD", "Arn"]},
    },
}
CDK_ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "Policies": [
            {
                "PolicyDocument": {
                    "Statement": {
                        "Effect": "Allow",
                        "Action": "dynamodb:GetItem",
                        "Resource": "arn:aws:dynamodb:*:*:table/users",
                    }
                }
            }
        ]
    },
}


def cdk(tags: dict[str, str], name: str) -> dict[str, str]:
    stack = {
        "type": "aws:cloudformation:stack",
        "properties": {"templateFile": "S.template.json", "tags": tags},
    }
    template = {"Resources": {"Run1234ABCD": CDK_FUNCTION, "RunRole1234ABCD": CDK_ROLE}}
    return {
        "cdk.out/manifest.json": json.dumps({"artifacts": {name: stack}}),
        "cdk.out/S.template.json": json.dumps(template),
        "cdk.out/asset.1/app.py": PY,
    }


# The files, and the service. The services of the map are users, payments and events.
CASES: dict[str, tuple[dict[str, str], set[str]]] = {
    "the folder of the code before the function's name": (
        {
            "t.yaml": SAM + "Resources:\n" + function("NotifyUsers", "src/payments"),
            "src/payments/app.py": PY,
        },
        {"payments"},
    ),
    "the folder of the template before the function's name": (
        {
            "payments/t.yaml": SAM + "Resources:\n" + function("NotifyUsers", "src"),
            "payments/src/app.py": PY,
        },
        {"payments"},
    ),
    "the folder before the role's name": (
        {
            "payments/t.yaml": SAM
            + "Resources:\n"
            + function("Run", "src", RUN.format("EventsRole"))
            + role("EventsRole"),
            "payments/src/app.py": PY,
        },
        {"payments"},
    ),
    "the role's name before the function's": (
        {
            "t.yaml": SAM
            + "Resources:\n"
            + function("NotifyUsers", "src", RUN.format("EventsRole"))
            + role("EventsRole"),
            "src/app.py": PY,
        },
        {"events"},
    ),
    "the function's name": (
        {"t.yaml": SAM + "Resources:\n" + function("NotifyUsers", "src"), "src/app.py": PY},
        {"users"},
    ),
    "a tag of the role before one of the function": (
        {
            "payments/t.yaml": SAM
            + "Resources:\n"
            + function("Run", "src", "Tags: {service: users}, " + RUN.format("R"))
            + role("R", "Tags: [{Key: service, Value: events}], "),
            "payments/src/app.py": PY,
        },
        {"events"},
    ),
    "a tag in Globals": (
        {
            "payments/t.yaml": SAM
            + "Globals: {Function: {Tags: {Service: users}}}\nResources:\n"
            + function("Run", "src"),
            "payments/src/app.py": PY,
        },
        {"users"},
    ),
    "the name of a nested stack": (
        {
            "t.yaml": "Resources:\n  Users:\n    Type: AWS::Serverless::Application\n"
            "    Properties: {Location: nested/one.yaml}\n",
            "nested/one.yaml": SAM + "Resources:\n" + function("Run", "src"),
            "nested/src/app.py": PY,
        },
        {"users"},
    ),
    "a folder that is not on the map": (
        {
            "t.yaml": SAM + "Resources:\n" + function("Run", "src/loyalty/app"),
            "src/loyalty/app/app.py": PY,
        },
        {"loyalty"},
    ),
    "a role that functions of two services run in": (
        {
            "t.yaml": SAM
            + "Resources:\n"
            + function("A", "src/users", RUN.format("R"))
            + function("B", "src/events", RUN.format("R"))
            + role("R"),
            "src/users/app.py": PY,
            "src/events/app.py": PY,
        },
        {"users", "events"},
    ),
    "a folder of code in a folder like those of all services": (
        {
            "infra/t.yaml": SAM + "Resources:\n" + function("Run", "loyalty"),
            "infra/loyalty/app.py": PY,
        },
        {"loyalty"},
    ),
    "the tag of a CDK stack": (
        cdk({"team": "x", "service": "payments"}, "Users"),
        {"payments"},
    ),
    "the name of a CDK stack": (cdk({}, "ClubUsers"), {"users"}),
}


def both(
    folder: Path, *paths: str, roles: dict[str, str] | None = None
) -> tuple[set[str], set[str]]:
    """The services that the templates grant something to, and those whose code does something."""
    known = names(services=("users", "payments", "events"), tables=("users",))
    granted = read_templates(
        [folder / path for path in paths], known, {}, roles or {}, code=[folder]
    )
    assert [item for item in granted.unresolved if item.service is None] == []
    usage = read_code([folder], known, {}, roles or {})
    in_code = {access.service for access in usage.accesses if access.reachable}
    return {access.service for access in granted.grants}, in_code


@pytest.mark.parametrize(("files", "services"), CASES.values(), ids=CASES)
def test_grants_and_code_are_of_the_same_service(
    tmp_path: Path, files: dict[str, str], services: set[str]
) -> None:
    folder = write(tmp_path / "x", files)
    assert both(folder, ".") == (services, services)


@pytest.mark.parametrize(
    ("name", "code", "services"),
    [
        ("NotifyUsers", "../outside", {"users"}),
        ("Run", "../outside", set()),
        ("Run", "src/app", set()),
    ],
)
def test_a_function_is_nobodys_whose_name_and_folders_say_nothing(
    tmp_path: Path, name: str, code: str, services: set[str]
) -> None:
    files = {"infra/t.yaml": SAM + "Resources:\n" + function(name, code)}
    folder = write(tmp_path / "x", files)
    known = names(services=("users",), tables=("users",))
    found = read_templates([folder / "infra"], known, {}, {})
    assert {access.service for access in found.grants} == services
    assert bool(found.unresolved) == (not services)


def test_one_template_of_a_folder_belongs_to_the_same_service(tmp_path: Path) -> None:
    """The template's folder counts, though no other template is read."""
    files = {
        "services/users/t.yaml": SAM + "Resources:\n" + function("Run", "src"),
        "services/users/src/app.py": PY,
    }
    assert both(write(tmp_path / "x", files), "services/users/t.yaml") == ({"users"}, {"users"})


@pytest.mark.parametrize("name", ["Run", "RunRole"])
def test_a_given_service_counts_on_both_sides(tmp_path: Path, name: str) -> None:
    resources = function("Run", "src", RUN.format("RunRole")) + role("RunRole")
    files = {"users/t.yaml": SAM + "Resources:\n" + resources, "users/src/app.py": PY}
    assert both(write(tmp_path / "x", files), ".", roles={name: "events"}) == (
        {"events"},
        {"events"},
    )
