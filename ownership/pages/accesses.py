"""The table of accesses on a table's and a service's page: declared, granted and in code, and what differs."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ownership.drift.compare import Truth
from ownership.findings.side_by_side import ComparedRow, SideBySide
from ownership.models import Access, DriftRun, Service, Table

# Lines of grants that nobody declared. The drift page has all of them.
MAX_UNDECLARED = 200


@dataclass(frozen=True)
class RunRow:
    """What one run says of a service and a table."""

    run: DriftRun
    row: ComparedRow


@dataclass(frozen=True)
class AccessLine:
    """The other end of an access, the access, and what each run says of it.

    There is no access where something is granted and not declared. The other end is not ``on_map`` where only a
    run names it.
    """

    other: Table | Service
    access: Access | None
    by_run: list[RunRow] = field(default_factory=list)
    on_map: bool = True


@dataclass(frozen=True)
class AccessTable:
    """All lines, the declared ones first; the runs that have a say; and how much they leave open."""

    lines: list[AccessLine]
    runs: list[DriftRun]
    left_out: int
    findings: int
    # Of the runs that read code: how many of the lines are true.
    truths: list[tuple[DriftRun, Truth]]

    @property
    def has_runs(self) -> bool:
        """Whether there is a run to compare with."""
        return bool(self.runs)

    @property
    def unknown(self) -> dict[str, list[str]]:
        """The names that a run knows nothing about, by the reason."""
        by_reason: dict[str, list[str]] = {}
        for line in self.lines:
            for run_row in line.by_run:
                if run_row.row.is_unknown:
                    names = by_reason.setdefault(run_row.row.unchecked, [])
                    if line.other.name not in names:
                        names.append(line.other.name)
        return by_reason


def of_table(accesses: Iterable[Access], compared: Iterable[SideBySide]) -> AccessTable:
    """Return a line for each service that uses the table or could."""
    lines = {}
    for access in accesses:
        lines[access.service.name] = AccessLine(access.service, access)
    return _with_runs(lines, compared, Service)


def of_service(accesses: Iterable[Access], compared: Iterable[SideBySide]) -> AccessTable:
    """Return a line for each table that the service uses or could."""
    lines = {}
    for access in accesses:
        lines[access.table.name] = AccessLine(access.table, access)
    return _with_runs(lines, compared, Table)


def _with_runs(
    lines: dict[str, AccessLine], compared: Iterable[SideBySide], kind: type[Table] | type[Service]
) -> AccessTable:
    """Add what the runs say; and lines for what only they know, up to MAX_UNDECLARED."""
    runs = []
    undeclared: dict[str, AccessLine] = {}
    findings = 0
    truths = []
    for latest in compared:
        runs.append(latest.run)
        if latest.truth is not None:
            truths.append((latest.run, latest.truth))
        for row in latest.rows:
            name = row.service if kind is Service else row.table
            line = lines.get(name) or undeclared.get(name)
            if line is None:
                line = AccessLine(kind(name=name), None, on_map=row.is_on_map)
                undeclared[name] = line
            line.by_run.append(RunRow(latest.run, row))
            findings += len(row.open_findings)
    shown = list(undeclared.values())[:MAX_UNDECLARED]
    return AccessTable(
        lines=[*lines.values(), *shown],
        runs=runs,
        left_out=len(undeclared) - len(shown),
        findings=findings,
        truths=truths,
    )
