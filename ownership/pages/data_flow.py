"""The picture of a data flow: where data comes from, a table or service, where data goes, in three columns.

Lines never cross: every neighbour has a row of its own, and one that stands on both sides has the same row on both.
The picture is laid out twice, side by side for wide windows and one below the other for narrow ones; the style sheet
shows one of them. The template ``picture.html`` draws them as SVG.
"""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from unicodedata import east_asian_width

from ownership.models import Access, Mode, Service, Table

# Lengths are in pixels. Names have a fixed-width font of 13 px, whose characters are 0.6 em wide; notes have 12 px.
BOX_WIDTH, ARROW_WIDTH, CENTRE_WIDTH = 330, 110, 240
PADDING, LINE_HEIGHT, ROW_GAP, HEADING_HEIGHT = 12, 17, 8, 28
# Characters that fit on a line of a neighbour's name, of the centre's name, and of a note; lines of a note.
NAME_CHARACTERS, CENTRE_CHARACTERS, NOTE_CHARACTERS, NOTE_LINES = 34, 26, 44, 3
# The narrow layout: x of the vertical line, x of the boxes, width.
SPINE, INDENT, NARROW_WIDTH = 14, 44, 340
# More neighbours on one side are a list to read, not a picture.
MAX_NEIGHBOURS = 100


@dataclass(frozen=True)
class Neighbour:
    """What data comes from or goes to: name, address, short remarks, and the path of an indirect access."""

    name: str
    url: str
    remarks: tuple[str, ...] = ()
    indirect: bool = False
    path: str = ""


@dataclass(frozen=True)
class FlowSide:
    """One column: heading, neighbours in order, what it says without any, and how many are left out."""

    heading: str
    neighbours: Sequence[Neighbour]
    nobody: str
    left_out: int = 0

    @property
    def title(self) -> str:
        """The heading, or that there is nobody."""
        return self.heading if self.neighbours else self.nobody


@dataclass(frozen=True)
class FlowText:
    """A line of text and where it begins; ``kind`` is its CSS class."""

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
    texts: list[FlowText]
    url: str = ""

    @property
    def middle(self) -> float:
        """The y of its middle, where arrows begin and end."""
        return self.y + self.height / 2


@dataclass(frozen=True)
class Arrow:
    """SVG paths of a line and of its head; no head where another line continues it."""

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
    texts: list[FlowText] = field(default_factory=list)


@dataclass(frozen=True)
class Picture:
    """Both layouts, the words that say the same, and how many neighbours are left out."""

    title: str
    words: str
    drawings: list[Drawing]
    left_out: int


def flow_side(
    heading: str,
    nobody: str,
    accesses: list[Access],
    neighbour: Callable[[Access], Neighbour],
) -> FlowSide:
    """A column for these accesses. The one by the table's owner comes first, then those that read and write.

    Of both columns of a picture, so that each neighbour has the same row in both.
    """

    def order(access: Access) -> tuple[bool, bool]:
        return not access.is_by_owner, access.mode != Mode.READ_WRITE

    shown = sorted(accesses, key=order)[:MAX_NEIGHBOURS]
    neighbours = [neighbour(access) for access in shown]
    return FlowSide(heading, neighbours, nobody, left_out=len(accesses) - len(neighbours))


def flow_neighbour(row: Table | Service, access: Access, *, owned: str, both: str) -> Neighbour:
    """The table or service at the other end of an access, with words for the owner's and for one that does both."""
    remarks = []
    if access.is_by_owner:
        remarks.append(owned)
    if access.mode == Mode.READ_WRITE:
        remarks.append(both)
    if access.indirect:
        remarks.append("indirect")
    path = access.notes if access.indirect else ""
    return Neighbour(row.name, row.get_absolute_url(), tuple(remarks), access.indirect, path)


def picture(name: str, kind: str, before: FlowSide, after: FlowSide) -> Picture:
    """Draw the data flow around ``name``: from ``before`` to it, and from it to ``after``."""
    words = f"{_words(before)} {_words(after)}"
    drawings = [_wide(name, kind, before, after), _narrow(name, kind, before, after)]
    return Picture(f"Data flow of {name}", words, drawings, before.left_out + after.left_out)


def _words(side: FlowSide) -> str:
    if not side.neighbours:
        return f"{side.nobody}."
    names = []
    for neighbour in side.neighbours:
        names.append(f"{neighbour.name} (indirect)" if neighbour.indirect else neighbour.name)
    more = f" and {side.left_out} more" if side.left_out else ""
    return f"{side.heading}: {', '.join(names)}{more}."


