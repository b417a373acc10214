"""The map as CSV, one row per access; a table without any has one row whose last cells are empty.

A spreadsheet runs a cell as a formula that begins with ``=``, ``+``, ``-`` or ``@`` (or their wide forms), white space
before it or not. Such a cell gets an apostrophe in front, and so does one that begins with an apostrophe: who takes one
apostrophe away from every cell that begins with one has the exact values back.
"""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

TABLE_COLUMNS = ["table", "group", "owner", "description"]
KEY_COLUMNS = [f"{role}{part}" for role in ("partition_key", "sort_key") for part in ("", "_type", "_format")]
MORE_COLUMNS = ["more_title", "more_url"]
ACCESS_COLUMNS = ["service", "part_of", "mode", "indirect", "notes"]
COLUMNS = [*TABLE_COLUMNS, *KEY_COLUMNS, *MORE_COLUMNS, *ACCESS_COLUMNS]
PHYSICAL_NAME = "physical_name"  # beside `table`, where an environment was asked for

_AT_ONCE = 1 << 16  # characters that are sent together
_DANGEROUS = re.compile(r"\s*[=+\-@＝＋－＠]|['\t\r\n]")


def harmless(value: str) -> str:
    """The value as a cell that no spreadsheet runs."""
    return f"'{value}" if _DANGEROUS.match(value) else value


def had_back(cell: str) -> str:
    """The value that ``harmless`` made the cell of."""
    return cell.removeprefix("'")


def lines(content: dict[str, Any]) -> Iterator[bytes]:
    """The map as pieces of a file: UTF-8, marked as such at its start, as spreadsheets need it; lines end in CRLF."""
    text = io.StringIO()
    writer = csv.writer(text)
    text.write("\ufeff")
    columns = [*COLUMNS]
    if content["environment"] is not None:
        columns.insert(1, PHYSICAL_NAME)
    writer.writerow(columns)
    for row in _rows(content):
        writer.writerow([harmless(row[column]) for column in columns])
        if text.tell() > _AT_ONCE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _rows(content: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Column → value, per access."""
    part_of = {service["name"]: service["part_of"] or "" for service in content["services"]}
    nothing = dict.fromkeys(ACCESS_COLUMNS, "")
    for table in content["tables"]:
        more = table["more"] or {}
        said = {
            "table": table["name"],
            PHYSICAL_NAME: table.get(PHYSICAL_NAME, ""),
            "group": table["group"],
            "owner": table["owner"],
            "description": table["description"],
            **_key_cells(table["key_schema"]),
            "more_title": more.get("title", ""),
            "more_url": more.get("url") or "",
        }
        for access in table["accesses"]:
            yield {
                **said,
                "service": access["service"],
                "part_of": part_of.get(access["service"], ""),
                "mode": access["mode"],
                "indirect": "true" if access["indirect"] else "false",
                "notes": access["notes"],
            }
        if not table["accesses"]:
            yield said | nothing


def _key_cells(key_schema: dict[str, Any] | None) -> dict[str, str]:
    cells = dict.fromkeys(KEY_COLUMNS, "")
    for role, key in (key_schema or {}).items():
        if key is not None:
            cells |= {role: key["name"], f"{role}_type": key["type"] or "", f"{role}_format": key["format"] or ""}
    return cells
