"""Runs of drift, compared with the map as it is now."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from django.utils.timezone import localdate

from ownership.catalog.queries import WholeMap, compared_map, current_map
from ownership.drift.compare import Truth, compare, waived
from ownership.drift.types import (
    MODE_PARTS,
    CodeUsage,
    DeclaredAccess,
    DeclaredMap,
    DeclaredService,
    Finding,
    Identity,
    Infrastructure,
    KeyAttribute,
    Keys,
    Offer,
    TableShape,
    Unchecked,
    Unresolved,
)
from ownership.drift.verdicts import group_of
from ownership.history.head import Head
from ownership.models import (
    Access,
    DriftRun,
    KeySchema,
    SecondaryIndex,
    Service,
    Table,
    Waiver,
)
from ownership.models.drift_runs import found_in

FIGURES_SHOWN = 100  # runs of a series
NO_ENVIRONMENT = "none"  # the filter's value for runs without an environment


# The map, in the form that drift compares


def declared_now() -> tuple[Head, DeclaredMap]:
    """The map as drift compares it, and its revision and digest."""
    head, rows = current_map(compared_map)
    return head, declared_map(head.revision, rows)


def declared_map(revision: int, rows: WholeMap) -> DeclaredMap:
    """Rows of the map as drift compares them."""
    services = []
    for service in rows["services"]:
        part_of = service.part_of.name if service.part_of else None
        services.append(DeclaredService(service.name, part_of, tuple(service.aliases)))
    accesses: list[DeclaredAccess] = []
    for table in rows["tables"]:
        accesses.extend(declared_accesses(table.name, table.accesses.all()))
    return DeclaredMap(
        revision=revision,
        environments={
            environment.name: environment.name_pattern for environment in rows["environments"]
        },
        services=tuple(services),
        tables=tuple(shape_of(table, table.indexes.all()) for table in rows["tables"]),
        owners={table.name: table.owner.name for table in rows["tables"]},
        accesses=frozenset(accesses),
    )


def declared_accesses(table: str, accesses: Iterable[Access]) -> Iterable[DeclaredAccess]:
    """A table's accesses, one for each mode."""
    for access in accesses:
        for mode in MODE_PARTS[access.mode]:
            yield DeclaredAccess(access.service.name, table, mode)


def shape_of(table: Table, indexes: Iterable[SecondaryIndex]) -> TableShape:
    """A table's keys and indexes."""
    shapes = [(index.name, stated_keys(index)) for index in indexes]
    return TableShape(table.name, stated_keys(table), tuple(shapes))


def stated_keys(row: KeySchema) -> Keys | None:
    """The keys of a table or index; None where the map leaves them open."""
    if not row.partition_key_name:
        return None
    partition = KeyAttribute(row.partition_key_name, row.partition_key_type or None)
    if not row.sort_key_name:
        return Keys(partition)
    return Keys(partition, KeyAttribute(row.sort_key_name, row.sort_key_type or None))


# Runs


def latest() -> list[DriftRun]:
    """The latest run of each series, that is of each reader and environment."""
    return list(DriftRun.objects.latest_of_each())


def filter_values(runs: Collection[DriftRun]) -> dict[str, list[str]]:
    """The readers and environments that the runs can be filtered by."""
    return {
        "reader": sorted({run.reader for run in runs}),
        "environment": sorted({_environment_value(run) for run in runs}),
    }


def filtered(
    runs: Iterable[DriftRun], reader: str | None, environment: str | None
) -> list[DriftRun]:
    """The runs of that reader and environment; None or an empty text means all."""
    matching = []
    for run in runs:
        has_reader = not reader or run.reader == reader
        has_environment = not environment or _environment_value(run) == environment
        if has_reader and has_environment:
            matching.append(run)
    return matching


def values_hint(known: Iterable[str]) -> str:
    """What a filter takes, in a sentence."""
    values = ", ".join(known)
    return f"Must be one of: {values}." if values else "No run has been kept yet."


def _environment_value(run: DriftRun) -> str:
    return run.environment or NO_ENVIRONMENT


