"""A CDK app's output: stacks, stages, nested stacks by their assets, and names that CDK makes."""

import json
from pathlib import Path
from typing import Any

import pytest

from ownership.drift.naming import Names
from ownership.drift.readers.cloudformation import read_templates
from ownership.drift.registry_client import from_map
from ownership.drift.types import Infrastructure
from tests.support.drift_projects import a_map, grants, names, write

HASH = "945149ddf2102d216e1a4e9f04eb1e9f"
ARN = {"Fn::ImportValue": "TablesStack:ExportsOutputFnGetAttInvoices4A5B6C7DArn01234567"}
TABLES = {
    "Resources": {"Invoices4A5B6C7D": {"Type": "AWS::DynamoDB::Table", "Properties": {}}},
    "Outputs": {
        "Arn": {
            "Value": {"Fn::GetAtt": ["Invoices4A5B6C7D", "Arn"]},
            "Export": {"Name": ARN["Fn::ImportValue"]},
        }
    },
    "Parameters": {
        "BootstrapVersion": {
            "Type": "AWS::SSM::Parameter::Value<String>",
            "Default": "/cdk/version",
        }
    },
}
# As `grantReadData` writes it.
READ_DATA = {
    "Action": [
        *[
            f"dynamodb:{name}"
            for name in ("BatchGetItem", "Query", "GetItem", "Scan", "ConditionCheckItem")
        ],
        "dynamodb:DescribeTable",
    ],
    "Effect": "Allow",
    "Resource": [ARN, {"Fn::Join": ["", [ARN, "/index/*"]]}],
}
STREAM = {
    "Action": ["dynamodb:GetRecords", "dynamodb:GetShardIterator"],
    "Effect": "Allow",
    "Resource": ARN,
}


def role(*statements: dict[str, Any]) -> dict[str, Any]:
    """A function's role and the policy beside it, as CDK makes them."""
    return {
        "RunServiceRole0A1B2C3D": {"Type": "AWS::IAM::Role", "Properties": {}},
        "RunServiceRoleDefaultPolicy4E5F6A7B": {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyDocument": {"Statement": list(statements)},
                "Roles": [{"Ref": "RunServiceRole0A1B2C3D"}],
            },
        },
        "Run89ABCDEF": {
            "Type": "AWS::Lambda::Function",
            "Properties": {"Role": {"Fn::GetAtt": ["RunServiceRole0A1B2C3D", "Arn"]}},
        },
    }


def stack(name: str, path: str = "", **properties: Any) -> dict[str, Any]:
    """A stack in a manifest."""
    return {
        "type": "aws:cloudformation:stack",
        "environment": "aws://111122223333/eu-central-1",
        "properties": {"templateFile": f"{name}.template.json", **properties},
        "displayName": path or name,
    }


def app(folder: Path, files: dict[str, Any]) -> Path:
    """A cloud assembly with these files; manifests are given as their artifacts."""
    texts = {}
    for name, content in files.items():
        if name.endswith("manifest.json"):
            content = {"version": "55.0.0", "artifacts": content}
        texts[f"cdk.out/{name}"] = json.dumps(content, indent=1)
    return write(folder, texts) / "cdk.out"


def simple(folder: Path, *statements: dict[str, Any], **properties: Any) -> Path:
    """An app with tables in one stack and a function of another that has these statements."""
    return app(
        folder,
        {
            "manifest.json": {
                "Billing": stack("Billing", **properties),
                "TablesStack": stack("TablesStack"),
            },
            "Billing.template.json": {"Resources": role(*statements)},
            "Billing.assets.json": {
                "files": {"x": {"source": {"path": "x.zip"}}, HASH: {"source": {"path": "n.json"}}}
            },
            "TablesStack.template.json": TABLES,
            "TablesStack.assets.json": {
                "files": {HASH: {"source": {"path": "TablesStack.template.json"}}}
            },
        },
    )


def found(
    folder: Path, *stacks: str, given: dict[str, str] | None = None, **known: Any
) -> Infrastructure:
    """What is found in an app's output, on a map with these names."""
    document = a_map(
        services=dict.fromkeys(known.get("services", ("billing",))),
        **known.get("tables", {"Invoices": {}}),
    )
    return read_templates([folder], Names.of(from_map(document), given=given), {}, {}, stacks)


def test_a_grant_of_cdk_is_one_to_read_and_a_stack_imports_from_another(tmp_path: Path) -> None:
    result = found(simple(tmp_path, READ_DATA, STREAM))
    # The stack's name says whose function it is; the table has no name, and its logical id without CDK's hash.
    assert (grants(result), result.unresolved, result.errors) == ({"billing read Invoices"}, (), ())
    assert [table.name for table in result.tables] == ["Invoices"]


IDS = ("Invoices4A5B6C7D", "Invoices")


@pytest.mark.parametrize("name", IDS)
def test_a_table_may_be_mapped_with_or_without_its_hash(tmp_path: Path, name: str) -> None:
    result = found(simple(tmp_path, READ_DATA), given={name: "bills"}, tables={"bills": {}})
    assert grants(result) == {"billing read bills"}


def test_a_table_may_be_mapped_by_its_path_where_the_template_has_it(tmp_path: Path) -> None:
    path = simple(tmp_path, READ_DATA)
    tables = json.loads((path / "TablesStack.template.json").read_text())
    tables["Resources"]["Invoices4A5B6C7D"]["Metadata"] = {
        "aws:cdk:path": "TablesStack/Invoices/Resource"
    }
    (path / "TablesStack.template.json").write_text(json.dumps(tables))
    assert grants(found(path, given={"TablesStack/Invoices": "bills"})) == {"billing read bills"}


