"""What files state, and how their mistakes are reported: with file, line and cure, all at once."""

import os
from pathlib import Path

import pytest

from ownership.exchange.imports import from_csv, from_map, from_markdown
from ownership.exchange.imports.formats import UnreadableFile, read
from ownership.exchange.imports.import_plan import plan_import

HEAD = "table,group,owner,service,mode,indirect,notes\n"
ROWS = "| Service | Access | Notes |\n|---|---|---|\n"
TABLE = "## Group\n\n### one\n\n" + ROWS


def fields(statements, kind, *key):
    (found,) = [one for one in statements.in_order() if one.key == (kind, key)]
    return found.fields


# Markdown


def test_markdown_as_people_edit_it_is_read_like_our_own():
    statements = from_markdown.read(
        "map.md",
        "## Shop\r\n\r\n### shopOrders, shopCarts\r\n\r\nOrders. Primary key: id (UUID) + day [N]. Owned by shop."
        " See [the book](https://example.org/a) for details.\r\n"
        "- Index by-day (GSI): day\r\n\r\n|Service|Access|Notes|\r\n|:--|--:|---|\r\n"
        "|mailer (post)|Read (indirect)|a \\| b|\r\n",
    )
    assert (statements.problems, statements.ignored) == ([], [])
    for table in ("shopOrders", "shopCarts"):
        assert fields(statements, "table", table) == {
            "group": "Shop",
            "owner": "shop",
            "description": "Orders.",
            "partition_key_name": "id",
            "partition_key_type": "",
            "partition_key_format": "UUID",
            "sort_key_name": "day",
            "sort_key_type": "N",
            "sort_key_format": "",
            "more_title": "the book",
            "more_url": "https://example.org/a",
        }
        assert fields(statements, "access", table, "mailer") == {
            "mode": "read",
            "indirect": True,
            "notes": "a | b",
        }
        assert fields(statements, "index", table, "by-day")["partition_key_name"] == "day"
    assert fields(statements, "service", "mailer") == {"part_of": "post"}


def test_lines_that_are_not_understood_are_listed_by_number():
    statements = from_markdown.read(
        "map.md", f"# Mine\n\n{TABLE}| a | Read | |\n\nA word on the side.\n\n#### Deeper\n"
    )
    assert statements.ignored == [(1, "# Mine"), (11, "A word on the side."), (13, "#### Deeper")]


def test_in_the_lists_of_environments_and_teams_only_their_lines_are_understood():
    statements = from_markdown.read(
        "map.md",
        f"{TABLE}| a | Read | |\n\n"
        f"## Environment Suffix Reminder\n\n- **live** (suffix LIVE)\n\n  More of it.\n\n{ROWS}\n"
        "## Teams and Their Services\n\n- : a service\n",
    )
    assert statements.problems == []
    assert {number for number, _ in statements.ignored} == {11, 13, 15, 16, 20}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("### one\n", 1, "needs a group's heading above it"),
        (
            TABLE + "| a | Raed | |\n",
            7,
            "'Raed' is not an access: write Read, Write or Read + Write",
        ),
        (TABLE + "| a b | Read | |\n", 7, "'a b' is not a service"),
        (TABLE + "| a | Read | x | y |\n", 7, "has 4 cells instead of 3"),
        (TABLE + "| a | Read | |\n| a | Write | |\n", 8, "access a → one is in line 7 already"),
        (TABLE + "| **a** | Read | |\n| **b** | Write | |\n", 8, "a and b can't both be owner"),
        (
            TABLE + "| a (b) | Read | |\n### two\n" + ROWS + "| a | Read | |\n",
            11,
            "part_of is empty here and b in line 7",
        ),
        (TABLE + "\n### one\n", 8, "table one is in line 3 already"),
        ("## G\n### one\nPrimary key: a + b + c.\n", 3, "write the key schema as"),
        ("## G\n### one\n- Index\n- Index x (GSX)\n", 4, "write an index as"),
        ("## G\n### one\nPrimary key: a [S] [N].\n", 3, "write the key schema as"),
        (
            TABLE + "| a | Read | |\n\n" + ROWS + "| b | Read | |\n",
            9,
            "is a second table of accesses",
        ),
    ],
)
def test_a_mistake_in_markdown_is_reported_with_its_line(text, line, words):
    (problem,) = from_markdown.read("map.md", text).problems
    assert problem.startswith(f"map.md, line {line}: ")
    assert words in problem


# CSV


def test_a_missing_column_states_nothing():
    statements = from_csv.read("map.csv", "table,owner\none,a\n")
    assert fields(statements, "table", "one") == {"owner": "a"}
    assert statements.complete_parts == set()