def figures(run: DriftRun) -> list[DriftRun]:
    """The run and those before it in its series, oldest first, with their figures alone."""
    series = DriftRun.objects.series(run.reader, run.environment).filter(pk__lte=run.pk)
    newest = list(series.defer("found", "findings", "code")[:FIGURES_SHOWN])
    return newest[::-1]


# Waivers


def waivers_in_force() -> list[Waiver]:
    """The waivers that have not ended, each with its reason, author and time."""
    return list(Waiver.objects.with_decisions().filter(until__gte=localdate()))


def waivers_by_finding(waivers: Iterable[Waiver], environment: str) -> dict[Identity, Waiver]:
    """The waivers in that environment, ended or not, by the finding that each is about."""
    by_finding = {}
    for waiver in waivers:
        name = waiver.environment.name if waiver.environment else ""
        if name == environment:
            by_finding[waiver.identity()] = waiver
    return by_finding


def waived_by(
    findings: Iterable[Finding], environment: str | None, waivers: Iterable[Waiver]
) -> dict[Finding, Waiver]:
    """The findings that one of the waivers covers today."""
    rows = {waiver.value(): waiver for waiver in waivers}
    covered = waived(findings, rows, environment, localdate())
    return {finding: rows[terms] for finding, terms in covered.items()}


# A run and the map of now


@dataclass(frozen=True)
class ComparedRun:
    """A run compared with the map as it is now.

    So a finding that was accepted is gone at once, and one that an edit of the map causes is there at once.
    """

    run: DriftRun
    declared: DeclaredMap
    found: Infrastructure
    usage: CodeUsage | None  # None: no code was read
    truth: Truth | None
    truth_by_table: dict[str, Truth]
    findings: tuple[Finding, ...]
    offers: tuple[Offer, ...]
    unchecked: tuple[Unchecked, ...]
    waived: dict[Finding, Waiver]
    new: set[Identity]  # findings that the run before did not have
    before: DriftRun | None
    settled: int  # findings of the run that a change of the map has settled since

    def about(self, filters: Mapping[str, Collection[str]]) -> "ComparedRun":
        """What of it concerns one of those ``kind``, ``verdict``, ``owner``, ``table`` and ``service`` each."""
        if not filters:
            return self
        owners = self.declared.owners
        findings = []
        for finding in self.findings:
            if _matches(
                filters,
                kind=finding.kind,
                owner=finding.owner,
                table=finding.table,
                service=finding.service,
                verdict=group_of(finding),
            ):
                findings.append(finding)
        offers = []
        for offer in self.offers:
            if _matches(filters, owner=owners.get(offer.table), table=offer.table):
                offers.append(offer)
        unchecked = []
        for access in self.unchecked:
            if _matches(
                filters,
                owner=owners.get(access.table),
                table=access.table,
                service=access.service,
            ):
                unchecked.append(access)
        usage = self.usage
        if usage is not None:
            usage = replace(usage, unresolved=_unresolved_about(filters, usage.unresolved))
        truth_by_table = {}
        for table, truth in self.truth_by_table.items():
            if _matches(filters, owner=owners.get(table), table=table):
                truth_by_table[table] = truth
        return replace(
            self,
            truth_by_table=truth_by_table,
            findings=tuple(findings),
            offers=tuple(offers),
            unchecked=tuple(unchecked),
            found=replace(self.found, unresolved=_unresolved_about(filters, self.found.unresolved)),
            usage=usage,
        )


def _matches(filters: Mapping[str, Collection[str]], **values: str | None) -> bool:
    """Whether each of the values is one that its filter asks for, if there is such a filter."""
    return all(value in filters[name] for name, value in values.items() if name in filters)


def _unresolved_about(
    filters: Mapping[str, Collection[str]], values: Iterable[Unresolved]
) -> tuple[Unresolved, ...]:
    return tuple([value for value in values if _matches(filters, service=value.service)])


def compare_run(run: DriftRun, declared: DeclaredMap, waivers: Collection[Waiver]) -> ComparedRun:
    """The run compared with a map; ``declared_now()`` and ``waivers_in_force()`` give the present."""
    found, usage = found_in(run)
    result = compare(declared, found, usage)
    before, new = new_findings(run, result.findings, waivers)
    found_then = {Identity(kind, table, service) for kind, table, service, *_ in run.findings or ()}
    found_now = {finding.identity for finding in result.findings}
    return ComparedRun(
        run=run,
        declared=declared,
        found=found,
        usage=usage,
        truth=result.truth(),
        truth_by_table=result.truth_by_table(),
        findings=result.findings,
        offers=result.offers,
        unchecked=result.unchecked,
        waived=waived_by(result.findings, run.environment or None, waivers),
        new=new,
        before=before,
        settled=len(found_then - found_now),
    )


