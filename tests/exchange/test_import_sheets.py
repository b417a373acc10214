"""Tables as spreadsheets save them: other separators and encodings, empty columns and rows, workbooks."""

import sys
import zipfile
from datetime import date, datetime
from io import BytesIO

import pytest
from openpyxl import Workbook

from ownership.exchange.exports.to_csv import cell_value, safe_cell
from ownership.exchange.imports import from_workbook
from ownership.exchange.imports.formats import UnreadableFile, read_content
from ownership.exchange.imports.import_plan import plan_import

HEAD = ["table", "group", "owner", "service", "mode", "notes"]
ROW = ["parcels", "Depot", "post", "post", "read_write", "Sorts; stamps"]
CSV = "table,group,owner,service,mode,notes\nparcels,Depot,post,post,read_write,Sorts; stamps\n"
FIELDS = {"mode": "read_write", "notes": "Sorts; stamps"}


def access_of(name, content):
    """The file's only access. Nothing may be wrong with the file."""
    if isinstance(content, str):
        content = content.encode()
    statements = read_content(name, content)
    assert (statements.problems, statements.ignored) == ([], [])
    (access,) = [statement for statement in statements.in_order() if statement.kind == "access"]
    assert access.key == ("access", ("parcels", "post"))
    return access.fields


def problems_of(name, content):
    if isinstance(content, str):
        content = content.encode()
    return read_content(name, content).problems


SEMICOLONS = CSV.replace("; ", " and ").replace(",", ";")
TABS = CSV.replace(",", "\t")


@pytest.mark.parametrize(
    ("name", "content", "notes"),
    [
        ("map.csv", SEMICOLONS, "Sorts and stamps"),
        ("map.csv", f"\ufeffsep=;\r\n{SEMICOLONS}", "Sorts and stamps"),
        ("map.csv", f'"sep=|"\n{CSV.replace(",", "|")}', "Sorts; stamps"),
        ("map.tsv", TABS, "Sorts; stamps"),
        ("map.csv", TABS, "Sorts; stamps"),
        ("map.txt", TABS.encode("utf-16"), "Sorts; stamps"),
        ("map.txt", b"\xfe\xff" + TABS.encode("utf-16-be"), "Sorts; stamps"),
        ("map.csv", CSV.encode("utf-8-sig"), "Sorts; stamps"),
        ("MAP.CSV", CSV, "Sorts; stamps"),
        ("map", CSV, "Sorts; stamps"),
    ],
    ids=[
        "semicolons",
        "sep=;",
        "sep=|",
        "tsv",
        "tabs",
        "utf-16-le",
        "utf-16-be",
        "utf-8-bom",
        "capitals",
        "no ending",
    ],
)
def test_a_spreadsheets_text_is_read_whatever_separates_cells_and_whichever_unicode_it_is_in(
    name, content, notes
):
    assert access_of(name, content) == FIELDS | {"notes": notes}


def test_lines_are_counted_with_the_one_that_names_the_separator():
    (problem,) = problems_of("map.csv", "sep=;\ntable;owner\nparcels;\n")
    assert problem == "map.csv, line 3: table parcels: owner is empty: fill it in."


@pytest.mark.parametrize(
    "text",
    [
        "table,group,owner,service,mode,notes,,\nparcels,Depot,post,post,read_write,Sorts; stamps,,\n,,,,,,,\n",
        "\n,,\n" + CSV + "\n \t\n",
        CSV.replace("parcels,Depot", "parcels\xa0 , Depot\t").replace("stamps", "stamps  "),
        CSV.replace("table,group", " Table ,GROUP\xa0"),
        CSV.replace("read_write", "Read + Write"),
        CSV.replace("read_write", "Read\xa0+ Write"),
        CSV.replace("\n", "\r"),
        "\u200btable,group,owner,service,mode,,notes\nparcels,Depot,post,post,read_write,,Sorts; stamps",
    ],
    ids=[
        "empty columns",
        "empty rows",
        "blanks around values",
        "capitals",
        "the mode's name",
        "a no-break space",
        "CR",
        "a column in between",
    ],
)
def test_blanks_and_empty_columns_and_rows_count_for_nothing(text):
    assert access_of("map.csv", text) == FIELDS


@pytest.mark.parametrize("value", [" x", "x\xa0", "\ufeffx", "'x", " ", "=1"])
def test_a_value_with_blanks_around_it_is_exported_so_that_it_comes_back(value):
    assert cell_value(safe_cell(value)) == value


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "map.csv",
            CSV.replace("Sorts", "Prüft").encode("cp1252"),
            r"line 2; in Windows-1252 it would be 'ü'",
        ),
        ("map.csv", CSV.encode("utf-16-le"), "without a byte order mark: save it as UTF-8"),
        ("map.csv", "<html><table>", "is HTML: copy the table as Markdown"),
        ("map.xls", b"\xd0\xcf\x11\xe0", "save it as .xlsx"),
        ("map.ods", b"PK\x03\x04", "save it as .xlsx"),
        ("map.xlsx", b"PK\x03\x04", "is not a workbook that can be read"),
    ],
)
def test_what_can_not_be_read_is_refused_with_the_cure(name, content, words):
    with pytest.raises(UnreadableFile, match=words):
        problems_of(name, content)


