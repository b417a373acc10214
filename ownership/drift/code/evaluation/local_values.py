"""What the variables of a function may be at one point of its body."""

from collections.abc import Iterable

from ownership.drift.code.possibilities import CodeValue
from ownership.drift.code.values import limited

LocalValues = dict[str, CodeValue]


def merged(ends: Iterable[LocalValues | None]) -> LocalValues | None:
    """What variables may be where several ways come together; None for an end that is not reached, and for no end."""
    merged: LocalValues | None = None
    for variables in ends:
        if variables is None:
            continue
        if merged is None:
            merged = dict(variables)
        else:
            _merge_into(merged, variables)
    return merged


def _merge_into(merged: LocalValues, variables: LocalValues) -> None:
    for name, value in variables.items():
        known = merged.get(name)
        if known is None:
            merged[name] = value
        elif known != value:
            merged[name] = limited(known | value)
