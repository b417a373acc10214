import time
from pathlib import Path

import pytest

from ownership.drift.iam import actions
from ownership.drift.iam.patterns import matches
from ownership.drift.iam.statements import item_actions
from ownership.drift.readers.serverless import read_projects
from ownership.drift.types import ActionOn, GrantedAccess, Infrastructure
from tests.support.drift_projects import ARN, grants, names_with, read, write

TABLES = ("biztechUsers", "biztechEvents", "bizScores")


def policy(tmp_path: Path, *statements: str) -> Infrastructure:
    """What a service ``users`` with these statements, in YAML's flow style, is granted."""
    lines = "".join(f"    - {{{statement}}}\n" for statement in statements)
    project = f"provider:\n  iamRoleStatements:\n{lines}"
    return read(tmp_path, {"users/serverless.yml": project}, tables=TABLES)


GET = 'Effect: Allow, Action: "dynamodb:GetItem", Resource: '
SHORT = {"ALLOW": "Effect: Allow, Action:", "DENY": "Effect: Deny, Action:", "ARN": ARN}
CASES = {
    "an action in any case": (
        ['ALLOW "DynamoDB:getitem", Resource: "ARNbizScores"'],
        {"read bizScores"},
    ),
    "a block's line break": (
        [r'Effect: Allow, Action: "dynamodb:GetItem\n", Resource: "ARNbizScores\n"'],
        {"read bizScores"},
    ),
    "a wildcard in the action": (
        ['ALLOW "dynamodb:*Item", Resource: "ARNbizScores"'],
        {"read_write bizScores"},
    ),
    "a question mark": (['ALLOW "dynamodb:?can", Resource: "ARNbizScores"'], {"read bizScores"}),
    "all actions": (['ALLOW ["*"], Resource: ["ARNbizScores"]'], {"read_write bizScores"}),
    "writing for replication, which no service can": (
        ['ALLOW "dynamodb:WriteDataForReplication", Resource: "ARNbizScores"'],
        set(),
    ),
    "neither reads nor writes": (['ALLOW "dynamodb:Describe*", Resource: "ARNbizScores"'], set()),
    "all resources": ([GET + '"*"'], {f"read {table}" for table in TABLES}),
    "a wildcard for the end": (
        [GET + '"ARNbiztech*"'],
        {"read biztechUsers", "read biztechEvents"},
    ),
    "a wildcard for the suffix": ([GET + '"ARN*PROD"'], {f"read {table}" for table in TABLES}),
    "a wildcard within the suffix": ([GET + '"ARNbiztechUsersP*D"'], {"read biztechUsers"}),
    "question marks for the suffix": ([GET + '"ARNbizScores????"'], {"read bizScores"}),
    "an ARN of three fields": ([GET + '"arn:aws:dynamodb"'], {f"read {table}" for table in TABLES}),
    "an ARN of four fields": (
        [GET + '"arn:aws:dynamodb:us-west-2"'],
        {f"read {table}" for table in TABLES},
    ),
    "a global table": (
        ['ALLOW "dynamodb:*", Resource: "arn:aws:dynamodb::1:global-table/bizScores"'],
        set(),
    ),
    "an unknown partition": (
        [GET + '"arn:${ssm:/partition}:dynamodb:us-west-2:1:table/bizScores"'],
        {"read bizScores"},
    ),
    "an unknown action of another service": (
        ['ALLOW "s3:${ssm:/action}", Resource: "ARNbizScores"', GET + '"ARNbizScores"'],
        {"read bizScores"},
    ),
    "roles that may not be assumed": (['DENY "sts:AssumeRole", Resource: "*"'], set()),
    "an ARN of another service": ([GET + '"arn:aws:s3:::biztechUsers"'], set()),
    "a stream": (['ALLOW "dynamodb:*", Resource: "ARNbizScores/stream/*"'], set()),
    "an index": (['ALLOW "dynamodb:*", Resource: "ARNbizScores/index/by-x"'], {"read bizScores"}),
    "all indexes": (
        ['ALLOW "dynamodb:Query", Resource: "ARN*/index/*"'],
        {f"read {t}" for t in TABLES},
    ),
    "an item of an index": ([GET + '"ARNbizScores/index/*"'], set()),
    "below the table": (['ALLOW "dynamodb:*", Resource: "ARNbizScores/*"'], {"read bizScores"}),
    "NotAction": (
        ['Effect: Allow, NotAction: ["dynamodb:*Item", "s3:*"], Resource: "ARNbizScores"'],
        {"read_write bizScores"},
    ),
    "NotAction that leaves reading": (
        [
            'Effect: Allow, NotAction: ["dynamodb:*Item", "*PartiQL*", "*Write*"], Resource: "ARNbizScores"'
        ],
        {"read bizScores"},
    ),
    "NotResource": (
        ['ALLOW "dynamodb:GetItem", NotResource: "ARNbiztech*"'],
        {"read bizScores"},
    ),
    "Deny": ([GET + '"*"', 'DENY "dynamodb:*", Resource: "ARNbiz?ech*"'], {"read bizScores"}),
    "Deny of some actions": (
        [
            'ALLOW ["dynamodb:GetItem", "dynamodb:PutItem"], Resource: "ARNbizScores"',
            'DENY "dynamodb:Put*", Resource: "*"',
        ],
        {"read bizScores"},
    ),
    "Deny of a table leaves its indexes": (
        [
            'ALLOW "dynamodb:Query", Resource: ["ARNbizScores", "ARNbizScores/index/*"]',
            'DENY "*", Resource: "ARNbizScores"',
        ],
        {"read bizScores"},
    ),
    "Deny of all indexes of a table": (
        [
            'ALLOW "dynamodb:Query", Resource: "ARNbizScores/index/by-day"',
            'DENY "*", Resource: "ARNbizScores/index/*"',
        ],
        set(),
    ),
    "Deny of one index leaves the others": (
        [
            'ALLOW "dynamodb:Query", Resource: "ARNbizScores/index/*"',
            'DENY "*", Resource: "ARNbizScores/index/by-day"',
        ],
        {"read bizScores"},
    ),
    "Deny of what is below a table": (
        [
            'ALLOW "dynamodb:Query", Resource: "ARNbizScores/index/by-day"',
            'DENY "*", Resource: "ARNbizScores/*"',
        ],
        set(),
    ),
    "Deny with NotResource of all indexes": (
        [
            'ALLOW "dynamodb:Query", Resource: ["ARNbizScores/index/a", "ARNbiztechUsers/index/a"]',
            'DENY "*", NotResource: "ARNbizScores/index/*"',
        ],
        {"read bizScores"},
    ),
    "Deny with a wildcard behind the suffix": (
        [
            'ALLOW "dynamodb:Query", Resource: "*"',
            'DENY "*", Resource: ["ARNbiztech*", "ARNbizScores${opt:stage}*"]',
        ],
        set(),
    ),
    "Deny with NotResource": (
        [GET + '"*"', 'DENY "*", NotResource: "ARNbizScores"'],
        {"read bizScores"},
    ),
    "Deny in one environment only": (
        [GET + '"ARNbizScores"', 'DENY "*", Resource: "ARN*PROD"'],
        {"read bizScores"},
    ),
    "Deny under a condition": (
        [GET + '"ARNbizScores"', 'DENY "*", Resource: "*", Condition: {Bool: {x: "true"}}'],
        {"read bizScores"},
    ),
    "Allow under a condition": (
        [GET + '"ARNbizScores", Condition: {Bool: {x: "true"}}'],
        {"read bizScores"},
    ),
}


