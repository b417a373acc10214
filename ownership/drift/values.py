"""Values read from files: texts, mappings and lists that know their location.

``serverless.yml`` with this line::

    custom: {table: "biztechUsers${opt:stage}"}

becomes ``Map({"custom": Map({"table": Text("biztechUsers${opt:stage}")})})``, and the ``location`` of each is
``serverless.yml:1``. Once ``opt:stage`` is known to be ``PROD``, the text is ``biztechUsersPROD``, and its
``variables`` record that characters 12 to 16 came from a variable. That is how a table's name is told apart
from the environment's suffix.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self, TypeAlias

from ownership.drift.environment_words import SEPARATORS, is_environment_value
from ownership.drift.types import Location

SomeValue: TypeAlias = "Text | Map | Seq"
Value: TypeAlias = "SomeValue | None"

PLACEHOLDER = "\0"  # replaces what can't be resolved; neither YAML nor JSON can contain it
UNKNOWN_LOCATION = Location("?")

POSITION = re.compile(r"\d{1,9}")  # in a list


def as_index(text: str) -> int | None:
    """The text as a position in a list; None where it is no number that a list could have."""
    if POSITION.fullmatch(text):
        return int(text)
    return None


@dataclass(frozen=True)
class Reason:
    """Why a variable is unresolved.

    ``missing_input``: its value is given from outside the files (``opt:``, ``env:``, ``param:``), and was not.
    """

    text: str
    missing_input: bool = False


@dataclass(frozen=True)
class Variable:
    """The part of a text that came from a variable: ``text[start:end]``.

    - ``is_environment``: the part is the environment, such as a suffix, and no part of a table's name.
    - ``may_vary``: the part depends on the environment or on an input, and may be a part of a name.
    - ``reason``: why the variable is unresolved; the part is a placeholder then.
    """

    start: int
    end: int
    is_environment: bool
    reason: Reason | None = None
    may_vary: bool = False

    def touches(self, start: int, end: int) -> bool:
        """Whether some of it is in ``text[start:end]``. An empty variable at either end counts, too."""
        if self.start == self.end:
            return start <= self.start <= end
        return self.start < end and start < self.end

    def within(self, start: int, end: int) -> "Variable":
        """The variable as seen from ``text[start:end]``."""
        if start == 0 and self.end <= end:
            return self
        new_start = max(self.start, start) - start
        new_end = min(self.end, end) - start
        return Variable(new_start, new_end, self.is_environment, self.reason, self.may_vary)

    def shifted(self, by: int) -> "Variable":
        """The variable in a text that has ``by`` more characters before it."""
        if by == 0:
            return self
        return Variable(
            self.start + by, self.end + by, self.is_environment, self.reason, self.may_vary
        )


class Text(str):
    """A text with its location and the variables that it was made from."""

    __slots__ = ("location", "variables")
    location: Location
    variables: tuple[Variable, ...]

    def __new__(cls, value: str, location: Location, variables: tuple[Variable, ...] = ()) -> Self:
        text = super().__new__(cls, value)
        text.location = location
        text.variables = variables
        return text

    def __deepcopy__(self, memo: dict[int, object]) -> "Text":
        return self  # immutable

    @property
    def reason(self) -> Reason | None:
        """Why a part of it is unresolved; None if all of it is resolved.

        A part that is not the environment comes first, for a name is resolved without the environment's value.
        """
        unresolved = [variable for variable in self.variables if variable.reason]
        if not unresolved:
            return None
        return min(unresolved, key=lambda variable: variable.is_environment).reason

    @property
    def environment(self) -> list[Variable]:
        """Those of its variables that are the environment."""
        return [variable for variable in self.variables if variable.is_environment]

    @property
    def varies(self) -> bool:
        """Whether a part of it is the environment, or depends on it."""
        return any(variable.is_environment or variable.may_vary for variable in self.variables)

    @property
    def has_unknown_part(self) -> bool:
        """Whether something in it is unresolved that is not the environment."""
        return any(variable.reason and not variable.is_environment for variable in self.variables)

    def at(self, location: Location) -> "Text":
        """The same text at another place: where it is used."""
        return Text(self, location, self.variables)

    def part(self, start: int, end: int) -> "Text":
        """``text[start:end]`` with its variables."""
        # Most texts have no variables, and each is cut many times.
        if not self.variables:
            return Text(self[start:end], self.location)
        variables = []
        for variable in self.variables:
            if variable.touches(start, end):
                variables.append(variable.within(start, end))
        return Text(self[start:end], self.location, tuple(variables))

    def stripped(self) -> "Text":
        """Without the white space around it, such as the last line break of a block."""
        return self.part(len(self) - len(self.lstrip()), len(self.rstrip()))

    def split_at(self, separator: str, maximum: int = -1) -> list["Text"]:
        """Like ``str.split``, keeping the variables."""
        parts = []
        start = 0
        for piece in self.split(separator, maximum):
            end = start + len(piece)
            parts.append(self.part(start, end))
            start = end + len(separator)
        return parts


class Map(dict[str, Value]):
    """A mapping with its location; its keys are Texts. ``varies``: the environment decides which mapping it is."""

    def __init__(self, location: Location, items: Iterable[tuple[str, Value]] = ()) -> None:
        super().__init__(items)
        self.location = location
        self.varies = False

    def key_location(self, key: str) -> Location:
        """The location of a key that it has, or of the mapping where the key has none."""
        own = next(own for own in self if own == key)
        return as_text(own, self.location).location


class Seq(list[Value]):
    """A list with its location; ``varies`` as in Map."""

    def __init__(self, location: Location, items: Iterable[Value] = ()) -> None:
        super().__init__(items)
        self.location = location
        self.varies = False


def as_mapping(value: Value) -> Map:
    """The value as a mapping; an empty one for anything else."""
    if isinstance(value, Map):
        return value
    return Map(location_of(value))


def as_text(key: str, location: Location) -> Text:
    """A key with its location, or with that of what it belongs to where it has none."""
    if isinstance(key, Text):
        return key
    return Text(key, location)


def in_words(value: "Text | Seq") -> Text:
    """What stands where a mapping belongs, for people: the text itself, or that it is a list."""
    if isinstance(value, Text):
        return value
    return Text("a list", value.location)


def readable(text: str) -> str:
    """The text for people: with ``…`` in place of what can't be resolved."""
    return text.replace(PLACEHOLDER, "…")


