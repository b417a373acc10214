"""Roles that plugins of the Serverless Framework make, and stacks that they deploy beside a project's own."""

from pathlib import Path

import pytest

from ownership.drift.types import Infrastructure
from tests.support.drift_projects import grants, read

BOTH, READS, WRITES = (
    "billing read_write invoices",
    "billing read invoices",
    "billing write invoices",
)
TABLES = """
resources:
  Resources:
    Invoices: {Type: AWS::DynamoDB::Table, Properties: {TableName: "invoices-${sls:stage}"}}
"""


def project(folder: Path, plugin: str, section: str) -> Infrastructure:
    """What a project with one plugin holds."""
    text = f"service: billing\nprovider: {{name: aws}}\nplugins: [{plugin}]\n{section}{TABLES}"
    circle = f"{MACHINE_FILE}  Again: {{Branches: ['${{file(circle.yml)}}']}}\n"
    files = {"serverless.yml": text, "machine.yml": MACHINE_FILE, "circle.yml": circle}
    return read(folder, files, services=("billing", "shop"), tables=("invoices", "letters"))


SOURCE = "{type: AMAZON_DYNAMODB, config: {tableName: !Ref Invoices}}"
APP_SYNC = {
    "a data source": (f"appSync: {{dataSources: {{invoices: {SOURCE}}}}}", {BOTH}),
    "a list of data sources": (f"appSync: {{dataSources: [{{invoices: {SOURCE}}}]}}", {BOTH}),
    "one written into a resolver": (
        f"appSync: {{resolvers: {{Query.all: {{dataSource: {SOURCE}}}}}}}",
        {BOTH},
    ),
    "one written into a function": (
        f"appSync: {{pipelineFunctions: [{{all: {{dataSource: {SOURCE}}}}}]}}",
        {BOTH},
    ),
    "a data source by name": ("appSync: {resolvers: {Query.all: {dataSource: x}}}", set()),
    "statements of its own": (
        "appSync: {dataSources: {x: {type: AMAZON_DYNAMODB, config: {tableName: x, iamRoleStatements: "
        "[{Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt Invoices.Arn}]}}}}",
        {READS},
    ),
    "version 1": (
        "custom: {appSync: [{dataSources: [{type: AMAZON_DYNAMODB, name: x, config: {tableName: letters}}]}]}",
        {"billing read_write letters"},
    ),
    "a data source that is no table": (
        "appSync: {dataSources: {x: {type: HTTP, config: {endpoint: x}}}}",
        set(),
    ),
    "one without settings": ("appSync: {dataSources: {x: {type: AMAZON_DYNAMODB}}}", set()),
    "one without section": ("appSync: {dataSources: {x: {type: NONE}}}", set()),
}


@pytest.mark.parametrize(("section", "expected"), APP_SYNC.values(), ids=APP_SYNC)
def test_data_sources_of_appsync_are_read(tmp_path: Path, section: str, expected: set[str]) -> None:
    found = project(tmp_path, "serverless-appsync-plugin", f"{section}\n")
    assert grants(found) == expected
    # A data source may also hold a whole function.
    assert [item.text for item in found.unresolved] == ["serverless-appsync-plugin"]


def machine(states: str, rest: str = "") -> str:
    return f"stepFunctions: {{stateMachines: {{dunning: {{definition: {{States: {{{states}}}}}{rest}}}}}}}\n"


def task(call: str, parameters: str = "{TableName: !Ref Invoices}", name: str = "Run") -> str:
    return f"{name}: {{Type: Task, Resource: 'arn:aws:states:::{call}', Parameters: {parameters}}}"


