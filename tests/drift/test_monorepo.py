"""A monorepo as students write it, each service in a different style; its findings were worked out by hand."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownership.drift.compare import compare
from ownership.drift.naming import Names
from ownership.drift.readers.serverless import read_projects
from ownership.drift.registry_client import from_map
from tests.support.drift_projects import a_map, grants, write

DECLARED = a_map(
    "users read_write clubUsers",
    "payments read_write clubUsers",
    "signups read clubUsers",
    "events read_write clubEvents",
    "users read clubEvents",
    "payments read clubEvents",
    "signups read_write clubSignups",
    "events read clubSignups",
    "payments read_write clubSignups",
    "members read_write clubMembers2026",
    "bots read_write clubMembers2026",
    "payments write clubMembers2026",
    "teams read_write clubTeams",
    "qr read_write clubQRs",
    "profiles write clubQRs",
    "profiles read_write clubProfiles",
    "hub read_write clubProfiles",
    "quiz read_write clubQuizzes",
    "hub read_write clubSockets",
    "prizes read_write clubPrizes",
    "ledger read_write clubLedger",
    "trade read_write clubTrades",
    "trade read_write clubPrices",
    "partners read_write clubPartners",
    "feed read_write clubFeed",
    services={"hub": None, "teams": "hub", "qr": "hub", "quiz": "hub"},
    clubTrades={
        "key_schema": {
            "partition_key": {"name": "projectId", "type": None},
            "sort_key": {"name": "tradeId", "type": None},
        },
        "indexes": [],
    },
    clubUsers={"key_schema": {"partition_key": {"name": "id", "type": "S"}, "sort_key": None}},
)

COMMON = """
provider:
  stage: ${opt:stage, 'dev'}
  region: us-west-2
custom:
  stage: ${opt:stage, self:provider.stage}
  account: '111122223333'
  year: 2026
  arn: arn:aws:dynamodb:${self:provider.region}:${self:custom.account}:table
  postfix: ${self:custom.postfixes.${self:custom.stage}}
  postfixes: {dev: "", prod: PROD}
"""
HEAD = """
provider:
  name: aws
  stage: ${file(../../serverless.common.yml):provider.stage}
  region: ${file(../../serverless.common.yml):provider.region}
  environment:
    ENVIRONMENT: ${file(../../config.${self:provider.stage}.json):ENVIRONMENT}
    NODE_ENV: ${env:NODE_ENV}
  apiGateway:
    restApiId: !ImportValue ${self:provider.stage}-RestApiId
"""
TAIL = "custom: ${file(../../serverless.common.yml):custom}\n"
E = "${self:provider.environment.ENVIRONMENT}"
ARN = "arn:aws:dynamodb:us-west-2:111122223333:table/"

FILES = {
    "serverless.common.yml": COMMON,
    "config.dev.json": '{"ENVIRONMENT": "", "PRIVATE": false}',
    "config.prod.json": '{"ENVIRONMENT": "PROD", "PRIVATE": true}',
    "serverless.yml": "service: clubApi\nresources: {Resources: {Api: {Type: 'AWS::ApiGateway::RestApi'}}}\n",
    "serverless-compose.yml": "services: {users: {path: services/users}}\n",
    # As declared, quoted, an index beside its table.
    "services/users/serverless.yml": f"""
service: clubApi-users
{HEAD}
  iamRoleStatements:
    - Effect: Allow
      Action:
        - dynamodb:GetItem
        - dynamodb:PutItem
        # - dynamodb:Scan
      Resource:
        - "{ARN}clubUsers{E}"
        - "{ARN}clubUsers{E}/index/by-name"
    - Effect: Allow
      Action: [ses:SendEmail]
      Resource: ${{ssm:/ses/arn}}
    - Effect: 'Allow'
      Action: dynamodb:query
      Resource: >-
        {ARN}clubEvents{E}
{TAIL}
""",
    # Under iam.role; a wildcard action; writing users isn't granted; members are written by PutItem alone.
    "services/payments/serverless.yml": f"""
service: clubApi-pay
{HEAD}
  iam:
    role:
      name: payments
      statements:
        - Effect: Allow
          Action: dynamodb:Get*
          Resource: ["{ARN}clubUsers{E}", "{ARN}clubEvents{E}"]
        - Effect: Allow
          Action: ["dynamodb:PutItem"]
          Resource: !Sub "arn:aws:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/clubMembers2026{E}"
        - Effect: Allow
          Action: ["dynamodb:*"]
          Resource: "{ARN}clubSignups{E}"
{TAIL}
""",
    # Names under custom, an ARN without quotes; may write users, which is wider than declared.
    "services/signups/serverless.yml": f"""
