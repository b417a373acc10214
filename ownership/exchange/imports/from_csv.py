"""Reads CSV as ``exports/to_csv.py`` writes it. Columns that a file lacks are left as they are."""

import csv
import io
from typing import Any

from ownership.exchange.exports.to_csv import (
    ACCESS_COLUMNS,
    COLUMNS,
    KEY_COLUMNS,
    MORE_COLUMNS,
    PHYSICAL_NAME,
    had_back,
)
from ownership.exchange.imports.statements import Stated
from ownership.models import Mode

# Column → field of a table.
_FIELDS = {
    "description": "description",
    **{name: name if "_key_" in name else f"{name}_name" for name in KEY_COLUMNS},
    **{name: name for name in MORE_COLUMNS},
}
_TRUTH = {"true": True, "false": False}


def read(name: str, text: str) -> Stated:
    """What the file states; the line of a row is that on which it begins."""
    stated = Stated(name)
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    line = 1
    try:
        head = next(rows, [])
        if not _is_good(head, stated):
            return stated
        stated.lists.add("table")
        line = rows.line_num + 1
        for cells in rows:
            if cells and len(cells) != len(head):
                stated.problem(line, f"has {len(cells)} cells, and the head has {len(head)}: give it as many.")
            elif cells:
                _row({column: had_back(cell) for column, cell in zip(head, cells, strict=True)}, line, stated)
            line = rows.line_num + 1
    except csv.Error as error:
        stated.problem(line, f"is not CSV ({error}): save the file as CSV with commas and quotation marks.")
    return stated


def _is_good(head: list[str], stated: Stated) -> bool:
    unknown = [column for column in head if column not in {*COLUMNS, PHYSICAL_NAME}]
    if unknown:
        stated.problem(1, f"unknown column {', '.join(map(repr, unknown))}; there are {', '.join(COLUMNS)}.")
    doubled = sorted({column for column in head if head.count(column) > 1})
    if doubled:
        stated.problem(1, f"column {', '.join(doubled)} stands twice: remove one.")
    if "table" not in head:
        stated.problem(1, "there is no column `table`: the first line names the columns.")
    if {*ACCESS_COLUMNS} & {*head} and "service" not in head:
        stated.problem(1, "there is no column `service`, which says whose access a row is.")
    return not stated.problems


def _row(row: dict[str, str], line: int, stated: Stated) -> None:
    table = row["table"]
    if not table:
        stated.problem(line, "names no table: fill in the column `table`, or remove the row.")
        return
    fields: dict[str, Any] = {field: row[column] for column, field in _FIELDS.items() if column in row}
    for column, kind in (("group", "group"), ("owner", "service")):
        if column in row:
            if not row[column]:
                stated.problem(line, f"table {table}: {column} is empty: fill it in.")
                continue
            fields[column] = row[column]
            stated.state(kind, (row[column],), line, once=False)
    stated.state("table", (table,), line, once=False, **fields)
    if "service" not in row:
        return
    stated.parts.add(("access", table))
    if row["service"]:
        _access(table, row, line, stated)
    elif any(row.get(column) for column in ACCESS_COLUMNS):
        stated.problem(line, "tells of an access, but not of which service: fill in the column `service`.")


def _access(table: str, row: dict[str, str], line: int, stated: Stated) -> None:
    service = row["service"]
    part_of = {"part_of": row["part_of"] or None} if "part_of" in row else {}
    stated.state("service", (service,), line, once=False, **part_of)
    if part_of.get("part_of"):
        stated.state("service", (row["part_of"],), line, once=False)
    fields: dict[str, Any] = {name: row[name] for name in ("mode", "notes") if name in row}
    if row.get("mode", Mode.READ) not in Mode.values:
        stated.problem(line, f"mode is {row['mode']!r}: write one of {', '.join(Mode.values)}.")
        fields["mode"] = Mode.READ  # stands in, so that comparing does not tell it again; nothing is applied anyway
    if "indirect" in row:
        indirect = _TRUTH.get(row["indirect"].lower())
        if indirect is None:
            stated.problem(line, f"indirect is {row['indirect']!r}: write true or false.")
        else:
            fields["indirect"] = indirect
    stated.state("access", (table, service), line, **fields)
