"""Writes the table of AWS's managed policies again: ``python -m tests.support.managed_policies``.

The documents are those of the package moto, which reads them from AWS. A policy's statement goes into the table if it
says something about the items of DynamoDB tables, with those of its actions that touch items.
"""

import json
from importlib.metadata import version
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from ownership.drift.iam.actions import ACTION_MODES
from ownership.drift.iam.managed_policies import TABLE
from ownership.drift.iam.statements import item_actions

Statement = dict[str, Any]


def build() -> dict[str, Any]:
    """The table, from the documents of the moto that is installed."""
    policies = json.loads(aws_managed_policies_data)
    with_items = {}
    without_items = []
    for name in sorted(policies):
        statements = about_items(policies[name]["Document"])
        if statements:
            with_items[name] = statements
        else:
            without_items.append(name)
    latest_change = max(policy["UpdateDate"] for policy in policies.values())
    return {
        "source": f"moto {version('moto')}, moto/iam/aws_managed_policies.py",
        "as_of": latest_change[:10],
        "with_items": with_items,
        "without_items": without_items,
    }


def about_items(document: Statement) -> list[Statement]:
    """The statements that permit or deny something with items, without their other actions."""
    statements = document["Statement"]
    if isinstance(statements, dict):
        statements = [statements]
    kept = []
    for statement in statements:
        if "NotAction" in statement:
            reduced = _reduced_exception(statement)
        else:
            reduced = _reduced(statement)
        if reduced is not None:
            kept.append(reduced)
    # A policy that only denies permits nothing, but may be attached beside one that permits.
    return kept


def _reduced(statement: Statement) -> Statement | None:
    actions = [action for action in _listed(statement["Action"]) if item_actions(action.lower())]
    if not actions:
        return None
    return _with_actions(statement, "Action", actions)


def _reduced_exception(statement: Statement) -> Statement | None:
    """A statement with NotAction: it applies to all actions on items but those it lists."""
    excepted = [
        action for action in _listed(statement["NotAction"]) if item_actions(action.lower())
    ]
    if not excepted:
        return _with_actions(statement, "Action", ["dynamodb:*"])
    left_out: set[str] = set()
    for action in excepted:
        left_out |= item_actions(action.lower())
    if left_out == set(ACTION_MODES):
        return None
    return _with_actions(statement, "NotAction", excepted)


def _with_actions(statement: Statement, element: str, actions: list[str]) -> Statement:
    reduced = {"Effect": statement["Effect"], element: actions}
    for other in ("Resource", "NotResource", "Condition"):
        if other in statement:
            reduced[other] = statement[other]
    return reduced


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def as_text(table: dict[str, Any]) -> str:
    """The table as the file holds it: one line for each policy."""
    with_items = []
    for name, statements in table["with_items"].items():
        with_items.append(f"  {json.dumps(name)}: {json.dumps(statements)}")
    without_items = [f"  {json.dumps(name)}" for name in table["without_items"]]
    parts = [
        f' "source": {json.dumps(table["source"])}',
        f' "as_of": {json.dumps(table["as_of"])}',
        ' "with_items": {\n' + ",\n".join(with_items) + "\n }",
        ' "without_items": [\n' + ",\n".join(without_items) + "\n ]",
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    TABLE.write_text(as_text(build()), encoding="utf-8")
