"""Markdown in the shape of the original document, which renders as intended whatever names and notes contain."""

import html
import re

import pytest
from django.conf import settings
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ownership.api.serializers import map_of_today
from ownership.exchange.exports.to_markdown import escaped, plain, render
from tests.support.maps import LINES, TEXTS, maps

CHECKED_IN = settings.BASE_DIR / "docs" / "table-ownership-map.md"
FIXTURE = settings.BASE_DIR / "fixtures" / "ownership.yaml"
RENDERER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def rendered(markdown: str) -> str:
    return RENDERER.render(markdown)


def words(text: str) -> list[str]:
    """A text's words; a renderer shows control characters as U+FFFD, or not at all."""
    return re.sub("[\x00-\x1f\x7f-\x9f\ufffd]", " ", text).split()


def shown(fragment: str) -> list[str]:
    """The words that a reader of the HTML sees."""
    return words(html.unescape(re.sub("<[^>]*>", "", re.sub("<br ?/?>", " ", fragment))))


def test_the_checked_in_document_matches_the_fixture_and_the_seeded_registry(seeded, capsys):
    checked_in = CHECKED_IN.read_text(encoding="utf-8")
    call_command("export_map", "--fixture", str(FIXTURE))
    assert capsys.readouterr().out == checked_in
    assert render(map_of_today()) == checked_in


def test_the_document_holds_what_the_original_says(seeded, capsys):
    call_command("export_map")
    text = capsys.readouterr().out
    for line in (
        "## Companion & Gamification Tables",
        "User accounts. Primary key: id (email).",
        "Profiles and connections. Primary key: id (PROFILE#\\<id>) + eventID;year.",
        "### bizSockets / bizStickers / bizScores / bizFeedback / bizJudge",
        "See BTX Database & API for details.",
        "| **teams** (interactions) | Read + Write | Team CRUD |",
        "| members | Write (indirect) | grantMembership calls createProfile() which writes here |",
    ):
        assert line in text.splitlines()


@given(TEXTS | LINES)
def test_every_text_can_be_recovered_from_one_line(text):
    line = escaped(text)
    assert plain(line) == text
    assert len(line.splitlines()) == (1 if text else 0)


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zs", "Zl", "Zp"]), min_size=1)
    | LINES
)
def test_a_renderer_shows_a_text_as_itself(text):
    assert shown(rendered(f"x {escaped(text)} x")) == words(f"x {text} x")


@pytest.mark.slow
@given(maps())
def test_a_renderer_shows_every_table_and_cell_as_itself(content):
    page = rendered(render(content))

    headings = len(content["groups"]) + bool(content["environments"]) + bool(content["teams"])
    assert len(re.findall("<h2>", page)) == headings
    cells = [shown(cell) for cell in re.findall(r"<td>(.*?)</td>", page, re.DOTALL)]
    notes = []
    previous = None
    for table in content["tables"]:
        values = {key: value for key, value in table.items() if key != "name"}
        if values != previous:
            notes += [words(access["notes"]) for access in table["accesses"]]
        previous = values
    assert cells[2::3] == notes


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a | b", "a \\| b"),
        ("snake_case", "snake_case"),
        ("_emphasis_", "\\_emphasis\\_"),
        ("Reads & writes", "Reads & writes"),
        ("&amp;", "\\&amp;"),
        ("one\ntwo", "one<br>two"),
        ("a <br> b", "a \\<br> b"),
        (" end ", "&#32;end&#32;"),
        ("a\u202eb", "a&#8238;b"),
    ],
)
def test_only_markup_is_escaped(text, line):
    assert escaped(text) == line
