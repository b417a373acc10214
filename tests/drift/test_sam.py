"""SAM's resources, policy templates and connectors, and whose functions they are."""

import json
from pathlib import Path

import pytest

from ownership.drift.readers.cloudformation import read_templates
from ownership.drift.readers.sam_policies import TABLE
from ownership.drift.types import Infrastructure, Location
from tests.support.drift_projects import grants, names, write

HEAD = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.12, Tags: {service: billing}}
Parameters:
  Stage: {Type: String, Default: dev}
Resources:
  Invoices:
    Type: AWS::DynamoDB::Table
    Properties: {TableName: !Sub "invoices-${Stage}", KeySchema: [{AttributeName: id, KeyType: HASH}]}
  Drafts:
    Type: AWS::Serverless::SimpleTable
    Properties: {TableName: drafts, PrimaryKey: {Name: number, Type: Number}}
"""
READS = "billing read invoices"
WRITES = "billing write invoices"
BOTH = "billing read_write invoices"
STATEMENT = "{Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt Invoices.Arn}"

POLICIES = {
    "a policy template": ("[DynamoDBReadPolicy: {TableName: !Ref Invoices}]", {READS}),
    "one that writes": ("[DynamoDBWritePolicy: {TableName: !Ref Invoices}]", {WRITES}),
    "one that does all": ("[DynamoDBCrudPolicy: {TableName: !Ref Invoices}]", {BOTH}),
    "one that restores": ("[DynamoDBRestoreFromBackupPolicy: {TableName: !Ref Invoices}]", {BOTH}),
    "a name of its own": ('[DynamoDBReadPolicy: {TableName: !Sub "invoices-${Stage}"}]', {READS}),
    "a name as it is": ("[DynamoDBReadPolicy: {TableName: letters}]", {"billing read letters"}),
    "one for streams": (
        "[DynamoDBStreamReadPolicy: {TableName: !Ref Invoices, StreamName: x}]",
        set(),
    ),
    "one for backups": ("[DynamoDBBackupFullAccessPolicy: {TableName: !Ref Invoices}]", set()),
    "one for settings": ("[DynamoDBReconfigurePolicy: {TableName: !Ref Invoices}]", set()),
    "one of another service": ("[SQSPollerPolicy: {QueueName: q}]", set()),
    "one alone": ("{DynamoDBReadPolicy: {TableName: !Ref Invoices}}", {READS}),
    "two in a mapping": (
        "[{DynamoDBReadPolicy: {TableName: !Ref Invoices}, DynamoDBWritePolicy: {TableName: !Ref Drafts}}]",
        {READS, "billing write drafts"},
    ),
    "a document": (f"[Statement: [{STATEMENT}]]", {READS}),
    "a document alone": (f"{{Version: 2012-10-17, Statement: {STATEMENT}}}", {READS}),
    "AWS's policy by name": ("AmazonDynamoDBReadOnlyAccess", {READS, "billing read drafts"}),
    "by ARN": (
        "[arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess]",
        {READS, "billing read drafts"},
    ),
    "a choice": (
        "[!If [IsProd, DynamoDBReadPolicy: {TableName: !Ref Invoices}, !Ref AWS::NoValue]]",
        {READS},
    ),
    "a choice of all": (f"!If [IsProd, [Statement: {STATEMENT}], []]", {READS}),
    "a policy of the template": ("[!Ref Own]", {READS}),
    "none": ("[]", set()),
}


def function(rest: str) -> str:
    return (
        f"  Pay:\n    Type: AWS::Serverless::Function\n    Properties:\n      Handler: a.b\n{rest}"
    )


def sam(
    folder: Path, *resources: str, services: tuple[str, ...] = ("billing", "shop")
) -> Infrastructure:
    """What a template of SAM with these resources holds."""
    path = write(folder, {"template.yml": HEAD + "\n".join(resources)}) / "template.yml"
    return read_templates([path], names(services=services), {}, {})


@pytest.mark.parametrize(("policies", "expected"), POLICIES.values(), ids=POLICIES)
def test_a_function_may_do_what_its_policies_permit(
    tmp_path: Path, policies: str, expected: set[str]
) -> None:
    own = f"  Own: {{Type: AWS::IAM::ManagedPolicy, Properties: {{PolicyDocument: {{Statement: {STATEMENT}}}}}}}\n"
    found = sam(tmp_path, function(f"      Policies: {policies}\n"), own)
    assert (grants(found), found.unresolved) == (expected, ())
    assert found.services == {"billing"}


def test_a_simple_table_has_one_key(tmp_path: Path) -> None:
    nameless = "  Letters: {Type: AWS::Serverless::SimpleTable}\n"
    keyed = (
        "  Stamps: {Type: AWS::Serverless::SimpleTable, Properties: "
        "{TableName: stamps, PrimaryKey: {Name: id, Type: !Ref KeyType}}}\n"
    )
    tables = {table.name: str(table.key_schema) for table in sam(tmp_path, nameless, keyed).tables}
    assert tables == {"invoices": "id", "drafts": "number (N)", "Letters": "id (S)", "stamps": "id"}


def test_what_is_no_resource_may_permit_anything(tmp_path: Path) -> None:
    (unresolved,) = sam(tmp_path, "  Pay: ${file(pay.yml)}").unresolved
    assert (unresolved.reason, unresolved.modes) == ("is not a mapping", {"read", "write"})


def test_the_evidence_is_the_line_of_the_policy(tmp_path: Path) -> None:
    found = sam(
        tmp_path,
        function("      Policies:\n        - DynamoDBReadPolicy:\n            TableName: drafts\n"),
    )
    lines = (HEAD + function("")).count("\n") + 2
    assert list(found.grants.values()) == [(Location("template.yml", lines),)]


UNRESOLVED = {
    "a template that SAM does not have": "[DynamoDBDeletePolicy: {TableName: !Ref Invoices}]",
    "a policy that AWS does not have": "[ReadEverythingPolicy]",
    "a table that is not known": "[DynamoDBCrudPolicy: {TableName: !ImportValue orders}]",
}


@pytest.mark.parametrize("policies", UNRESOLVED.values(), ids=UNRESOLVED)
def test_a_policy_that_is_not_known_may_permit_anything(tmp_path: Path, policies: str) -> None:
    unresolved = sam(tmp_path, function(f"      Policies: {policies}\n")).unresolved
    modes = {mode for item in unresolved for mode in item.modes if item.service == "billing"}
    assert modes == {"read", "write"}


ROLES = {
    "of the template": ("!GetAtt Till.Arn", {"shop write drafts"}, []),
    "from elsewhere": ("arn:aws:iam::111122223333:role/till", {"shop write drafts"}, ["billing"]),
    "perhaps from elsewhere": (
        "!If [HasRole, 'arn:aws:iam::111122223333:role/till', !Ref AWS::NoValue]",
        {"shop write drafts", READS},
        ["billing"],
    ),
}


@pytest.mark.parametrize(("role", "expected", "unread"), ROLES.values(), ids=ROLES)
def test_a_function_with_a_role_has_no_policies_of_its_own(
    tmp_path: Path, role: str, expected: set[str], unread: list[str]
) -> None:
    till = """
  Till:
    Type: AWS::IAM::Role
    Properties:
      Tags: [{Key: service, Value: shop}]
      Policies:
        - PolicyDocument: {Statement: {Effect: Allow, Action: dynamodb:PutItem, Resource: !GetAtt Drafts.Arn}}
