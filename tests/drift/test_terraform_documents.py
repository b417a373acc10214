"""Policies that the data source ``aws_iam_policy_document`` makes, where a plan knows them only after apply."""

import pytest

from tests.drift.test_terraform_apply import CONFIGURATION, NEW_ENVIRONMENT
from tests.support.drift_projects import grants
from tests.support.terraform_plans import (
    ARN,
    ROLE_ARN,
    allow,
    configured,
    plan,
    policy,
    read,
    reasons,
    resource,
    role,
    table,
)

ATTACHED = CONFIGURATION[3:]  # the document `run` to the role, and the role to a function
ORDERS_ARN = ["aws_dynamodb_table.orders.arn"]


def document(name="run", unknown=None, **values):
    """A document whose text is known only after apply."""
    return resource(
        f"data.aws_iam_policy_document.{name}", {"json": True, **(unknown or {})}, **values
    )


def read_with(tmp_path, *more, configuration):
    """A role of shop whose policy is the document ``run``, beside a table that is created with it."""
    others = [node for node in NEW_ENVIRONMENT if node["mode"] != "data"]
    return read(
        tmp_path,
        plan(*others, *more, configuration={"resources": [*ATTACHED, *configuration]}),
    )


READS_LATER = {"actions": ["dynamodb:GetItem"], "resources": [None]}
UNKNOWN_ARN = {"statement": [{"resources": [True]}]}


def of_references(references):
    """What the configuration says of the document ``run`` with one statement about these references."""
    statement = {"resources": {"references": references}}
    return configured("data.aws_iam_policy_document.run", statement=[statement])


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        (["aws_dynamodb_table.orders.id", "data.aws_region.here.name"], {"shop read orders"}),
        (["aws_dynamodb_table.orders.stream_arn"], set()),
        (["aws_sqs_queue.jobs.arn"], set()),
        (["aws_iam_role.run.arn"], set()),
        (["aws_iam_role.prefixed.arn"], set()),
    ],
)
def test_an_arn_that_is_known_later_is_that_of_what_it_refers_to(tmp_path, references, expected):
    found = read_with(
        tmp_path,
        document(unknown=UNKNOWN_ARN, statement=[READS_LATER]),
        resource("data.aws_region.here", name="eu-central-1"),
        resource("aws_sqs_queue.jobs", {"arn": True}),
        role("aws_iam_role.prefixed", "shop", name=None, name_prefix="shop-"),
        configuration=[of_references(references)],
    )
    assert (grants(found), reasons(found)) == (expected, [])


@pytest.mark.parametrize("reference", ["random_id.suffix.hex", "aws_sqs_queue.jobs.name"])
def test_what_is_no_arn_may_be_a_tables(tmp_path, reference):
    found = read_with(
        tmp_path,
        document(unknown=UNKNOWN_ARN, statement=[READS_LATER]),
        resource("random_id.suffix", {"hex": True}),
        resource("aws_sqs_queue.jobs", {"name": True}),
        configuration=[of_references([reference])],
    )
    reason = f"it depends on {reference}; resources is known only after apply"
    assert (grants(found), reasons(found)) == (
        set(),
        [("data.aws_iam_policy_document.run", reason)],
    )


UNSTATED = configured("data.aws_iam_policy_document.run", version={"constant_value": "2012-10-17"})


@pytest.mark.parametrize(
    ("unknown", "statement", "reason"),
    [
        (
            UNKNOWN_ARN,
            [READS_LATER],
            "it depends on what the configuration does not show; resources is known only after apply",
        ),
        ({"statement": True}, None, "statement is known only after apply"),
        ({"statement": [True]}, [{}], "statement is known only after apply"),
    ],
    ids=["a part of a block", "all blocks", "a block"],
)
def test_dynamic_statements_that_are_known_later_are_unresolved(
    tmp_path, unknown, statement, reason
):
    found = read_with(
        tmp_path, document(unknown=unknown, statement=statement), configuration=[UNSTATED]
    )
    assert grants(found) == set()
    assert [(own.service, own.reason) for own in found.unresolved] == [("shop", reason)]


