"""What is declared beside what the latest runs of drift found granted: of one table, or of one service."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from ownership.drift.compare import compare, modes_by_use, wholes_of
from ownership.drift.serialization import unresolved_from_json
from ownership.drift.types import (
    DeclaredMap,
    DeclaredService,
    Finding,
    GrantedAccess,
    Infrastructure,
    Location,
    TableShape,
    combined_mode,
)
from ownership.findings import runs
from ownership.models import Access, DriftRun, Grant, Service, Table, Waiver

SHOWN = 200  # rows of a run


@dataclass(frozen=True)
class Beside:
    """One service and one table; modes as the API spells them, None for nothing.

    ``through`` is the service whose grant it is, where that is one which this service is part of. ``findings`` are
    empty where both agree, and tell nothing of a mode of which ``unchecked`` says why nobody can know.
    """

    table: str
    service: str
    declared: str | None
    granted: str | None
    through: str | None
    places: tuple[Location, ...]
    findings: tuple[Finding, ...]
    unchecked: str
    waiver: Waiver | None

    @property
    def is_unknown(self) -> bool:
        """Whether a run knows nothing of it: it may also know of one mode alone."""
        return bool(self.unchecked and not self.granted and not self.findings)


@dataclass(frozen=True)
class Latest:
    """The rows that the latest run of a series gives; ``more`` are left out."""

    run: DriftRun
    rows: list[Beside]
    more: int

    @property
    def told(self) -> list[Beside]:
        """The rows of which the run knows something."""
        return [row for row in self.rows if not row.is_unknown]

    @property
    def unknown(self) -> dict[str, list[Beside]]:
        """The others, by what is in the way of knowing."""
        by_reason: dict[str, list[Beside]] = defaultdict(list)
        for row in self.rows:
            if row.is_unknown:
                by_reason[row.unchecked].append(row)
        return dict(by_reason)


def of_table(table: Table) -> list[Latest]:
    """The services that may use the table or are declared to, by the latest runs that read permissions."""
    rows = Access.objects.filter(table=table).values_list("service__name", "table__name", "mode")
    return _latest({"table": table.name}, rows, {table.name}, _services(), None)


def of_service(service: Service) -> list[Latest]:
    """The tables that the service may use or is declared to, by the latest runs that read permissions."""
    services = _services()
    wholes = wholes_of(services)
    family = {service.name, *wholes.get(service.name, ()), *(part for part in wholes if service.name in wholes[part])}
    rows = Access.objects.filter(service__name__in=family).values_list("service__name", "table__name", "mode")
    return _latest({"service__in": family}, rows, None, services, service.name)


def _services() -> list[DeclaredService]:
    return [DeclaredService(*names) for names in Service.objects.values_list("name", "part_of__name")]


def _latest(
    which: dict[str, Any],
    accesses: Iterable[tuple[str, str, str]],
    tables: set[str] | None,
    services: list[DeclaredService],
    only: str | None,
) -> list[Latest]:
    """The rows by run; of the service ``only``, where that is given. A fixed number of queries."""
    # What a run found of tables may be long, and says nothing here.
    latest = DriftRun.objects.latest_of_each().defer("found", "findings")
    read: list[Any] = list(latest.annotate(services=F("found__services"), unresolved=F("found__unresolved")))
    read = [run for run in read if run.services]
    if not read:
        return []
    grants: dict[int, dict[GrantedAccess, tuple[Location, ...]]] = defaultdict(dict)
    for grant in Grant.objects.filter(run__in=[run.pk for run in read], **which):
        grants[grant.run_id][GrantedAccess(grant.service, grant.table, grant.mode)] = grant.locations()  # type: ignore[arg-type]
    declared = frozenset(GrantedAccess(s, t, mode) for s, t, modes in accesses for mode in modes.split("_"))  # type: ignore[arg-type]
    if tables is None:
        named = {access.table for of_run in grants.values() for access in of_run}
        tables = {access.table for access in declared}
        tables |= set(Table.objects.filter(name__in=named - tables).values_list("name", flat=True))
    known = DeclaredMap(services=tuple(services), tables=tuple(map(TableShape, tables)), accesses=declared)
    waivers = runs.waivers_in_force(runs.today())
    found = []
    for run in read:
        unresolved = tuple(unresolved_from_json(one) for one in run.unresolved)
        infrastructure = Infrastructure(
            run.reader, grants[run.pk], services=frozenset(run.services), unresolved=unresolved
        )
        rows = [row for row in _rows(known, infrastructure, run, waivers) if only in (None, row.service)]
        found.append(Latest(run, rows[:SHOWN], max(0, len(rows) - SHOWN)))
    return found


def _rows(declared: DeclaredMap, found: Infrastructure, run: DriftRun, waivers: list[Waiver]) -> list[Beside]:
    result = compare(declared, found)
    waived = runs.waived_by(result.findings, run.environment or None, waivers)
    findings: dict[tuple[str, str | None], list[Finding]] = defaultdict(list)
    for finding in result.findings:
        findings[finding.table, finding.service].append(finding)
    unchecked = {(one.table, one.service): one.reason for one in result.unchecked}
    wholes = wholes_of(declared.services)
    says, gives = modes_by_use(declared.accesses), modes_by_use(found.grants)
    rows = []
    for table, service in sorted({*says, *gives}):
        holders = [one for one in (service, *wholes.get(service, ())) if (table, one) in gives]
        if not holders and (table, service) not in says:
            continue
        met = sorted(GrantedAccess(holder, table, mode) for holder in holders for mode in gives[table, holder])
        of_pair = tuple(findings[table, service])
        rows.append(
            Beside(
                table=table,
                service=service,
                declared=combined_mode(says.get((table, service), ())),
                granted=combined_mode({access.mode for access in met}),
                through=next((one for one in holders if service not in holders), None),
                places=tuple(dict.fromkeys(place for access in met for place in found.grants[access])),
                findings=of_pair,
                unchecked=unchecked.get((table, service), ""),
                waiver=next((waived[one] for one in of_pair if one in waived), None),
            )
        )
    return rows
