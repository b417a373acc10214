"""What an expression may be. A value is a set of possibilities, and each possibility is one of the classes here.

``process.env.STAGE ? TABLE : "users"`` may be ``Str(("users",))`` or whatever ``TABLE`` may be. A value without
possibilities is not known *yet*; one that can't be known has ``UNKNOWN`` among its possibilities.

Texts keep environment variables: ``"users-" + process.env.STAGE`` is ``Str(("users-", EnvironmentVariable("STAGE")))``.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ownership.drift.code import syntax
from ownership.drift.code.ordered_set import EMPTY, OrderedSet
from ownership.drift.types import Location

if TYPE_CHECKING:
    from ownership.drift.code.frames import Frame


class Possibility(Protocol):
    """One of the things that a value may be: hashable, and compared by what it is or by identity."""

    def __hash__(self) -> int: ...


CodeValue: TypeAlias = OrderedSet[Possibility]
NOTHING: CodeValue = EMPTY


@dataclass(frozen=True, eq=False)
class Constant:
    """``true``, ``false``, ``null`` or ``undefined``, or something of which nothing is known. There is one of each."""

    name: str


TRUE, FALSE = Constant("true"), Constant("false")
NULL, UNDEFINED = Constant("null"), Constant("undefined")
UNKNOWN = Constant("unknown")
ABSENT = Constant("absent")  # a property that nothing seen so far has set
ENVIRONMENT = Constant("environment")  # `process.env`, `os.environ`
NO_VALUES = {NULL, UNDEFINED, ABSENT}
UNKNOWN_VALUE: CodeValue = OrderedSet((UNKNOWN,))


@dataclass(frozen=True)
class EnvironmentVariable:
    """A variable of the function's environment; ``fallback`` is used where it isn't set."""

    name: str
    fallback: "tuple[TextPart, ...] | None" = None


@dataclass(frozen=True)
class Derived:
    """What a method makes of a text with environment variables, worked out once their values are known.

    ``split:/`` with the position ``1``: the second piece of an ARN; ``json`` with a name: what is under that name.
    """

    parts: "tuple[TextPart, ...]"
    operation: str
    argument: str


TextPart: TypeAlias = str | EnvironmentVariable | Derived


@dataclass(frozen=True)
class Str:
    """A text. ``named_at``: the call that passed it to the function where it is; None if it is from there.

    ``cls``: the enumeration of Python that it is a member of.
    """

    parts: tuple[TextPart, ...]
    named_at: Location | None = None
    cls: "Class | None" = None

    @property
    def literal(self) -> str | None:
        """The text, if no part of it is an environment variable."""
        if not self.parts:
            return ""
        if len(self.parts) == 1 and isinstance(self.parts[0], str):
            return self.parts[0]
        return None

    def renamed(self, before: Location | None, after: Location | None) -> "Str":
        """The text as named at another place, if this was where it is named."""
        if self.named_at != before:
            return self
        return replace(self, named_at=after)


@dataclass(frozen=True)
class TextPieces:
    """The pieces of a text with environment variables, by position or by name: what ``split`` and JSON give."""

    text: Str
    operation: str

    def piece(self, name: str) -> Str:
        """One of the pieces."""
        return Str((Derived(self.text.parts, self.operation, name),), self.text.named_at)


@dataclass(frozen=True)
class Func:
    """A function with the frame whose variables it sees."""

    function: syntax.Function
    scope: "Frame | None"


@dataclass(frozen=True)
class Bound:
    """A function with what ``this`` or ``self`` is when it is called."""

    function: Func
    this: CodeValue


@dataclass(frozen=True)
class Marked:
    """What Python's ``property``, ``staticmethod`` and ``classmethod`` make of a function."""

    kind: str
    function: CodeValue
    setter: CodeValue = NOTHING


@dataclass(frozen=True)
class Record:
    """What ``namedtuple("Name", "first second")`` makes: it is called with the fields."""

    fields: tuple[str, ...]


@dataclass(frozen=True)
class Partial:
    """A function with its first arguments, and some keyword arguments, given already."""

    function: CodeValue
    positional: tuple[CodeValue, ...]
    keywords: tuple[tuple[str, CodeValue], ...] = ()


@dataclass(frozen=True)
class Namespace:
    """A module as a value."""

    module: syntax.Module


@dataclass(frozen=True)
class Method:
    """A built-in method of something, or a method of an SDK's object: ``list.push``, ``client.query``."""

    owner: Possibility
    name: str


