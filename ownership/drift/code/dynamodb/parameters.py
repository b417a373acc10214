"""The parameters of an operation: in an object, or as keyword arguments."""

from typing import TYPE_CHECKING, Protocol

from ownership.drift.code.possibilities import (
    ABSENT,
    NO_VALUES,
    UNKNOWN_VALUE,
    CodeValue,
    Obj,
)
from ownership.drift.code.values import one, only, union
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
        objects = only(self.value, Obj)
        values = [self.interpreter.read_field(obj, name) or one(ABSENT) for obj in objects]
        if self.value - objects - NO_VALUES:
            values.append(UNKNOWN_VALUE)
        return union(values)

    def location(self, default: Location) -> Location:
        objects = only(self.value, Obj)
        if len(objects) != 1:
            return default
        [written] = objects
        return written.location


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
