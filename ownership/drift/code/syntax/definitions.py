"""Functions, classes and modules."""

from dataclasses import dataclass, field
from typing import Literal

from ownership.drift.code.syntax.expressions import Expression, Target, Unread
from ownership.drift.code.syntax.statements import Statement

WHOLE_EXPORT = "="  # what a module exports instead of names


@dataclass(slots=True, eq=False)
class Parameter:
    """A parameter. ``type_name``: the class that its annotation names, ``DynamoDBDocumentClient``."""

    target: Target
    default: Expression | None = None
    kind: Literal["normal", "rest", "keywords"] = "normal"
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
    kind: Literal["method", "getter", "field"]
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
    # TypeScript's; Python's are `Decorate`.
    decorators: list[Expression] = field(default_factory=list)

    @property
    def is_python(self) -> bool:
        """Whether this is a class of Python."""
        return self.body is not None

    @property
    def is_decorated(self) -> bool:
        """Whether a framework may have to do with it."""
        return bool(self.decorators) or any(member.is_decorated for member in self.members)


@dataclass(slots=True, eq=False)
class Module:
    """A file. ``exports``: exported name → local variable; ``export_all``: modules that are exported again."""

    file: str
    language: Literal["javascript", "python"]
    body: Function = field(init=False)
    exports: dict[str, str] = field(default_factory=dict)
    export_all: list[str] = field(default_factory=list)
    classes: list[ClassDefinition] = field(default_factory=list)
    # Type → property → the class of its type.
    shapes: dict[str, dict[str, str]] = field(default_factory=dict)
    functions: list[Function] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    @property
    def is_python(self) -> bool:
        """Whether this is a module of Python."""
        return self.language == "python"

    @property
    def has_exports(self) -> bool:
        """Whether it has exports of its own, besides those of CommonJS."""
        return bool(self.exports or self.export_all)
