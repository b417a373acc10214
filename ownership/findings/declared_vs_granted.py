"""What is declared and what the latest runs found granted, side by side: of one table, or of one service."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet

from ownership.drift.compare import AccessPair, compare, wholes_of
from ownership.drift.serialization import unresolved_from_json
from ownership.drift.types import (
    MODE_PARTS,
    DeclaredAccess,
    DeclaredMap,
    DeclaredService,
    Finding,
    GrantedAccess,
    Infrastructure,
    Location,
    TableShape,
    combined_mode,
)
from ownership.findings import runs as kept_runs
from ownership.models import Access, DriftRun, Grant, Service, Table, Waiver

ROWS_SHOWN = 200  # of a run

Grants = dict[GrantedAccess, tuple[Location, ...]]


@dataclass(frozen=True)
class ComparedRow:
    """One service and one table. Modes are spelled as in the API; None stands for no mode.

    ``findings`` is empty where both sides agree. It also says nothing about a mode that could not be checked;
    ``unchecked`` then says why.
    """

    table: str
    service: str
    declared: str | None
    granted: str | None
    through: str | None  # the service that holds the grant, where this one is part of it
    evidence: tuple[Location, ...]
    findings: tuple[Finding, ...]
    unchecked: str
    waiver: Waiver | None

    @property
    def is_unknown(self) -> bool:
        """Whether the run knows nothing about it. It may also know about one mode alone."""
        return bool(self.unchecked and not self.granted and not self.findings)


@dataclass(frozen=True)
class Latest:
    """The rows of the latest run of a series; ``more`` rows are left out."""

    run: DriftRun
    rows: list[ComparedRow]
    more: int

    @property
    def known(self) -> list[ComparedRow]:
        """The rows that the run knows something about."""
        return [row for row in self.rows if not row.is_unknown]

    @property
    def unknown(self) -> dict[str, list[ComparedRow]]:
        """The other rows, by the reason."""
        by_reason: dict[str, list[ComparedRow]] = defaultdict(list)
        for row in self.rows:
            if row.is_unknown:
                by_reason[row.unchecked].append(row)
        return dict(by_reason)


def of_table(table: Table) -> list[Latest]:
    """The services with a grant or a declared access to the table, by the latest runs that read permissions."""
    runs = _runs_that_read_permissions()
    if not runs:
        return []
    declared = DeclaredMap(
        services=tuple(_services()),
        tables=(TableShape(table.name),),
        accesses=frozenset(_declared_accesses(Access.objects.filter(table=table))),
    )
    return _compare(runs, _grants(runs, Q(table=table.name)), declared)


def of_service(service: Service) -> list[Latest]:
    """The tables that the service has a grant or a declared access to, by the latest runs that read permissions."""
    runs = _runs_that_read_permissions()
    if not runs:
        return []
    services = _services()
    family = _family(service.name, services)
    accesses = frozenset(_declared_accesses(Access.objects.filter(service__name__in=family)))
    grants = _grants(runs, Q(service__in=family))
    declared = DeclaredMap(
        services=tuple(services),
        tables=tuple(TableShape(name) for name in _registered_tables(accesses, grants)),
        accesses=accesses,
    )
    return _compare(runs, grants, declared, only_service=service.name)


def _runs_that_read_permissions() -> list[DriftRun]:
    """The latest run of each series, with ``services`` and ``unresolved`` of what it found."""
    # What a run found of tables may be long, and is not needed here.
    latest = DriftRun.objects.latest_of_each().defer("found", "findings")
    runs = latest.annotate(services=F("found__services"), unresolved=F("found__unresolved"))
    return [run for run in runs if run.services]


def _services() -> list[DeclaredService]:
    names = Service.objects.values_list("name", "part_of__name")
    return [DeclaredService(name, part_of) for name, part_of in names]


def _family(name: str, services: Iterable[DeclaredService]) -> set[str]:
    """The service, those that it is part of, and its parts."""
    wholes = wholes_of(services)
    parts = {part for part, chain in wholes.items() if name in chain}
    return {name, *wholes.get(name, ()), *parts}


def _declared_accesses(accesses: QuerySet[Access]) -> Iterable[DeclaredAccess]:
    for service, table, mode in accesses.values_list("service__name", "table__name", "mode"):
        for part in MODE_PARTS[mode]:
            yield DeclaredAccess(service, table, part)


def _grants(runs: Iterable[DriftRun], which: Q) -> dict[int, Grants]:
    """By run: the grants that the condition selects."""
    grants: dict[int, Grants] = defaultdict(dict)
    for grant in Grant.objects.filter(which, run__in=[run.pk for run in runs]):
        grants[grant.run_id][grant.value()] = grant.locations()
    return grants


def _registered_tables(accesses: Iterable[DeclaredAccess], grants: dict[int, Grants]) -> set[str]:
    """Of the tables with an access or a grant, those that are on the map."""
    declared = {access.table for access in accesses}
    granted: set[str] = set()
    for of_run in grants.values():
        granted.update(grant.table for grant in of_run)
    registered = Table.objects.filter(name__in=granted - declared)
    return declared | set(registered.values_list("name", flat=True))


def _compare(
    runs: Iterable[DriftRun],
    grants: dict[int, Grants],
    declared: DeclaredMap,
    only_service: str | None = None,
) -> list[Latest]:
    waivers = kept_runs.waivers_in_force(kept_runs.today())
    compared = []
    for run in runs:
        unresolved = [unresolved_from_json(content) for content in run.unresolved]  # type: ignore[attr-defined]
        found = Infrastructure(
            run.reader,
            grants[run.pk],
            services=frozenset(run.services),  # type: ignore[attr-defined]
            unresolved=tuple(unresolved),
        )
        result = compare(declared, found)
        waived = kept_runs.waived_by(result.findings, run.environment or None, waivers)
        rows = []
        for pair in result.pairs:
            if only_service is None or pair.service == only_service:
                rows.append(_row(pair, waived))
        compared.append(Latest(run, rows[:ROWS_SHOWN], max(0, len(rows) - ROWS_SHOWN)))
    return compared


def _row(pair: AccessPair, waived: dict[Finding, Waiver]) -> ComparedRow:
    waivers = [waived[finding] for finding in pair.findings if finding in waived]
    return ComparedRow(
        table=pair.table,
        service=pair.service,
        declared=combined_mode(pair.declared),
        granted=combined_mode(pair.effective),
        through=pair.through,
        evidence=pair.evidence,
        findings=pair.findings,
        unchecked=pair.unknown_reason,
        waiver=waivers[0] if waivers else None,
    )
