"""Two texts compared word by word: what differs between an old and a new value, for a page to mark."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

# Texts that differ, in pieces: (differs from the other text, words).
Pieces = list[tuple[bool, str]]
LONG = 20  # characters; in shorter texts a difference is seen at a glance
CONTEXT = 80  # characters kept on either side of a difference
LONGEST_DIFFERENCE = 600  # characters of one difference
MOST_COMPARED = 1_000_000  # pairs of words; comparing more takes longer than reading
# A word, a sign, or space: so "tier;" and "tier" differ in the sign alone.
WORD_OR_SIGN = re.compile(r"\w+|[^\w\s]|\s+")


def marked_differences(old: str, new: str) -> tuple[Pieces, Pieces]:
    """Old and new text in pieces; one piece each where a text is short."""
    if len(old) < LONG or len(new) < LONG:
        return [(False, old)], [(False, new)]
    old_words = WORD_OR_SIGN.findall(old)
    new_words = WORD_OR_SIGN.findall(new)

    # What both begin and end with is set aside first: comparing takes time by the square of the number of words.
    head = _common_words(old_words, new_words)
    old_rest = old_words[head:]
    new_rest = new_words[head:]
    tail = _common_words(old_rest[::-1], new_rest[::-1])
    beginning = "".join(old_words[:head])
    ending = "".join(old_words[len(old_words) - tail :])
    old_middle = old_rest[: len(old_rest) - tail]
    new_middle = new_rest[: len(new_rest) - tail]

    old_pieces: Pieces = [(False, beginning)]
    new_pieces: Pieces = [(False, beginning)]
    for tag, old_start, old_end, new_start, new_end in _comparison(old_middle, new_middle):
        differs = tag != "equal"
        old_pieces.append((differs, "".join(old_middle[old_start:old_end])))
        new_pieces.append((differs, "".join(new_middle[new_start:new_end])))
    old_pieces.append((False, ending))
    new_pieces.append((False, ending))
    return _joined(old_pieces), _joined(new_pieces)


def near_differences(pieces: Pieces) -> Pieces:
    """The pieces with "…" for what is far from any difference; unchanged where that saves little."""
    last = len(pieces) - 1
    short = []
    for number, (differs, text) in enumerate(pieces):
        if differs or last == 0:
            head, tail = LONGEST_DIFFERENCE, 0
        else:
            # Nothing differs before the first piece, or after the last one.
            head = CONTEXT if number > 0 else 0
            tail = CONTEXT if number < last else 0
        if len(text) > head + tail + CONTEXT:
            text = f"{text[:head]}…{text[len(text) - tail :]}"
        short.append((differs, text))
    return short


def _comparison(old: list[str], new: list[str]) -> list[tuple[str, int, int, int, int]]:
    """difflib's (tag, start and end in old, start and end in new); all replaced where comparing would take long."""
    if len(old) * len(new) > MOST_COMPARED:
        return [("replace", 0, len(old), 0, len(new))]
    return list(SequenceMatcher(None, old, new, autojunk=False).get_opcodes())


def _common_words(left: list[str], right: list[str]) -> int:
    """How many words both begin with."""
    number = 0
    for left_word, right_word in zip(left, right, strict=False):
        if left_word != right_word:
            break
        number += 1
    return number


def _joined(pieces: Pieces) -> Pieces:
    """The pieces without empty ones. Space beside what differs counts as differing: it is no place to begin anew."""
    filled = [(differs, text) for differs, text in pieces if text]
    joined: Pieces = []
    for number, (differs, text) in enumerate(filled):
        beside = filled[max(number - 1, 0) : number + 2]
        if text.isspace() and any(other_differs for other_differs, _ in beside):
            differs = True
        # Two equal pieces stay apart: between them is the place of an addition to the other text.
        if differs and joined and joined[-1][0]:
            text = joined.pop()[1] + text
        joined.append((differs, text))
    return joined