"""
    found = sam(
        tmp_path,
        function(f"      Role: {role}\n      Policies: [{{Statement: {STATEMENT}}}]\n"),
        till,
    )
    assert grants(found) == expected
    assert [unresolved.service for unresolved in found.unresolved] == unread


STATE_MACHINE = """
  Dunning:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: dunning.asl.json
      Tags: {service: billing}
      Policies: [{DynamoDBCrudPolicy: {TableName: !Ref Invoices}}]
"""
API = """
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: dev}}
  Http: {Type: AWS::Serverless::HttpApi}
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}
"""
GRAPH = """
  Graph:
    Type: AWS::Serverless::GraphQLApi
    Properties:
      Tags: {service: billing}
      DataSources:
        DynamoDb:
          Invoices: {TableArn: !GetAtt Invoices.Arn, Permissions: [Read]}
          Drafts: {TableName: !Ref Drafts}
"""
EMBEDDED = """
  Pay:
    Type: AWS::Serverless::Function
    Connectors:
      ToInvoices: {Properties: {Destination: {Id: Invoices}, Permissions: [Read, Write]}}
      ToQueue: {Properties: {Destination: {Id: Queue}, Permissions: [Write]}}
    Properties: {Handler: a.b}
  Queue: {Type: AWS::SQS::Queue}
