"""Environment variables."""

from typing import TYPE_CHECKING

from ownership.drift.code.ordered_set import OrderedSet
from ownership.drift.code.possibilities import (
    NOTHING,
    UNKNOWN,
    CodeValue,
    EnvironmentVariable,
    Possibility,
    Str,
    TextPart,
)
from ownership.drift.code.values import literal_of, only

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


def environment_variable(site: "CallSite") -> CodeValue:
    """``os.environ.get("NAME", default)``."""
    names = site.arguments.keywords.get("key", site.arguments.at(0))
    default = site.arguments.keywords.get("default", site.arguments.at(1))
    return environment_variables(names, default)


def environment_variables(names: CodeValue, default: CodeValue = NOTHING) -> CodeValue:
    """The environment variables of these names, with what is used where they aren't set."""
    fallbacks: dict[tuple[TextPart, ...] | None, None] = {}
    for text in only(default, Str):
        fallbacks[text.parts] = None
    if len(fallbacks) < len(default) or not fallbacks:
        fallbacks[None] = None
    results: list[Possibility] = []
    for possibility in names:
        name = literal_of(possibility)
        if name is None:
            results.append(UNKNOWN)
            continue
        for fallback in fallbacks:
            results.append(Str((EnvironmentVariable(name, fallback),)))
    return OrderedSet(results)


def get_variable(calls: "Calls", site: "CallSite") -> CodeValue:
    return environment_variable(site)
