"""Environment variables that may not be set, and what is used in their place: ``process.env.TABLE || "users"``."""

from ownership.drift.code.ordered_set import OrderedSet
from ownership.drift.code.possibilities import CodeValue, EnvironmentVariable, Possibility, Str
from ownership.drift.code.values import one, only


def unset_variables(value: CodeValue) -> OrderedSet[Str]:
    """The texts in a value that are an environment variable which may not be set."""
    return OrderedSet([text for text in only(value, Str) if _variable_of(text) is not None])


def _variable_of(text: Str) -> EnvironmentVariable | None:
    """The environment variable without a fallback that a text is; None for any other text."""
    match text.parts:
        case [EnvironmentVariable(fallback=None) as variable]:
            return variable
    return None


def with_fallbacks(text: Str, fallback: CodeValue) -> CodeValue:
    """A text that is an environment variable, with each text that is used where it isn't set."""
    variable = _variable_of(text)
    fallbacks = only(fallback, Str)
    if variable is None or not fallbacks:
        return one(text)
    results: list[Possibility] = []
    for possibility in fallbacks:
        part = EnvironmentVariable(variable.name, possibility.parts)
        results.append(Str((part,), text.named_at))
    return OrderedSet(results)
