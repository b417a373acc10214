"""Writes the table of SAM's policies again: ``python -m tests.support.sam_table WHEEL``.

WHEEL is a wheel of the package aws-sam-translator, which SAM itself uses; it need not be installed. A policy template
goes into the table with those of its actions that touch the items of tables.
"""

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

from ownership.drift.iam.statements import item_actions
from ownership.drift.readers.sam_policies import TABLE

POLICY_TEMPLATES = "samtranslator/policy_templates_data/policy_templates.json"
CONNECTORS = "samtranslator/model/connector_profiles/profiles.json"
TABLE_TYPE = "AWS::DynamoDB::Table"

Statement = dict[str, Any]


def build(wheel: Path) -> dict[str, Any]:
    """The table, from a wheel."""
    with zipfile.ZipFile(wheel) as content:
        templates = json.loads(content.read(POLICY_TEMPLATES))["Templates"]
        permissions = json.loads(content.read(CONNECTORS))["Permissions"]
        date = content.getinfo(POLICY_TEMPLATES).date_time
    with_items = {}
    without_items = []
    for name in sorted(templates):
        statements = about_items(templates[name]["Definition"]["Statement"])
        if statements:
            with_items[name] = statements
        else:
            without_items.append(name)
    connectors = {}
    for source in sorted(permissions):
        profile = permissions[source].get(TABLE_TYPE)
        if profile is not None:
            connectors[source] = connected(profile)
    return {
        "source": f"{wheel.name}: {POLICY_TEMPLATES}, {CONNECTORS}",
        "as_of": "{:04}-{:02}-{:02}".format(*date),
        "with_items": with_items,
        "without_items": without_items,
        "connectors": connectors,
    }


def about_items(statements: list[Statement]) -> list[Statement]:
    """The statements that permit something with items, with what follows the table's ARN in their resources."""
    kept = []
    for statement in statements:
        actions = [action for action in statement["Action"] if item_actions(action.lower())]
        if actions:
            endings = [ending_of(resource) for resource in _listed(statement["Resource"])]
            kept.append({"Action": actions, "endings": endings})
    return kept


def ending_of(resource: dict[str, Any]) -> str:
    """What follows the name of the table in ``!Sub [arn:…:table/${tableName}/index/*, {…}]``."""
    text = resource["Fn::Sub"][0]
    before, name, ending = text.partition("${tableName}")
    if not name or not before.endswith(":table/"):
        raise ValueError(f"{text} is not a table's ARN")
    return str(ending)


def connected(profile: dict[str, Any]) -> dict[str, list[Statement]]:
    """What a connector to a table permits, by its permission: Read, Write."""
    permitted = {}
    for permission, document in profile["Properties"]["AccessCategories"].items():
        statements = []
        for statement in document["Statement"]:
            endings = [
                resource.removeprefix("%{Destination.Arn}") for resource in statement["Resource"]
            ]
            statements.append({"Action": statement["Action"], "endings": endings})
        permitted[permission] = statements
    return permitted


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def as_text(table: dict[str, Any]) -> str:
    """The table as it is checked in."""
    return json.dumps(table, indent=1) + "\n"


if __name__ == "__main__":
    TABLE.write_text(as_text(build(Path(sys.argv[1]))), encoding="utf-8")
