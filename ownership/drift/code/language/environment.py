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

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


def environment_variable(site: "CallSite") -> CodeValue:
    """``os.environ.get("NAME", default)``."""
    names = site.arguments.keywords.get("key", site.arguments.at(0))
    default = site.arguments.keywords.get("default", site.arguments.at(1))
    return environment_variables(names, default)


def environment_variables(names: CodeValue, default: CodeValue = NOTHING) -> CodeValue:
    """The environment variables of these names, with what is used where they aren't set."""
    fallbacks: list[tuple[TextPart, ...] | None] = []
    for possibility in default:
        fallbacks.append(possibility.parts if isinstance(possibility, Str) else None)
    results: set[Possibility] = set()
    for name in names:
        if not isinstance(name, Str) or name.literal is None:
            results.add(UNKNOWN)
            continue
        for fallback in fallbacks or [None]:
            results.add(Str((EnvironmentVariable(name.literal, fallback),)))
    return frozenset(results)


def get_variable(calls: "Calls", site: "CallSite") -> CodeValue:
    return environment_variable(site)
