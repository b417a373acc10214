"""Which call names a text first: what is evidence of an access is the call that names its table."""

from ownership.drift.code.frames import Arguments
from ownership.drift.code.ordered_set import OrderedSet
from ownership.drift.code.possibilities import (
    CodeValue,
    Method,
    Obj,
    Possibility,
    Str,
    TableHandle,
)
from ownership.drift.types import Location


def marked(arguments: Arguments, location: Location) -> Arguments:
    """The arguments, with the call as what named the texts that nothing else has named before."""
    keywords: dict[str, CodeValue] = {}
    for name, value in arguments.keywords.items():
        keywords[name] = marked_value(value, location)
    return Arguments(
        [marked_value(value, location) for value in arguments.positional],
        keywords,
        marked_value(arguments.rest, location),
        marked_value(arguments.more, location),
    )


def marked_value(value: CodeValue, location: Location) -> CodeValue:
    """A value, with the call as what named the texts in it."""
    if not value:
        return value
    marked: list[Possibility] = []
    for possibility in value:
        if isinstance(possibility, Method) and isinstance(possibility.owner, TableHandle):
            owner = _renamed(possibility.owner, None, location)
            marked.append(Method(owner, possibility.name))
            continue
        if isinstance(possibility, Obj):
            _mark_list(possibility, location)
        marked.append(_renamed(possibility, None, location))
    return OrderedSet(marked)


def _mark_list(obj: Obj, location: Location) -> None:
    """Remember the first call that a list was passed to: it names the texts in it."""
    if obj.is_list and obj.passed_at is None:
        obj.passed_at = location


def unmarked(value: CodeValue, location: Location) -> CodeValue:
    """A result, in which what this very call has named is the caller's own again."""
    return OrderedSet([_renamed(possibility, location, None) for possibility in value])


def _renamed(
    possibility: Possibility, before: Location | None, after: Location | None
) -> Possibility:
    """A text or a table that counts as named elsewhere than before; anything else as it is."""
    if isinstance(possibility, Str | TableHandle):
        return possibility.renamed(before, after)
    return possibility