def test_a_row_is_reported_with_the_line_on_which_it_begins():
    statements = from_csv.read(
        "map.csv", HEAD + 'one,G,a,a,read,FALSE,"two\nlines"\none,G,a,b,raed,true,\n'
    )
    assert fields(statements, "access", "one", "a") == {
        "mode": "read",
        "indirect": False,
        "notes": "two\nlines",
    }
    assert statements.problems == [
        "map.csv, line 4: mode is 'raed': write one of read, write, read_write."
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "no column `table`"),
        ("name\none\n", 1, "unknown column 'name'"),
        ("table,table\n", 1, "column 'table' is given twice"),
        ("table,notes\n", 1, "no column `service`"),
        (HEAD + "one,G,a\n", 2, "has 3 cells, and the first line has 7"),
        (HEAD + ",G,a,,,,\n", 2, "names no table"),
        (HEAD + "one,,a,,,,\n", 2, "group is empty"),
        (HEAD + "one,G,a,a,read,maybe,\n", 2, "indirect is 'maybe': write true or false"),
        (HEAD + "one,G,a,,read,,\n", 2, "not of which service"),
        (
            HEAD + "one,G,a,a,read,true,\none,G,b,b,read,true,\n",
            3,
            "owner is b here and a in line 2",
        ),
        (
            HEAD + "one,G,a,a,read,true,\none,G,a,a,read,true,\n",
            3,
            "access a → one is in line 2 already",
        ),
        (HEAD + 'one,G,a,a,read,true,"x\n', 2, "is not CSV"),
    ],
)
def test_a_mistake_in_csv_is_reported_with_its_line(text, line, words):
    problem = from_csv.read("map.csv", text).problems[0]
    assert problem.startswith(f"map.csv, line {line}: ")
    assert words in problem


@pytest.mark.parametrize(
    "row",
    [
        "biztechUsers,Core Tables,users,bots,raed,false,",
        "biztechUsers,Core Tables,users,users,raed,false,",
        "biztechUsers,Core Tables,users,bots,,false,",
        "newTable,Core Tables,users,bots,raed,false,",
    ],
    ids=["new access", "known access", "empty", "new table"],
)
def test_an_invalid_mode_is_reported_once(seeded, row):
    (problem,) = plan_import(from_csv.read("map.csv", f"{HEAD}{row}\n")).problems
    assert "write one of read, write, read_write" in problem


def test_a_missing_mode_is_reported_once(seeded):
    text = "table,group,owner,service\nbiztechUsers,Core Tables,users,bots\n"
    assert plan_import(from_csv.read("map.csv", text)).problems == [
        "map.csv, line 2: access bots → biztechUsers: is new, so it needs a mode."
    ]


# Files that take too long or too much memory


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    pipe = tmp_path / "map.csv"
    os.mkfifo(pipe)
    with pytest.raises(UnreadableFile, match="map.csv is not a file"):
        read(pipe)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/tmp"])
def test_a_device_or_folder_is_not_a_file(path):
    with pytest.raises(UnreadableFile, match="is not a file"):
        read(Path(path))


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("ownership.exchange.imports.formats.MAX_BYTES", 10)
    file = tmp_path / "map.csv"
    file.write_text("table\n" + "x" * 5)
    with pytest.raises(UnreadableFile, match="is larger than 10 bytes"):
        read(file)


def test_headings_that_multiply_rows_are_stopped():
    tables = ", ".join(f"t{number}" for number in range(300))
    rows = "".join(f"| s{number} | Read | |\n" for number in range(300))
    statements = from_markdown.read("map.md", TABLE.replace("one", tables) + rows)
    assert len(statements.by_mention) == 10_000
    (problem,) = statements.problems
    assert "the file multiplies its rows to more than 10,000" in problem


def test_aliases_that_multiply_rows_are_stopped():
    accesses = ", ".join(f"{{service: s{number}, mode: read}}" for number in range(200))
    tables = "".join(f"- {{name: t{number}, accesses: *all}}\n" for number in range(200))
    statements = from_map.read("map.yaml", f"groups: &all [{accesses}]\ntables:\n{tables}")
    assert "the file multiplies its rows" in statements.problems[-1]


def test_an_alias_of_an_alias_is_written_out_in_short():
    levels = "".join(f"a{level + 1}: &a{level + 1} [*a{level}, *a{level}]\n" for level in range(60))
    statements = from_map.read("map.yaml", f"a0: &a0 {{name: x}}\n{levels}tables: *a60\n")
    assert max(map(len, statements.problems)) < 300


def test_a_file_without_end_of_problems_is_stopped():
    statements = from_csv.read("map.csv", HEAD + "x\n" * 5_000)
    assert len(statements.problems) == 1_001
    assert statements.problems[-1] == "map.csv: more problems follow. Mend these first."


def test_thousands_of_unknown_columns_are_named_in_short():
    columns = ",".join(f"c{number:05}" for number in range(20_000))
    (problem, _) = from_csv.read("map.csv", f"{columns}\n").problems
    assert "'c00009', and 19,990 more. The columns are" in problem
