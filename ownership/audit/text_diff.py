"""Two texts beside each other: the words in which they differ, and as much around them as finds the place."""

import re
from difflib import SequenceMatcher
from typing import Any

Pieces = list[tuple[bool, str]]  # (differs from the other text, words)

LONG = 20  # shorter texts are taken in at a glance
CONTEXT = 80  # characters kept on either side of a difference
MOST_SHOWN = 600  # of one difference
_MOST_COMPARED = 1_000_000  # pairs of words; beyond, comparing takes longer than reading


def marked(old: str, new: str) -> tuple[Pieces, Pieces]:
    """Old and new text in pieces, for texts long enough that the eye would search for the difference."""
    if min(len(old), len(new)) < LONG:
        return [(False, old)], [(False, new)]
    before, after = re.split(r"(?<=\s)", old), re.split(r"(?<=\s)", new)
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    middle = (before[head : len(before) - tail], after[head : len(after) - tail])
    if len(middle[0]) * len(middle[1]) > _MOST_COMPARED:
        codes: Any = [("replace", 0, len(middle[0]), 0, len(middle[1]))]
    else:
        codes = SequenceMatcher(None, *middle, autojunk=False).get_opcodes()
    begin, end = "".join(before[:head]), "".join(before[len(before) - tail :])
    pieces = (
        [(tag != "equal", "".join(middle[0][a:b])) for tag, a, b, _, _ in codes],
        [(tag != "equal", "".join(middle[1][c:d])) for tag, _, _, c, d in codes],
    )
    old_pieces, new_pieces = ([one for one in [(False, begin), *some, (False, end)] if one[1]] for some in pieces)
    return old_pieces, new_pieces


def shortened(pieces: Pieces) -> Pieces:
    """The pieces with "…" for what is far from any difference; as they are where little would go."""
    short, last = [], len(pieces) - 1
    for place, (differs, text) in enumerate(pieces):
        if differs or not last:
            head, tail = MOST_SHOWN, 0
        else:
            head, tail = CONTEXT if place else 0, CONTEXT if place < last else 0
        if len(text) > head + tail + CONTEXT:
            text = f"{text[:head]}…{text[len(text) - tail :]}"
        short.append((differs, text))
    return short


def _common(one: list[str], other: list[str]) -> int:
    """How many words both begin with."""
    number = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        number += 1
    return number
