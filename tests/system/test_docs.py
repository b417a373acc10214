"""The documentation's links lead somewhere, and the files and commands that it names exist."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parent.parent.parent
GENERATED = {"table-ownership-map.md", "latest.md"}
FOLDERS = [ROOT, ROOT / "docs", ROOT / "docs/decisions", ROOT / "benchmarks/results"]
PAGES = sorted(
    page for folder in FOLDERS for page in folder.glob("*.md") if page.name not in GENERATED
)
# Files of this repository, from its root or, for a room's modules, from ownership/.
NAMED = re.compile(
    r"(?:ownership|registry|tests|benchmarks|deploy|docs|fixtures|templates)/[\w./-]*\w/?"
    r"|(?:manage|gunicorn\.conf)\.py|docker-compose\.yml|requirements[\w-]*\.txt"
    r"|[a-z_]+/(?:[a-z_]+/)*[a-z_]+\.py"
)
PLACEHOLDER = "benchmarks/NAME.py"
BLOCK = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
TARGETS = set(
    re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def code_of(page: Path) -> list[str]:
    """The page's code blocks, and its texts between backticks."""
    text = page.read_text(encoding="utf-8")
    return BLOCK.findall(text) + re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links_of(page: Path) -> Iterator[tuple[str, str]]:
    """(file, anchor) of each link inside the repository; either may be empty."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"\w+:", target):
            file, _, anchor = target.partition("#")
            yield file, anchor


@each_page
def test_every_link_leads_to_a_file_and_a_heading(page):
    broken = []
    for file, anchor in links_of(page):
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(f"{file}#{anchor}")
    assert broken == []


@each_page
def test_every_file_that_is_named_exists(page):
    words = {word for code in code_of(page) for word in code.split()}
    named = {word for word in words if NAMED.fullmatch(word)} - {PLACEHOLDER}
    places = [ROOT, ROOT / "ownership"]
    assert {word for word in named if not any((place / word).exists() for place in places)} == set()


@each_page
def test_every_command_that_is_named_exists(page):
    code = code_of(page)
    commands = {name for part in code for name in re.findall(r"manage\.py ([a-z_]+)", part)}
    modules = {
        name
        for part in code
        for name in re.findall(r"python -m ((?:ownership|tests|benchmarks)[\w.]*)", part)
    }
    targets = {name for part in code for name in re.findall(r"^make ([a-z-]+)", part, re.MULTILINE)}

    assert commands - get_commands().keys() == set()
    assert {name for name in modules if find_spec(name) is None} == set()
    assert targets - TARGETS == set()


@each_page
def test_every_import_in_an_example_works(page):
    for code in code_of(page):
        for line in re.findall(r"^from ownership.*", code, re.MULTILINE):
            exec(line)