@dataclass(slots=True, eq=False)
class Cell:
    """A variable, property or result.

    ``readers`` are interpreted again when it may be something else as well. There are very many cells, most with
    no reader or one: a tuple takes a fifth of a dict's memory.
    """

    value: CodeValue = NOTHING
    readers: "tuple[Frame, ...] | dict[Frame, None]" = ()

    def add_reader(self, frame: "Frame") -> None:
        """Have the frame interpreted again when the value changes."""
        if frame in self.readers:
            return
        if isinstance(self.readers, dict):
            self.readers[frame] = None
        elif len(self.readers) < 4:
            self.readers = (*self.readers, frame)
        else:
            self.readers = dict.fromkeys((*self.readers, frame))


@dataclass(slots=True, eq=False)
class Obj:
    """An object, dict, list or instance, by where it is made.

    ``fields`` are by name; a list's by position. ``rest`` is what has an unknown name or position.
    ``keys`` are read by those who go through all fields. ``is_open``: it may have more fields than are known.
    """

    location: Location
    is_list: bool = False
    cls: "Class | None" = None
    fields: dict[str | Str, Cell] = field(default_factory=dict)
    rest: Cell = field(default_factory=Cell)
    keys: Cell = field(default_factory=Cell)
    named_at: dict[str | Str, Location] = field(default_factory=dict)
    prototype: "Obj | None" = None  # of an old-style class, which is a function
    passed_at: Location | None = None  # the first call that a list was passed to
    is_open: bool = False


@dataclass(eq=False)
class Class:
    """A class with the frame where it is defined. ``members`` are methods and fields, ``statics`` its own ones."""

    definition: syntax.ClassDefinition
    scope: "Frame"
    bases: list[Cell] = field(default_factory=list)
    decorations: Cell = field(default_factory=Cell)
    subclasses: Cell = field(default_factory=Cell)
    members: dict[str, syntax.ClassMember] = field(default_factory=dict)
    statics: Obj = field(init=False)

    def __post_init__(self) -> None:
        self.statics = Obj(Location(self.scope.function.module.file, self.definition.line))


@dataclass(slots=True, eq=False)
class External:
    """Something of a package that isn't read: ``("aws-sdk", "DynamoDB")``.

    What a call of it gives has an identity of its own: ``held`` has what that call was given, ``registered`` has
    what its methods were given later, and ``made_from`` is whose method was called. ``unread``: why code of the
    project itself is external.
    """

    path: tuple[str, ...]
    root: "External | None" = None
    children: dict[str, "External"] = field(default_factory=dict)
    held: Cell = field(default_factory=Cell)
    registered: Cell = field(default_factory=Cell)
    made_from: "External | None" = None
    is_result: bool = False
    unread: str | None = None

    def child(self, name: str) -> "External":
        """A member of it."""
        if name not in self.children:
            path = (*self.path, name)[-6:]
            self.children[name] = External(
                path,
                self.root or self,
                is_result=self.is_result,
                unread=self.unread,
            )
        return self.children[name]

    @property
    def holder(self) -> "External":
        """What holds the functions that are handed to a method of it."""
        return self.root or self


# Objects of the SDKs


def _known_or_not(name: Str | None) -> CodeValue:
    if name is None:
        return UNKNOWN_VALUE
    return OrderedSet((name,))


@dataclass(frozen=True)
class Client:
    """A client of DynamoDB: boto3's client or resource, or any of AWS's for JavaScript."""


@dataclass(frozen=True)
class TableHandle:
    """boto3's ``Table``, or its writer of batches; a name of None can't be told."""

    name: Str | None
    is_writer: bool = False

    @property
    def table(self) -> CodeValue:
        """The name of the table as a value."""
        return _known_or_not(self.name)

    def renamed(self, before: Location | None, after: Location | None) -> "TableHandle":
        """The table, whose name is named at another place, if this was where it is named."""
        if self.name is None:
            return self
        return replace(self, name=self.name.renamed(before, after))


@dataclass(frozen=True)
class Model:
    """A class of PynamoDB, whose ``Meta`` names its table; a name of None can't be told."""

    cls: "Class"
    name: Str | None

    @property
    def table(self) -> CodeValue:
        """The name of the table as a value."""
        return _known_or_not(self.name)


@dataclass(frozen=True)
class Paginator:
    """boto3's paginator of an operation."""

    operation: str


@dataclass(eq=False)
class SdkCommand:
    """A command of the SDK for JavaScript v3 that is not sent yet."""

    operation: str
    input: Cell
    location: Location
