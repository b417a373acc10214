"""What the cells of the matrix say: what is declared, what is granted, or where the two differ."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from ownership.catalog.confirmation import TableConfirmation
from ownership.drift.compare import AccessPair
from ownership.drift.types import (
    DeclaredAccess,
    DeclaredMap,
    DeclaredService,
    ReadOrWrite,
    TableShape,
    combined_mode,
    label_of,
    label_of_code,
    label_of_kind,
)
from ownership.findings.acceptance import TAKES_AWAY
from ownership.findings.latest_runs import LatestRun, compare_latest
from ownership.findings.runs import declared_accesses
from ownership.models import READS, WRITES, Access, Mode, Service, Table

DECLARED, CONFIRMATION, GRANTED, DRIFT = "declared", "confirmation", "granted", "drift"
LAYERS = {DECLARED: "Declared", CONFIRMATION: "Confirmed", GRANTED: "Granted", DRIFT: "Drift"}
LAYERS_OF_DRIFT = (GRANTED, DRIFT)
# What the totals of a row or column count.
TOTALS = {
    DECLARED: ("Reads", "Writes"),
    CONFIRMATION: ("Reads", "Writes"),
    GRANTED: ("Reads", "Writes"),
    DRIFT: ("Findings",),
}
_LETTERS = {Mode.READ: "R", Mode.WRITE: "W", Mode.READ_WRITE: "RW"}
_VERBS = {Mode.READ: "reads", Mode.WRITE: "writes", Mode.READ_WRITE: "reads and writes"}
_MAY = {Mode.READ: "may read", Mode.WRITE: "may write", Mode.READ_WRITE: "may read and write"}


@dataclass(frozen=True)
class Mark:
    """How one service uses, may use or differs about one table; ``kind`` is its CSS class, ``counts`` its totals.

    ``words`` continue a sentence that begins with the service.
    """

    kind: str
    letters: str
    words: str
    counts: tuple[int, ...]


# By the ids of table and service.
Marks = dict[tuple[int, int], Mark]


@dataclass(frozen=True)
class MatrixCell:
    """One service and one table. No mark where the service only owns the table.

    A cell is ``dimmed`` if a filter asks for other services, and this one only shares the table with them.
    """

    table: Table
    service: Service
    mark: Mark | None
    owner: bool
    dimmed: bool

    @property
    def classes(self) -> str:
        """Its CSS classes."""
        classes = [self.mark.kind] if self.mark else []
        if self.owner:
            classes.append("owner")
        if self.dimmed:
            classes.append("dim")
        return " ".join(classes)

    @property
    def letters(self) -> str:
        """The mark's letters, after a dot for the owner."""
        letters = self.mark.letters if self.mark else ""
        return f"●{letters}" if self.owner else letters

    @property
    def words(self) -> str:
        """The same as a sentence, which begins with what the cell shows: people who speak to a browser say that."""
        if self.mark is None:
            return f"{self.service.name} owns {self.table.name}, without an access of its own"
        words = f"{self.service.name} {self.mark.letters}: {self.mark.words}"
        return f"{words}, and owns it" if self.owner else words


@dataclass(frozen=True)
class MatrixRow:
    """A table with a cell, or None, for each column, and the totals over them; ``standing`` in one layer alone."""

    table: Table
    cells: list[MatrixCell | None]
    totals: list[int]
    standing: TableConfirmation | None = None


def declared_marks(accesses: Iterable[Access]) -> Marks:
    """Return a mark for each access, whose table and service are fetched."""
    marks = {}
    for access in accesses:
        mode = Mode(access.mode)
        kind, letters = str(mode), _LETTERS[mode]
        words = f"{_VERBS[mode]} {access.table.name}"
        if access.indirect:
            kind, letters, words = f"{kind} indirect", f"({letters})", f"{words}, indirectly"
        marks[access.table_id, access.service_id] = Mark(kind, letters, words, _counts(mode))
    return marks


def _counts(mode: Mode) -> tuple[int, int]:
    return int(mode in READS), int(mode in WRITES)


