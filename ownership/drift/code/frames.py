"""Frames: functions interpreted with certain arguments, and what they were found to do."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from ownership.drift.code import syntax
from ownership.drift.code.possibilities import (
    NOTHING,
    UNKNOWN_VALUE,
    Cell,
    Class,
    CodeValue,
    Str,
)
from ownership.drift.types import READ_AND_WRITE, Location, ReadOrWrite


@dataclass(frozen=True)
class TableUse:
    """An operation on a table. ``location`` is the call of the SDK, ``named_at`` the call that names the table."""

    operation: str
    table: Str
    index: Str | None
    location: Location
    named_at: Location


@dataclass(frozen=True)
class Doubt:
    """Something that may use tables and can't be followed; ``modes``: what it may do with them."""

    location: Location
    why: str
    modes: tuple[ReadOrWrite, ...] = READ_AND_WRITE


@dataclass(frozen=True)
class UnknownCall:
    """A call of a method of something unknown: ``this.users.find()``."""

    receiver: str
    method: str
    location: Location


class ImportSource(NamedTuple):
    """What a line of a file imports from. ``level``: the dots of a relative import in Python."""

    file: str
    module: str
    level: int
    line: int


@dataclass(slots=True)
class Arguments:
    """The arguments of a call. ``rest``: those whose position isn't known; ``more``: those whose name isn't."""

    positional: list[CodeValue]
    keywords: dict[str, CodeValue] = field(default_factory=dict)
    rest: CodeValue = NOTHING
    more: CodeValue = NOTHING

    def at(self, position: int) -> CodeValue:
        """The argument at a position; nothing if there is none."""
        if position < len(self.positional):
            return self.positional[position]
        return self.rest

    def all(self) -> list[CodeValue]:
        """All of them, in whatever way they are passed."""
        return [*self.positional, *self.keywords.values(), self.rest, self.more]

    def key(self) -> tuple[object, ...]:
        """What distinguishes calls of one function."""
        return (
            tuple(self.positional),
            tuple(sorted(self.keywords.items(), key=itemgetter(0))),
            self.rest,
            self.more,
        )


def unknown_arguments(number: int = 6) -> Arguments:
    """Arguments of which nothing is known."""
    return Arguments([UNKNOWN_VALUE] * number)


FrameKey: TypeAlias = tuple[object, ...]


@dataclass(slots=True, eq=False)
class Frame:
    """One function with certain arguments. ``scope`` is the frame of the function around it.

    ``at_import``: it runs when a module is imported, and so only prepares what handlers do later.
    """

    function: syntax.Function
    scope: "Frame | None"
    this: CodeValue = NOTHING
    arguments: Arguments = field(default_factory=lambda: Arguments([]))
    creator: "Frame | None" = None
    at_import: bool = False
    variables: dict[str, Cell] = field(default_factory=dict)
    result: Cell = field(default_factory=Cell)
    yielded: Cell = field(default_factory=Cell)
    cls: Class | None = None  # the class whose method it is
    uses: dict[TableUse, None] = field(default_factory=dict)
    doubts: dict[Doubt, None] = field(default_factory=dict)
    calls: "dict[Frame, int]" = field(default_factory=dict)
    unknown_calls: dict[UnknownCall, None] = field(default_factory=dict)
    rounds: int = 0

    @property
    def is_python(self) -> bool:
        """Whether its function is written in Python."""
        return self.function.module.is_python

    @property
    def file(self) -> str:
        """The file of its function."""
        return self.function.module.file

    @property
    def label(self) -> str:
        """Its function as reports name it: ``lib/db.js#create``."""
        name = self.function.name or "(module)"
        return f"{self.file}#{name}"

    def around(self) -> Iterator["Frame"]:
        """The frame itself, and those of the functions around it, innermost first."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.scope

    def creators(self) -> Iterator["Frame"]:
        """The frame itself, and those whose calls led to it, latest first."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.creator

    def cell(self, name: str) -> Cell:
        """The cell of one of its variables."""
        if name not in self.variables:
            self.variables[name] = Cell()
        return self.variables[name]

    def location(self, line: int) -> Location:
        """A line of its file."""
        return Location(self.file, line)