service: signups
{HEAD}
  iamRoleStatements: ${{self:custom.own.allow}}
custom:
  own:
    users: clubUsers${{self:custom.own.suffix}}
    suffix: -${{opt:stage, 'dev'}}
    allow:
      - Effect: Allow
        Action: [dynamodb:UpdateItem, dynamodb:BatchGetItem]
        Resource:
          - arn:aws:dynamodb:${{self:provider.region}}:*:table/${{self:custom.own.users}}
          - Fn::Join: [":", [arn:aws:dynamodb, !Ref AWS::Region, !Ref AWS::AccountId, "table/clubSignups{E}"]]
""",
    # Statements included; reads signups by an index alone, which is reading.
    "services/events/serverless.yml": f"service: clubApi-events\n{HEAD}\n  iamRoleStatements:\n"
    "    - ${file(iam.yml):events}\n    - ${file(iam.yml):signups.${self:provider.stage}}\n",
    "services/events/iam.yml": f"""
events: {{Effect: Allow, Action: ["dynamodb:*Item", "dynamodb:Query"], Resource: "{ARN}clubEvents{E}"}}
signups:
  dev: {{Effect: Allow, Action: ["dynamodb:Query"], Resource: "{ARN}clubSignups{E}/index/event-query"}}
""",
    # The year is a variable and part of the name; ${env:…} is the suffix though nobody gave it.
    "services/members/serverless.yml": f"""
service: clubApi-members
{HEAD}
  iamRoleStatements:
    - Effect: Allow
      Action: [dynamodb:Query, dynamodb:UpdateItem]
      Resource: "${{self:custom.arn}}/clubMembers${{self:custom.year}}${{env:SUFFIX}}"
{TAIL}
""",
    # Nothing at all, though it is declared.
    "services/bots/serverless.yml": f"service: clubApi-bots\n{HEAD}\n  iamRoleStatements:\n{TAIL}",
    # A part with a project of its own that reaches for more.
    "services/teams/serverless.yml": f"""
service: clubApi-team
{HEAD}
  iamRoleStatements:
    - Effect: Allow
      Action: [dynamodb:Scan, dynamodb:GetItem, dynamodb:PutItem]
      Resource:
        - "{ARN}clubTeams{E}"
        - "{ARN}clubSignups{E}"
{TAIL}
""",
    # The whole: covers qr, falls short of quiz, has an unregistered table of its own.
    "services/hub/serverless.yml": f"""
service: clubApi-hub
{HEAD}
  iamRoleStatements:
    - Effect: Allow
      Action: &all [dynamodb:GetItem, dynamodb:PutItem]
      Resource: &own ["{ARN}clubQRs{E}", "{ARN}clubProfiles{E}", "{ARN}clubSockets{E}", "{ARN}clubNotes{E}"]
    - {{Effect: Deny, Action: "dynamodb:PutItem", Resource: "{ARN}clubProfiles*"}}
    - {{Effect: Allow, Action: "dynamodb:GetItem", Resource: "{ARN}clubQuizzes${{self:custom.postfix}}"}}
{TAIL}
""",
    # By function.
    "services/profiles/serverless.yml": f"""
service: clubApi-profiles
plugins: [serverless-iam-roles-per-function]
{HEAD}
functions:
  read:
    handler: h.read
    iamRoleStatements:
      - {{Effect: Allow, Action: [dynamodb:GetItem], Resource: "{ARN}clubProfiles{E}"}}
  write:
    handler: h.write
    iamRoleStatementsInherit: true
    iamRoleStatements:
      - Effect: Allow
        Action: [dynamodb:BatchWriteItem]
        Resource: ["{ARN}clubProfiles{E}", "{ARN}clubQRs{E}"]
""",
    # Tables of its own, as declared but for one index; transactions, which IAM doesn't know.
    "services/trade/serverless.yml": f"""
service: clubApi-trade
{HEAD}
  iamRoleStatements:
    - Effect: Allow
      Action: [dynamodb:GetItem, dynamodb:UpdateItem, dynamodb:TransactWriteItems]
      Resource:
        - !GetAtt Trades.Arn
        - !Sub "${{Trades.Arn}}/index/*"
        - {{"Fn::GetAtt": [Prices, Arn]}}
        - !Sub "arn:aws:dynamodb:*:*:table/${{Teams}}"
resources:
  - Resources: ${{file(tables.yml):Resources}}
  - Parameters: {{Teams: {{Type: String, Default: clubTeams}}}}
{TAIL}
""",
    "services/trade/tables.yml": f"""
