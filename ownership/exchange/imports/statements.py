"""What a file states: of which rows it tells which fields, in which line; and what is wrong with it."""

from dataclasses import dataclass, field
from typing import Any

KEY_FIELDS = [f"{role}_{part}" for role in ("partition_key", "sort_key") for part in ("name", "type", "format")]

# In the order in which rows can be made.
KINDS = ["environment", "group", "service", "table", "index", "access"]


@dataclass
class Statement:
    """One row: its kind, the names that it goes by, and those of its fields that the file tells, each with its line."""

    kind: str
    key: tuple[str, ...]
    line: int
    fields: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """As the registry calls it."""
        return label(self.kind, self.key)


def label(kind: str, key: tuple[str, ...]) -> str:
    """``access payments → biztechUsers``."""
    if kind == "access":
        return f"access {key[1]} → {key[0]}"
    return f"{kind} {' / '.join(key)}"


def in_a_line(text: str) -> str:
    """The text for a terminal: line breaks and what else can't be seen as Python writes them."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


@dataclass
class Stated:
    """All that a file states.

    ``lists`` are the kinds of which the file has all there are; ``parts`` the (kind, table) of which it lists all
    accesses or indexes. ``problems`` name line and cure; ``ignored`` are lines that say nothing that is understood.
    """

    name: str
    statements: dict[tuple[str, tuple[str, ...], bool], Statement] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    parts: set[tuple[str, str]] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    ignored: list[tuple[int, str]] = field(default_factory=list)

    def state(self, kind: str, key: tuple[str, ...], line: int, /, *, once: bool = True, **fields: Any) -> None:
        """Tell of a row. ``once``: it may stand only here; else it may stand again, and must then say the same."""
        statement = self.statements.setdefault((kind, key, once), Statement(kind, key, line))
        if once and statement.line != line:
            self.problem(line, f"{statement.label} stands in line {statement.line} already: remove one of the two.")
            return
        for name, value in fields.items():
            if statement.fields.setdefault(name, value) == value:
                statement.lines.setdefault(name, line)
            else:
                self.problem(
                    line,
                    f"{statement.label}: {name} is {value or 'empty'!s} here, and {statement.fields[name] or 'empty'!s}"
                    f" in line {statement.lines[name]}: make them agree.",
                )

    def problem(self, line: int, words: str) -> None:
        """Something that keeps the file from being imported."""
        self.problems.append(in_a_line(f"{self.name}, line {line}: {words}"))

    def ordered(self) -> list[Statement]:
        """The statements, a row's mentions joined to what tells of it, in the order in which rows can be made."""
        found: dict[tuple[str, tuple[str, ...]], Statement] = {}
        for (kind, key, _), statement in self.statements.items():
            known = found.setdefault((kind, key), Statement(kind, key, statement.line))
            known.fields |= statement.fields
        return sorted(found.values(), key=lambda one: KINDS.index(one.kind))
