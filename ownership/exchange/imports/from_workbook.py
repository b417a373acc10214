"""Reads one sheet of an .xlsx workbook: the columns of CSV, as a spreadsheet keeps them.

The workbook may come from anyone. Its parts are unpacked only up to ``MAX_UNPACKED``, and what it says of its own size
is not believed. Formulas are not run: the value is the one that the spreadsheet saved.
"""

import datetime
import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING

from ownership.exchange.imports.from_rows import CellRow, column_named, read_rows
from ownership.exchange.imports.statements import Enough, Statements
from ownership.exchange.texts import without_empty_end

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

MAX_UNPACKED = 60_000_000
LAST_ROW = 1_048_576  # of any sheet
MAX_CELLS = 10_000_000  # of a sheet, the empty ones before a row's last cell included
COLUMNS_OF_HEAD = 100  # that are looked at to find the sheet with the map
NOT_INSTALLED = (
    "reading .xlsx needs openpyxl: install the extra `xlsx` (pip install openpyxl), "
    "or save the file as CSV."
)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A")

CellValue = str | int | float | bool | datetime.date | datetime.time | datetime.timedelta | None
SheetRow = tuple[CellValue, ...]


class NotAWorkbook(ValueError):
    """The file can't be read as a workbook; the message says why."""


def read(name: str, content: bytes) -> Statements:
    """What the workbook says. The line of a row is its number in the sheet. Raises NotAWorkbook."""
    statements = Statements(name, len(content))
    with suppress(Enough):
        rows = _rows(content, statements)
        # Texts that cells share are stored once.
        statements.characters = max(len(content), sum(sum(map(len, cells)) for _, cells in rows))
        read_rows(_as_long_as_the_head(rows), statements)
    return statements


def _as_long_as_the_head(rows: list[CellRow]) -> Iterator[CellRow]:
    """The rows, with the empty cells at their ends: a sheet does not keep them."""
    length = len(rows[0][1]) if rows else 0
    for number, cells in rows:
        yield number, cells + [""] * (length - len(cells))


def _rows(content: bytes, statements: Statements) -> list[CellRow]:
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise NotAWorkbook(NOT_INSTALLED) from error
    try:
        _check_size(content)
        values = load_workbook(BytesIO(content), read_only=True, data_only=True)
        title = _chosen_sheet(values, statements)
        # Cells are slow to read, and most maps have no formula.
        formulas = values
        if _has_formulas(content):
            formulas = load_workbook(BytesIO(content), read_only=True)
        return list(_filled_rows(values, formulas, title, statements))
    except (Enough, NotAWorkbook):
        raise
    except Exception as error:  # a broken file makes the library raise errors of any kind
        raise NotAWorkbook(
            f"is not a workbook that can be read ({error}): save it again, or as CSV."
        ) from error


def _check_size(content: bytes) -> None:
    """Raise NotAWorkbook for a file that unpacks to far more than a map."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        unpacked = sum(part.file_size for part in archive.infolist())
    if unpacked > MAX_UNPACKED:
        raise NotAWorkbook(
            f"unpacks to {unpacked:,} bytes, and may have up to {MAX_UNPACKED:,}: save it as CSV."
        )


def _has_formulas(content: bytes) -> bool:
    """Whether a sheet may have a formula."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(_FORMULA.search(archive.read(name)) for name in sheets)


def _chosen_sheet(book: "Workbook", statements: Statements) -> str:
    """The first sheet in sight that begins with a column `table`; otherwise the first in sight. Says which it is."""
    in_sight = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not in_sight:
        raise NotAWorkbook("has no sheet in sight: unhide the one with the map.")
    fitting = [title for title in in_sight if _begins_with_columns(book, title)]
    chosen = (fitting or in_sight)[0]
    statements.remarks.append(_what_is_read(book, chosen))
    return chosen


def _what_is_read(book: "Workbook", chosen: str) -> str:
    others = []
    for sheet in book.worksheets:
        if sheet.title != chosen:
            hidden = "" if sheet.sheet_state == "visible" else " (hidden)"
            others.append(f"“{sheet.title}”{hidden}")
    remark = f"Sheet “{chosen}” is read."
    if others:
        remark += f" Not read: {', '.join(others)}."
    return remark


def _begins_with_columns(book: "Workbook", title: str) -> bool:
    for _, row in _sheet_rows(book, title, COLUMNS_OF_HEAD):
        return any(column_named(_text(value)) == "table" for value in row)
    return False


def _sheet_rows(
    book: "Workbook", title: str, columns: int | None = None
) -> Iterator[tuple[int, SheetRow]]:
    """The rows that have a value in the first columns, or in any: the number of each, and its cells up to the last.

    Raises NotAWorkbook for a sheet of too many cells.
    """
    sheet = book[title]
    sheet.reset_dimensions()  # what a file says of its size may be false
    cells = 0
    rows = sheet.iter_rows(max_row=LAST_ROW, max_col=columns, values_only=True)
    for number, row in enumerate(rows, 1):
        cells += len(row)
        if cells > MAX_CELLS:
            raise NotAWorkbook(
                f"has more than {MAX_CELLS:,} cells up to row {number}: delete the empty columns to the right, "
                "or save it as CSV."
            )
        end = len(row)
        while end and row[end - 1] is None:
            end -= 1
        if end:
            yield number, row[:end]


def _filled_rows(
    values: "Workbook", formulas: "Workbook", title: str, statements: Statements
) -> Iterator[CellRow]:
    """Each row's cells as text. Formulas without a value and errors are noted."""
    rows = dict(_sheet_rows(values, title))
    written_rows = rows
    if formulas is not values:
        written_rows = dict(_sheet_rows(formulas, title))
    for number, written in written_rows.items():
        row = rows.get(number, ())
        _note_formulas_without_value(number, written, row, statements)
        _note_errors(number, row, statements)
        yield number, without_empty_end([_text(value) for value in row])


def _note_formulas_without_value(
    number: int, written: SheetRow, row: SheetRow, statements: Statements
) -> None:
    for column, formula in enumerate(written, 1):
        has_value = column <= len(row) and row[column - 1] is not None
        if formula is not None and not has_value:
            words = "has a formula without a value: open and save the file in a spreadsheet."
            statements.problem(number, f"cell {_cell_name(column, number)} {words}")


def _note_errors(number: int, row: SheetRow, statements: Statements) -> None:
    for column, value in enumerate(row, 1):
        if isinstance(value, str) and value in _ERRORS:
            statements.problem(number, f"cell {_cell_name(column, number)} has the error {value}.")


def _cell_name(column: int, row: int) -> str:
    from openpyxl.utils import get_column_letter

    return f"{get_column_letter(column)}{row}"


def _text(value: CellValue) -> str:
    """The value as somebody would have typed it."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case datetime.datetime():
            return value.isoformat(" ").removesuffix(" 00:00:00")
    return str(value)
