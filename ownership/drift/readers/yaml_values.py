"""Files of others as plain values: mappings, lists and texts that know their place. Nothing in them runs.

YAML is read from the parser's events, not through a loader: so nothing is constructed, depth is limited
before recursion could matter, ``2012-10-17`` and ``yes`` stay text, and an alias is one shared value.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import yaml

from ownership.drift.types import Location, ReadError

MAX_BYTES = 2_000_000  # CloudFormation itself takes templates up to 1 MB
MAX_DEPTH = 100
MAX_VALUES = 200_000  # of one file, merge keys included

HOLE = "\0"  # stands in a text for what could not be resolved; YAML and JSON can't contain it
SEPARATORS = "-_."
NAMED_SO = re.compile(r"(?:env|stage|suffix|postfix)[^.:/]*$", re.IGNORECASE)  # variables that are the environment

_Loader = getattr(yaml, "CLoader", yaml.Loader)  # only its parser is used


@dataclass(frozen=True)
class Variable:
    """A stretch of a text that came from a variable: ``text[start:end]``.

    ``varies``: it stands for the environment, or is chosen by it. ``reason``: why it is unresolved, and so a HOLE.
    """

    start: int
    end: int
    varies: bool
    reason: str | None = None


class Text(str):
    """A text with its place, and with the variables that it was made from."""

    __slots__ = ("place", "variables")
    place: Location
    variables: tuple[Variable, ...]

    def __new__(cls, value: str, place: Location, variables: tuple[Variable, ...] = ()) -> Self:
        text = super().__new__(cls, value)
        text.place, text.variables = place, variables
        return text

    def __deepcopy__(self, memo: dict[int, Any]) -> "Text":
        return self  # never changed

    @property
    def reason(self) -> str | None:
        """Why it is not resolved to its end; None when it is."""
        return next((v.reason for v in self.variables if v.reason), None)

    @property
    def unclear(self) -> bool:
        """Whether something in it is unresolved that does not stand for the environment."""
        return any(v.reason and not v.varies for v in self.variables)

    def part(self, start: int, end: int) -> "Text":
        """``text[start:end]`` with the variables that touch it."""
        inside = (
            Variable(max(v.start, start) - start, min(v.end, end) - start, v.varies, v.reason)
            for v in self.variables
            if (v.start < end and start < v.end) or (v.start == v.end and start <= v.start <= end)
        )
        return Text(self[start:end], self.place, tuple(inside))

    def stripped(self) -> "Text":
        """Without the white space around it, such as a block's last line break."""
        return self.part(len(self) - len(self.lstrip()), len(self.rstrip()))

    def cut(self, separator: str, maximum: int = -1) -> list["Text"]:
        """Like ``str.split``, keeping the variables."""
        parts, start = [], 0
        for piece in self.split(separator, maximum):
            parts.append(self.part(start, start + len(piece)))
            start += len(piece) + len(separator)
        return parts


class Map(dict[str, Any]):
    """A mapping with its place; its keys are Texts. ``varies``: which it is depends on the environment."""

    place: Location
    varies = False

    def key_place(self, key: str) -> Location:
        """Where the key stands."""
        return next((k.place for k in self if k == key and isinstance(k, Text)), self.place)


class Seq(list[Any]):
    """A list with its place; ``varies`` as in Map."""

    place: Location
    varies = False


def concat(pieces: Iterable[str], place: Location) -> Text:
    """The pieces in a row; variables keep their stretches."""
    text, variables = "", []
    for piece in pieces:
        if isinstance(piece, Text):
            shift = len(text)
            variables += [Variable(v.start + shift, v.end + shift, v.varies, v.reason) for v in piece.variables]
        text += piece
    return Text(text, place, tuple(variables))


def from_variable(value: str, place: Location, varies: bool = False) -> Text:
    """The value of a variable, marked as such.

    It varies with the environment by itself, or because only varying variables and separators are in it.
    """
    inner = value.variables if isinstance(value, Text) else ()
    covered = {i for v in inner if v.varies for i in range(v.start, v.end)}
    rest = (c for i, c in enumerate(value) if i not in covered)
    varies = varies or (any(v.varies for v in inner) and all(c in SEPARATORS for c in rest))
    return Text(value, place, (Variable(0, len(value), varies), *inner))


def hole(place: Location, reason: str, varies: bool = False) -> Text:
    """What can't be resolved, and why; ``varies``: it stands for the environment all the same."""
    return Text(HOLE, place, (Variable(0, 1, varies, reason),))


def real(path: Path) -> Path:
    """The path without links; one that is a circle of them stays, and is no file."""
    return Path(os.path.realpath(path))


