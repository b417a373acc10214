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

from ownership.drift.types import Location
from ownership.drift.values import Map, Seq, Text, Value

TABLE = Path(__file__).with_name("sam_policies.json")
TABLE_ARN = "arn:aws:dynamodb:*:*:table/"


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
    arn = Map(location, [("Fn::Sub", _sub(f"{TABLE_ARN}${{name}}", "name", table_name, location))])
    return _statements(_table()["with_items"].get(policy_template, []), arn, location)


def has_connectors(source_type: str) -> bool:
    """Whether SAM has connectors from resources of this type to tables."""
    return source_type in _table()["connectors"]


def connector_statements(
    source_type: str, permission: str, table_arn: Value, location: Location
) -> list[Map]:
    """The statements of a connector from a resource of this type to a table; ``permission`` is Read or Write."""
    permissions = _table()["connectors"].get(source_type, {}).get(permission, [])
    return _statements(permissions, table_arn, location)


def _statements(permissions: list[Permission], arn: Value, location: Location) -> list[Map]:
    statements = []
    for permission in permissions:
        resources = Seq(location)
        for ending in permission["endings"]:
            resources.append(
                Map(location, [("Fn::Sub", _sub(f"${{arn}}{ending}", "arn", arn, location))])
            )
        statement = Map(location)
        statement["Effect"] = Text("Allow", location)
        statement["Action"] = Seq(
            location, [Text(action, location) for action in permission["Action"]]
        )
        statement["Resource"] = resources
        statements.append(statement)
    return statements


def _sub(text: str, name: str, value: Value, location: Location) -> Seq:
    """The argument of Fn::Sub for a text with one value in it."""
    return Seq(location, [Text(text, location), Map(location, [(name, value)])])