@pytest.mark.parametrize(("statements", "expected"), CASES.values(), ids=CASES)
def test_policies_are_evaluated_like_iam_does(
    tmp_path: Path, statements: list[str], expected: set[str]
) -> None:
    for short, long in SHORT.items():
        statements = [statement.replace(short, long) for statement in statements]
    found = policy(tmp_path, *statements)
    assert grants(found) == {f"users {grant}" for grant in expected}
    assert found.unresolved == ()
    assert bool(found.notes) == any("Condition" in statement for statement in statements)


def test_a_grant_keeps_its_actions_on_the_table_and_on_each_index(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        f'Effect: Allow, Action: ["dynamodb:Query", "dynamodb:PutItem"], Resource: "{ARN}bizScores"',
        f'Effect: Allow, Action: "dynamodb:*", Resource: "{ARN}bizScores/index/by-day"',
        f'Effect: Deny, Action: ["dynamodb:S*", "dynamodb:PartiQL*"], Resource: "{ARN}bizScores/index/by-day"',
    )
    assert found.actions == {
        GrantedAccess("users", "bizScores", "read"): {
            ActionOn("Query"),
            ActionOn("Query", "by-day"),
        },
        GrantedAccess("users", "bizScores", "write"): {ActionOn("PutItem")},
    }


def test_a_deny_applies_to_its_own_role_only(tmp_path: Path) -> None:
    project = f"""
provider:
  iamRoleStatements: [{{{GET} "{ARN}bizScores"}}]
functions:
  a:
    iamRoleStatements: [{{Effect: Deny, Action: "*", Resource: "*"}}]
"""
    assert grants(read(tmp_path, {"users/serverless.yml": project})) == {"users read bizScores"}


def test_an_inherited_deny_applies_to_the_function(tmp_path: Path) -> None:
    project = f"""
provider:
  iamRoleStatements: [{{Effect: Deny, Action: "*", Resource: "*"}}]
functions:
  a:
    iamRoleStatementsInherit: INHERIT
    iamRoleStatements: [{{{GET} "{ARN}bizScores"}}]
"""
    found = {
        i: grants(read(tmp_path, {"users/serverless.yml": project.replace("INHERIT", i)}))
        for i in ("true", "no")
    }
    assert found == {"true": set(), "no": {"users read bizScores"}}


def test_actions_that_iam_does_not_have_are_noted(tmp_path: Path) -> None:
    wrong = (
        'Effect: Allow, Action: ["dynamodb:TransactWriteItems", "dynamodb:PutItems"], Resource: "*"'
    )
    first, second = policy(tmp_path, wrong).notes
    assert "IAM checks PutItem" in first.text
    assert second.text == "dynamodb:PutItems is not a DynamoDB action"
    assert first.location.line == 3


