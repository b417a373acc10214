"""Runs of drift: keeping what a reader found, and what it says of the map as that is now."""

import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from ownership.catalog.queries import current_map
from ownership.drift.compare import agreement, compare
from ownership.drift.serialization import from_json, to_json
from ownership.drift.types import (
    Comparison,
    DeclaredMap,
    DeclaredService,
    Finding,
    GrantedAccess,
    Identity,
    Infrastructure,
    KeyAttribute,
    Keys,
    TableShape,
)
from ownership.drift.waivers import waived
from ownership.history import time_travel
from ownership.models import DriftRun, Grant, KeySchema, Waiver

KEPT_WHOLE = 10  # runs of a series that keep what was found
KEPT = 1_000  # runs of a series that keep their figures
LARGEST = 50_000_000  # characters of JSON that a run may take
POINTS = 100  # runs of a series whose figures are shown
NO_ENVIRONMENT = "none"  # how runs without one are asked for


class TooLarge(ValueError):
    """More was found than a run may keep."""


def today() -> date:
    """Waivers end at midnight UTC, wherever people are."""
    return datetime.now(UTC).date()


def declared_now() -> tuple[time_travel.Head, DeclaredMap]:
    """The map as drift compares it, with the revision and digest that it is of."""
    head, rows = current_map()
    return head, _declared(head[0], rows)


def _declared(revision: int, rows: dict[str, list[Any]]) -> DeclaredMap:
    return DeclaredMap(
        revision=revision,
        environments={environment.name: environment.suffix for environment in rows["environments"]},
        services=tuple(
            DeclaredService(one.name, one.part_of.name if one.part_of else None, tuple(one.aliases))
            for one in rows["services"]
        ),
        tables=tuple(
            TableShape(
                table.name,
                key_schema_value(table),
                tuple((index.name, key_schema_value(index)) for index in table.indexes.all()),
            )
            for table in rows["tables"]
        ),
        owners={table.name: table.owner.name for table in rows["tables"]},
        accesses=frozenset(
            GrantedAccess(access.service.name, table.name, mode)
            for table in rows["tables"]
            for access in table.accesses.all()
            for mode in access.mode.split("_")
        ),
    )


def key_schema_value(row: KeySchema) -> Keys | None:
    """The keys of a table or index as drift compares them; None where not stated."""
    if not row.partition_key_name:
        return None
    sort = KeyAttribute(row.sort_key_name, row.sort_key_type or None) if row.sort_key_name else None
    return Keys(KeyAttribute(row.partition_key_name, row.partition_key_type or None), sort)


def waivers_in_force(on: date) -> list[Waiver]:
    """The waivers whose day is not past, each told with reason, by whom and since when."""
    return list(Waiver.objects.told().filter(until__gte=on))


def keep(
    head: time_travel.Head, declared: DeclaredMap, found: Infrastructure, environment: str | None, user: str
) -> DriftRun:
    """Keep a run with the figures of this moment, and thin out its series. Raises TooLarge; then nothing is kept."""
    result = compare(declared, found)
    content = _storable({"found": to_json(found), "grants": [_grant(*one) for one in found.grants.items()]})
    covered = waived_by(result.findings, environment, waivers_in_force(today()))
    findings = _storable([[*finding.identity, finding in covered, finding.granted] for finding in result.findings])
    if (size := len(json.dumps([content, findings]))) > LARGEST:
        raise TooLarge(
            f"what was found takes {size:,} characters, a run keeps {LARGEST:,} at most: read fewer projects at once"
        )
    agreeing, compared = agreement(declared, found, result)
    with transaction.atomic():
        run = DriftRun.objects.create(
            reader=found.reader,
            environment=environment or "",
            time=timezone.now(),
            user_name=user,
            revision=head[0],
            digest=head[1],
            agreeing=agreeing,
            compared=compared,
            by_kind=dict(Counter(finding.kind for finding in result.findings)),
            waived=len(covered),
            findings=findings,
            found=content["found"],
        )
        Grant.objects.bulk_create((Grant(run=run, **grant) for grant in content["grants"]), batch_size=2_000)
        _thin_out(run)
    return run


def _grant(access: GrantedAccess, places: Iterable[Any]) -> dict[str, Any]:
    return {
        "table": access.table[:255],
        "service": access.service[:255],
        "mode": access.mode,
        "evidence": [[place.file, place.line] for place in places],
    }


def _thin_out(run: DriftRun) -> None:
    series = DriftRun.objects.series(run.reader, run.environment)
    ids = list(series.values_list("pk", flat=True)[: KEPT + 1])
    if len(ids) > KEPT:
        series.filter(pk__lte=ids[KEPT]).delete()
    if len(ids) > KEPT_WHOLE:
        older = series.filter(pk__lte=ids[KEPT_WHOLE], found__isnull=False)
        Grant.objects.filter(run__in=older.values("pk")).delete()
        older.order_by().update(found=None, findings=None)


