"""The map as CSV: one row for each access. A table without any has one row whose last cells are empty.

A spreadsheet runs a cell as a formula if it begins with ``=``, ``+``, ``-`` or ``@`` (or their full-width forms),
possibly after white space. Such a cell gets an apostrophe in front, and so does one that begins with an apostrophe, and
one with blanks around its value, which otherwise don't count. Taking one apostrophe away from each cell that begins
with one gives the exact values back.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator

from ownership.exchange.exports import MapContent
from ownership.exchange.texts import trimmed

TABLE_COLUMNS = ["table", "group", "owner", "description"]
KEY_COLUMNS = [
    f"{role}{part}" for role in ("partition_key", "sort_key") for part in ("", "_type", "_format")
]
MORE_COLUMNS = ["more_title", "more_url"]
ACCESS_COLUMNS = ["service", "part_of", "team", "mode", "indirect", "notes"]
COLUMNS = [*TABLE_COLUMNS, *KEY_COLUMNS, *MORE_COLUMNS, *ACCESS_COLUMNS]
PHYSICAL_NAME = "physical_name"  # beside `table`, where an environment was asked for
OWNER_TEAM = "owner_team"  # beside `owner`, where there are teams
TEAM = "team"  # of the service, where there are teams

PIECE = 1 << 16  # characters that are sent together
_DANGEROUS = re.compile(r"\s*[=+\-@＝＋－＠]|['\t\r\n]")

CsvRow = dict[str, str]  # {column: cell}


def safe_cell(value: str) -> str:
    """The value as a cell that no spreadsheet runs, and from which ``cell_value`` gets it back."""
    if _DANGEROUS.match(value) or trimmed(value) != value:
        return f"'{value}"
    return value


def cell_value(cell: str) -> str:
    """The value that ``safe_cell`` was given. Of a cell that people typed, the one without the blanks around it."""
    if cell.startswith("'"):
        return cell[1:]
    return trimmed(cell)


def render(content: MapContent) -> Iterator[bytes]:
    """The map as pieces of a file."""
    columns = [*COLUMNS]
    if content["teams"]:
        columns.insert(columns.index("owner") + 1, OWNER_TEAM)
    else:
        columns.remove(TEAM)
    if content["environment"] is not None:
        columns.insert(1, PHYSICAL_NAME)
    rows = ([row[column] for column in columns] for row in _rows(content))
    return pieces(columns, rows)


def pieces(columns: list[str], rows: Iterable[list[str]]) -> Iterator[bytes]:
    """Pieces of a file: UTF-8 with a byte order mark, which spreadsheets need; lines end in CRLF."""
    text = io.StringIO()
    writer = csv.writer(text)
    text.write("\ufeff")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
        if text.tell() > PIECE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _rows(content: MapContent) -> Iterator[CsvRow]:
    services = {service["name"]: service for service in content["services"]}
    for table in content["tables"]:
        table_cells = _table_cells(table)
        for access in table["accesses"]:
            yield table_cells | _access_cells(access, services[access["service"]])
        if not table["accesses"]:
            yield table_cells | dict.fromkeys(ACCESS_COLUMNS, "")


def _table_cells(table: MapContent) -> CsvRow:
    more = table["more"] or {}
    return {
        "table": table["name"],
        PHYSICAL_NAME: table.get(PHYSICAL_NAME, ""),
        "group": table["group"],
        "owner": table["owner"],
        OWNER_TEAM: table["team"] or "",
        "description": table["description"],
        **_key_cells(table["key_schema"] or {}),
        "more_title": more.get("title", ""),
        "more_url": more.get("url") or "",
    }


def _access_cells(access: MapContent, service: MapContent) -> CsvRow:
    return {
        "service": access["service"],
        "part_of": service["part_of"] or "",
        TEAM: service["team"] or "",
        "mode": access["mode"],
        "indirect": "true" if access["indirect"] else "false",
        "notes": access["notes"],
    }


def _key_cells(key_schema: MapContent) -> CsvRow:
    cells = dict.fromkeys(KEY_COLUMNS, "")
    for role, key in key_schema.items():
        if key is not None:
            cells[role] = key["name"]
            cells[f"{role}_type"] = key["type"] or ""
            cells[f"{role}_format"] = key["format"] or ""
    return cells