"""
ALONE = """
  ToTables:
    Type: AWS::Serverless::Connector
    Properties: {Source: {Id: Pay}, Destination: [{Id: Invoices}, {Id: Drafts}], Permissions: [Read]}
  Pay: {Type: AWS::Serverless::Function, Properties: {Handler: a.b}}
"""
FROM_TABLE = """
  Pay: {Type: AWS::Serverless::Function, Properties: {Handler: a.b}}
  FromTable:
    Type: AWS::Serverless::Connector
    Properties: {Source: {Id: Invoices}, Destination: {Id: Pay}, Permissions: [Read]}
"""
OWN_ROLE = """
  Role: {Type: AWS::IAM::Role, Properties: {}}
  Pay:
    Type: AWS::Serverless::Function
    Connectors: {C: {Properties: {Destination: {Id: Drafts}, Permissions: [Write]}}}
    Properties: {Handler: a.b, Role: !GetAtt Role.Arn}
"""
STREAM = """
  Pay:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Events: {Changed: {Type: DynamoDB, Properties: {Stream: !GetAtt Invoices.StreamArn, StartingPosition: LATEST}}}
"""
RESOURCES = {
    "a state machine": (STATE_MACHINE, {BOTH}),
    "resources without a role": (API, set()),
    "data sources of AppSync": (GRAPH, {READS, "billing read_write drafts"}),
    "a connector of a function": (EMBEDDED, {BOTH}),
    "a connector by itself": (ALONE, {READS, "billing read drafts"}),
    "a connector to a table by its ARN": (
        ALONE.replace("{Id: Drafts}", "{Type: AWS::DynamoDB::Table, Arn: !GetAtt Drafts.Arn}"),
        {READS, "billing read drafts"},
    ),
    "a connector to a function of its own role": (OWN_ROLE, {"billing write drafts"}),
    "a connector from a table, which is its stream": (FROM_TABLE, set()),
    "an event of a table's stream": (STREAM, set()),
}


@pytest.mark.parametrize(("resources", "expected"), RESOURCES.values(), ids=RESOURCES)
def test_other_resources_of_sam_are_read(
    tmp_path: Path, resources: str, expected: set[str]
) -> None:
    found = sam(tmp_path, resources)
    assert (grants(found), found.unresolved) == (expected, ())


UNKNOWN = {
    "a policy template that SAM does not have": (
        "Pay: {Type: AWS::Serverless::Function, Properties: {Policies: [DynamoDBTypoPolicy: {TableName: x}]}}",
        "SAM has no policy template DynamoDBTypoPolicy",
    ),
    "a connector to what is not there": (
        "Pay: {Type: AWS::Serverless::Function, Connectors: "
        "{C: {Properties: {Destination: {Id: Typo}, Permissions: [Read]}}}}",
        "there is no resource Typo in the template",
    ),
    "a connector to a choice of tables": (
        "Pay: {Type: AWS::Serverless::Function, Connectors: {C: {Properties: "
        "{Destination: !If [IsProd, {Id: Drafts}, {Id: Invoices}], Permissions: [Read]}}}}",
        "the connector's destination can't be resolved",
    ),
    "a connector's permissions": (
        "Pay: {Type: AWS::Serverless::Function, Connectors: "
        "{C: {Properties: {Destination: {Id: Drafts}, Permissions: [!Ref Mode]}}}}",
        "the permission is neither Read nor Write",
    ),
    "a data source's permissions": (
        "Graph: {Type: AWS::Serverless::GraphQLApi, Properties: {Tags: {service: billing}, "
        "DataSources: {DynamoDb: {Drafts: {TableName: drafts, Permissions: [!Ref Mode]}}}}}",
        "the permission is neither Read nor Write",
    ),
    "a connector from what has none to tables": (
        "Rule: {Type: AWS::Events::Rule, Connectors: "
        "{C: {Properties: {Destination: {Id: Drafts}, Permissions: [Write]}}}}",
        "resources of type AWS::Serverless::Connector are not read, and may permit something",
    ),
}


@pytest.mark.parametrize(("resource", "reason"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_known_of_a_policy_or_connector_is_the_reason(
    tmp_path: Path, resource: str, reason: str
) -> None:
    (unresolved,) = sam(tmp_path, "  " + resource).unresolved
    assert (unresolved.reason, unresolved.modes) == (reason, {"read", "write"})


@pytest.mark.parametrize(
    "sources", ["!If [IsProd, {}, {}]", "{DynamoDb: !Ref Sources}", "{DynamoDb: {Drafts: drafts}}"]
)
def test_data_sources_of_another_form_may_permit_anything(tmp_path: Path, sources: str) -> None:
    properties = f"{{Tags: {{service: billing}}, DataSources: {sources}}}"
    found = sam(
        tmp_path, f"  Graph: {{Type: AWS::Serverless::GraphQLApi, Properties: {properties}}}"
    )
    assert {mode for unresolved in found.unresolved for mode in unresolved.modes} == {
        "read",
        "write",
    }
    assert found.grants == {}


ELSEWHERE = {
    "a state machine": (
        "Flow: {Type: AWS::Serverless::StateMachine, Properties: {Tags: {service: billing}, Role: ROLE}}"
    ),
    "a data source": (
        "Graph: {Type: AWS::Serverless::GraphQLApi, Properties: {Tags: {service: billing}, "
        "DataSources: {DynamoDb: {Drafts: {TableName: drafts, ServiceRoleArn: ROLE}}}}}"
    ),
}


@pytest.mark.parametrize("resource", ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_runs_in_a_role_from_elsewhere_may_do_anything(tmp_path: Path, resource: str) -> None:
    found = sam(tmp_path, "  " + resource.replace("ROLE", '"arn:aws:iam::111122223333:role/x"'))
    (unresolved,) = found.unresolved
    assert (found.grants, unresolved.service, unresolved.modes) == (
        {},
        "billing",
        {"read", "write"},
    )


OWNERS = {
    "a tag of its own": ("      Tags: {service: shop}\n", "shop"),
    "the tag in Globals": ("", "billing"),
    "tags as CloudFormation has them": ("      Tags: [{Key: Service, Value: shop}]\n", "shop"),
    "a tag that varies": ("      Tags: {service: !Ref Stage}\n", "dev"),
}


@pytest.mark.parametrize(("tags", "service"), OWNERS.values(), ids=OWNERS)
def test_a_functions_tag_says_whose_it_is(tmp_path: Path, tags: str, service: str) -> None:
    found = sam(tmp_path, function(f"{tags}      Policies: [{{Statement: {STATEMENT}}}]\n"))
    assert grants(found) == {f"{service} read invoices"}


def test_the_roles_file_may_name_a_function(tmp_path: Path) -> None:
    template = HEAD + function(
        f"      FunctionName: pay-live\n      Policies: [{{Statement: {STATEMENT}}}]\n"
    )
    path = write(tmp_path, {"template.yml": template}) / "template.yml"
    for name in ("Pay", "PayRole", "pay-live"):
        assert grants(read_templates([path], names(), {}, {name: "till"})) == {"till read invoices"}


def test_a_nested_application_is_a_nested_stack(tmp_path: Path) -> None:
    main = """
Transform: [AWS::Serverless-2016-10-31]
Resources:
  Billing:
    Type: AWS::Serverless::Application
    Properties: {Location: billing/template.yml, Parameters: {Stage: prod}}
  Foreign:
    Type: AWS::Serverless::Application
    Properties: {Location: {ApplicationId: "arn:aws:serverlessrepo:x", SemanticVersion: 1.0.0}}
"""
    files = {
        "main.yml": main,
        "billing/template.yml": HEAD + function(f"      Policies: [{{Statement: {STATEMENT}}}]\n"),
    }
    found = read_templates(
        [write(tmp_path, files) / "main.yml"], names(services=("billing",)), {}, {}
    )
    assert grants(found) == {READS}
    assert [(item.text, item.service) for item in found.unresolved] == [("Foreign", None)]


def test_the_table_of_policies_names_its_source() -> None:
    table = json.loads(TABLE.read_text())
    assert table["source"].startswith("aws_sam_translator-")
    assert set(table["with_items"]).isdisjoint(table["without_items"])
    assert len(table["with_items"]) + len(table["without_items"]) == 81
