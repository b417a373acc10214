"""Reads CSV as ``exports/to_csv.py`` writes it. Columns that a file leaves out are left as they are."""

import csv
import io
from collections import Counter
from contextlib import suppress

from ownership.exchange.exports.to_csv import (
    ACCESS_COLUMNS,
    COLUMNS,
    KEY_COLUMNS,
    MORE_COLUMNS,
    PHYSICAL_NAME,
    cell_value,
)
from ownership.exchange.imports.statements import KEY_FIELDS, Enough, Fields, Statements
from ownership.models import Mode

# Column → field of a table.
_FIELDS = {"description": "description"}
_FIELDS |= dict(zip(KEY_COLUMNS, KEY_FIELDS, strict=True))
_FIELDS |= {column: column for column in MORE_COLUMNS}
MAX_QUOTED = 10  # columns in a message
_TRUTH = {"true": True, "false": False}


def read(name: str, text: str) -> Statements:
    """What the file says. The line of a row is the one on which it begins."""
    statements = Statements(name, len(text))
    with suppress(Enough):
        _read_rows(text, statements)
    return statements


def _read_rows(text: str, statements: Statements) -> None:
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    line = 1
    try:
        head = next(rows, [])
        _check_head(head, statements)
        if statements.problems:
            return
        statements.complete_kinds.add("table")
        # line_num is the last line of the row just read; the next row begins after it.
        line = rows.line_num + 1
        for cells in rows:
            if cells and len(cells) != len(head):
                statements.problem(
                    line,
                    f"has {len(cells)} cells, and the first line has {len(head)}: give both the same number.",
                )
            elif cells:
                row = {column: cell_value(cell) for column, cell in zip(head, cells, strict=True)}
                _read_row(row, line, statements)
            line = rows.line_num + 1
    except csv.Error as error:
        statements.problem(
            line,
            f"is not CSV ({error}): save the file as CSV with commas and quotation marks.",
        )


def _check_head(head: list[str], statements: Statements) -> None:
    unknown = sorted(set(head) - {*COLUMNS, PHYSICAL_NAME})
    if unknown:
        statements.problem(1, f"unknown column {_quoted(unknown)}. The columns are {', '.join(COLUMNS)}.")
    doubled = sorted((Counter(head) - Counter(set(head))).keys())
    if doubled:
        statements.problem(1, f"column {_quoted(doubled)} is given twice: remove one.")
    if "table" not in head:
        statements.problem(1, "there is no column `table`: the first line names the columns.")
    if set(ACCESS_COLUMNS) & set(head) and "service" not in head:
        statements.problem(1, "there is no column `service`, which says whose access a row is.")


def _quoted(columns: list[str]) -> str:
    """The first few columns, and how many more there are."""
    texts = [repr(column[:100]) for column in columns[:MAX_QUOTED]]
    if len(columns) > MAX_QUOTED:
        texts.append(f"and {len(columns) - MAX_QUOTED:,} more")
    return ", ".join(texts)


def _read_row(row: dict[str, str], line: int, statements: Statements) -> None:
    table = row["table"]
    if not table:
        statements.problem(line, "names no table: fill in the column `table`, or remove the row.")
        return
    fields: Fields = {_FIELDS[column]: row[column] for column in _FIELDS.keys() & row.keys()}
    for column, kind in (("group", "group"), ("owner", "service")):
        if column in row and not row[column]:
            statements.problem(line, f"table {table}: {column} is empty: fill it in.")
        elif column in row:
            fields[column] = row[column]
            statements.mention(kind, (row[column],), line)
    statements.mention("table", (table,), line, fields)
    if "service" not in row:
        return
    statements.complete_parts.add(("access", table))
    if row["service"]:
        _read_access(table, row, line, statements)
    elif any(row.get(column) for column in ACCESS_COLUMNS):
        statements.problem(
            line,
            "describes an access, but not of which service: fill in the column `service`.",
        )


def _read_access(table: str, row: dict[str, str], line: int, statements: Statements) -> None:
    service = row["service"]
    if "part_of" in row:
        part_of = row["part_of"] or None
        statements.mention("service", (service,), line, {"part_of": part_of})
        if part_of:
            statements.mention("service", (part_of,), line)
    else:
        statements.mention("service", (service,), line)
    fields: Fields = {name: row[name] for name in ("mode", "notes") if name in row}
    if "mode" in row and row["mode"] not in Mode.values:
        statements.problem(line, f"mode is {row['mode']!r}: write one of {', '.join(Mode.values)}.")
        fields["mode"] = Mode.READ  # so that it is not reported again; nothing is applied anyway
    if "indirect" in row:
        indirect = _TRUTH.get(row["indirect"].lower())
        if indirect is None:
            statements.problem(line, f"indirect is {row['indirect']!r}: write true or false.")
        else:
            fields["indirect"] = indirect
    statements.add("access", (table, service), line, fields)
