"""The common representation of code: what both languages have, as far as values and calls go.

``const table = `users-${stage}`; await db.put(item, table)`` becomes ::

    Declare(Name("table"), Concat([Literal("users-"), Name("stage")]))
    Evaluate(CallExpression(Member(Name("db"), "put"), [Name("item"), Name("table")]))

Each node has the line where it begins. What has no meaning here, such as arithmetic, is ``Other`` with the
expressions inside it. ``await`` is left out: a promise is treated as its result.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal as OneOf
from typing import TypeAlias

WHOLE_EXPORT = "="  # what a module exports instead of names


@dataclass(slots=True, eq=False)
class Node:
    """What all expressions, statements and targets have: the line where they begin."""

    line: int


# Expressions


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
class Fallback(Node):
    """``left || right``, ``left ?? right``, ``left or right``."""

    left: "Expression"
    right: "Expression"


@dataclass(slots=True, eq=False)
class Both(Node):
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
class Given(Node):
    """A value that is known already: a set of possibilities of ``values``."""

    value: frozenset[Hashable]


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
    | Conditional | Fallback | Both | Equal | Not | Assign | Comprehension | Yield
    | Decorate | Require | ModuleExport | Injected | Typed | Given | Other | Unread
)  # fmt: skip
Target: TypeAlias = Name | Member | Subscript | ObjectPattern | ListPattern


# Statements


@dataclass(slots=True, eq=False)
class Evaluate(Node):
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
class Stop(Node):
    """``throw``, ``raise``, ``break`` or ``continue``; what follows in the same block isn't reached."""

    value: Expression | None
    leaves_function: bool


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
    Evaluate | Declare | Return | Stop | If | Switch | Loop | Try | Import | ImportAll
)  # fmt: skip


# Functions, classes, modules


@dataclass(slots=True, eq=False)
class Parameter:
    """A parameter. ``type_name``: the class that its annotation names, ``DynamoDBDocumentClient``."""

    target: Target
    default: Expression | None = None
    kind: OneOf["normal", "rest", "keywords"] = "normal"
    type_name: str | None = None
    property_name: str | None = None  # TypeScript: `constructor(private readonly name: Type)`
    keyword_only: bool = False


@dataclass(slots=True, eq=False)
class Function:
    """A function. ``module`` and ``name`` identify it for people; ``own_this``: not an arrow function.

    ``variables`` are the names that it declares. Of these, functions inside it read those in ``captured``, and
    assign those in ``shared``.
    """

    name: str
    line: int
    parameters: list[Parameter]
    body: list[Statement]
    module: "Module"
    own_this: bool = True
    is_generator: bool = False
    variables: set[str] = field(default_factory=set)
    captured: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    is_class_body: bool = False  # Python's, whose variables the functions inside it don't see


@dataclass(slots=True, eq=False)
class ClassMember:
    """A method, a getter, or a field with its initial value as a function without parameters."""

    name: str
    function: Function
    kind: OneOf["method", "getter", "field"]
    is_static: bool = False
    is_decorated: bool = False  # TypeScript: `@Get(":id") one() {…}`, which a framework calls


@dataclass(slots=True, eq=False)
class ClassDefinition:
    """A class. Python's has a body, whose variables are its members; JavaScript's has a list of members."""

    name: str
    line: int
    bases: list[Expression]
    members: list[ClassMember]
    interfaces: list[str] = field(default_factory=list)
    body: Function | None = None
    fields: list[str] = field(default_factory=list)  # annotated in Python's body, in order
    decorators: list[Expression] = field(default_factory=list)  # TypeScript's; Python's are `Decorate`

    @property
    def is_decorated(self) -> bool:
        """Whether a framework may have to do with it."""
        return bool(self.decorators) or any(member.is_decorated for member in self.members)


@dataclass(slots=True, eq=False)
class Module:
    """A file. ``exports``: exported name → local variable; ``export_all``: modules that are exported again."""

    file: str
    language: OneOf["javascript", "python"]
    body: Function = field(init=False)
    exports: dict[str, str] = field(default_factory=dict)
    export_all: list[str] = field(default_factory=list)
    classes: list[ClassDefinition] = field(default_factory=list)
    shapes: dict[str, dict[str, str]] = field(default_factory=dict)  # type → property → the class of its type
    functions: list[Function] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


def affixes(key: Expression) -> tuple[str, str]:
    """What a name that is put together begins and ends with: ``"on" + kind`` begins with ``on``."""
    if not isinstance(key, Concat) or len(key.parts) < 2:
        return "", ""
    first, last = key.parts[0], key.parts[-1]
    start = first.value if isinstance(first, Literal) and isinstance(first.value, str) else ""
    end = last.value if isinstance(last, Literal) and isinstance(last.value, str) else ""
    return start, end