Resources:
  Trades:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: clubTrades{E}
      AttributeDefinitions:
        - {{AttributeName: projectId, AttributeType: S}}
        - {{AttributeName: tradeId, AttributeType: S}}
      KeySchema:
        - {{AttributeName: projectId, KeyType: HASH}}
        - {{AttributeName: tradeId, KeyType: RANGE}}
      GlobalSecondaryIndexes:
        - {{IndexName: byTrade, KeySchema: [{{AttributeName: tradeId, KeyType: HASH}}]}}
  Prices:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: clubPrices{E}
      AttributeDefinitions: [{{AttributeName: projectId, AttributeType: S}}]
      KeySchema: [{{AttributeName: projectId, KeyType: HASH}}]
""",
    # In v3's words: sls:stage and param; deploys users' table with another key.
    "services/prizes/serverless.yml": """
service: clubApi-prizes
params: {default: {suffix: ""}, prod: {suffix: PROD}}
provider:
  name: aws
  stage: ${opt:stage, 'dev'}
  iam:
    role:
      statements:
        - Effect: Allow
          Action: dynamodb:*
          Resource: arn:aws:dynamodb:${aws:region}:${aws:accountId}:table/clubPrizes${param:suffix}
resources:
  Resources:
    Users:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: clubUsers-${sls:stage}
        AttributeDefinitions: [{AttributeName: email, AttributeType: S}]
        KeySchema: [{AttributeName: email, KeyType: HASH}]
""",
    # Cannot be resolved here: nothing is claimed of writing, and reading is granted.
    "services/ledger/serverless.yml": f"""
service: clubApi-ledger
{HEAD}
  iamRoleStatements:
    - {{Effect: Allow, Action: "dynamodb:GetItem", Resource: "{ARN}clubLedger{E}"}}
    - {{Effect: Allow, Action: "dynamodb:PutItem", Resource: !ImportValue "ledger-arn"}}
""",
    # Everything that begins with clubP, and what a condition allows.
    "services/partners/serverless.yml": f"""
service: clubApi-partners
{HEAD}
  iamRoleStatements:
    - {{Effect: Allow, Action: ["dynamodb:Scan"], Resource: "{ARN}clubP*"}}
    - Effect: Allow
      Action: dynamodb:PutItem
      Resource: "{ARN}clubPartners{E}"
      Condition: {{"ForAllValues:StringEquals": {{"dynamodb:LeadingKeys": [a]}}}}
""",
    # Not in the map: a stream, and a stage in the middle of nothing.
    "services/stickers/serverless.yml": f"""
service: clubApi-stickers
{HEAD}
  iamRoleStatements:
    - {{Effect: Allow, Action: "dynamodb:*", Resource: "{ARN}clubUsers{E}/stream/*"}}
    - {{Effect: Allow, Action: "dynamodb:DescribeTable", Resource: "*"}}
    - {{Effect: Allow, Action: "dynamodb:PutItem", Resource: "{ARN}clubSocketsPROD"}}