READS = policy(allow("dynamodb:GetItem", f"{ARN}orders", Sid="items"))
WRITES = policy(allow("dynamodb:PutItem", f"{ARN}orders", Sid="items"))
DELETES = policy(allow("dynamodb:DeleteItem", f"{ARN}carts"))
OWN = [{"sid": "items", "actions": ["dynamodb:GetItem"], "resources": [f"{ARN}carts"]}]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"source_json": READS}, {"shop read orders"}),
        ({"source_policy_documents": [READS, DELETES]}, {"shop read orders", "shop write carts"}),
        ({"source_policy_documents": [READS], "statement": OWN}, {"shop read carts"}),
        ({"statement": OWN, "override_json": WRITES}, {"shop write orders"}),
        ({"statement": OWN, "override_policy_documents": [DELETES]}, {"shop read_write carts"}),
    ],
)
def test_a_statement_replaces_an_earlier_one_with_its_sid(tmp_path, values, expected):
    found = read_with(tmp_path, document(**values), configuration=[UNSTATED])
    assert (grants(found), reasons(found)) == (expected, [])


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["known"], {"shop write carts"}),
        (["later"], {"shop read orders"}),
        (["known", "later"], set()),  # the plan does not show which of them is at which position
        (["never"], set()),
    ],
)
def test_a_document_that_is_made_of_another_has_its_statements(tmp_path, sources, expected):
    references = [f"data.aws_iam_policy_document.{name}.json" for name in sources]
    found = read_with(
        tmp_path,
        document(
            unknown={"source_policy_documents": [True] * len(sources)},
            source_policy_documents=[None] * len(sources),
        ),
        resource("data.aws_iam_policy_document.known", json=DELETES),
        document("later", UNKNOWN_ARN, statement=[READS_LATER]),
        document("never", {"statement": True}),
        configuration=[
            configured("data.aws_iam_policy_document.run", source_policy_documents=references),
            configured(
                "data.aws_iam_policy_document.later",
                statement=[{"resources": {"references": ORDERS_ARN}}],
            ),
        ],
    )
    assert grants(found) == expected
    assert bool(found.unresolved) == (not expected)


TABLE_POLICY = "aws_dynamodb_resource_policy.orders"
BLOCK = {"actions": ["dynamodb:GetItem"], "resources": ["*"]}
MACHINE = {"type": "Service", "identifiers": ["ec2.amazonaws.com"]}


@pytest.mark.parametrize(
    ("principals", "unknown", "references", "expected"),
    [
        ([{"type": "AWS", "identifiers": [f"{ROLE_ARN}run-role"]}], {}, [], {"shop read orders"}),
        ([{"type": "AWS", "identifiers": [None]}], True, ["aws_iam_role.run.arn"], {"shop read orders"}),
        ([MACHINE], {}, [], set()),
    ],
    ids=["known", "known later", "a service of AWS"],
)  # fmt: skip
def test_a_tables_policy_permits_what_its_document_says_to_its_principals(
    tmp_path, principals, unknown, references, expected
):
    found = read_table_policy(tmp_path, principals, unknown, references)
    assert (grants(found), reasons(found)) == (expected, [])


@pytest.mark.parametrize(
    ("principals", "unknown", "references", "text"),
    [
        (
            [{"type": "AWS", "identifiers": [None]}],
            True,
            ["aws_iam_role.run.arn", "aws_iam_openid_connect_provider.ci.arn"],
            "…",
        ),
        ([{"type": "AWS", "identifiers": [None]}], True, None, "…"),
        ([{"type": "*", "identifiers": ["*"]}], {}, [], "*"),
        ([{"type": None, "identifiers": ["*"]}], {"principals": [{"type": True}]}, [], "*"),
        (None, {"principals": True}, [], "*"),
    ],
    ids=[
        "partly no role",
        "of a dynamic statement",
        "anyone",
        "of a kind known later",
        "all of them later",
    ],
)
def test_a_principal_that_is_not_known_may_be_anyone(
    tmp_path, principals, unknown, references, text
):
    found = read_table_policy(tmp_path, principals, unknown, references)
    assert [(own.text, own.service) for own in found.unresolved] == [(text, None)]


def read_table_policy(tmp_path, principals, unknown, references):
    """A table's policy of a document with one statement. ``references`` are those of the first principal."""
    if unknown is True:
        unknown = {"principals": [{"identifiers": [True]}]}
    statement = {"principals": [{"identifiers": {"references": references}}]}
    configuration = [
        configured(TABLE_POLICY, policy=["data.aws_iam_policy_document.run.json"]),
        configured(
            "data.aws_iam_policy_document.run",
            **({} if references is None else {"statement": [statement]}),
        ),
    ]
    return read(
        tmp_path,
        plan(
            role("aws_iam_role.run", "shop"),
            table("aws_dynamodb_table.orders", "orders"),
            resource("aws_iam_openid_connect_provider.ci", {"arn": True}),
            document(
                unknown={"statement": [unknown]}, statement=[{**BLOCK, "principals": principals}]
            ),
            resource(TABLE_POLICY, {"policy": True}, resource_arn=f"{ARN}orders"),
            configuration={"resources": configuration},
        ),
    )
