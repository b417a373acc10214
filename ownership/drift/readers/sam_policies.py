"""What SAM's policy templates and connectors permit on the items of tables.

``{DynamoDBReadPolicy: {TableName: !Ref Users}}`` in a function's ``Policies`` permits to read the table and to query
its indexes. The table beside this module has every policy template that SAM publishes; one that it does not have is
unresolved. ``python -m tests.support.sam_table`` writes it again.
Source: AWS SAM Developer Guide, "AWS SAM policy templates" and "Managing resource permissions with AWS SAM
connectors"; the package aws-sam-translator, which is what SAM uses.
"""

import json
from functools import cache
from pathlib import Path
from typing import TypedDict

from ownership.drift.readers.made_nodes import allow, below, table_arn
from ownership.drift.types import Location
from ownership.drift.values import Map, Value

TABLE = Path(__file__).with_name("sam_policies.json")


class Permission(TypedDict):
    """Actions, and what follows a table's ARN in the resources that they are permitted on."""

    Action: list[str]
    endings: list[str]


class _Table(TypedDict):
    with_items: dict[str, list[Permission]]
    without_items: list[str]
    connectors: dict[str, dict[str, list[Permission]]]


@cache
def _table() -> _Table:
    table: _Table = json.loads(TABLE.read_text(encoding="utf-8"))
    return table


def is_known(policy_template: str) -> bool:
    """Whether SAM has a policy template of this name."""
    return policy_template in _table()["with_items"] or policy_template in _table()["without_items"]


def statements_of(policy_template: str, table_name: Value, location: Location) -> list[Map]:
    """The statements that a policy template makes for the table of that name; none if it permits nothing on items."""
    permissions = _table()["with_items"].get(policy_template, [])
    return _statements(permissions, table_arn(table_name, location), location)


def has_connectors(source_type: str) -> bool:
    """Whether SAM has connectors from resources of this type to tables."""
    return source_type in _table()["connectors"]


def connector_statements(
    source_type: str, permission: str, arn: Value, location: Location
) -> list[Map]:
    """The statements of a connector from a resource of this type to a table; ``permission`` is Read or Write."""
    permissions = _table()["connectors"].get(source_type, {}).get(permission, [])
    return _statements(permissions, arn, location)


def _statements(permissions: list[Permission], arn: Value, location: Location) -> list[Map]:
    statements = []
    for permission in permissions:
        resources = [below(arn, ending, location) for ending in permission["endings"]]
        statements.append(allow(permission["Action"], resources, location))
    return statements