@dataclass
class _Merged:
    """What the latest runs say together of one table and one service."""

    granted: set[ReadOrWrite] = field(default_factory=set)
    through: str = ""
    is_unknown: bool = False
    excess: set[ReadOrWrite] = field(default_factory=set)
    missing: set[ReadOrWrite] = field(default_factory=set)
    findings: dict[str, None] = field(default_factory=dict)

    def add(self, pair: AccessPair, latest: LatestRun) -> None:
        """Add what one run says."""
        self.granted |= pair.effective
        self.through = pair.through or self.through
        self.is_unknown = self.is_unknown or bool(pair.unknown)
        for finding in pair.findings:
            if finding in latest.waived:
                continue
            kind = label_of_kind(finding.kind)
            declared, granted = label_of(finding.declared), label_of(finding.granted)
            words = f"{kind}: declared {declared}, granted {granted}"
            if finding.in_code is not None:
                words += f", in code {label_of_code(finding.in_code)}"
            self.findings[words] = None
            modes = {mode for mode, _ in finding.verdicts}
            if finding.kind in TAKES_AWAY:
                self.missing |= modes
            elif finding.kind != "action_not_granted":
                self.excess |= modes

    def granted_mark(self, table: Table) -> Mark | None:
        """The mark of the layer that shows grants."""
        combined = combined_mode(self.granted)
        if combined is None:
            if not self.is_unknown:
                return None
            words = f"not known whether it may use {table.name}"
            return Mark("unknown", "?", words, (0, 0))
        mode = Mode(combined)
        kind, letters = str(mode), _LETTERS[mode]
        words = f"{_MAY[mode]} {table.name}"
        if self.through:
            kind, letters, words = (
                f"{kind} indirect",
                f"({letters})",
                f"{words}, through {self.through}",
            )
        return Mark(kind, letters, words, _counts(mode))

    def drift_mark(self, table: Table) -> Mark | None:
        """The mark of the layer that shows what differs.

        +W is granted or in code, and not declared; −W the other way round; ! is about neither.
        """
        if not self.findings:
            return None
        letters = []
        for sign, modes in (("+", self.excess), ("−", self.missing)):
            combined = combined_mode(modes)
            if combined:
                letters.append(sign + _LETTERS[Mode(combined)])
        words = f"{table.name}: {'; '.join(self.findings)}"
        return Mark("drifts", " ".join(letters) or "!", words, (len(self.findings),))


def marks_of_runs(
    layer: str, tables: Collection[Table], services: Collection[Service], accesses: Iterable[Access]
) -> Marks:
    """Return the marks that the latest runs give those tables, whose declared accesses are given; three queries."""
    declared = _declared(tables, services, accesses)
    tables_by_name = {table.name: table for table in tables}
    services_by_name = {service.name: service for service in services}
    merged: dict[tuple[str, str], _Merged] = {}
    for latest in compare_latest(declared, tables_by_name):
        for pair in latest.comparison.pairs:
            # What is not on the map has no row or column: the drift page lists it.
            if pair.table in tables_by_name and pair.service in services_by_name:
                merged.setdefault((pair.table, pair.service), _Merged()).add(pair, latest)
    marks: Marks = {}
    for (table_name, service_name), both in merged.items():
        table, service = tables_by_name[table_name], services_by_name[service_name]
        mark = both.granted_mark(table) if layer == GRANTED else both.drift_mark(table)
        if mark is not None:
            marks[table.pk, service.pk] = mark
    return marks


def _declared(
    tables: Collection[Table], services: Collection[Service], accesses: Iterable[Access]
) -> DeclaredMap:
    """Return the map of those tables as drift compares it; keys and indexes have no place in the matrix."""
    names = {service.pk: service.name for service in services}
    declared_services = []
    for service in services:
        part_of = names.get(service.part_of_id or 0)
        declared_services.append(DeclaredService(service.name, part_of, tuple(service.aliases)))
    by_table: dict[str, list[Access]] = {}
    for access in accesses:
        by_table.setdefault(access.table.name, []).append(access)
    declared: list[DeclaredAccess] = []
    for name, of_table in by_table.items():
        declared.extend(declared_accesses(name, of_table))
    return DeclaredMap(
        services=tuple(declared_services),
        tables=tuple(TableShape(table.name) for table in tables),
        accesses=frozenset(declared),
    )
