"""What is declared, and what the latest runs found granted and in code, side by side: of tables, or of a service."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from django.db.models import F, Q, QuerySet

from ownership.drift.code_side import CodeSide
from ownership.drift.compare import AccessPair, Truth, truth_of, wholes_of
from ownership.drift.serialization import unresolved_from_json
from ownership.drift.types import (
    MODE_PARTS,
    DeclaredAccess,
    DeclaredMap,
    DeclaredService,
    Finding,
    InCode,
    Infrastructure,
    Location,
    TableShape,
    combined_mode,
)
from ownership.findings import runs as kept_runs
from ownership.findings.latest_runs import LatestRun
from ownership.models import Access, DriftRun, Service, Table, TableTruth, Waiver
from ownership.models.drift_runs import FoundRows, found_in, rows_of


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
    in_code: InCode | None  # None if that is not known
    code_evidence: tuple[Location, ...]
    # The way to the use, if all uses are outside the service's own folder.
    code_path: tuple[str, ...]
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
class SideBySide:
    """The latest run of a series beside the map: a row for each service and table."""

    run: DriftRun
    rows: list[ComparedRow]
    truth: Truth | None = None  # of the rows, where the run read code


def of_table(table: Table) -> list[SideBySide]:
    """The services that use the table or could, by the latest runs that read permissions."""
    return of_tables([table])[table.name]


def of_tables(tables: Collection[Table]) -> dict[str, list[SideBySide]]:
    """The same for each of the tables, by its name; as many queries as for one."""
    by_table: dict[str, list[SideBySide]] = {table.name: [] for table in tables}
    runs = _runs_that_read_permissions()
    if not runs:
        return by_table
    ids = [table.pk for table in tables]
    declared = DeclaredMap(
        services=tuple(_services()),
        tables=tuple(TableShape(name) for name in by_table),
        accesses=frozenset(_declared_accesses(Access.objects.filter(table__in=ids))),
    )
    service_names = {service.name for service in declared.services}
    for latest in _compare(runs, rows_of(runs, Q(table__in=by_table)), declared):
        for name, of_table in by_table.items():
            pairs = [pair for pair in latest.comparison.pairs if pair.table == name]
            of_table.append(_side_by_side(latest, pairs, service_names))
    return by_table


def of_service(service: Service) -> list[SideBySide]:
    """The tables that the service uses or could, by the latest runs that read permissions."""
    runs = _runs_that_read_permissions()
    if not runs:
        return []
    services = _services()
    family = _family(service.name, services)
    accesses = frozenset(_declared_accesses(Access.objects.filter(service__name__in=family)))
    rows = rows_of(runs, Q(service__in=family))
    declared = DeclaredMap(
        services=tuple(services),
        tables=tuple(TableShape(name) for name in _registered_tables(accesses, rows.values())),
        accesses=accesses,
    )
    service_names = {service.name for service in services}
    compared = []
    for latest in _compare(runs, rows, declared):
        pairs = [pair for pair in latest.comparison.pairs if pair.service == service.name]
        compared.append(_side_by_side(latest, pairs, service_names))
    return compared


def shape_findings(table: Table) -> list[Finding]:
    """What the latest runs find of the table itself: its keys, its indexes, or that it is not deployed."""
    return each_once(shape_findings_of([table])[table.name])


def each_once(by_run: Mapping[int, list[Finding]]) -> list[Finding]:
    """The findings of several runs, each once."""
    return list(dict.fromkeys(chain.from_iterable(by_run.values())))


def shape_findings_of(tables: Collection[Table]) -> dict[str, dict[int, list[Finding]]]:
    """What the latest runs find of each of the tables itself: {table's name: {run's id: findings that count}}.

    What a run found of tables may be long. It is read only where the run, when it was kept, found something of one
    of these. So a finding that an edit of the map has caused since shows up here with the next run.
    """
    by_table: dict[str, dict[int, list[Finding]]] = {table.name: {} for table in tables}
    runs: dict[int, DriftRun] = {}
    for run in DriftRun.objects.latest_of_each().defer("found"):
        for table_name in _tables_with_findings(run) & by_table.keys():
            runs[run.pk] = run
            by_table[table_name][run.pk] = []
    if not runs:
        return by_table
    declared = DeclaredMap(
        tables=tuple(kept_runs.shape_of(table, table.indexes.all()) for table in tables),
        owners={table.name: table.owner.name for table in tables},
    )
    waivers = kept_runs.waivers_in_force()
    for run in runs.values():
        found, usage = found_in(run, set(by_table))
        latest = LatestRun.compared(run, declared, found, usage, waivers)
        for finding in latest.open_findings():
            of_run = by_table.get(finding.table, {}).get(run.pk)
            if finding.service is None and of_run is not None:
                of_run.append(finding)
    return by_table


def _tables_with_findings(run: DriftRun) -> set[str]:
    """The tables of which themselves the run, when it was kept, found something."""
    return {table for _, table, service, *_ in run.findings or () if not service}


def truth_over_runs(table: str, run: DriftRun) -> list[TableTruth]:
    """On how many accesses to the table map, IAM and code agreed, in the runs of the run's series; oldest first."""
    truths = TableTruth.objects.filter(
        table=table, run__reader=run.reader, run__environment=run.environment
    )
    newest = (
        truths.select_related("run")
        .defer("run__found", "run__findings", "run__code")
        .order_by("-run")
    )
    return list(newest[: kept_runs.FIGURES_SHOWN])[::-1]


