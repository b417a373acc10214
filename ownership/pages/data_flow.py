"""The picture of one thing's data flow: what data comes from, the thing, what data goes to, in ordered columns.

Lines never cross: every neighbour has a row of its own, and what stands on both sides stands in the same rows of both.
It is laid out twice, side by side for wide windows and one below the other for narrow ones; a style sheet shows one.
"""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from unicodedata import east_asian_width

# Pixels. Names are set in a fixed-width font of 13 px, whose characters are 0.6 em wide; notes in one of 12 px.
_BOX, _GAP, _CENTRE = 330, 110, 240
_PAD, _LINE, _BETWEEN, _HEAD = 12, 17, 8, 28
_NAME_CHARS, _CENTRE_CHARS, _NOTE_CHARS, _NOTE_LINES = 34, 26, 44, 3
_SPINE, _INDENT, _NARROW = 14, 44, 340
# More neighbours than that on one side are a list to read, not a picture.
MOST = 100


@dataclass(frozen=True)
class Neighbour:
    """What data comes from or goes to: its name, its page, short remarks, and the path where it is indirect."""

    name: str
    url: str
    remarks: tuple[str, ...] = ()
    indirect: bool = False
    path: str = ""


@dataclass(frozen=True)
class Side:
    """One column: its heading, its neighbours in order, what it says where there is none, and how many don't fit."""

    heading: str
    neighbours: Sequence[Neighbour]
    nobody: str
    left_out: int = 0