MACHINE_FILE = """
States:
  Run:
    Type: Task
    Resource: arn:aws:states:::dynamodb:getItem
    Parameters: {TableName: letters}
"""
STATEMENTS = "[{Effect: Allow, Action: dynamodb:PutItem, Resource: !GetAtt Invoices.Arn}]"
TASKS = {
    "a read": (machine(task("dynamodb:getItem")), {READS}),
    "a write": (machine(task("dynamodb:updateItem")), {WRITES}),
    "a query of the SDK": (machine(task("aws-sdk:dynamodb:query")), {READS}),
    "a query of an index": (
        machine(task("aws-sdk:dynamodb:query", "{TableName: !Ref Invoices, IndexName: by-day}")),
        {READS},
    ),
    "a table that the input names": (
        machine(task("dynamodb:getItem", "{TableName.$: $.table}")),
        {READS, "billing read letters"},
    ),
    "an index that the input names": (
        machine(task("aws-sdk:dynamodb:query", "{TableName: !Ref Invoices, IndexName.$: $.index}")),
        {READS},
    ),
    "a batch that the input names": (
        machine(task("aws-sdk:dynamodb:batchGetItem", "{RequestItems.$: $.items}")),
        {READS, "billing read letters"},
    ),
    "a machine without tasks": ("stepFunctions: {stateMachines: {dunning: {name: x}}}\n", set()),
    "a definition that has itself in it": (
        "stepFunctions: {stateMachines: {dunning: {definition: '${file(circle.yml)}'}}}\n",
        {"billing read letters"},
    ),
    "a batch": (
        machine(
            task(
                "aws-sdk:dynamodb:batchWriteItem", "{RequestItems: {letters: [], invoices.$: $.x}}"
            )
        ),
        {WRITES, "billing write letters"},
    ),
    "JSONata": (
        machine(task("dynamodb:putItem").replace("Parameters", "Arguments")),
        {WRITES},
    ),
    "what the plugin permits nothing for": (machine(task("aws-sdk:dynamodb:getItem")), set()),
    "another service": (machine(task("sqs:sendMessage", "{QueueUrl: x}")), set()),
    "a function": (machine("Run: {Type: Task, Resource: !GetAtt Fn.Arn}"), set()),
    "branches": (
        machine(
            f"Both: {{Type: Parallel, Branches: [{{States: {{{task('dynamodb:getItem')}}}}}]}}"
        ),
        {READS},
    ),
    "a map": (
        machine(
            f"Each: {{Type: Map, ItemProcessor: {{States: {{{task('dynamodb:deleteItem')}}}}}}}"
        ),
        {WRITES},
    ),
    "an old map": (
        machine(f"Each: {{Type: Map, Iterator: {{States: {{{task('dynamodb:getItem')}}}}}}}"),
        {READS},
    ),
    "a definition in a file": (
        "stepFunctions: {stateMachines: {dunning: {definition: '${file(machine.yml)}'}}}\n",
        {"billing read letters"},
    ),
    "statements beside it": (
        machine(task("dynamodb:getItem"), f", iamRoleStatements: {STATEMENTS}"),
        {BOTH},
    ),
}


@pytest.mark.parametrize(("section", "expected"), TASKS.values(), ids=TASKS)
def test_tasks_of_step_functions_are_read(tmp_path: Path, section: str, expected: set[str]) -> None:
    found = project(tmp_path, "serverless-step-functions", section)
    assert (grants(found), found.unresolved) == (expected, ())


PROXY = "custom: {{apiGatewayServiceProxies: [{{dynamodb: {{path: /x, method: post, {}}}}}, {{sqs: {{path: /q}}}}]}}\n"


def test_proxies_of_api_gateway_are_read(tmp_path: Path) -> None:
    section = PROXY.format("tableName: !Ref Invoices, action: PutItem")
    found = project(tmp_path, "serverless-apigateway-service-proxy", section)
    assert (grants(found), found.unresolved) == ({WRITES}, ())