def _storable(value: Any) -> Any:
    """The value less what PostgreSQL can't store in a text: NUL, and halves of characters."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {key: _storable(one) for key, one in value.items()}
    return [_storable(one) for one in value] if isinstance(value, list | tuple) else value


def new_findings(
    run: DriftRun, findings: Iterable[Finding], waivers: list[Waiver]
) -> tuple[DriftRun | None, set[Identity]]:
    """The run before it in its series, and what is new since; nothing without such a run.

    New is what that one didn't have, and what was waived there, then or since, and counts again.
    """
    before = DriftRun.objects.series(run.reader, run.environment).filter(pk__lt=run.pk, findings__isnull=False).first()
    if before is None:
        return None, set()
    kept = {
        Finding(kind, table, service, None, next(iter(granted), None), None): waived
        for kind, table, service, waived, *granted in before.findings or ()  # the first runs kept no grant
    }
    since = waived_by(kept, run.environment or None, waivers)
    known = {finding.identity: waived or finding in since for finding, waived in kept.items()}
    covered = waived_by(findings, run.environment or None, waivers)
    return before, {
        finding.identity
        for finding in findings
        if finding.identity not in known or (known[finding.identity] and finding not in covered)
    }


@dataclass(frozen=True)
class Shown:
    """A run held against the map as it is now: what still differs, what of it is waived, what the run before hadn't.

    So a finding that was accepted is gone at once, and one that an edit of the map made is there at once.
    """

    run: DriftRun
    declared: DeclaredMap
    found: Infrastructure
    result: Comparison
    waived: dict[Finding, Waiver]
    new: Collection[Identity]
    before: DriftRun | None
    settled: int  # how many findings of the run are none any more, for the map changed since

    def about(self, **asked: str) -> "Shown":
        """What of it is about that ``kind``, ``owner``, ``table``, ``service``, each as far as it has one."""
        if not asked:
            return self

        def is_asked_for(one: Any, *names: str) -> bool:
            owner = {"owner": self.declared.owners.get(getattr(one, "table", ""))}
            return all((owner | vars(one))[name] == asked[name] for name in names if name in asked)

        return replace(
            self,
            result=Comparison(
                tuple(one for one in self.result.findings if is_asked_for(one, "kind", "owner", "table", "service")),
                tuple(one for one in self.result.offers if is_asked_for(one, "owner", "table")),
                tuple(one for one in self.result.unchecked if is_asked_for(one, "owner", "table", "service")),
            ),
            found=replace(
                self.found, unresolved=tuple(one for one in self.found.unresolved if is_asked_for(one, "service"))
            ),
        )


def latest() -> list[DriftRun]:
    """The latest run of each series."""
    return list(DriftRun.objects.latest_of_each())


def choices(runs: Collection[DriftRun]) -> dict[str, list[str]]:
    """By which readers and environments the runs can be asked for."""
    return {
        "reader": sorted({run.reader for run in runs}),
        "environment": sorted({run.environment or NO_ENVIRONMENT for run in runs}),
    }


def chosen(runs: Iterable[DriftRun], reader: str | None, environment: str | None) -> list[DriftRun]:
    """Those of that reader and environment; of all where it is None or empty."""
    return [
        run
        for run in runs
        if (not reader or run.reader == reader)
        and (not environment or (run.environment or NO_ENVIRONMENT) == environment)
    ]


def figures(run: DriftRun) -> list[DriftRun]:
    """The run and those before it in its series, oldest first, with their figures alone."""
    series = DriftRun.objects.series(run.reader, run.environment).filter(pk__lte=run.pk).defer("found", "findings")
    return list(series[:POINTS])[::-1]


def found_in(run: DriftRun, tables: Collection[str] | None = None) -> Infrastructure:
    """What the reader found in a run that is still kept whole, or what it found of those tables."""
    rows = run.grants.all() if tables is None else run.grants.filter(table__in=tables)
    found = from_json(run.reader, run.found, {GrantedAccess(g.service, g.table, g.mode): g.locations() for g in rows})  # type: ignore[arg-type]
    return found if tables is None else replace(found, tables=tuple(one for one in found.tables if one.name in tables))


def elsewhere(run: DriftRun, tables: Collection[str]) -> dict[Any, tuple[DriftRun, Finding]]:
    """What the other series' latest runs find of those tables now, by run, table and service."""
    declared = declared_now()[1]
    declared = replace(
        declared,
        tables=tuple(one for one in declared.tables if one.name in tables),
        accesses=frozenset(one for one in declared.accesses if one.table in tables),
    )
    return {
        (other.pk, finding.table, finding.service): (other, finding)
        for other in latest()
        if other.pk != run.pk
        for finding in compare(declared, found_in(other, tables)).findings
    }


def show(run: DriftRun, declared: DeclaredMap, waivers: list[Waiver]) -> Shown:
    """The run against a map; ``declared_now()`` and ``waivers_in_force(today())`` give the present."""
    found = found_in(run)
    result = compare(declared, found)
    covered = waived_by(result.findings, run.environment or None, waivers)
    before, new = new_findings(run, result.findings, waivers)
    now = {finding.identity for finding in result.findings}
    settled = len({Identity(*known[:3]) for known in run.findings or ()} - now)
    return Shown(run, declared, found, result, covered, new, before, settled)


def waived_by(findings: Iterable[Finding], environment: str | None, waivers: list[Waiver]) -> dict[Finding, Waiver]:
    """The findings that one of the waivers covers today."""
    rows = {waiver.value(): waiver for waiver in waivers}
    return {finding: rows[value] for finding, value in waived(findings, rows, environment, today()).items()}
