import pytest

from ownership.drift.diagnostics import Diagnostics
from ownership.drift.iam.actions import modes_of
from ownership.drift.iam.managed_policies import TABLE, UnknownPolicyError, statements_of
from ownership.drift.iam.statements import StatementReader
from ownership.drift.types import Location
from ownership.drift.values import Map, Text, Value
from tests.support import managed_policies
from tests.support.drift_projects import names

HERE = Location("template.yml", 7)


def permitted(policy: str) -> set[str]:
    """What a policy permits with items, on any table."""
    diagnostics = Diagnostics()
    reader = StatementReader("users", lambda node: _texts(node), names(), diagnostics)
    modes: set[str] = set()
    for statement in map(reader.read, statements_of(Text(policy, HERE))):
        if statement is not None and statement.allow:
            modes |= modes_of(statement.actions)
    return modes


def _texts(node: Value) -> list[Text]:
    if isinstance(node, Text):
        return [node]
    return [text for text in node or () if isinstance(text, Text)]


AWS = "arn:aws:iam::aws:policy/"


@pytest.mark.parametrize(
    ("policy", "modes"),
    [
        (f"{AWS}AmazonDynamoDBReadOnlyAccess", {"read"}),
        (f"{AWS}AmazonDynamoDBFullAccess", {"read", "write"}),
        (f"{AWS}PowerUserAccess", {"read", "write"}),
        (f"{AWS}job-function/DatabaseAdministrator", {"read", "write"}),
        (f"{AWS}service-role/AWSIoTRuleActions", {"write"}),
        ("arn:aws-cn:iam::aws:policy/ReadOnlyAccess", {"read"}),
        ("ReadOnlyAccess", {"read"}),
        (f"{AWS}AWSDenyAll", set()),
        (f"{AWS}service-role/AWSLambdaBasicExecutionRole", set()),
        (f"{AWS}AmazonSSMManagedInstanceCore", set()),
    ],
)
def test_aws_own_policies_permit_what_aws_documents(policy: str, modes: set[str]) -> None:
    assert permitted(policy) == modes


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("arn:aws:iam::111122223333:policy/ReadOnlyAccess", "belongs to an account"),
        ("arn:aws:iam::\0:policy/ReadOnlyAccess", "belongs to an account"),
        (f"{AWS}AmazonDynamoDBEverythingAccess", "AWS has no managed policy of this name"),
        ("AmazonDynamoDBEverythingAccess", "AWS has no managed policy of this name"),
        ("\0", "is not known"),
        (f"{AWS}Amazon\0Access", "is not known"),
        ("arn:aws:iam::aws:role/ReadOnlyAccess", "is not known"),
    ],
)
def test_no_other_policy_is_taken_for_one_of_aws(policy: str, reason: str) -> None:
    with pytest.raises(UnknownPolicyError, match=reason):
        statements_of(Text(policy, HERE))


def test_the_evidence_of_a_managed_policy_is_the_line_that_names_it() -> None:
    (statement,) = statements_of(Text("ReadOnlyAccess", HERE))
    assert isinstance(statement, Map)
    assert statement.location == HERE


def test_the_table_is_what_the_installed_documents_say() -> None:
    """If this fails after an upgrade of moto: ``python -m tests.support.managed_policies``."""
    assert TABLE.read_text(encoding="utf-8") == managed_policies.as_text(managed_policies.build())
