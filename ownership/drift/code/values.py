"""What can be done with values, whatever they may be: join, compare and choose among possibilities."""

from collections.abc import Iterable
from typing import TypeVar

from ownership.drift.code.ordered_set import EMPTY, OrderedSet
from ownership.drift.code.possibilities import (
    ABSENT,
    ENVIRONMENT,
    FALSE,
    NO_VALUES,
    NULL,
    TRUE,
    UNDEFINED,
    UNKNOWN,
    UNKNOWN_VALUE,
    CodeValue,
    Constant,
    External,
    Obj,
    Possibility,
    Str,
    TextPart,
)
from ownership.drift.types import Location

MAX_POSSIBILITIES = 300  # of one value; more are UNKNOWN
MAX_TEXT = 1000  # characters of a text that are kept; a longer one is UNKNOWN
MAX_PARTS = 20  # of one text

Kind = TypeVar("Kind", bound=Possibility)


def one(possibility: Possibility) -> CodeValue:
    """The value that is exactly this."""
    return OrderedSet((possibility,))


def text(literal: str) -> CodeValue:
    """The value that is exactly this text."""
    if len(literal) > MAX_TEXT:
        return UNKNOWN_VALUE
    return OrderedSet((Str((literal,)),))


def name_value(name: str | Str) -> CodeValue:
    """The name of a field as a value."""
    if isinstance(name, str):
        return text(name)
    return one(name)


def union(values: Iterable[CodeValue]) -> CodeValue:
    """What any of the values may be."""
    known = [value for value in values if value]
    if len(known) == 1:
        return limited(known[0])
    possibilities: list[Possibility] = []
    for value in known:
        possibilities += value
    return limited(OrderedSet(possibilities))


def limited(value: CodeValue) -> CodeValue:
    """The value, with UNKNOWN in place of what is too much to follow."""
    if len(value) <= MAX_POSSIBILITIES:
        return value
    kept = list(value)[: MAX_POSSIBILITIES - 1]
    return OrderedSet((*kept, UNKNOWN))


def only(value: Iterable[Possibility], *kinds: type[Kind]) -> OrderedSet[Kind]:
    """Those possibilities that are of one of these classes."""
    kept = [item for item in value if isinstance(item, kinds)]
    if not kept:
        return EMPTY
    return OrderedSet(kept)


def of_kind(items: Iterable[Possibility], kind: type[Kind]) -> list[Kind]:
    """Those possibilities that are of a class, in order."""
    return [item for item in items if isinstance(item, kind)]


def with_members(value: CodeValue) -> CodeValue:
    """The value without what has no members, where something else has: ``client = client or connect()``."""
    return value - {NULL, UNDEFINED} or value


# Texts


def literal_of(possibility: Possibility) -> str | None:
    """The text that this is; None for anything else, and for a text with environment variables."""
    if isinstance(possibility, Str):
        return possibility.literal
    return None


def literals_in(value: Iterable[Possibility]) -> list[str]:
    """The texts without environment variables among the possibilities."""
    literals = map(literal_of, value)
    return [literal for literal in literals if literal is not None]


def joined(first: Str, second: Str) -> Str | None:
    """Two texts in a row; None if that is too long."""
    parts: tuple[TextPart, ...]
    match first.parts, second.parts:
        case (*start, str(end)), (str(beginning), *rest):
            parts = (*start, end + beginning, *rest)
        case _:
            parts = first.parts + second.parts
    length = sum(len(part) for part in parts if isinstance(part, str))
    if len(parts) > MAX_PARTS or length > MAX_TEXT:
        return None
    return Str(parts, _named_by(first, second))


def _named_by(first: Str, second: Str) -> Location | None:
    """Who named the two in a row: the one with more of the name, for a suffix doesn't name a table."""
    if first.named_at == second.named_at or _weight(first) >= _weight(second):
        return first.named_at
    return second.named_at


def _weight(piece: Str) -> int:
    """How much of a name a text is: its characters besides separators; a variable counts as one."""
    weight = 0
    for part in piece.parts:
        weight += len(part.strip("-_./:")) if isinstance(part, str) else 1
    return weight


# Conditions


def truth(value: CodeValue) -> bool | None:
    """Whether the value is true in a condition; None if it may be either."""
    results = set(map(possible_truth, value))
    return results.pop() if len(results) == 1 else None


def possible_truth(possibility: Possibility) -> bool | None:
    """Whether this is true in a condition; None if it may be either."""
    match possibility:
        case Constant():
            return TRUTH.get(possibility)
        case Str():
            return _truth_of_text(possibility)
        case External() | Obj(cls=None):  # in Python, an empty list or dict is false
            return None
    return True


def _truth_of_text(text: Str) -> bool | None:
    literal = text.literal
    if literal is not None:
        return literal not in ("", "0")
    if any(isinstance(part, str) and part for part in text.parts):
        return True
    return None


def equal(left: CodeValue, right: CodeValue) -> bool | None:
    """Whether two values are the same constant; None if they may or may not be."""
    if len(left) != 1 or len(right) != 1:
        return None
    [first], [second] = left, right
    if not _is_comparable(first) or not _is_comparable(second):
        return None
    match first, second:
        case Str(), Str():
            return first.literal == second.literal
        case (Constant() | Str(), _) | (_, Constant() | Str()):
            return first == second or {first, second} <= NO_VALUES
    return None


def _is_comparable(possibility: Possibility) -> bool:
    """Whether enough is known of this to compare it."""
    match possibility:
        case Str():
            return possibility.literal is not None
        case External():
            return False
    return possibility not in (UNKNOWN, ABSENT)


# Whether a constant is true in a condition; the others may be either.
TRUTH: dict[Constant, bool] = {
    ENVIRONMENT: True,
    FALSE: False,
    NULL: False,
    TRUE: True,
    UNDEFINED: False,
}
