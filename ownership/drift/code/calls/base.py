"""One call, and what all parts of following calls share."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ownership.drift.code.frames import (
    Arguments,
    Doubt,
)
from ownership.drift.code.possibilities import (
    NOTHING,
    Bound,
    CodeValue,
    Func,
    Method,
    Obj,
    Partial,
    Possibility,
)

if TYPE_CHECKING:
    from ownership.drift.code.interpreter import Interpreter


@dataclass(frozen=True)
class CallSite:
    """One call in the current frame: the node that it is written as, and its arguments."""

    node: object
    arguments: Arguments
    line: int
    is_new: bool = False
    receiver: str = ""  # the name of what has the method that is called
    type_argument: str | None = None  # `container.get<Users>(…)`

    def with_arguments(self, arguments: Arguments) -> "CallSite":
        """The same call with other arguments."""
        return replace(self, arguments=arguments)


CALLABLE = (Func, Bound, Partial, Method)  # what may be handed to a package to be called
MAX_BASES = 20


class CallsBase(ABC):
    """Calls from the current frame of an interpreter."""

    def __init__(self, interpreter: "Interpreter") -> None:
        self.interpreter = interpreter

    def doubt(self, line: int, why: str) -> None:
        """Report that something in a line can't be followed."""
        frame = self.interpreter.current
        frame.doubts[Doubt(frame.location(line), why)] = None

    def object_of(self, site: CallSite, kind: object = None, is_list: bool = False) -> Obj:
        """The object that a call makes; ``kind`` tells those apart that one call makes."""
        place = site.node if kind is None else (site.node, kind)
        return self.interpreter.object_at(place, self.interpreter.current, site.line, is_list)

    @property
    def _runs_functions(self) -> bool:
        """Whether a handler is running: on import, functions are only handed over."""
        return not self.interpreter.current.at_import

    # What the classes above this one add

    @abstractmethod
    def call(self, value: CodeValue, site: CallSite, this: CodeValue = NOTHING) -> CodeValue:
        """The result of calling a value, whatever it may be."""

    @abstractmethod
    def call_one(self, callee: Possibility, site: CallSite, this: CodeValue = NOTHING) -> CodeValue:
        """The result of calling one possibility."""

    @abstractmethod
    def send_commands(self, site: CallSite) -> None:
        """Any call that is given a command may send it."""