def test_the_tag_of_a_stack_says_whose_it_is(tmp_path: Path) -> None:
    assert grants(
        found(simple(tmp_path, READ_DATA, tags={"Service": "shop"}), services=("shop", "billing"))
    ) == {"shop read Invoices"}


def test_account_region_and_the_stacks_name_are_known(tmp_path: Path) -> None:
    name = {
        "Fn::Join": [
            "",
            ["arn:aws:dynamodb:*:*:table/", {"Ref": "AWS::StackName"}, "-", {"Ref": "AWS::Region"}],
        ]
    }
    statement = {"Action": "dynamodb:PutItem", "Effect": "Allow", "Resource": name}
    result = found(simple(tmp_path, statement, stackName="billing-app"))
    assert grants(result) == {"billing write billing-app-eu-central-1"}


def nested(folder: Path) -> Path:
    """An app whose stack has one nested in it, in a stage of its own and outside of stages."""
    url = {"Fn::Join": ["", ["https://s3.", {"Ref": "AWS::URLSuffix"}, f"/assets/{HASH}.json"]]}
    out = {"Fn::GetAtt": ["DataNestedStackResource", "Outputs.ItemsArn"]}
    outer = role({"Action": "dynamodb:UpdateItem", "Effect": "Allow", "Resource": out})
    outer["DataNestedStackResource"] = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": url, "Parameters": {"name": "line-items"}},
    }
    inner = {
        "Parameters": {"name": {"Type": "String"}},
        "Resources": {
            "Items": {
                "Type": "AWS::DynamoDB::GlobalTable",
                "Properties": {"TableName": {"Ref": "name"}},
            }
        },
        "Outputs": {"ItemsArn": {"Value": {"Fn::GetAtt": ["Items", "Arn"]}}},
    }
    files: dict[str, Any] = {
        "manifest.json": {
            "assembly-Prod": {
                "type": "cdk:cloud-assembly",
                "properties": {"directoryName": "assembly-Prod"},
            },
            "Dev": stack("DevBilling"),
            "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}},
        },
        "assembly-Prod/manifest.json": {
            "ProdBilling": stack("ProdBilling", "Prod/Billing (Prod-Billing)")
        },
    }
    for prefix in ("Dev", "assembly-Prod/Prod"):
        inner_name = f"{prefix.rpartition('/')[2]}Data.nested.template.json"
        files[f"{prefix}Billing.template.json"] = {"Resources": outer}
        files[f"{prefix}Billing.assets.json"] = {"files": {HASH: {"source": {"path": inner_name}}}}
        files[f"{prefix}Data.nested.template.json"] = inner
    return app(folder, files)


def test_stages_and_nested_stacks_are_read(tmp_path: Path) -> None:
    result = found(nested(tmp_path))
    assert (grants(result), result.errors) == ({"billing write line-items"}, ())
    (table,) = result.tables
    assert [location.file for location in table.locations] == [
        "assembly-Prod/ProdData.nested.template.json",
        "DevData.nested.template.json",
    ]


@pytest.mark.parametrize("pattern", ["Prod/*", "ProdBilling", "Prod/Billing"])
def test_stacks_are_selected_by_name_or_path(tmp_path: Path, pattern: str) -> None:
    (table,) = found(nested(tmp_path), pattern).tables
    assert [location.file for location in table.locations] == [
        "assembly-Prod/ProdData.nested.template.json"
    ]


def test_no_stack_of_that_name_is_an_error(tmp_path: Path) -> None:
    (error,) = found(nested(tmp_path), "Staging/*").errors
    assert error.reason == "has no stack that matches Staging/*"


def test_a_folder_without_templates_is_an_error(tmp_path: Path) -> None:
    (error,) = found(tmp_path).errors
    assert error.reason == "has no template of CloudFormation, SAM or a CDK app in it"


BAD = {
    "no artifacts": ({"manifest.json": []}, "it has no artifacts"),
    "a stage outside": (
        {
            "manifest.json": {
                "x": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "../.."}}
            }
        },
        "is outside the folder to read",
    ),
    "a template that is missing": ({"manifest.json": {"x": stack("Gone")}}, "Gone.template.json"),
    "a template by an absolute path": (
        {"manifest.json": {"x": stack("x", templateFile="/etc/hostname")}},
        "/etc/hostname: links to a file outside",
    ),
    "a template outside": (
        {"manifest.json": {"x": stack("x", templateFile="../../x.json")}},
        "outside",
    ),
}


@pytest.mark.parametrize(("files", "reason"), BAD.values(), ids=BAD)
def test_a_manifest_that_is_wrong_is_an_error(
    tmp_path: Path, files: dict[str, Any], reason: str
) -> None:
    (error,) = found(app(tmp_path, files)).errors
    assert reason in str(error)


def test_a_call_of_an_api_permits_nothing_unless_it_is_one_of_iam(tmp_path: Path) -> None:
    for service, is_read in (
        ("S3", True),
        ("@aws-sdk/client-s3", True),
        ("IAM", False),
        ("@aws-sdk/client-iam", False),
    ):
        call = {
            "Type": "Custom::AWS",
            "Properties": {"Create": f'{{"service":"{service}","action":"x"}}'},
        }
        path = write(tmp_path, {"t.json": json.dumps({"Resources": {"Call": call}})}) / "t.json"
        assert (read_templates([path], names(), {}, {}).unresolved == ()) is is_read
