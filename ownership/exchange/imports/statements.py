"""What a file says about the map: fields of rows with their places, and the file's mistakes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ownership.exchange.texts import with_unix_line_ends
from ownership.models import (
    Access,
    Environment,
    SecondaryIndex,
    Service,
    Table,
    TableGroup,
    Team,
)

KEY_FIELDS = [
    f"{role}_{part}"
    for role in ("partition_key", "sort_key")
    for part in ("name", "type", "format")
]

# The kinds of rows, in the order in which rows can be created.
MODELS: dict[str, Any] = {
    "environment": Environment,
    "group": TableGroup,
    "team": Team,
    "service": Service,
    "table": Table,
    "index": SecondaryIndex,
    "access": Access,
}
KINDS = list(MODELS)

MAX_PROBLEMS = 1_000  # people mend a file step by step
MIN_ROWS = 10_000  # that any file may state

Key = tuple[str, tuple[str, ...]]  # (kind, the names that a row goes by)
FilePlace = int | str  # a line's number, or the path to an entry: "tables › biztechUsers"
FieldValue = str | bool | list[str] | None
Fields = dict[str, FieldValue]  # {field: value}


class Enough(Exception):
    """The file has too many problems, or states too many rows: the last problem says which. Stop reading it."""


@dataclass
class RowStatement:
    """What a file says about one row: some of its fields, each with its place. Rows are named, not numbered."""

    kind: str
    names: tuple[str, ...]
    place: FilePlace
    fields: Fields = field(default_factory=dict)
    places: dict[str, FilePlace] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """Identifies the row."""
        return self.kind, self.names

    @property
    def label(self) -> str:
        """The row as messages name it: ``access payments → biztechUsers``."""
        return f"{self.kind} {row_label(self.kind, self.names)}"


def row_label(kind: str, names: tuple[str, ...]) -> str:
    """What the registry calls a row: ``payments → biztechUsers``."""
    if kind == "access":
        table, service = names
        return f"{service} → {table}"
    return " / ".join(names)


def on_one_line(text: str) -> str:
    """The text for a terminal: control characters are escaped as in Python."""
    characters = []
    for character in text:
        if not character.isprintable():
            character = repr(character)[1:-1]
        characters.append(character)
    return "".join(characters)


def describe_place(place: FilePlace) -> str:
    """``line 7``, or the path as it is."""
    return f"line {place}" if isinstance(place, int) else place


@dataclass
class Statements:
    """Everything that a file says.

    ``complete_kinds`` are the kinds of which the file lists every row; ``complete_parts`` the (kind, table) of which
    it lists every access or index. ``problems`` say where and what to do; ``ignored`` are the lines that are not
    understood, as (line, text); ``remarks`` say what people should know of how the file was read.

    A row takes some characters to state. A file that states more than one for every second of its ``characters``
    multiplies them: with headings of many tables over many accesses, or with YAML's aliases.
    """

    name: str
    characters: int = 0
    by_mention: dict[tuple[Key, bool], RowStatement] = field(default_factory=dict)
    complete_kinds: set[str] = field(default_factory=set)
    complete_parts: set[tuple[str, str]] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    ignored: list[tuple[int, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def mention(
        self,
        kind: str,
        names: tuple[str, ...],
        place: FilePlace,
        fields: Fields | None = None,
    ) -> None:
        """State that a row exists, and perhaps some of its fields. Other mentions of the row must agree."""
        self.add(kind, names, place, fields or {}, once=False)

    def add(
        self,
        kind: str,
        names: tuple[str, ...],
        place: FilePlace,
        fields: Fields,
        *,
        once: bool = True,
    ) -> None:
        """State fields of a row. With ``once``, the file may do so in one place; otherwise all places must agree."""
        mention = ((kind, names), once)
        if len(self.by_mention) >= max(MIN_ROWS, self.characters // 2):
            words = f"the file multiplies its rows to more than {len(self.by_mention):,}: name fewer tables at once."
            self.problems.append(self.message(place, words))
            raise Enough
        statement = self.by_mention.setdefault(mention, RowStatement(kind, names, place))
        if once and statement.place != place:
            first = describe_place(statement.place)
            self.problem(
                place,
                f"{statement.label} is in {first} already: remove one of the two.",
            )
            return
        for name, value in fields.items():
            if isinstance(value, str):
                value = with_unix_line_ends(value)
            stated = statement.fields.setdefault(name, value)
            first = describe_place(statement.places.setdefault(name, place))
            if stated != value:
                words = f"{name} is {value or 'empty'} here and {stated or 'empty'} in {first}: make them agree."
                self.problem(place, f"{statement.label}: {words}")

    def problem(self, place: FilePlace, words: str) -> None:
        """Note a mistake, which keeps the file from being imported."""
        self.problems.append(self.message(place, words))
        if len(self.problems) >= MAX_PROBLEMS:
            self.problems.append(f"{self.name}: more problems follow. Mend these first.")
            raise Enough

    def message(self, place: FilePlace, words: str) -> str:
        """A problem's one line: ``map.csv, line 7: …``. An empty place is the whole file."""
        where = ", ".join(filter(None, [self.name, describe_place(place)]))
        return on_one_line(f"{where}: {words}")

    def in_order(self) -> list[RowStatement]:
        """One statement for each row, in the order in which rows can be created."""
        merged: dict[Key, RowStatement] = {}
        for (key, _), statement in self.by_mention.items():
            row = merged.setdefault(key, RowStatement(*key, statement.place))
            row.fields |= statement.fields
        return sorted(merged.values(), key=lambda statement: KINDS.index(statement.kind))
