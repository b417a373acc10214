"""What AWS's own managed policies permit on items.

``arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess`` permits reading every table, and most others touch no item.
managed_policies.json lists all of AWS's policies as of a date; the statements that can touch items are in it as AWS
wrote them. A policy that is not in the table is reported as unresolved.

``python -m tests.support.managed_policies`` writes the table again. Source: the documents that the package moto ships,
which it reads from AWS.
"""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

from ownership.drift.values import PLACEHOLDER, Map, Text, from_json, mappings

TABLE = Path(__file__).with_name("managed_policies.json")
# The ARN of a managed policy. AWS's own have no account, but the word `aws` in its place.
ARN = re.compile(r"arn:[^:]*:iam::(?P<account>[^:]*):policy/(?:.*/)?(?P<name>[^/]+)")

UNKNOWN_POLICY = "what this managed policy permits is not known"


class PolicyTable(TypedDict):
    """The file: ``with_items`` has the statements of a policy, by its name, that say something about items."""

    source: str
    as_of: str
    with_items: dict[str, list[dict[str, object]]]
    without_items: list[str]


class UnknownPolicyError(LookupError):
    """A managed policy whose statements are not known here; the message says why."""


@lru_cache(maxsize=1)
def policy_table() -> PolicyTable:
    """The table of AWS's managed policies."""
    table: PolicyTable = json.loads(TABLE.read_text(encoding="utf-8"))
    return table


@lru_cache(maxsize=1)
def _names_without_items() -> frozenset[str]:
    return frozenset(policy_table()["without_items"])


def statements_of(policy: Text) -> list[Map]:
    """The statements about items of one of AWS's managed policies, given by ARN or by its name alone.

    Their location is the policy's. Raises UnknownPolicyError for a policy that is not AWS's or not in the table.
    """
    name = _name_of_aws_policy(policy)
    statements = policy_table()["with_items"].get(name)
    if statements is None:
        if name not in _names_without_items():
            as_of = policy_table()["as_of"]
            raise UnknownPolicyError(
                f"AWS has no managed policy of this name in the table of {as_of}"
            )
        return []
    return mappings(from_json(statements, policy.location))


def _name_of_aws_policy(policy: Text) -> str:
    if PLACEHOLDER in policy.partition(":policy/")[2]:
        raise UnknownPolicyError(UNKNOWN_POLICY)
    match = ARN.fullmatch(policy)
    if match is None:
        if ":" in policy or PLACEHOLDER in policy:
            raise UnknownPolicyError(UNKNOWN_POLICY)
        return str(policy)
    if match["account"] != "aws":
        reason = "the policy belongs to an account and is not AWS's own: what it permits is not in these files"
        raise UnknownPolicyError(reason)
    return match["name"]
