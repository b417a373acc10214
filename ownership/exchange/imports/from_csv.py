"""Splits CSV into rows: as ``exports/to_csv.py`` writes it, and with tabs or semicolons, as spreadsheets save it."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from ownership.exchange.imports.from_rows import CellRow, column_named, read_rows
from ownership.exchange.imports.statements import Enough, Statements

_SEPARATORS = ",;\t"
# Excel's own way to say what separates the cells.
_SEPARATOR_LINE = re.compile(r'\ufeff?"?sep=(.)"?\r?\n?')


def read(name: str, text: str) -> Statements:
    """What the file says. The line of a row is the one on which it begins."""
    statements = Statements(name, len(text))
    with suppress(Enough):
        read_rows(_rows(text.removeprefix("\ufeff"), statements), statements)
    return statements


def names_columns(text: str) -> bool:
    """Whether the text begins with the names of CSV's columns."""
    lines = _first_lines(text.removeprefix("\ufeff"))
    return _separator_given(lines) is not None or _known_columns(lines, _best_separator(lines)) > 1


def _rows(text: str, statements: Statements) -> Iterator[CellRow]:
    lines = _first_lines(text)
    separator = _separator_given(lines)
    skipped = 0
    if separator is None:
        separator = _best_separator(lines)
    else:
        skipped = 1
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in rows:
            if line > skipped:
                yield line, cells
            # line_num is the last line of the row just read; the next row begins after it.
            line = rows.line_num + 1
    except csv.Error as error:
        statements.problem(
            line,
            f"is not CSV ({error}): save the file as CSV with commas and quotation marks.",
        )


def _first_lines(text: str) -> list[str]:
    """The first lines that are not blank."""
    lines = (line for line in io.StringIO(text[:100_000], newline="") if line.strip(" \r\n"))
    return list(islice(lines, 2))


def _separator_given(lines: list[str]) -> str | None:
    match = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    return match[1] if match else None


def _best_separator(lines: list[str]) -> str:
    """The one by which the first line falls into the most columns that are known."""
    return max(_SEPARATORS, key=lambda separator: _known_columns(lines, separator))


def _known_columns(lines: list[str], separator: str) -> int:
    if not lines:
        return 0
    cells = next(csv.reader([lines[0]], delimiter=separator))
    return sum(column_named(cell) is not None for cell in cells)
