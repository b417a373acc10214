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

Grants = dict[GrantedAccess, tuple[Location, ...]]


@dataclass(frozen=True)
class ComparedRow:
    """One service and one table. Modes are spelled as in the API; None means no mode.

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
    open_findings: tuple[Finding, ...]  # those that nobody has waived
    is_on_map: bool  # both the service and the table

    @property
    def is_unknown(self) -> bool:
        """Whether the run knows nothing about it. It may also know about one mode alone."""
        return bool(self.unchecked and not self.granted and not self.findings)


@dataclass(frozen=True)
class Latest:
    """The rows of the latest run of a series."""

    run: DriftRun
    rows: list[ComparedRow]


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


def shape_findings(table: Table) -> list[Finding]:
    """What the latest runs find of the table itself: its keys, its indexes, or that it is not deployed.

    What a run found of tables may be long. It is read only where the run, when it was kept, found something of this
    one. So a finding that an edit of the map has caused since shows up here with the next run.
    """
    runs = []
    for run in DriftRun.objects.latest_of_each().defer("found"):
        for _kind, table_name, service, *_ in run.findings or ():
            if table_name == table.name and not service:
                runs.append(run)
                break
    if not runs:
        return []
    shape = kept_runs.shape_of(table, table.indexes.all())
    declared = DeclaredMap(tables=(shape,), owners={table.name: table.owner.name})
    waivers = kept_runs.waivers_in_force(kept_runs.today())
    findings: dict[Finding, None] = {}
    for run in runs:
        result = compare(declared, kept_runs.found_of_tables(run, {table.name}))
        waived = kept_runs.waived_by(result.findings, run.environment or None, waivers)
        for finding in result.findings:
            if finding.service is None and finding not in waived:
                findings[finding] = None
    return list(findings)


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
    service_names = {service.name for service in declared.services}
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
                rows.append(_row(pair, waived, is_on_map=pair.is_registered and pair.service in service_names))
        compared.append(Latest(run, rows))
    return compared


def _row(pair: AccessPair, waived: dict[Finding, Waiver], *, is_on_map: bool) -> ComparedRow:
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
        open_findings=tuple(finding for finding in pair.findings if finding not in waived),
        is_on_map=is_on_map,
    )