def from_json(node: object, location: Location) -> Value:
    """A value of JSON, all of it at one location."""
    match node:
        case dict():
            members = Map(location)
            for key, member in node.items():
                members[Text(key, location)] = from_json(member, location)
            return members
        case list():
            return Seq(location, [from_json(member, location) for member in node])
        case None:
            return None
    return Text(str(node).replace(PLACEHOLDER, "\ufffd"), location)


def value_at(value: Value, *path: str | int) -> Value:
    """What a value has under a path of keys and positions; None for nothing."""
    for step in path:
        match value:
            case Map() if isinstance(step, str):
                value = value.get(step)
            case Seq() if isinstance(step, int) and step < len(value):
                value = value[step]
            case _:
                return None
    return value


def known_text(value: Value) -> Text | None:
    """The value, if it is a text and all of it is resolved; None for anything else."""
    match value:
        case Text(reason=None):
            return value
    return None


def members(value: Value) -> list[Value]:
    """The members of a list without nulls, or a single value as one."""
    match value:
        case None:
            return []
        case Seq():
            return [member for member in value if member is not None]
    return [value]


def children(value: Value) -> Iterable[Value]:
    """The values in a mapping or list; none in anything else."""
    match value:
        case Map():
            return value.values()
        case Seq():
            return value
    return ()


def mappings(value: Value) -> list[Map]:
    """The members of a list that are mappings, or a single mapping as one."""
    return [member for member in members(value) if isinstance(member, Map)]


def location_of(value: Value) -> Location:
    """The location of a value; null has none."""
    if value is None:
        return UNKNOWN_LOCATION
    return value.location


def concat(pieces: Iterable[str], location: Location) -> Text:
    """The pieces joined into one text that keeps their variables."""
    # Adding to a text copies it each time; joining once does not.
    texts: list[str] = []
    length = 0
    variables: list[Variable] = []
    for piece in pieces:
        if isinstance(piece, Text):
            variables += [variable.shifted(length) for variable in piece.variables]
        texts.append(piece)
        length += len(piece)
    return Text("".join(texts), location, tuple(variables))


def from_variable(
    value: str, location: Location, is_environment: bool = False, may_vary: bool = False
) -> Text:
    """The value of a variable, marked as such.

    It is the environment if told so, if it may vary and is what environments are called, or if it is made of the
    environment and separators alone.
    """
    if may_vary and is_environment_value(value):
        is_environment = True
    inner: tuple[Variable, ...] = ()
    if isinstance(value, Text):
        inner = value.variables
        is_environment = is_environment or _is_environment_alone(value)
    whole = Variable(0, len(value), is_environment, may_vary=may_vary)
    return Text(value, location, (whole, *inner))


def _is_environment_alone(text: Text) -> bool:
    """Whether a text has nothing but the environment and separators: ``-dev``, made from ``-${opt:stage}``."""
    environment = text.environment
    # Variables may overlap: one that was made from others covers them.
    rest = list(text)
    for variable in environment:
        length = variable.end - variable.start
        rest[variable.start : variable.end] = [""] * length
    return bool(environment) and not "".join(rest).strip(SEPARATORS)


def placeholder(location: Location, reason: Reason | str, is_environment: bool = False) -> Text:
    """What replaces a value that can't be resolved; it may be known to be the environment all the same."""
    if isinstance(reason, str):
        reason = Reason(reason)
    return Text(PLACEHOLDER, location, (Variable(0, 1, is_environment, reason),))