@pytest.mark.parametrize("name", ["map.csv", "map.json", "map.yaml", "map.md", "map"])
@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b" \r\n\t\n"])
def test_an_empty_file_is_called_empty(name, content):
    with pytest.raises(UnreadableFile, match=f"{name} is empty"):
        read_content(name, content)


def test_a_sheet_without_a_value_is_said_to_have_no_row_with_one():
    words = "there is no row with a value, so there is no column `table`."
    assert [str(problem) for problem in problems_of("map.csv", ",,\n,,\n")] == [
        f"map.csv, line 1: {words}"
    ]
    assert [str(problem) for problem in problems_of("map.xlsx", saved(Workbook()))] == [
        f"map.xlsx, line 1: {words}"
    ]


def test_a_value_in_a_column_without_a_name_is_not_dropped_silently():
    problems = problems_of("map.csv", "table,,owner\nparcels,stray,post\n")
    assert problems == [
        "map.csv, line 2: 'stray' is in a column without a name: name the column, or empty it."
    ]


# Workbooks


def workbook(*rows, title="Map", **others):
    """A workbook's bytes. Other sheets are given as lists of rows."""
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    for name, more in others.items():
        sheet = book.create_sheet(name)
        for row in more:
            sheet.append(row)
    return saved(book)


def saved(book):
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def test_a_workbook_is_read_like_csv():
    assert access_of("map.xlsx", workbook(HEAD, ROW)) == FIELDS
    assert access_of("map.xlsx", workbook([], [*HEAD, " "], [], [*ROW, "", "\xa0"])) == FIELDS


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (7.0, "7"),
        (1e16, "10000000000000000"),
        (1.25, "1.25"),
        (True, "true"),
        (date(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1, 8, 30), "2026-03-01 08:30:00"),
        ("'=1", "=1"),
        ("one\r\ntwo", "one\ntwo"),
    ],
)
def test_a_cell_is_what_somebody_typed(value, text):
    assert access_of("map.xlsx", workbook(HEAD, [*ROW[:-1], value]))["notes"] == text


def test_the_sheet_that_is_read_is_named_with_those_that_are_not():
    content = workbook(["How to fill this in"], title="Read me", Map=[HEAD, ROW], Old=[HEAD])
    assert access_of("map.xlsx", content) == FIELDS
    assert read_content("map.xlsx", content).remarks == [
        "Sheet “Map” is read. Not read: “Read me”, “Old”."
    ]


def test_a_hidden_sheet_is_not_read():
    book = Workbook()
    book.active.append(HEAD)
    book.active.sheet_state = "hidden"
    shown = book.create_sheet("Shown")
    shown.append(HEAD)
    shown.append(ROW)
    assert access_of("map.xlsx", saved(book)) == FIELDS
    assert read_content("map.xlsx", saved(book)).remarks == [
        "Sheet “Shown” is read. Not read: “Sheet” (hidden)."
    ]


def test_a_workbook_of_hidden_sheets_is_refused():
    book = Workbook()
    book.active.append(HEAD)
    content = BytesIO()
    with zipfile.ZipFile(BytesIO(saved(book))) as old, zipfile.ZipFile(content, "w") as new:
        for name in old.namelist():
            part = old.read(name).replace(b'state="visible"', b'state="hidden"')
            new.writestr(name, part)
    with pytest.raises(UnreadableFile, match="has no sheet in sight"):
        read_content("map.xlsx", content.getvalue())


def test_a_formula_without_a_value_is_named_by_its_cell():
    content = workbook(HEAD, [*ROW[:-1], "=A2"])
    assert problems_of("map.xlsx", content) == [
        "map.xlsx, line 2: cell F2 has a formula without a value: open and save the file in a spreadsheet."
    ]


def test_an_error_in_a_cell_is_named():
    assert problems_of("map.xlsx", workbook(HEAD, [*ROW[:-1], "#REF!"])) == [
        "map.xlsx, line 2: cell F2 has the error #REF!."
    ]


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_that(monkeypatch):
    monkeypatch.setattr(from_workbook, "MAX_UNPACKED", 20_000)
    content = workbook(HEAD, [*ROW[:-1], "x" * 30_000])
    assert len(content) < 10_000
    with pytest.raises(UnreadableFile, match="unpacks to .* bytes, and may have up to 20,000"):
        read_content("map.xlsx", content)


