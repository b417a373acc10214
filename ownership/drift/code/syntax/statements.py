"""Statements, and imports."""

from dataclasses import dataclass
from typing import TypeAlias

from ownership.drift.code.syntax.expressions import Expression, Node, Target


@dataclass(slots=True, eq=False)
class ExpressionStatement(Node):
    """An expression for its effects."""

    value: Expression


@dataclass(slots=True, eq=False)
class Declare(Node):
    """``target = value``, where the target is new or replaced."""

    target: Target
    value: Expression


@dataclass(slots=True, eq=False)
class Return(Node):
    """``return value``."""

    value: Expression | None


@dataclass(slots=True, eq=False)
class Throw(Node):
    """``throw`` or ``raise``; what follows in the same block isn't reached."""

    value: Expression | None


@dataclass(slots=True, eq=False)
class Break(Node):
    """``break`` or ``continue``; what follows in the same block isn't reached."""


@dataclass(slots=True, eq=False)
class If(Node):
    """Conditions with their branches (``if``, ``else if``), and what happens where none holds."""

    branches: list[tuple[Expression, list["Statement"]]]
    otherwise: list["Statement"]


@dataclass(slots=True, eq=False)
class Switch(Node):
    """``switch``: each case has its tests (none for the default) and its statements."""

    subject: Expression
    cases: list[tuple[list[Expression], list["Statement"]]]


@dataclass(slots=True, eq=False)
class Loop(Node):
    """Any loop. ``over_keys``: the target gets the keys of the iterable, not its items."""

    target: Target | None
    iterable: Expression | None
    test: Expression | None
    body: list["Statement"]
    over_keys: bool = False


@dataclass(slots=True, eq=False)
class Try(Node):
    """Guarded statements, handlers with the variable that gets the exception, and what follows in any case."""

    body: list["Statement"]
    handlers: list[tuple[str | None, list["Statement"]]]
    final: list["Statement"]


@dataclass(slots=True, eq=False)
class Import(Node):
    """Names imported from a module: ``(name in the module, local name)``.

    The name is ``*`` for the module itself. ``level``: the dots of a relative import in Python.
    """

    module: str
    names: list[tuple[str, str]]
    level: int = 0


@dataclass(slots=True, eq=False)
class ImportAll(Node):
    """``from module import *``."""

    module: str
    level: int = 0


Statement: TypeAlias = (
    ExpressionStatement | Declare | Return | Throw | Break | If | Switch | Loop | Try | Import | ImportAll
)  # fmt: skip