class Files:
    """Reads the files under one root, and none outside of it."""

    def __init__(self, root: Path):
        self.root = real(root)
        # Projects share what they include, so a few files are kept; more would cost memory.
        self._parsed = lru_cache(maxsize=8)(self._parse)

    def shown(self, path: Path) -> str:
        """The path as evidence names it: relative to the root."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix()

    def find(self, folder: Path, name: str) -> Path | None:
        """The file that ``name`` means, seen from ``folder``; None where there is none.

        Raises ValueError if it lies outside the root, by its name or through a link.
        """
        try:
            path = real(folder / name)
        except (OSError, ValueError) as error:  # a name too long, a NUL
            raise ValueError(f"{name!r} is no usable file name") from error
        if not path.is_relative_to(self.root):
            raise ValueError(f"{name} lies outside {self.root.name or self.root}, the folder to read (--root FOLDER)")
        return path if path.is_file() else None

    def read_text(self, path: Path) -> str:
        """The file's text. Raises ReadError for what is no text of sensible size."""
        place = Location(self.shown(path))
        try:
            if not real(path).is_relative_to(self.root):
                raise ReadError(place, f"is a link out of {self.root.name or self.root}, the folder to read")
            if not path.is_file():
                raise ReadError(place, "is no file")
            if path.stat().st_size > MAX_BYTES:
                raise ReadError(place, f"is larger than {MAX_BYTES:,} bytes")
            return path.read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise ReadError(place, error.strerror or "can't be opened") from error
        except UnicodeDecodeError as error:
            raise ReadError(place, "is no text in UTF-8") from error

    def load(self, path: Path) -> Any:
        """The YAML or JSON file as Map, Seq, Text or None. Raises ReadError."""
        return self._parsed(path)

    def _parse(self, path: Path) -> Any:
        return parse(self.read_text(path), self.shown(path))


def parse(text: str, file: str) -> Any:
    """YAML or JSON as Map, Seq, Text or None; short tags become their long form. Raises ReadError."""
    if file.endswith(".json"):  # where JSON is no YAML: tabs between tokens, and pairs of surrogates
        pair = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)
        text = pair.sub(lambda m: bytes.fromhex(m[1] + m[2]).decode("utf-16-be"), text.replace("\t", " "))
    try:
        return _Builder(file).build(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise ReadError(Location(file, mark.line + 1 if mark else None), error.problem or "is no YAML") from error
    except (yaml.YAMLError, ValueError) as error:
        reason = getattr(error, "reason", None) or "a character that YAML does not allow"
        raise ReadError(Location(file), str(reason)) from error


class _MergeKey(Text):
    """``<<`` without quotes."""


class _Builder:
    def __init__(self, file: str):
        self.file = file
        self.anchors: dict[str, Any] = {}
        self.values = 0

    def _place(self, event: yaml.Event) -> Location:
        return Location(self.file, event.start_mark.line + 1 if event.start_mark else None)

    def _count(self, place: Location, number: int = 1) -> None:
        self.values += number
        if self.values > MAX_VALUES:
            raise ReadError(place, f"has more than {MAX_VALUES:,} values")

    def build(self, events: Iterator[yaml.Event]) -> Any:
        result: list[Any] = []
        open_: list[tuple[yaml.Event, list[Any]]] = []  # the collections around the current value, with their items
        for event in events:
            items = open_[-1][1] if open_ else result
            if isinstance(event, yaml.DocumentStartEvent) and result:
                raise ReadError(self._place(event), "a second document in one file")
            if isinstance(event, yaml.CollectionStartEvent):
                if len(open_) >= MAX_DEPTH:
                    raise ReadError(self._place(event), f"nested deeper than {MAX_DEPTH} levels")
                open_.append((event, []))
            elif isinstance(event, yaml.CollectionEndEvent):
                start, inner = open_.pop()
                make = self._map if isinstance(start, yaml.MappingStartEvent) else self._seq
                (open_[-1][1] if open_ else result).append(self._finish(start, make(start, inner)))
            elif isinstance(event, yaml.ScalarEvent):
                items.append(self._finish(event, self._scalar(event)))
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in self.anchors:
                    raise ReadError(self._place(event), f"*{event.anchor} stands for nothing, or for itself")
                self._count(self._place(event))
                items.append(self.anchors[event.anchor])
        return result[0] if result else None

    def _scalar(self, event: yaml.ScalarEvent) -> Text | None:
        self._count(self._place(event))
        if event.implicit[0] and event.value in {"", "~", "null", "Null", "NULL"}:
            return None
        make = _MergeKey if event.implicit[0] and event.value == "<<" else Text
        return make(event.value, self._place(event))

    def _seq(self, start: yaml.Event, items: list[Any]) -> Seq:
        seq = Seq(items)
        seq.place = self._place(start)
        return seq

    def _map(self, start: yaml.Event, items: list[Any]) -> Map:
        result = Map()
        result.place = self._place(start)
        merged: list[Any] = []
        for key, value in zip(items[::2], items[1::2], strict=True):
            if key is None:
                key = Text("null", result.place)
            if not isinstance(key, Text):
                raise ReadError(getattr(key, "place", result.place), "a key that is no text")
            if isinstance(key, _MergeKey):
                merged += value if isinstance(value, Seq) else [value]
            elif key in result:
                raise ReadError(key.place, f"key {key} twice, first in line {result.key_place(key).line}")
            else:
                result[key] = value
        for other in merged:
            if not isinstance(other, Map):
                raise ReadError(result.place, "<< takes a mapping or a list of mappings")
            self._count(result.place, len(other))
            for key, value in other.items():
                result.setdefault(key, value)
        return result

    def _finish(self, event: Any, value: Any) -> Any:
        """Apply a short-form tag such as ``!Sub`` and remember an anchor."""
        tag: str = event.tag or ""
        if tag.startswith("!") and len(tag) > 1:
            name = tag[1:]
            if name == "GetAtt" and isinstance(value, Text):
                parts, place = value.cut(".", 1), value.place
                value = Seq(parts)
                value.place = place
            long = Map({Text(name if name in {"Ref", "Condition"} else f"Fn::{name}", self._place(event)): value})
            long.place = self._place(event)
            value = long
        if event.anchor:
            self.anchors[event.anchor] = value
        return value