def changed_part(content, part, old, new):
    """The workbook with another text in one of its parts."""
    file = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(content)) as before,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            text = before.read(name)
            if name == part:
                assert old in text
                text = text.replace(old, new)
            after.writestr(name, text)
    return file.getvalue()


def test_what_a_workbook_says_of_its_size_is_not_believed():
    content = workbook(HEAD, ROW)
    content = changed_part(
        content, "xl/worksheets/sheet1.xml", b'ref="A1:F2"', b'ref="A1:XFD1048576"'
    )
    content = changed_part(content, "xl/worksheets/sheet1.xml", b'<row r="2"', b'<row r="40000"')
    content = changed_part(content, "xl/worksheets/sheet1.xml", b'2"', b'40000"')
    assert access_of("map.xlsx", content) == FIELDS


def test_what_is_far_to_the_right_is_not_dropped_silently(monkeypatch):
    blanks = [None] * 200
    assert (
        access_of(
            "map.xlsx", workbook(HEAD[:-1] + blanks + ["notes"], ROW[:-1] + blanks + ROW[-1:])
        )
        == FIELDS
    )
    assert problems_of("map.xlsx", workbook(HEAD, ROW + blanks + ["stray"])) == [
        "map.xlsx, line 2: has 207 cells, and the first line has 6: give both the same number."
    ]
    monkeypatch.setattr(from_workbook, "MAX_CELLS", 400)
    with pytest.raises(
        UnreadableFile, match="more than 400 cells up to row 2: delete the empty columns"
    ):
        problems_of("map.xlsx", workbook(HEAD + blanks + ["x"], ROW + blanks + ["x"]))


def test_entities_that_multiply_are_refused():
    levels = "".join(f'<!ENTITY a{level + 1} "{f"&a{level};" * 10}">' for level in range(9))
    bomb = f'<!DOCTYPE x [<!ENTITY a0 "{"x" * 100}">{levels}]><worksheet'.encode()
    content = changed_part(workbook(HEAD, ROW), "xl/worksheets/sheet1.xml", b"<worksheet", bomb)
    content = changed_part(content, "xl/worksheets/sheet1.xml", b"<sheetData>", b"<sheetData>&a9;")
    with pytest.raises(UnreadableFile, match="is not a workbook that can be read"):
        read_content("map.xlsx", content)


def test_without_openpyxl_the_error_says_what_to_install(monkeypatch):
    content = workbook(HEAD, ROW)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(UnreadableFile, match=r"install the extra `xlsx`"):
        read_content("map.xlsx", content)


# Names that look like one that is there


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("biztechusers,Core Tables,users", "table biztechUsers"),
        ("biztechUsers,Core tables,users", "group Core Tables"),
        (
            "biztechUsers,Core\xa0Tables,users",
            "Core Tables, which exists: they differ in NO-BREAK SPACE",
        ),
        (
            "biztechUsers,Ｃore Tables,users",
            "they differ in FULLWIDTH LATIN CAPITAL LETTER C (U+FF23)",
        ),
        ("biztechUsers,Core  Tables,users", "they differ in white space"),
        (
            "biztechUsers,Core Tables,Users",
            "service users, which exists: they differ in upper and lower case",
        ),
    ],
)
def test_a_new_name_that_looks_like_one_that_is_there_is_asked_about(seeded, row, words):
    planned = plan_import(read_content("map.csv", f"table,group,owner\n{row}\n".encode()))
    assert len(planned.problems) == 1
    assert words in planned.problems[0]
    assert "or rename that one in the admin first." in planned.problems[0]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            "Orders,Shop,till\norders,Shop,till\n",
            "line 3: table orders: is almost the name of Orders in line 2",
        ),
        (
            "orders,Shop,till\nletters,shop,till\n",
            "line 3: group shop: is almost the name of Shop in line 2",
        ),
        (
            "orders,Shop,till\nletters,Shop,Till\n",
            "line 3: service Till: is almost the name of till in line 2",
        ),
        ("orders,My Shop,till\nletters,My\xa0Shop,till\n", "they differ in NO-BREAK SPACE"),
    ],
)
def test_two_new_names_that_look_alike_are_asked_about_with_both_lines(seeded, rows, words):
    planned = plan_import(read_content("map.csv", f"table,group,owner\n{rows}".encode()))
    assert len(planned.problems) == 1
    assert words in planned.problems[0]
    assert (
        "Write both alike. If both are meant, add them in the admin first." in planned.problems[0]
    )


def test_line_ends_are_no_difference(seeded):
    def planned(notes):
        row = f'biztechUsers,Core Tables,users,users,read_write,"{notes}"\n'
        return plan_import(read_content("map.csv", f"{','.join(HEAD)}\n{row}".encode())).plan

    planned("one\ntwo").apply(user=None, reason="Two lines", source="import")
    assert planned("one\r\ntwo").steps == []
    assert planned("one\rtwo").steps == []
    assert len(planned("one two").steps) == 1
