"""Reads the text of the wiki page that the registry replaces: as copied from there, its rows' cells run together.

A table is known by what stands under its name: a line ``ServiceAccessNotes`` with rows, or a sentence ``Owned by …``.
A heading right above the first table of a group is the group's. The first row is the owner's, as on the page.
"""

import re
from typing import Any

from ownership.exchange.imports.markdown_sentences import MODE_WORDS, access_fields, of_table
from ownership.exchange.imports.statements import Stated

HEAD = "ServiceAccessNotes"
_NAMES = re.compile(r"[a-zA-Z0-9_.-]{3,255}(?:(?: / |, )[a-zA-Z0-9_.-]{3,255})*")
_OWNED = re.compile(r"(?:^|.* )(?:All owned|Owned) by .*\.")
_ROW = re.compile(
    r"(?P<service>[a-zA-Z0-9_.-]+?)(?: \((?P<part_of>[a-zA-Z0-9_.-]+)\))?"
    rf"(?P<mode>(?:{MODE_WORDS})(?: \(indirect\))?)(?P<notes>.*)"
)


def read(name: str, text: str) -> Stated:
    """What the document states. It has neither key types nor indexes nor environments, and nothing says it is whole."""
    return _Reader(name, text).read()


def _as_it_is(text: str) -> str:
    return text


class _Reader:
    """The lines that say something, by number, and which of them are taken."""

    def __init__(self, name: str, text: str) -> None:
        self.stated = Stated(name)
        self.lines = {n: line.strip() for n, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1)}
        self.numbers = [number for number, line in self.lines.items() if line]
        self.taken: set[int] = set()
        self.group: str | None = None

    def read(self) -> Stated:
        for place, number in enumerate(self.numbers):
            line = self.lines[number]
            if line == HEAD:
                rows = self._rows(place)
                # A name and a description, or a name alone.
                after_name = 1 if self._is_names(place - 1) and not self._is_names(place - 2) else 2
                self._tables(place - after_name, self._above(place) if after_name == 2 else None, rows)
                self.taken.add(number)
            elif _OWNED.fullmatch(line) and (place + 1 == len(self.numbers) or self._line(place + 1) != HEAD):
                self._tables(place - 1, number, [])
        self.stated.ignored = [(n, self.lines[n]) for n in self.numbers if n not in self.taken]
        return self.stated

    def _line(self, place: int) -> str:
        return self.lines[self.numbers[place]] if 0 <= place < len(self.numbers) else ""

    def _above(self, place: int) -> int | None:
        return self.numbers[place - 1] if place > 0 else None

    def _is_names(self, place: int) -> bool:
        return _NAMES.fullmatch(self._line(place)) is not None

    def _rows(self, place: int) -> list[int]:
        """The numbers of the lines right below a head."""
        number = self.numbers[place] + 1
        found = []
        while self.lines.get(number):
            found.append(number)
            number += 1
        return found

    def _tables(self, place: int, paragraph: int | None, rows: list[int]) -> None:
        """State the tables that the line at ``place`` names, by the paragraph and rows under it."""
        if not self._is_names(place):
            line = paragraph or rows[0] if paragraph or rows else self.numbers[max(place, 0)]
            self.stated.problem(line, "no table's name stands above this: write it on a line of its own.")
            return
        number = self.numbers[place]
        above = self._above(place)
        if above is not None and above not in self.taken:
            self.group = self.lines[above]
            self.stated.state("group", (self.group,), above)
            self.taken.add(above)
        fields = of_table(self.lines[paragraph], _as_it_is) if paragraph else {}
        if fields is None:
            self.stated.problem(paragraph or number, "write the key schema as `Primary key: id (email) + year.`")
            return
        self.taken |= {number, *rows} | ({paragraph} if paragraph else set())
        # What the page has no form for.
        unsaid = {"partition_key_type", "sort_key_type", "more_url"}
        said: dict[str, Any] = {name: value for name, value in fields.items() if name not in unsaid}
        accesses = self._accesses(rows)
        if accesses and "owner" not in said:
            said["owner"] = accesses[0][1]
        if self.group is not None:
            said["group"] = self.group
        if "owner" in said:
            self.stated.state("service", (said["owner"],), number, once=False)
        for table in re.split(r" / |, ", self.lines[number]):
            self.stated.state("table", (table,), number, **said)
            for line, service, access in accesses:
                self.stated.state("access", (table, service), line, **access)

    def _accesses(self, rows: list[int]) -> list[tuple[int, str, dict]]:
        found = []
        for number in rows:
            row = _ROW.fullmatch(self.lines[number])
            fields = access_fields(row["mode"]) if row else None
            if row is None or fields is None:
                self.stated.problem(number, f"{self.lines[number]!r} is no access: write service, access and notes.")
                continue
            self.stated.state("service", (row["service"],), number, once=False, part_of=row["part_of"])
            if row["part_of"]:
                self.stated.state("service", (row["part_of"],), number, once=False)
            found.append((number, row["service"], {**fields, "notes": row["notes"]}))
        return found
