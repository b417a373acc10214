"""The values that readers find and the comparison works on: frozen, comparable, and free of Django."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple, get_args

from ownership.drift.physical_names import NamePattern

ReadOrWrite = Literal["read", "write"]
FindingKind = Literal[
    "unregistered_table",
    "table_not_deployed",
    "undeclared_access",
    "access_not_granted",
    "wider_grant",
    "narrower_grant",
    "unused_declaration",
    "undeclared_use",
    "action_not_granted",
    "key_schema_differs",
    "index_differs",
]
FINDING_KINDS: tuple[FindingKind, ...] = get_args(FindingKind)

# Which side of a finding is wrong. ``mixed``: the modes that the finding is about have different verdicts.
Verdict = Literal["fix_map", "fix_iam", "trim_iam", "remove_from_map", "mixed"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

# What code does, as reports spell it: a mode, or that it does nothing.
InCode = Literal["none", "read", "write", "read_write"]

READ_AND_WRITE: tuple[ReadOrWrite, ...] = ("read", "write")
# A mode as the map and the API spell it, and what it is made of.
MODE_PARTS: dict[str, tuple[ReadOrWrite, ...]] = {
    "read": ("read",),
    "write": ("write",),
    "read_write": READ_AND_WRITE,
}

MODE_LABELS = {"read": "Read", "write": "Write", "read_write": "Read + Write"}

LONGEST_QUOTE = 300  # characters of a text from a file that a report repeats


def printable(text: str) -> str:
    """A text from elsewhere on one line, without control characters or other invisible ones."""
    characters = []
    for character in text:
        if character.isprintable():
            characters.append(character)
        elif character.isspace():
            characters.append(" ")
        else:
            characters.append("\ufffd")
    return "".join(characters)


def shortened(text: str) -> str:
    """A text from elsewhere, printable and at most ``LONGEST_QUOTE`` characters of it."""
    if len(text) <= LONGEST_QUOTE:
        return printable(text)
    return f"{printable(text[:LONGEST_QUOTE])}… ({len(text):,} characters)"


def combined_mode(modes: Iterable[ReadOrWrite]) -> str | None:
    """``read``, ``write`` or ``read_write``, as the API spells them; None where there is neither."""
    return "_".join(sorted(modes)) or None


def label_of(value: str | None) -> str:
    """What is declared or granted, as people read it: "Read + Write"; key schemas and indexes as they are."""
    return "nothing" if value is None else MODE_LABELS.get(value, value)


def label_of_code(in_code: str | None) -> str:
    """What code does, as people read it: "Read + Write", "nothing", or that it is not known."""
    if in_code is None:
        return "not known"
    return MODE_LABELS.get(in_code, "nothing")


def label_of_kind(kind: str) -> str:
    """A kind of finding, as people read it: "Access not granted"."""
    return kind.replace("_", " ").capitalize()


@dataclass(frozen=True, order=True)
class Location:
    """Where something was found: a file relative to the root and a line, or a live table's ARN without one."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


class ReadError(Exception):
    """A file, map or endpoint that can't be read, with its location. What can't be resolved raises nothing."""

    def __init__(self, location: Location, reason: str):
        self.location, self.reason = location, shortened(reason)
        super().__init__(f"{location}: {self.reason}")


@dataclass(frozen=True, order=True)
class DeclaredAccess:
    """One service's use of one table in one mode, as the map declares it."""

    service: str
    table: str
    mode: ReadOrWrite


@dataclass(frozen=True, order=True)
class GrantedAccess:
    """One service's use of one table in one mode, as infrastructure permits it."""

    service: str
    table: str
    mode: ReadOrWrite


@dataclass(frozen=True, order=True)
class ActionOn:
    """An action of IAM on a table (``index`` is empty) or on an index: its name, or a pattern of names if granted."""

    action: str  # as IAM spells it, without the service: Query
    index: str = ""

    def __str__(self) -> str:
        return (
            f"dynamodb:{self.action} on index {self.index}"
            if self.index
            else f"dynamodb:{self.action}"
        )


@dataclass(frozen=True)
class KeyAttribute:
    """A key attribute; type is S, N, B, or None where it isn't stated."""

    name: str
    type: str | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.type})" if self.type else self.name


@dataclass(frozen=True)
class Keys:
    """The key schema of a table or index."""

    partition: KeyAttribute
    sort: KeyAttribute | None = None

    def __str__(self) -> str:
        return f"{self.partition} + {self.sort}" if self.sort else str(self.partition)


@dataclass(frozen=True)
class TableShape:
    """A table's keys and indexes, as declared or as deployed. None: not stated."""

    name: str
    key_schema: Keys | None = None
    indexes: tuple[tuple[str, Keys | None], ...] = ()
    locations: tuple[Location, ...] = ()


@dataclass(frozen=True)
class DeclaredService:
    """A service of the map; aliases are other names it goes by in infrastructure."""

    name: str
    part_of: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeclaredMap:
    """What the map declares: one side of the comparison."""

    revision: int | None = None
    environments: dict[str, NamePattern] = field(default_factory=dict)
    services: tuple[DeclaredService, ...] = ()
    tables: tuple[TableShape, ...] = ()
    owners: dict[str, str | None] = field(default_factory=dict)  # table → service
    accesses: frozenset[DeclaredAccess] = frozenset()


@dataclass(frozen=True)
class Unresolved:
    """A value that could not be determined from the files. ``modes`` are what it may grant.

    To ``service``, or to any service where that is None.
    """

    location: Location
    text: str
    reason: str
    service: str | None = None
    modes: frozenset[ReadOrWrite] = frozenset()