def test_proxies_of_which_none_needs_a_role_make_none(tmp_path: Path) -> None:
    own = "{dynamodb: {tableName: !Ref Invoices, action: PutItem, roleArn: !GetAtt Own.Arn}}"
    role = TABLES.replace("  Resources:", "  Resources:\n    Own: {Type: AWS::IAM::Role}")
    for proxy in (own, "{sqs: {path: /q}}"):
        text = (
            "service: billing\nprovider: {name: aws}\nplugins: [serverless-apigateway-service-proxy]\n"
            f"custom: {{apiGatewayServiceProxies: [{proxy}]}}\n{role}"
        )
        found = read(tmp_path, {"serverless.yml": text}, services=("billing",))
        assert (grants(found), found.unresolved) == (set(), ())


ROLE = "arn:aws:iam::111122223333:role/x"
EXISTING = {
    "a data source": (
        "serverless-appsync-plugin",
        "appSync: {dataSources: {x: {config: {serviceRoleArn: ROLE}}}}\n",
    ),
    "a state machine": (
        "serverless-step-functions",
        machine(task("dynamodb:getItem"), ", role: ROLE"),
    ),
    "a proxy": (
        "serverless-apigateway-service-proxy",
        PROXY.format("tableName: x, action: PutItem, roleArn: ROLE"),
    ),
    "the settings of a data source that are not there": (
        "serverless-appsync-plugin",
        "appSync: {dataSources: {x: {type: AMAZON_DYNAMODB, config: '${file(gone.yml)}'}}}\n",
    ),
    "a definition that is a list": (
        "serverless-step-functions",
        "stepFunctions: {stateMachines: {x: {definition: [a]}}}\n",
    ),
    "stacks that are not there": (
        "serverless-plugin-additional-stacks",
        "custom: {additionalStacks: ['${file(gone.yml)}']}\n",
    ),
    "a stack that is not there": (
        "serverless-plugin-additional-stacks",
        "custom: {additionalStacks: {x: '${file(gone.yml)}'}}\n",
    ),
    "a role that is no role": (
        "serverless-step-functions",
        machine(task("dynamodb:getItem"), ", role: {name: x, path: /}"),
    ),
    "a definition that is not there": (
        "serverless-step-functions",
        "stepFunctions: {stateMachines: {x: {definition: '${file(gone.yml)}'}}}\n",
    ),
    "data sources that are not there": (
        "serverless-appsync-plugin",
        "appSync: '${file(gone.yml)}'\n",
    ),
}


@pytest.mark.parametrize(("plugin", "section"), EXISTING.values(), ids=EXISTING)
def test_what_a_plugin_has_from_elsewhere_may_permit_anything(
    tmp_path: Path, plugin: str, section: str
) -> None:
    found = project(tmp_path, plugin, section.replace("ROLE", f"'{ROLE}'"))
    (unresolved,) = [item for item in found.unresolved if item.text != plugin]
    assert (unresolved.service, unresolved.modes) == ("billing", {"read", "write"})


def test_settings_without_their_plugin_are_not_read(tmp_path: Path) -> None:
    found = project(tmp_path, "serverless-offline", f"appSync: {{dataSources: {{x: {SOURCE}}}}}\n")
    assert found.grants == {}
    assert [item.text for item in found.unresolved] == ["appSync"]


STACKS = """
custom:
  additionalStacks:
    permanent:
      Deploy: Before
      Resources:
        Letters: {Type: AWS::DynamoDB::Table, Properties: {TableName: letters}}
        Policy:
          Type: AWS::IAM::Policy
          Properties:
            Roles: [ROLE]
            PolicyDocument: {Statement: {Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt Letters.Arn}}
"""


@pytest.mark.parametrize(
    ("role", "service"),
    [
        ("billing-dev-us-east-1-lambdaRole", "billing"),
        ("shop-dev-lambdaRole", "shop"),
        ("other", "billing"),
    ],
)
def test_additional_stacks_are_read(tmp_path: Path, role: str, service: str) -> None:
    found = project(tmp_path, "serverless-plugin-additional-stacks", STACKS.replace("ROLE", role))
    assert (grants(found), found.unresolved) == ({f"{service} read letters"}, ())
    assert {table.name for table in found.tables} == {"invoices", "letters"}
