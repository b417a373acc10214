"""The parameters of an operation: in an object, or as keyword arguments."""

from typing import TYPE_CHECKING, Protocol

from ownership.drift.code.possibilities import (
    ABSENT,
    NO_VALUES,
    UNKNOWN_VALUE,
    CodeValue,
    Obj,
)
from ownership.drift.code.values import one, union
from ownership.drift.types import Location

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


class Parameters(Protocol):
    """The parameters of an operation, by name."""

    def get(self, name: str) -> CodeValue:
        """What a parameter may be; ABSENT if it is not given."""

    def location(self, default: Location) -> Location:
        """Where the parameters are written."""


class ObjectParameters:
    """Parameters in an object: ``{TableName: …}``."""

    def __init__(self, calls: "Calls", value: CodeValue) -> None:
        self.interpreter = calls.interpreter
        self.value = value

    def get(self, name: str) -> CodeValue:
        values: list[CodeValue] = []
        for possibility in self.value:
            if isinstance(possibility, Obj):
                values.append(self.interpreter.read_field(possibility, name) or one(ABSENT))
            elif possibility not in NO_VALUES:
                values.append(UNKNOWN_VALUE)
        return union(values)

    def location(self, default: Location) -> Location:
        locations = [possibility.location for possibility in self.value if isinstance(possibility, Obj)]
        return locations[0] if len(locations) == 1 else default


class KeywordParameters:
    """Parameters as keyword arguments: ``TableName=…``."""

    def __init__(self, site: "CallSite") -> None:
        self.arguments = site.arguments

    def get(self, name: str) -> CodeValue:
        value = self.arguments.keywords.get(name)
        if value is not None:
            return value
        return self.arguments.more or one(ABSENT)

    def location(self, default: Location) -> Location:
        return default
