"""What all parts of an evaluation share: the frame, and what its variables may be at this point."""

from posixpath import dirname
from typing import TYPE_CHECKING

from ownership.drift.code import language, syntax
from ownership.drift.code.calls import Calls
from ownership.drift.code.frames import Frame
from ownership.drift.code.possibilities import (
    ABSENT,
    NOTHING,
    UNDEFINED,
    UNKNOWN,
    Class,
    CodeValue,
    EnvironmentVariable,
    Possibility,
    Str,
    TextPart,
)
from ownership.drift.code.syntax import Expression
from ownership.drift.code.values import limited, one, text

if TYPE_CHECKING:
    from ownership.drift.code.interpreter import Interpreter

LocalValues = dict[str, CodeValue]
MAX_TURNS = 50  # of loops within each other


TOP = "/project"  # the folder of all files, where code has to be told of it


class EvaluationBase:
    """An evaluation of a frame's body. ``variables`` is None where nothing is reached any more."""

    def __init__(self, interpreter: "Interpreter", frame: Frame) -> None:
        self.interpreter = interpreter
        self.frame = frame
        self.calls = Calls(interpreter)
        self.variables: LocalValues | None = {}
        # For each loop around the current statement, the variables wherever it is left or goes on early.
        self.loop_exits: list[list[LocalValues]] = []
        self.turns = 1  # of all loops around the current statement

    def _set(self, name: str, value: CodeValue) -> None:
        """Assign to a variable of this function, or of one around it."""
        function = self.frame.function
        if name not in function.variables:
            owner = self._owner(name)
            if owner is not None:
                self.interpreter.add(owner.cell(name), value)
            return
        if self.variables is not None:
            self.variables[name] = value
        is_seen = name in function.captured or function.is_class_body or self.frame.scope is None
        if is_seen or name in function.shared:
            self.interpreter.add(self.frame.cell(name), value)
        if function.is_class_body and isinstance(self.frame.cls, Class):
            self.interpreter.write_field(self.frame.cls.statics, name, value)

    def _owner(self, name: str) -> Frame | None:
        """The frame around this one whose variable it is."""
        frame = self.frame.scope
        while frame is not None:
            if not frame.function.is_class_body and name in frame.function.variables:
                return frame
            frame = frame.scope
        return None

    def _lookup(self, name: str) -> CodeValue:
        function = self.frame.function
        if name in function.variables and name not in function.shared:
            if self.variables is not None and name in self.variables:
                return self.variables[name]
            if self.frame.scope is None or function.is_class_body:
                return self.interpreter.read(self.frame.cell(name))
            return NOTHING
        owner = self.frame if name in function.variables else self._owner(name)
        if owner is not None:
            return self.interpreter.read(owner.cell(name))
        return self._global(name)

    def _global(self, name: str) -> CodeValue:
        """A name that no function declares."""
        root: Frame = self.frame
        while root.scope is not None:
            root = root.scope
        if f"*{name}" in root.variables:  # from `from module import *`
            return self.interpreter.read(root.cell(f"*{name}"))
        if name in ("module", "exports"):
            obj = self.interpreter.objects.get((name, root))
            if obj is not None:
                return one(obj)
        if name == "__dirname" and self.interpreter.working_folder is not None:
            return text(f"{TOP}/{dirname(root.file)}")
        return one(self.interpreter.external(name))

    def _turns(self, items: CodeValue) -> list[CodeValue]:
        """What a loop goes through in each turn, unless that makes too many turns of loops within each other."""
        turns = language.one_by_one(items)
        return turns if len(turns) * self.turns <= MAX_TURNS else [items]

    def _or_default(self, value: CodeValue, default: Expression) -> CodeValue:
        """What a pattern takes out of a value: its default where there may be none."""
        variables = [item for item in value if isinstance(item, Str) and is_variable(item)]
        is_given = value and not value & {ABSENT, UNDEFINED, UNKNOWN}
        if is_given and not variables:
            return value
        fallback = self.evaluate(default)
        results: set[Possibility] = set(value - {ABSENT, UNDEFINED})
        if not is_given:
            results |= fallback
        for variable in variables:
            results.discard(variable)
            results |= with_fallbacks(variable, fallback)
        return frozenset(results)

    # What the classes above this one add

    def evaluate(self, node: Expression) -> CodeValue:
        """What an expression may be."""
        raise NotImplementedError


def merged(ends: list[LocalValues | None]) -> LocalValues | None:
    """What variables may be where several ways come together."""
    reached = [variables for variables in ends if variables is not None]
    if not reached:
        return None
    merged = dict(reached[0])
    for variables in reached[1:]:
        for name, value in variables.items():
            known = merged.get(name)
            if known is None:
                merged[name] = value
            elif known != value:
                merged[name] = limited(known | value)
    return merged


def is_variable(possibility: Str) -> bool:
    """Whether a text is an environment variable that may not be set."""
    if len(possibility.parts) != 1:
        return False
    part = possibility.parts[0]
    return isinstance(part, EnvironmentVariable) and part.fallback is None


def with_fallbacks(variable: Str, fallback: CodeValue) -> set[Possibility]:
    """The variable with each text that is used where it isn't set."""
    results: set[Possibility] = set()
    for possibility in fallback:
        if isinstance(possibility, Str):
            parts: tuple[TextPart, ...] = possibility.parts
            names = [part.name for part in variable.parts if isinstance(part, EnvironmentVariable)]
            with_fallback = tuple(EnvironmentVariable(name, parts) for name in names)
            results.add(Str(with_fallback, variable.named_at))
    return results or {variable}


def name_of(node: Expression) -> str:
    """The last name of a variable or property."""
    if isinstance(node, syntax.Name | syntax.Member):
        return node.name
    return ""
