"""What the variables of a function may be at one point of its body."""

from collections.abc import Iterable

from ownership.drift.code.possibilities import CodeValue
from ownership.drift.code.values import limited

LocalValues = dict[str, CodeValue]
UNREACHED: LocalValues = {}  # stands for a point that is not reached; nothing is written into it


def merged(ends: Iterable[LocalValues]) -> LocalValues:
    """What variables may be where several ways come together; UNREACHED if none of them is reached."""
    reached = [variables for variables in ends if variables is not UNREACHED]
    if not reached:
        return UNREACHED
    merged = dict(reached[0])
    for variables in reached[1:]:
        _merge_into(merged, variables)
    return merged


def _merge_into(merged: LocalValues, variables: LocalValues) -> None:
    for name, value in variables.items():
        known = merged.get(name)
        if known is None:
            merged[name] = value
        elif known != value:
            merged[name] = limited(known | value)
