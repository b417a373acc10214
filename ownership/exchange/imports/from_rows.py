"""Reads the rows of CSV files and workbooks. Columns that a file leaves out are left as they are."""

from collections import Counter
from collections.abc import Iterator

from ownership.exchange.exports.to_csv import (
    ACCESS_COLUMNS,
    COLUMNS,
    KEY_COLUMNS,
    MORE_COLUMNS,
    OWNER_TEAM,
    PHYSICAL_NAME,
    TEAM,
    cell_value,
)
from ownership.exchange.imports.modes import spelled_mode
from ownership.exchange.imports.statements import KEY_FIELDS, Fields, Statements
from ownership.exchange.texts import single_spaced, trimmed, without_empty_end
from ownership.models import Mode

# What follows from the rest, and states nothing.
_IGNORED = (PHYSICAL_NAME, OWNER_TEAM)
_KNOWN = frozenset([*COLUMNS, *_IGNORED])
# Column → field of a table.
_FIELDS = {"description": "description"}
_FIELDS |= dict(zip(KEY_COLUMNS, KEY_FIELDS, strict=True))
_FIELDS |= {column: column for column in MORE_COLUMNS}
MAX_QUOTED = 10  # columns in a message
_TRUTH = {"true": True, "false": False}
_MODES = {value: value for value in Mode.values} | {
    label.lower(): value for value, label in Mode.choices
}

CellRow = tuple[int, list[str]]  # (the line on which it begins, its cells)


def column_named(cell: str) -> str | None:
    """The column that a cell of the head names, however it is capitalized; None for no known one."""
    name = single_spaced(cell).lower().replace(" ", "_")
    return name if name in _KNOWN else None


def read_rows(rows: Iterator[CellRow], statements: Statements) -> None:
    """Read the head and the rows below it. Rows without a value, and columns without name and values, are nothing."""
    filled = (row for row in rows if any(map(trimmed, row[1])))
    line, head = next(filled, (1, []))
    if not head and not statements.problems:
        statements.problem(line, "there is no row with a value, so there is no column `table`.")
    if statements.problems:
        return
    columns = _columns(head, line, statements)
    if statements.problems:
        return
    statements.complete_kinds.add("table")
    for line, cells in filled:
        values = _values(columns, cells, line, statements)
        if values is not None:
            _read_row(values, line, statements)


def _columns(head: list[str], line: int, statements: Statements) -> list[str]:
    """The name of each column; empty for one without a name. What is wrong with them is noted."""
    columns = []
    unknown = []
    for cell in head:
        column = column_named(cell)
        if column is None and trimmed(cell):
            unknown.append(cell)
        columns.append(column or "")
    if unknown:
        statements.problem(
            line,
            f"unknown column {_quoted(sorted(set(unknown)))}. The columns are {', '.join(COLUMNS)}.",
        )
    _check_columns(columns, line, statements)
    return without_empty_end(columns)


def _check_columns(columns: list[str], line: int, statements: Statements) -> None:
    """Note columns that are there twice, and those that are missing."""
    numbers = Counter(filter(None, columns))
    doubled = sorted(column for column, number in numbers.items() if number > 1)
    if doubled:
        statements.problem(line, f"column {_quoted(doubled)} is given twice: remove one.")
    if "table" not in numbers:
        statements.problem(line, "there is no column `table`: the first line names the columns.")
    describes_accesses = not numbers.keys().isdisjoint(ACCESS_COLUMNS)
    if describes_accesses and "service" not in numbers:
        statements.problem(line, "there is no column `service`, which says whose access a row is.")


def _quoted(columns: list[str]) -> str:
    """The first few columns, and how many more there are."""
    texts = [repr(column[:100]) for column in columns[:MAX_QUOTED]]
    if len(columns) > MAX_QUOTED:
        texts.append(f"and {len(columns) - MAX_QUOTED:,} more")
    return ", ".join(texts)


def _values(
    columns: list[str], cells: list[str], line: int, statements: Statements
) -> dict[str, str] | None:
    """The row's value for each column; None, with a problem noted, if cells and columns don't match."""
    number = len(columns)
    cells = cells[:number] + without_empty_end(cells[number:])
    if len(cells) != number:
        statements.problem(
            line,
            f"has {len(cells)} cells, and the first line has {number}: give both the same number.",
        )
        return None
    values = {}
    for column, cell in zip(columns, cells, strict=True):
        if column:
            values[column] = cell_value(cell)
        elif trimmed(cell):
            statements.problem(
                line, f"{cell[:100]!r} is in a column without a name: name the column, or empty it."
            )
    return values


def _read_row(row: dict[str, str], line: int, statements: Statements) -> None:
    table = row["table"]
    if not table:
        statements.problem(line, "names no table: fill in the column `table`, or remove the row.")
        return
    fields: Fields = {_FIELDS[column]: row[column] for column in _FIELDS.keys() & row.keys()}
    for column, kind in (("group", "group"), ("owner", "service")):
        name = row.get(column)
        if name:
            fields[column] = name
            statements.mention(kind, (name,), line)
        elif name is not None:
            statements.problem(line, f"table {table}: {column} is empty: fill it in.")
    statements.mention("table", (table,), line, fields)
    if "service" not in row:
        return
    statements.complete_parts.add(("access", table))
    if row["service"]:
        _read_access(table, row, line, statements)
    elif any(map(row.get, ACCESS_COLUMNS)):
        statements.problem(
            line,
            "describes an access, but not of which service: fill in the column `service`.",
        )


def _read_access(table: str, row: dict[str, str], line: int, statements: Statements) -> None:
    _read_service(row, line, statements)
    fields: Fields = {name: row[name] for name in ("mode", "notes") if name in row}
    mode = _MODES.get(spelled_mode(row.get("mode", "")))
    if mode is not None:
        fields["mode"] = mode
    elif "mode" in row:
        statements.problem(line, f"mode is {row['mode']!r}: write one of {', '.join(Mode.values)}.")
        fields["mode"] = Mode.READ  # so that it is not reported again; nothing is applied anyway
    indirect = row.get("indirect", "").lower()
    if indirect in _TRUTH:
        fields["indirect"] = _TRUTH[indirect]
    elif "indirect" in row:
        statements.problem(line, f"indirect is {row['indirect']!r}: write true or false.")
    statements.add("access", (table, row["service"]), line, fields)


def _read_service(row: dict[str, str], line: int, statements: Statements) -> None:
    fields: Fields = {}
    for column, kind in (("part_of", "service"), (TEAM, "team")):
        if column in row:
            fields[column] = row[column] or None
        if row.get(column):
            statements.mention(kind, (row[column],), line)
    statements.mention("service", (row["service"],), line, fields)