def _wide(name: str, kind: str, before: FlowSide, after: FlowSide) -> Drawing:
    """Lay out three columns; arrows lead from left to right."""
    centre_left = BOX_WIDTH + ARROW_WIDTH
    centre_right = centre_left + CENTRE_WIDTH
    drawing = Drawing("wide", centre_right + ARROW_WIDTH + BOX_WIDTH)
    bottom_before = _wide_column(drawing, before, 0, arrows_from=BOX_WIDTH)
    bottom_after = _wide_column(
        drawing, after, centre_right + ARROW_WIDTH, arrows_from=centre_right
    )

    lines = _break(name, CENTRE_CHARACTERS)
    bottom = max(bottom_before, bottom_after, HEADING_HEIGHT + len(lines) * LINE_HEIGHT + 50)
    height = bottom - HEADING_HEIGHT
    if height < 400:
        text_top = HEADING_HEIGHT + (height - (len(lines) + 1) * LINE_HEIGHT) / 2
    else:
        # The box is taller than a window: its name is where one begins to read.
        text_top = HEADING_HEIGHT + 20
    texts = _centre_texts(kind, lines, centre_left + CENTRE_WIDTH // 2, text_top + 12)
    drawing.boxes.append(Box(centre_left, HEADING_HEIGHT, CENTRE_WIDTH, height, "centre", texts))
    drawing.height = bottom + 2
    return drawing


def _wide_column(drawing: Drawing, side: FlowSide, x: float, arrows_from: float) -> float:
    """Add one side's boxes and arrows; return the y where they end."""
    drawing.texts.append(FlowText("heading", x, 14, side.title))
    y: float = HEADING_HEIGHT
    for neighbour in side.neighbours:
        box = _box(neighbour, x, y, BOX_WIDTH)
        drawing.boxes.append(box)
        drawing.arrows.append(
            _arrow_right(arrows_from, arrows_from + ARROW_WIDTH, box.middle, box.kind)
        )
        y += box.height + ROW_GAP
    return y - ROW_GAP


def _narrow(name: str, kind: str, before: FlowSide, after: FlowSide) -> Drawing:
    """Lay out one column: boxes hang on a vertical line at the left, which leads down to the centre and on."""
    drawing = Drawing("narrow", NARROW_WIDTH)
    y: float = 0
    drawing.texts.append(FlowText("heading", 0, y + 14, before.title))
    boxes = _narrow_column(drawing, before, y + HEADING_HEIGHT)
    y += HEADING_HEIGHT
    for box in boxes:
        drawing.arrows.append(Arrow(f"M{INDENT} {box.middle:g}H{SPINE}", "", box.kind))
        y = box.y + box.height + ROW_GAP
    if boxes:
        y += 2 * ROW_GAP
        drawing.arrows.append(_arrow_down(SPINE, boxes[0].middle, y))

    lines = _break(name, NAME_CHARACTERS)
    texts = _centre_texts(kind, lines, NARROW_WIDTH // 2, y + 20)
    height = 34 + LINE_HEIGHT * len(lines)
    drawing.boxes.append(Box(1, y, NARROW_WIDTH - 2, height, "centre", texts))
    centre_bottom = y + height

    y = centre_bottom + 2 * ROW_GAP
    drawing.texts.append(FlowText("heading", INDENT, y + 14, after.title))
    y += HEADING_HEIGHT
    boxes = _narrow_column(drawing, after, y)
    for box in boxes:
        drawing.arrows.append(_arrow_right(SPINE, INDENT, box.middle, box.kind))
        y = box.y + box.height + ROW_GAP
    if boxes:
        drawing.arrows.append(Arrow(f"M{SPINE} {centre_bottom:g}V{boxes[-1].middle:g}", "", ""))
    drawing.height = y
    return drawing


def _narrow_column(drawing: Drawing, side: FlowSide, y: float) -> list[Box]:
    """Add one side's boxes, one below the other, and return them."""
    boxes = []
    for neighbour in side.neighbours:
        box = _box(neighbour, INDENT, y, NARROW_WIDTH - INDENT)
        boxes.append(box)
        y += box.height + ROW_GAP
    drawing.boxes += boxes
    return boxes


def _centre_texts(kind: str, lines: list[str], x: float, y: float) -> list[FlowText]:
    """Return the centre's kind and below it the lines of its name."""
    texts = [FlowText("kind centred", x, y, kind)]
    for number, line in enumerate(lines, 1):
        texts.append(FlowText("name centred", x, y + LINE_HEIGHT * number, line))
    return texts


def _box(neighbour: Neighbour, x: float, y: float, width: float) -> Box:
    lines = [("name", line) for line in _break(neighbour.name, NAME_CHARACTERS)]
    if neighbour.remarks:
        lines.append(("remark", " · ".join(neighbour.remarks)))
    for line in _wrapped_note(neighbour.path):
        lines.append(("path", line))
    texts = []
    for number, (kind, line) in enumerate(lines):
        texts.append(FlowText(kind, x + PADDING, y + 21 + LINE_HEIGHT * number, line))
    kind = "indirect" if neighbour.indirect else ""
    return Box(x, y, width, 15 + LINE_HEIGHT * len(lines), kind, texts, neighbour.url)


def _wrapped_note(note: str) -> list[str]:
    characters = NOTE_CHARACTERS
    # Characters of East Asian scripts are twice as wide.
    if any(east_asian_width(character) in "WF" for character in note):
        characters //= 2
    return textwrap.wrap(note, characters, max_lines=NOTE_LINES, placeholder=" …")


def _arrow_right(x1: float, x2: float, y: float, kind: str) -> Arrow:
    line = f"M{x1:g} {y:g}H{x2 - 8:g}"
    head = f"M{x2 - 9:g} {y - 5:g}L{x2:g} {y:g}L{x2 - 9:g} {y + 5:g}Z"
    return Arrow(line, head, kind)


def _arrow_down(x: float, y1: float, y2: float) -> Arrow:
    line = f"M{x:g} {y1:g}V{y2 - 8:g}"
    head = f"M{x - 5:g} {y2 - 9:g}L{x:g} {y2:g}L{x + 5:g} {y2 - 9:g}Z"
    return Arrow(line, head, "")


def _break(name: str, characters: int) -> list[str]:
    """Return the name in lines, broken at the last ``-``, ``_`` or ``.``, or before the last capital, that fits."""
    lines = []
    while len(name) > characters:
        end = characters
        while end > characters // 2 and not _can_break(name, end):
            end -= 1
        if not _can_break(name, end):
            end = characters
        lines.append(name[:end])
        name = name[end:]
    lines.append(name)
    return lines


def _can_break(name: str, end: int) -> bool:
    return name[end - 1] in "-_." or name[end].isupper()
