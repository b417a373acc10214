"""The documentation's links lead somewhere, and the files that it names exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
GENERATED = {"table-ownership-map.md", "latest.md"}
FOLDERS = [ROOT, ROOT / "docs", ROOT / "docs/decisions", ROOT / "benchmarks/results"]
PAGES = sorted(page for folder in FOLDERS for page in folder.glob("*.md") if page.name not in GENERATED)
# Folders whose files the documentation names; `registry.service` and the like are not ours.
NAMED = re.compile(
    r"(?:ownership|registry|tests|benchmarks|docs|fixtures|templates)/[\w./-]*\w/?"
    r"|(?:manage|gunicorn\.conf)\.py|docker-compose\.yml|requirements[\w-]*\.txt"
)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def without_blocks(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(page.read_text(encoding="utf-8")), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


def links_of(page: Path) -> Iterator[tuple[str, str]]:
    """(file, anchor) of each link inside the repository; either may be empty."""
    for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(page.read_text(encoding="utf-8"))):
        if not re.match(r"\w+:", target):
            file, _, anchor = target.partition("#")
            yield file, anchor


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading(page):
    broken = []
    for file, anchor in links_of(page):
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(f"{file}#{anchor}")
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_is_named_exists(page):
    spans = re.findall(r"`([^`\n]+)`", without_blocks(page.read_text(encoding="utf-8")))
    named = {word for span in spans for word in span.split() if NAMED.fullmatch(word)}
    assert {word for word in named if not (ROOT / word).exists()} == set()
