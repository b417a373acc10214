"""What all parts of an evaluation share: the frame, and what its variables may be at this point."""

from abc import ABC, abstractmethod
from posixpath import dirname
from typing import TYPE_CHECKING

from ownership.drift.code import syntax
from ownership.drift.code.calls import Calls
from ownership.drift.code.evaluation.local_values import LocalValues
from ownership.drift.code.frames import Arguments, Frame
from ownership.drift.code.possibilities import (
    NOTHING,
    CodeValue,
)
from ownership.drift.code.syntax import Expression
from ownership.drift.code.values import one, text

if TYPE_CHECKING:
    from ownership.drift.code.interpreter import Interpreter

TOP = "/project"  # the folder of all files, where code has to be told of it


class EvaluationBase(ABC):
    """An evaluation of a frame's body.

    ``variables`` are what the function's own variables may be at this point.
    """

    def __init__(self, interpreter: "Interpreter", frame: Frame) -> None:
        self.interpreter = interpreter
        self.frame = frame
        self.calls = Calls(interpreter)
        self.variables: LocalValues = {}
        # For each loop around the current statement, the variables wherever it is left or goes on early.
        self.loop_exits: list[list[LocalValues]] = []
        self.turns = 1  # of all loops around the current statement

    def _set_variable(self, name: str, value: CodeValue) -> None:
        """Assign to a variable of this function, or of one around it."""
        function = self.frame.function
        if name not in function.variables:
            owner = self._owner(name)
            if owner is not None:
                self.interpreter.add(owner.cell(name), value)
            return
        self.variables[name] = value
        if self._is_seen_by_others(name):
            self.interpreter.add(self.frame.cell(name), value)
        if function.is_class_body and self.frame.cls is not None:
            self.interpreter.write_field(self.frame.cls.statics, name, value)

    def _is_seen_by_others(self, name: str) -> bool:
        """Whether functions inside this one, or other modules, read a variable."""
        function = self.frame.function
        is_shared = name in function.captured or name in function.shared
        return is_shared or function.is_class_body or self.frame.scope is None

    def _owner(self, name: str) -> Frame | None:
        """The frame around this one whose variable it is, for a name that is none of this one's."""
        for frame in self.frame.around():
            function = frame.function
            if name in function.variables and not function.is_class_body:
                return frame
        return None

    def _read_variable(self, name: str) -> CodeValue:
        """What a name means here: a variable of this function, of one around it, or a global."""
        if name in self.frame.function.variables:
            return self._own_variable(name)
        owner = self._owner(name)
        if owner is not None:
            return self.interpreter.read(owner.cell(name))
        return self._global(name)

    def _own_variable(self, name: str) -> CodeValue:
        """A variable of this function: as it is at this point, if no other function assigns to it."""
        if name in self.frame.function.shared:
            return self.interpreter.read(self.frame.cell(name))
        return self.variables.get(name, NOTHING)

    def _global(self, name: str) -> CodeValue:
        """A name that no function declares."""
        *_, root = self.frame.around()
        if f"*{name}" in root.variables:  # from `from module import *`
            return self.interpreter.read(root.cell(f"*{name}"))
        commonjs = self.interpreter.objects.get((name, root))  # `module` and `exports`
        if commonjs is not None:
            return one(commonjs)
        if name == "__dirname" and self.interpreter.working_folder is not None:
            return text(f"{TOP}/{dirname(root.file)}")
        return one(self.interpreter.external(name))

    # What the classes above this one add

    @abstractmethod
    def evaluate(self, node: Expression) -> CodeValue:
        """What an expression may be."""

    @abstractmethod
    def _arguments(self, node: syntax.CallExpression) -> Arguments:
        """The arguments of a call."""
