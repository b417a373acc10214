"""Environment variables."""

from typing import TYPE_CHECKING

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
    fallbacks: set[tuple[TextPart, ...] | None] = {text.parts for text in only(default, Str)}
    if len(fallbacks) < len(default) or not fallbacks:
        fallbacks.add(None)
    results: set[Possibility] = set()
    for possibility in names:
        name = literal_of(possibility)
        if name is None:
            results.add(UNKNOWN)
            continue
        for fallback in fallbacks:
            results.add(Str((EnvironmentVariable(name, fallback),)))
    return frozenset(results)


def get_variable(calls: "Calls", site: "CallSite") -> CodeValue:
    return environment_variable(site)
