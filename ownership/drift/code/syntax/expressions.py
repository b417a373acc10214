"""Expressions, and the targets of assignments."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ownership.drift.code.ordered_set import OrderedSet

if TYPE_CHECKING:
    from ownership.drift.code.syntax.definitions import ClassDefinition, Function, Module

MAX_NESTING = 100  # of what is read: deeper, code is Unread
TOO_DEEP = f"is nested deeper than {MAX_NESTING} levels, and is not read below that"


@dataclass(slots=True, eq=False)
class Node:
    """What all expressions, statements and targets have: the line where they begin."""

    line: int


@dataclass(slots=True, eq=False)
class Literal(Node):
    """A constant. Numbers are texts, for all that is done with them here is to put them into names."""

    value: str | bool | None


@dataclass(slots=True, eq=False)
class Undefined(Node):
    """JavaScript's ``undefined``."""


@dataclass(slots=True, eq=False)
class Concat(Node):
    """Texts joined: a template, an f-string, or ``+``."""

    parts: list["Expression"]


@dataclass(slots=True, eq=False)
class Name(Node):
    """A variable."""

    name: str


@dataclass(slots=True, eq=False)
class This(Node):
    """JavaScript's ``this``. Python's ``self`` is a parameter like others."""


@dataclass(slots=True, eq=False)
class Super(Node):
    """The base class, seen from a method."""


@dataclass(slots=True, eq=False)
class Member(Node):
    """``owner.name``; ``is_item``: Python's ``owner["name"]``, which is the same field of a dict."""

    owner: "Expression"
    name: str
    is_item: bool = False


@dataclass(slots=True, eq=False)
class Subscript(Node):
    """``owner[key]``."""

    owner: "Expression"
    key: "Expression"


@dataclass(slots=True, eq=False)
class CallExpression(Node):
    """A call. Keyword arguments without a name are ``**mapping``."""

    callee: "Expression"
    arguments: list["Expression"]
    keywords: list[tuple[str | None, "Expression"]] = field(default_factory=list)
    is_new: bool = False
    type_argument: str | None = None  # TypeScript: `container.get<Users>(…)`


@dataclass(slots=True, eq=False)
class ObjectLiteral(Node):
    """An object or dict. An entry without a key is another object that is spread into it."""

    entries: list[tuple["Expression | None", "Expression"]]


@dataclass(slots=True, eq=False)
class ListLiteral(Node):
    """A list, tuple or set; its items may be ``Spread``."""

    items: list["Expression"]


@dataclass(slots=True, eq=False)
class Spread(Node):
    """``...value`` or ``*value`` among items and arguments."""

    value: "Expression"


@dataclass(slots=True, eq=False)
class FunctionExpression(Node):
    """A function as a value."""

    function: "Function"


@dataclass(slots=True, eq=False)
class ClassExpression(Node):
    """A class as a value."""

    definition: "ClassDefinition"


@dataclass(slots=True, eq=False)
class Conditional(Node):
    """``test ? yes : no``."""

    test: "Expression"
    yes: "Expression"
    no: "Expression"


@dataclass(slots=True, eq=False)
class Or(Node):
    """``left || right``, ``left ?? right``, ``left or right``."""

    left: "Expression"
    right: "Expression"


@dataclass(slots=True, eq=False)
class And(Node):
    """``left && right``, ``left and right``."""

    left: "Expression"
    right: "Expression"


@dataclass(slots=True, eq=False)
class Equal(Node):
    """``left === right``, or its opposite."""

    left: "Expression"
    right: "Expression"
    negated: bool


@dataclass(slots=True, eq=False)
class Not(Node):
    """``!operand``."""

    operand: "Expression"


@dataclass(slots=True, eq=False)
class Assign(Node):
    """``target = value`` as an expression; with ``keeps``, what the target has already stays possible."""

    target: "Target"
    value: "Expression"
    keeps: bool = False


@dataclass(slots=True, eq=False)
class Comprehension(Node):
    """``[element for target in iterable]``; with a key, a dict."""

    loops: list[tuple["Target", "Expression"]]
    conditions: list["Expression"]
    element: "Expression"
    key: "Expression | None" = None


@dataclass(slots=True, eq=False)
class Yield(Node):
    """``yield value``: the function's result has it as an item. ``whole``: ``yield*``, ``yield from``."""

    value: "Expression"
    whole: bool = False


@dataclass(slots=True, eq=False)
class Decorate(Node):
    """``@decorator`` above what has the value."""

    decorator: "Expression"
    value: "Expression"


@dataclass(slots=True, eq=False)
class Require(Node):
    """``require("module")`` or ``import("module")`` with a literal."""

    module: str


@dataclass(slots=True, eq=False)
class ModuleExport(Node):
    """What a module exports under a name, where infrastructure says that a function starts."""

    module: "Module"
    name: str


@dataclass(slots=True, eq=False)
class Injected(Node):
    """What a container puts into a field: an instance of the class that its type names."""

    type_name: str


@dataclass(slots=True, eq=False)
class Typed(Node):
    """A value with the class that its type names: ``const users: Users = container.get("users")``."""

    value: "Expression"
    type_name: str


@dataclass(slots=True, eq=False)
class Evaluated(Node):
    """A value that is known already: a set of possibilities of ``values``."""

    value: OrderedSet[Hashable]


@dataclass(slots=True, eq=False)
class Other(Node):
    """An expression whose value has no meaning here."""

    children: list["Expression"]


@dataclass(slots=True, eq=False)
class Unread(Node):
    """A part of the code that was not read."""

    reason: str


# Targets of assignments besides Name, Member and Subscript


@dataclass(slots=True, eq=False)
class ObjectPattern(Node):
    """``{a, b: c = 1, ...rest}``: key, target and default of each entry."""

    entries: list[tuple["Expression", "Target", "Expression | None"]]
    rest: "Target | None" = None


@dataclass(slots=True, eq=False)
class ListPattern(Node):
    """``[a, , b = 1, ...rest]``; a gap has no target."""

    items: list[tuple["Target | None", "Expression | None"]]
    rest: "Target | None" = None


Expression: TypeAlias = (
    Literal | Undefined | Concat | Name | This | Super | Member | Subscript | CallExpression
    | ObjectLiteral | ListLiteral | Spread | FunctionExpression | ClassExpression
    | Conditional | Or | And | Equal | Not | Assign | Comprehension | Yield
    | Decorate | Require | ModuleExport | Injected | Typed | Evaluated | Other | Unread
)  # fmt: skip
Target: TypeAlias = Name | Member | Subscript | ObjectPattern | ListPattern


def literal_text(node: Expression | None) -> str | None:
    """The text that is written out as this expression; None for any other expression."""
    if isinstance(node, Literal) and isinstance(node.value, str):
        return node.value
    return None


def affixes(key: Expression) -> tuple[str, str]:
    """What a name that is put together begins and ends with: ``"on" + kind`` begins with ``on``."""
    if not isinstance(key, Concat) or len(key.parts) < 2:
        return "", ""
    start = literal_text(key.parts[0])
    end = literal_text(key.parts[-1])
    return start or "", end or ""


def name_of(node: "Expression | Target") -> str:
    """The last name of a variable or property; empty for anything else."""
    if isinstance(node, Name | Member):
        return node.name
    return ""
