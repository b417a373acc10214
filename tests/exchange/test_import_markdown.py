"""Markdown that renders the same means the same; what is not understood is an error with its cure."""

import pytest

from ownership.exchange.imports import from_markdown
from ownership.exchange.imports.formats import UnreadableFile, read_statements

BASE = """# Table Ownership Map

## Depot

Where parcels wait.

### parcels

Parcels of today. Primary key: id [S] (uuid) + day. See [the book](https://example.org/a_b) for details.

- Index by-day (GSI): day

| Service | Access | Notes |
|---|---|---|
| **post** (mail) | Read + Write | Sorts & <stamps> |
| sums | Read |  |

## Environment Suffix Reminder

- **live** (suffix LIVE): Where customers are
"""


def stated(text):
    statements = from_markdown.read("map.md", text)
    assert (statements.problems, statements.ignored) == ([], [])
    return {statement.key: statement.fields for statement in statements.in_order()}


def problems(text):
    return from_markdown.read("map.md", text).problems


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("today. Primary", "today.\nPrimary"),
        ("today. Primary", "today.  \nPrimary"),
        ("today. Primary", "today.\n\nPrimary"),
        ("today. Primary", "today.<br>Primary"),
        ("Primary key:", "**Primary key:**"),
        ("Primary key:", "_Primary key:_"),
        ("Primary key: id [S] (uuid)", "Primary key: `id` [S] (`uuid`)"),
        ("Where parcels wait.", "Where\n  parcels wait."),
        ("## Depot", "Depot\n---"),
        ("## Depot", "  ## **Depot** ##"),
        ("### parcels", "### [parcels](https://example.org)"),
        ("### parcels", "### `parcels`"),
        ("**post**", "__post__"),
        ("**post** (mail)", "**post (mail)**"),
        ("| sums |", "| [sums](https://example.org/sums) |"),
        ("| sums |", "| &nbsp;`sums`\xa0 |"),
        ("| Service | Access | Notes |", "| **Service** | *access* | NOTES |"),
        ("| sums | Read |  |", "| sums | Read |"),
        ("| sums | Read |  |", "sums | read | "),
        ("|---|---|---|", "|:--|:-:|--:|"),
        ("Sorts & <stamps>", "Sorts &amp; &lt;stamps&#x3e;"),
        ("Sorts & <stamps>", "*Sorts* & **&#60;stamps>**"),
        ("- Index", "* Index"),
        ("- **live**", "+ live"),
        ("Where customers are", "Where\n  customers are"),
        ("# Table Ownership Map\n", "Table Ownership Map\n===\n\n<!-- mine -->\n\n---\n"),
        (
            "# Table Ownership Map\n",
            "---\ntitle: Map\n# a remark\ntags:\n- data\n---\n\n# Table Ownership Map\n",
        ),
        ("**post**", "<strong>post</strong>"),
        ("**post** (mail)", "<b><i>post</i></b>\xa0(mail)"),
        ("Sorts & <stamps>", '<span class="x">Sorts</span> &amp; &lt;stamps&gt;'),
        ("Read + Write", "read\xa0+\xa0write"),
        ("Read + Write", "Read+Write"),
        ("Primary key: id", "Primary\xa0key: id"),
        ("\n", "\r\n"),
        ("\n", "\r"),
    ],
)
def test_what_renders_the_same_means_the_same(old, new):
    assert old in BASE
    assert stated(BASE.replace(old, new)) == stated(BASE)


@pytest.mark.parametrize(
    ("written", "notes"),
    [
        ("one<br/>two<BR />three", "one\ntwo\nthree"),
        ("`a*b*` \\*c\\*", "a*b* *c*"),
        ("[a](https://example.org/x_y)", "[a](https://example.org/x_y)"),
        ("<https://example.org/x_y>", "https://example.org/x_y"),
        ("PROFILE#<id>", "PROFILE#<id>"),
        ("a \\| b", "a | b"),
        ("![a](b.png)", "![a](b.png)"),
        ("seen <!-- unseen -->", "seen"),
    ],
)
def test_notes_are_what_a_renderer_shows_and_links_keep_their_addresses(written, notes):
    rows = stated(BASE.replace("Sorts & <stamps>", written))
    assert rows["access", ("parcels", "post")]["notes"] == notes


def test_a_rule_and_a_heading_are_no_front_matter():
    assert ("group", ("Depot",)) in stated("---\n\nDepot\n---\n\n### parcels\n\nOwned by post.\n")


def test_columns_are_known_by_their_names():
    text = BASE.replace("| Service | Access | Notes |", "| Access | Service | Notes |")
    text = text.replace("| **post** (mail) | Read + Write |", "| Read + Write | **post** (mail) |")
    assert stated(text.replace("| sums | Read |", "| Read | sums |")) == stated(BASE)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        (
            "| Service | Access | Notes |",
            "| Who | Access | Notes |",
            13,
            "the head of a table of accesses is",
        ),
        ("|---|---|---|\n", "", 13, "is no table: a table begins with a head and a rule"),
        ("### parcels", "#### parcels", 13, "needs the heading of its table above it"),
        ("- Index", "Primary key: id.\n\n- Index", 11, "is given twice"),
        (
            "Where parcels",
            "<table><tr><td>parcels</td></tr></table>\n\nWhere parcels",
            5,
            "is a table in HTML: copy",
        ),
        ("| sums | Read |  |", "| sums | |", 16, "'' is not an access"),
    ],
)
def test_a_table_that_is_not_understood_is_an_error_with_the_cure(old, new, line, words):
    assert old in BASE
    first = problems(BASE.replace(old, new))[0]
    assert first.startswith(f"map.md, line {line}: ")
    assert words in first


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n \n",
        "parcels are read by post",
        "# Table Ownership Map\n\n* parcels: post",
        "parcels\tpost\n",
        "## Depot\n\n> x",
    ],
)
def test_a_file_of_which_nothing_is_understood_is_an_error_that_says_what_is_expected(text):
    (problem,) = problems(text)
    assert problem.startswith(
        "map.md: nothing in it is understood as tables and accesses. Expected "
    )


def test_an_empty_map_is_understood():
    assert problems("# Table Ownership Map\n") == []


@pytest.mark.parametrize("name", ["map.md", "map.csv", "map.txt"])
def test_a_page_of_html_is_refused(name):
    with pytest.raises(UnreadableFile, match="is HTML: copy the table as Markdown"):
        read_statements(name, "\n<!DOCTYPE html>\n<table>")
