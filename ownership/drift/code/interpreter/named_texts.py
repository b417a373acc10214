"""Which call names a text first: what is evidence of an access is the call that names its table."""

from dataclasses import replace

from ownership.drift.code.frames import (
    Arguments,
)
from ownership.drift.code.possibilities import (
    CodeValue,
    Method,
    Obj,
    Possibility,
    Str,
    TableHandle,
)
from ownership.drift.code.values import one
from ownership.drift.types import Location


def marked(arguments: Arguments, location: Location) -> Arguments:
    """The arguments, with the call as what named the texts that nothing else has named before."""
    return Arguments(
        [marked_value(value, location) for value in arguments.positional],
        {name: marked_value(value, location) for name, value in arguments.keywords.items()},
        marked_value(arguments.rest, location),
        marked_value(arguments.more, location),
    )


def marked_value(value: CodeValue, location: Location) -> CodeValue:
    marked: set[Possibility] = set()
    for possibility in value:
        if isinstance(possibility, Str) and possibility.named_at is None:
            possibility = replace(possibility, named_at=location)
        elif isinstance(possibility, TableHandle):
            name = possibility.name
            if name is not None and name.named_at is None:
                possibility = replace(possibility, name=replace(name, named_at=location))
        elif isinstance(possibility, Method) and isinstance(possibility.owner, TableHandle):
            (owner,) = marked_value(one(possibility.owner), location)
            possibility = Method(owner, possibility.name)
        elif isinstance(possibility, Obj) and possibility.is_list and possibility.passed_at is None:
            possibility.passed_at = location
        marked.add(possibility)
    return frozenset(marked)


def unmarked(value: CodeValue, location: Location) -> CodeValue:
    """A result, in which what this very call has named is the caller's own again."""
    unmarked: set[Possibility] = set()
    for possibility in value:
        if isinstance(possibility, Str) and possibility.named_at == location:
            possibility = replace(possibility, named_at=None)
        elif isinstance(possibility, TableHandle):
            name = possibility.name
            if name is not None and name.named_at == location:
                possibility = replace(possibility, name=replace(name, named_at=None))
        unmarked.add(possibility)
    return frozenset(unmarked)