def new_findings(
    run: DriftRun, findings: Iterable[Finding], waivers: Collection[Waiver]
) -> tuple[DriftRun | None, set[Identity]]:
    """The run before it in its series, and which findings are new since; none without such a run.

    A finding is new if the run before did not have it. One that was waived, then or since, and that counts again
    is new, too.
    """
    series = DriftRun.objects.series(run.reader, run.environment)
    before = series.filter(pk__lt=run.pk, findings__isnull=False).first()
    if before is None:
        return None, set()
    was_waived = _waived_then_or_since(before, waivers)
    waived_now = waived_by(findings, run.environment or None, waivers)
    new = set()
    for finding in findings:
        counts_again = was_waived.get(finding.identity, False) and finding not in waived_now
        if finding.identity not in was_waived or counts_again:
            new.add(finding.identity)
    return before, new


def _waived_then_or_since(run: DriftRun, waivers: Collection[Waiver]) -> dict[Identity, bool]:
    """{a finding that the run had: whether it was waived when the run was kept, or is now}"""
    waived_then = {}
    for kind, table, service, is_waived, granted in run.findings or ():
        waived_then[Finding(kind, table, service, None, granted, None)] = is_waived
    waived_since = waived_by(waived_then, run.environment or None, waivers)
    was_waived = {}
    for finding, is_waived in waived_then.items():
        was_waived[finding.identity] = is_waived or finding in waived_since
    return was_waived


# What a decision is made from


@dataclass(frozen=True)
class Basis:
    """What decisions about a run's findings are made from: the run, the map and the waivers, read once."""

    run: DriftRun
    head: Head
    rows: WholeMap
    declared: DeclaredMap
    found: Infrastructure
    findings: tuple[Finding, ...]
    offers: tuple[Offer, ...]
    waivers: list[Waiver]  # of all environments, ended ones too

    @cached_property
    def tables(self) -> dict[str, Table]:
        """The tables of the map by name, with their accesses and indexes."""
        return {table.name: table for table in self.rows["tables"]}

    @cached_property
    def services(self) -> dict[str, Service]:
        """The services of the map by name."""
        return {service.name: service for service in self.rows["services"]}

    @cached_property
    def deployed(self) -> dict[str, TableShape]:
        """The tables as they were found, by name; without those that only grants name."""
        return {shape.name: shape for shape in self.found.tables}

    @cached_property
    def waiver_by_finding(self) -> dict[Identity, Waiver]:
        """The waivers in the run's environment, ended or not, by the finding that each is about."""
        return waivers_by_finding(self.waivers, self.run.environment)


def read_basis(run: DriftRun) -> Basis:
    """Read what a decision about the run's findings is made from."""
    head, rows = current_map()
    declared = declared_map(head.revision, rows)
    found, usage = found_in(run)
    result = compare(declared, found, usage)
    return Basis(
        run=run,
        head=head,
        rows=rows,
        declared=declared,
        found=found,
        findings=result.findings,
        offers=result.offers,
        waivers=list(Waiver.objects.with_decisions()),
    )


def new_findings_elsewhere(
    run: DriftRun, before: DeclaredMap, after: DeclaredMap
) -> list[tuple[DriftRun, Finding]]:
    """What the latest runs of other series would find after a change of the map, where they find nothing before it.

    Both maps hold just the tables that the change is about.
    """
    tables = {shape.name for shape in (*before.tables, *after.tables)}
    new = []
    for other in latest():
        if other.pk == run.pk:
            continue
        found, usage = found_in(other, tables)
        findings_before = compare(before, found, usage).findings
        known = {(finding.table, finding.service) for finding in findings_before}
        for finding in compare(after, found, usage).findings:
            if (finding.table, finding.service) not in known:
                new.append((other, finding))
    return new