@pytest.mark.parametrize(
    ("statement", "note"),
    [
        ('Action: yes, Resource: "*"', "yes is not an action: IAM expects service:Action"),
        ('Action: 5, Resource: "*"', "5 is not an action: IAM expects service:Action"),
        ('Resource: "*"', "users: a statement without an Action grants nothing"),
    ],
    ids=["a word", "a number", "none"],
)
def test_invalid_and_missing_actions_are_noted(tmp_path: Path, statement: str, note: str) -> None:
    found = policy(tmp_path, f"Effect: Allow, {statement}")
    assert [(n.location.line, n.text) for n in found.notes] == [(3, note)]


def test_long_texts_are_shortened_in_reports(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        f'Effect: Allow, Action: "dynamodb:{"x" * 6000}", Resource: "{"y" * 6000}"',
        f'{GET} "{"z" * 6000}"',
    )
    assert [len(n.text) for n in found.notes] == [320]
    assert [len(u.text) for u in found.unresolved] == [320]


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:table/bizScores",
        "arn:aws:dynamodb:table/bizScores",
        "arn:dynamodb:us-west-2:1:table/bizScores",
        "arn:aws:dynamodb:us-west-2:x/table/bizScores:1",
    ],
    ids=["three fields", "four fields", "no partition", "a slash in the account"],
)
def test_a_table_arn_with_missing_fields_is_unresolved(tmp_path: Path, arn: str) -> None:
    found = policy(tmp_path, f'{GET} "{arn}"')
    assert [(u.text, u.reason) for u in found.unresolved] == [
        (arn, "is not a table ARN: a field is missing")
    ]


def test_a_kind_of_resource_that_is_not_known_may_be_a_table(tmp_path: Path) -> None:
    found = policy(tmp_path, f'{GET} "{ARN.replace("table", "${ssm:/kind}")}bizScores"')
    reason = "ssm:/kind is known only when deployed (--var ssm:/kind=…)"
    assert [u.reason for u in found.unresolved] == [reason]


def test_a_pattern_of_what_an_environment_puts_in_front_matches_its_tables(tmp_path: Path) -> None:
    project = f"service: users\nprovider: {{iamRoleStatements: [{{{GET}'{ARN}li*'}}]}}\n"
    write(tmp_path, {"users/serverless.yml": project})
    known = names_with({"live": "live.{name}"}, "live", tables=("bizScores",))
    assert grants(read_projects(tmp_path, known, {})) == {"users read bizScores"}
    known = names_with({"live": "live.{name}"}, "live", tables=("little", "bizScores"))
    project = project.replace(f"{ARN}li*", f"{ARN}live.lit*")
    write(tmp_path, {"users/serverless.yml": project})
    assert grants(read_projects(tmp_path, known, {})) == {"users read little"}


def test_an_arn_outside_the_aws_partitions_is_unresolved(tmp_path: Path) -> None:
    found = policy(tmp_path, f'{GET} "{ARN.replace("aws", "asw")}bizScores"')
    assert [u.reason for u in found.unresolved] == [
        "is not an ARN: the partition must be aws, not asw"
    ]


def test_a_statement_with_a_principal_grants_nothing_to_a_role(tmp_path: Path) -> None:
    found = policy(tmp_path, f'Principal: "*", {GET} "{ARN}bizScores"')
    assert found.grants == {}
    assert [u.modes for u in found.unresolved] == [{"read"}]


def test_a_pattern_that_matches_no_table_is_unresolved(tmp_path: Path) -> None:
    found = policy(tmp_path, f'{GET} "{ARN}other*"')
    assert [u.text for u in found.unresolved] == ["table/other*"]


@pytest.mark.parametrize(
    "element",
    [
        f'Effect: Permit, Resource: "{ARN}bizScores"',
        f'Sid: x, Resource: "{ARN}bizScores"',
        "Effect: Allow",
    ],
    ids=["another effect", "no effect", "no resource"],
)
def test_a_statement_without_what_it_must_have_is_unresolved(tmp_path: Path, element: str) -> None:
    found = policy(tmp_path, f'Action: "dynamodb:GetItem", {element}')
    assert found.grants == {}
    assert len(found.unresolved) == 1


def test_every_action_is_in_exactly_one_set() -> None:
    kinds = [actions.READ, actions.WRITE, actions.NEITHER]
    assert sum(map(len, kinds)) == len(set().union(*kinds)) == 80
    assert actions.ON_INDEX <= actions.READ
    assert not {name.lower() for name in actions.NOT_IAM} & {
        a.partition(":")[2] for a in actions.KNOWN
    }


def test_patterns_match_the_whole_text_in_bounded_time() -> None:
    assert [matches("a*b?c", text) for text in ("abxc", "axxbyc", "abc", "abxcd")] == [
        True,
        True,
        False,
        False,
    ]
    start = time.process_time()
    assert not matches("*a" * 500 + "b", "a" * 5000)
    assert time.process_time() - start < 5
    assert item_actions("dynamodb:get*") == {"dynamodb:getitem"}