def _runs_that_read_permissions() -> list[DriftRun]:
    """The latest run of each series, with ``services``, ``unread`` and ``unresolved`` of what it found."""
    # What a run found of tables may be long, and is not needed here.
    latest = DriftRun.objects.latest_of_each().defer("found", "findings")
    runs = latest.annotate(
        services=F("found__services"),
        unread=F("found__unread"),
        unresolved=F("found__unresolved"),
    )
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


def _registered_tables(accesses: Iterable[DeclaredAccess], rows: Iterable[FoundRows]) -> set[str]:
    """Of the tables that are declared or found, those that are on the map."""
    declared = {access.table for access in accesses}
    found: set[str] = set()
    for of_run in rows:
        found.update(grant.table for grant in of_run.grants)
        found.update(use.table for use in of_run.uses)
    registered = Table.objects.filter(name__in=found - declared)
    return declared | set(registered.values_list("name", flat=True))


def _compare(
    runs: Collection[DriftRun],
    rows: dict[int, FoundRows],
    declared: DeclaredMap,
) -> list[LatestRun]:
    """The runs compared with a part of the map: only with these rows of what each found."""
    waivers = kept_runs.waivers_in_force()
    compared = []
    for run in runs:
        unresolved = [unresolved_from_json(content) for content in run.unresolved]  # type: ignore[attr-defined]
        found = Infrastructure(
            run.reader,
            rows[run.pk].grants,
            rows[run.pk].actions,
            services=frozenset(run.services),  # type: ignore[attr-defined]
            unread=frozenset(run.unread or ()),  # type: ignore[attr-defined]
            unresolved=tuple(unresolved),
        )
        usage = rows[run.pk].usage(run)
        compared.append(LatestRun.compared(run, declared, found, usage, waivers))
    return compared


def _side_by_side(
    latest: LatestRun, pairs: Collection[AccessPair], service_names: Collection[str]
) -> SideBySide:
    """These pairs of the run as rows. ``service_names`` are the services on the map."""
    rows = []
    for pair in pairs:
        is_on_map = pair.is_registered and pair.service in service_names
        rows.append(_row(pair, latest.waived, is_on_map=is_on_map))
    truth = truth_of(pairs) if latest.comparison.reads_code else None
    return SideBySide(latest.run, rows, truth)


def _row(pair: AccessPair, waived: dict[Finding, Waiver], *, is_on_map: bool) -> ComparedRow:
    waivers = [waived[finding] for finding in pair.findings if finding in waived]
    # Where no code was read, a page shows nothing of it.
    code = pair.code or CodeSide()
    return ComparedRow(
        table=pair.table,
        service=pair.service,
        declared=combined_mode(pair.declared),
        granted=combined_mode(pair.effective),
        through=pair.through,
        evidence=pair.evidence,
        in_code=code.in_code(pair.declared | pair.effective) if pair.code else None,
        code_evidence=code.evidence(),
        code_path=_way_outside(code),
        findings=pair.findings,
        unchecked=pair.unknown_reason,
        waiver=waivers[0] if waivers else None,
        open_findings=tuple(finding for finding in pair.findings if finding not in waived),
        is_on_map=is_on_map,
    )


def _way_outside(code: CodeSide) -> tuple[str, ...]:
    """The way from a handler to the table, if no use is in the service's own folder; else empty."""
    if not code.accesses or any(access.direct for access in code.accesses):
        return ()
    return code.accesses[0].path