""",
    "services/hello/serverless.yml": "service: clubApi-hello\nfunctions: {hi: {handler: h.hi}}\n",
    "services/users/node_modules/x/serverless.yml": "service: other\n",
}

# kind table service declared granted
EXPECTED = """
narrower_grant clubUsers payments read_write read
wider_grant clubUsers signups read read_write
access_not_granted clubMembers2026 bots read_write None
undeclared_access clubSignups teams None read_write
unregistered_table clubNotes hub None read_write
narrower_grant clubProfiles hub read_write read
narrower_grant clubQuizzes quiz read_write read
undeclared_access clubTeams trade None read_write
index_differs clubTrades None none byTrade (tradeId (S))
key_schema_differs clubUsers None id (S) email (S)
undeclared_access clubPrizes partners None read
undeclared_access clubProfiles partners None read
undeclared_access clubPrices partners None read
undeclared_access clubSockets stickers None write
"""


def test_findings_match_those_worked_out_by_hand(tmp_path: Path) -> None:
    declared = from_map(DECLARED)
    for values in ({}, {"opt:stage": "prod"}, {"opt:stage": "dev", "env:SUFFIX": "-x"}):
        files = FILES | {
            "services/events/iam.yml": FILES["services/events/iam.yml"] + "  prod: *dev\n"
        }
        files["services/events/iam.yml"] = files["services/events/iam.yml"].replace(
            "dev: {", "dev: &dev {"
        )
        found = read_projects(write(tmp_path, files), Names.of(declared), values)
        result = compare(declared, found)
        assert found.errors == ()
        actual = {
            f"{f.kind} {f.table} {f.service} {f.declared} {f.granted}" for f in result.findings
        }
        assert actual == set(EXPECTED.strip().splitlines())
        assert [u.service for u in found.unresolved] == ["ledger"]
        assert {(u.table, u.service) for u in result.unchecked} == {
            ("clubLedger", "ledger"),
            ("clubFeed", "feed"),
        }
        assert [(o.table, o.index) for o in result.offers] == [("clubPrices", None)]


TABLES = ["clubUsers", "clubEvents", "clubQRs", "clubMembers2026"]
ACTIONS: dict[str, list[str]] = {
    "read": [
        "[dynamodb:GetItem]",
        "[dynamodb:Query, dynamodb:DescribeTable]",
        '"dynamodb:BatchGet*"',
        "dynamodb:SCAN",
    ],
    "write": ["[dynamodb:PutItem, ses:SendEmail]", '"dynamodb:Update*"', "[dynamodb:DeleteItem]"],
    "read_write": ['"dynamodb:*"', "[dynamodb:GetItem, dynamodb:PutItem]", '["*"]'],
}
PLACES = [
    '"arn:aws:dynamodb:us-west-2:1:table/{t}${{self:provider.environment.ENVIRONMENT}}"',
    "arn:aws:dynamodb:${{self:provider.region}}:${{aws:accountId}}:table/{t}${{self:provider.stage}}",
    "arn:aws:dynamodb:${{opt:region, self:provider.region}}:*:table/{t}-${{opt:stage, 'dev'}}",
    '!Sub "arn:aws:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/{t}${{self:custom.stage}}"',
    '{{"Fn::Join": ["", ["arn:aws:dynamodb:*:*:table/", "{t}${{env:SUFFIX, \'\'}}"]]}}',
    '"arn:aws:dynamodb:*:*:table/${{self:custom.names.{t}}}"',
    '"arn:aws:dynamodb:*:*:table/{t}PROD"',
    "!GetAtt {t}.Arn",
    '[!GetAtt {t}.Arn, !Sub "${{{t}.Arn}}/index/*"]',
]
BODIES = {
    "v1": "\n  iamRoleStatements:\n{0}",
    "v3": "\n  iam:\n    role:\n      statements:\n{0}",
    "included": "\n  iamRoleStatements: ${{file(iam.yml):own.${{self:provider.stage}}}}\n",
    "functions": "\nfunctions:\n  one:\n    iamRoleStatements:\n{0}",
}
OWN = "custom: {stage: \"${opt:stage, 'dev'}\", names: {" + ", ".join(
    f'{t}: "{t}${{self:provider.environment.ENVIRONMENT}}"' for t in TABLES
) + "}}\nresources:\n  Resources:\n" + "".join(
    f'    {t}: {{Type: "AWS::DynamoDB::Table", Properties: {{TableName: "{t}${{self:custom.stage}}"}}}}\n'
    for t in TABLES
)  # fmt: skip


@st.composite
def projects(draw: st.DrawFn) -> tuple[set[str], dict[str, str]]:
    """What a service is granted, and a project that says so in one of the many ways there are."""
    granted = draw(
        st.dictionaries(st.sampled_from(TABLES), st.sampled_from(list(ACTIONS)), min_size=1)
    )
    statements = "".join(
        f"      - Effect: Allow\n        Action: {draw(st.sampled_from(ACTIONS[mode]))}\n"
        f"        Resource: {draw(st.sampled_from(PLACES)).format(t=table)}\n"
        for table, mode in granted.items()
    )
    form = draw(st.sampled_from(list(BODIES)))
    body = BODIES[form].format(statements)
    files = {"services/users/serverless.yml": f"service: club-users\n{HEAD}{body}\n{OWN}"}
    if form == "included":
        files["services/users/iam.yml"] = f"own:\n  dev: &own\n{statements}  prod: *own\n"
    return {f"users {mode} {table}" for table, mode in granted.items()}, files


@pytest.mark.slow
@given(projects(), st.sampled_from([{}, {"opt:stage": "prod"}]))
def test_grants_are_read_however_they_are_written(
    tmp_path_factory: pytest.TempPathFactory,
    project: tuple[set[str], dict[str, str]],
    given_values: dict[str, str],
) -> None:
    expected, files = project
    shared = {name: content for name, content in FILES.items() if "/" not in name}
    folder = write(tmp_path_factory.mktemp("any"), files | shared)
    found = read_projects(
        folder, Names.of(from_map(a_map(**{t: {} for t in TABLES}))), given_values
    )
    assert (found.errors, found.unresolved) == ((), ())
    assert grants(found) == expected
    assert {table.name for table in found.tables} == set(TABLES)