@dataclass(frozen=True)
class Note:
    """Something that people should know, although it is neither drift nor unresolved."""

    location: Location
    text: str


@dataclass(frozen=True)
class Infrastructure:
    """What a reader found: the other side of the comparison.

    - ``grants``: each granted access, with the locations that grant it.
    - ``actions``: for each granted access, the actions that are permitted; none where the run did not keep them.
    - ``services``: the services whose permissions were read. Nothing is known of any other service.
    - ``unread``: the services of which something could not be read.
    - ``all_tables``: whether the reader saw every table there is, so that a table it did not see is not deployed.
    """

    reader: str
    grants: dict[GrantedAccess, tuple[Location, ...]] = field(default_factory=dict)
    actions: dict[GrantedAccess, frozenset[ActionOn]] = field(default_factory=dict)
    tables: tuple[TableShape, ...] = ()
    services: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    all_tables: bool = False
    unresolved: tuple[Unresolved, ...] = ()
    notes: tuple[Note, ...] = ()
    errors: tuple[ReadError, ...] = ()


class Identity(NamedTuple):
    """What identifies a finding, run after run; service is None where the finding is about the table itself."""

    kind: FindingKind
    table: str
    service: str | None


class NeededAction(NamedTuple):
    """An action that code needs and its role does not permit, and the functions that need it, of which service."""

    action: ActionOn
    service: str
    functions: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.action} for {', '.join(self.functions)}"


@dataclass(frozen=True)
class Finding:
    """One difference between the map, the infrastructure and the code.

    - ``declared`` and ``granted`` are modes (``read``, ``write``, ``read_write``, None), or texts for keys and
      indexes.
    - ``owner`` is the service to ask; None for a table that is not on the map.
    - ``in_code`` is what code does; None if code was not read, or something unresolved may do more than nothing.
    - ``verdicts``: for each mode that the finding is about, which side is wrong; None where code does not tell.
    - ``to_allow`` is what IAM lacks for what code does, ``to_remove`` what it permits and no code needs.
    - ``code_paths``: for the modes that only code outside the service's own folder uses, the way there.
    """

    kind: FindingKind
    table: str
    service: str | None
    declared: str | None
    granted: str | None
    owner: str | None
    evidence: tuple[Location, ...] = ()
    in_code: InCode | None = None
    code_evidence: tuple[Location, ...] = ()
    verdicts: tuple[tuple[ReadOrWrite, Verdict | None], ...] = ()
    to_allow: tuple[NeededAction, ...] = ()
    to_remove: tuple[ActionOn, ...] = ()
    code_paths: tuple[tuple[ReadOrWrite, tuple[str, ...]], ...] = ()

    @property
    def identity(self) -> Identity:
        """What identifies it, run after run."""
        return Identity(self.kind, self.table, self.service)

    @property
    def verdict(self) -> Verdict | None:
        """The verdict of all modes together; None if that of one of them is not known, or there are none."""
        verdicts = {verdict for _, verdict in self.verdicts}
        if not verdicts or None in verdicts:
            return None
        if len(verdicts) > 1:
            return "mixed"
        return verdicts.pop()

    def modes_with(self, *wanted: Verdict) -> frozenset[ReadOrWrite]:
        """The modes that have one of these verdicts."""
        return frozenset(mode for mode, verdict in self.verdicts if verdict in wanted)


@dataclass(frozen=True)
class WaiverTerms:
    """Which finding is waived, in which environment, and until the end of which day (UTC).

    A waiver covers what was granted when it was made. If something else is granted, the finding counts again.
    """

    identity: Identity
    environment: str | None
    granted: str | None
    until: date
    reason: str = ""


@dataclass(frozen=True)
class Offer:
    """Keys that are deployed and that the map leaves open: a table's, or those of its index ``index``."""

    table: str
    index: str | None
    key_schema: Keys
    evidence: tuple[Location, ...] = ()

    @property
    def identity(self) -> Identity:
        """What identifies it, in the form of a finding's identity; the index takes the service's place."""
        return Identity("key_schema_offered", self.table, self.index)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Unchecked:
    """A declared access that the reader could not judge."""

    table: str
    service: str
    reason: str


@dataclass(frozen=True)
class CodeAccess:
    """One function's use of one table in one mode, as its code does it.

    - ``direct``: whether the call that names the table is in the service's own folder; else it is indirect.
    - ``path``: the functions from the handler to the call, each as ``file#function``.
    - ``operations``: IAM's actions, such as ``Query``; ``indexes``: those that the calls name.
    - ``calls``: which operation is on which; without calls whose index is not known.
    - ``evidence``: the calls that name the table, and the calls of DynamoDB.
    - ``reachable``: whether the function is deployed.
    """

    service: str
    table: str
    mode: ReadOrWrite
    function: str
    direct: bool
    path: tuple[str, ...]
    operations: tuple[str, ...]
    indexes: tuple[str, ...]
    evidence: tuple[Location, ...]
    reachable: bool = True
    calls: tuple[ActionOn, ...] = ()


@dataclass(frozen=True)
class CodeUsage:
    """What the code of all deployed functions does: the third side of the comparison.

    - ``services``: the services whose code was read. Nothing is known of any other service.
    - ``unresolved``: what may be more accesses. A service that is named here may do more than ``accesses`` say.
    """

    accesses: tuple[CodeAccess, ...] = ()
    services: frozenset[str] = frozenset()
    unresolved: tuple[Unresolved, ...] = ()
    notes: tuple[Note, ...] = ()
    errors: tuple[ReadError, ...] = ()