@dataclass(frozen=True)
class Text:
    """A line of text at its place; ``kind`` is its class."""

    kind: str
    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Box:
    """A rectangle with lines of text; a link where it has a ``url``."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    texts: list[Text]
    url: str = ""


@dataclass(frozen=True)
class Arrow:
    """A line, and the head where data arrives (empty where another line goes on)."""

    line: str
    head: str
    kind: str


@dataclass
class Drawing:
    """One layout of the picture."""

    name: str
    width: float
    height: float = 0
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)


@dataclass(frozen=True)
class Picture:
    """Both layouts, the words that say the same, and how many neighbours did not fit."""

    title: str
    words: str
    drawings: list[Drawing]
    left_out: int


def picture(name: str, kind: str, before: Side, after: Side) -> Picture:
    """The data flow around ``name``: from ``before`` to it, from it to ``after``."""
    words = " ".join(_words(side) for side in (before, after))
    drawings = [_wide(name, kind, before, after), _narrow(name, kind, before, after)]
    return Picture(f"Data flow of {name}", words, drawings, before.left_out + after.left_out)


def side_of(heading: str, rows: Sequence[Any], neighbour: Callable[[Any], Neighbour], nobody: str) -> Side:
    """A column of as many of the rows as fit, each told as a neighbour."""
    return Side(heading, [neighbour(row) for row in rows[:MOST]], nobody, max(0, len(rows) - MOST))


def _words(side: Side) -> str:
    names = ", ".join(n.name + (" (indirect)" if n.indirect else "") for n in side.neighbours)
    more = f" and {side.left_out} more" if side.left_out else ""
    return f"{side.heading}: {names}{more}." if names else f"{side.nobody}."


def _wide(name: str, kind: str, before: Side, after: Side) -> Drawing:
    drawing = Drawing("wide", 2 * (_BOX + _GAP) + _CENTRE)
    left, right = _BOX + _GAP, _BOX + _GAP + _CENTRE
    ends = []
    for side, x, start in ((before, 0, _BOX), (after, right + _GAP, right)):
        drawing.texts.append(Text("heading", x, 14, side.heading if side.neighbours else side.nobody))
        y = float(_HEAD)
        for neighbour in side.neighbours:
            box = _box(neighbour, x, y, _BOX)
            middle = y + box.height / 2
            drawing.boxes.append(box)
            drawing.arrows.append(_arrow(start, middle, start + _GAP, middle, box.kind))
            y += box.height + _BETWEEN
        ends.append(y - _BETWEEN)
    lines = _break(name, _CENTRE_CHARS)
    height = max(*ends, _HEAD + len(lines) * _LINE + 50) - _HEAD
    # Where the box is taller than a window, its name stands where one starts to read.
    top = _HEAD + (height - (len(lines) + 1) * _LINE) / 2 if height < 400 else _HEAD + 20
    texts = [Text("kind", left + _CENTRE / 2, top + 12, kind)]
    texts += [Text("name", left + _CENTRE / 2, top + 12 + _LINE * n, line) for n, line in enumerate(lines, 1)]
    drawing.boxes.append(Box(left, _HEAD, _CENTRE, height, "centre", texts))
    drawing.height = _HEAD + height + 2
    return drawing


def _narrow(name: str, kind: str, before: Side, after: Side) -> Drawing:
    drawing = Drawing("narrow", _NARROW)
    y = 0.0
    for side, comes in ((before, True), (after, False)):
        drawing.texts.append(
            Text("heading", 0 if comes else _INDENT, y + 14, side.heading if side.neighbours else side.nobody)
        )
        begins, y = y, y + _HEAD
        middles = []
        for neighbour in side.neighbours:
            box = _box(neighbour, _INDENT, y, _NARROW - _INDENT)
            middle = y + box.height / 2
            middles.append(middle)
            drawing.boxes.append(box)
            if comes:
                drawing.arrows.append(Arrow(f"M{_INDENT} {middle:g}H{_SPINE}", "", box.kind))
            else:
                drawing.arrows.append(_arrow(_SPINE, middle, _INDENT, middle, box.kind))
            y += box.height + _BETWEEN
        if comes:
            y += 2 * _BETWEEN if middles else 0
            if middles:
                drawing.arrows.append(_arrow(_SPINE, middles[0], _SPINE, y, ""))
            lines = _break(name, _NAME_CHARS)
            texts = [Text("kind", _NARROW / 2, y + 20, kind)]
            texts += [Text("name", _NARROW / 2, y + 20 + _LINE * n, line) for n, line in enumerate(lines, 1)]
            height = 34 + _LINE * len(lines)
            drawing.boxes.append(Box(1, y, _NARROW - 2, height, "centre", texts))
            y += height + (2 * _BETWEEN)
        elif middles:
            drawing.arrows.append(Arrow(f"M{_SPINE} {begins - 2 * _BETWEEN:g}V{middles[-1]:g}", "", ""))
    drawing.height = y
    return drawing


def _box(neighbour: Neighbour, x: float, y: float, width: float) -> Box:
    lines = [("name", line) for line in _break(neighbour.name, _NAME_CHARS)]
    lines += [("remark", " · ".join(neighbour.remarks))] if neighbour.remarks else []
    if neighbour.path:
        # Characters of East Asian scripts are twice as wide.
        chars = _NOTE_CHARS // (2 if any(east_asian_width(c) in "WF" for c in neighbour.path) else 1)
        wrapped = textwrap.wrap(neighbour.path, chars, max_lines=_NOTE_LINES, placeholder=" …")
        lines += [("path", line) for line in wrapped]
    texts = [Text(kind, x + _PAD, y + 21 + _LINE * n, line) for n, (kind, line) in enumerate(lines)]
    kind = "indirect" if neighbour.indirect else "direct"
    return Box(x, y, width, 15 + _LINE * len(lines), kind, texts, neighbour.url)


def _arrow(x1: float, y1: float, x2: float, y2: float, kind: str) -> Arrow:
    """A straight arrow, to the right or down."""
    if y1 == y2:
        return Arrow(f"M{x1:g} {y1:g}H{x2 - 8:g}", f"M{x2 - 9:g} {y2 - 5:g}L{x2:g} {y2:g}L{x2 - 9:g} {y2 + 5:g}Z", kind)
    return Arrow(f"M{x1:g} {y1:g}V{y2 - 8:g}", f"M{x2 - 5:g} {y2 - 9:g}L{x2:g} {y2:g}L{x2 + 5:g} {y2 - 9:g}Z", kind)


def _break(name: str, chars: int) -> list[str]:
    """The name in lines, broken at the last ``-``, ``_`` or ``.``, or before the last capital, that fits."""
    lines = []
    while len(name) > chars:
        at = max((n for n in range(chars // 2, chars + 1) if name[n - 1] in "-_." or name[n].isupper()), default=chars)
        lines.append(name[:at])
        name = name[at:]
    return [*lines, name]
