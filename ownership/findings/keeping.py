"""Keeps runs of drift, and thins out the older ones."""

import json
from collections import Counter
from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from ownership.drift.compare import Comparison, Truth, compare
from ownership.drift.report_json import by_verdict
from ownership.drift.serialization import (
    actions_to_json,
    code_access_to_json,
    to_json,
    usage_to_json,
)
from ownership.drift.types import (
    CodeAccess,
    CodeUsage,
    DeclaredMap,
    Finding,
    GrantedAccess,
    Infrastructure,
)
from ownership.findings import runs
from ownership.history.head import Head
from ownership.models import CodeUse, DriftRun, Grant, TableTruth

KEPT_WHOLE = 10  # runs of a series that keep what was found
KEPT = 1_000  # runs of a series that keep their figures
LARGEST = 50_000_000  # characters of JSON that a run may take
KEPT_BY_TABLE = 100  # runs of a series that keep the figures of each table
ROWS_AT_ONCE = 2_000  # of one INSERT


class TooLarge(ValueError):
    """A reader found more than a run may keep."""


def keep(
    head: Head,
    declared: DeclaredMap,
    found: Infrastructure,
    usage: CodeUsage | None,
    environment: str | None,
    user: str,
) -> DriftRun:
    """Keep a run with its figures of this moment, and thin out its series. Raises TooLarge; then nothing is kept."""
    result = compare(declared, found, usage)
    covered = runs.waived_by(result.findings, environment, runs.waivers_in_force())
    content = _content(result, covered, found, usage)
    agreeing, compared = result.agreement()
    truth = result.truth()
    figures_of_code: dict[str, Any] = {}
    if truth is not None:
        figures_of_code = {
            "accesses": truth.accesses,
            "true_accesses": truth.agreeing,
            "by_verdict": by_verdict(result.findings),
        }
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
            findings=content["findings"],
            found=content["found"],
            code=content["code"],
            **figures_of_code,
        )
        grants = [Grant(run=run, **grant) for grant in content["grants"]]
        Grant.objects.bulk_create(grants, batch_size=ROWS_AT_ONCE)
        uses = [CodeUse(run=run, **use) for use in content["uses"]]
        CodeUse.objects.bulk_create(uses, batch_size=ROWS_AT_ONCE)
        truths = [
            _truth(run, table, of_table) for table, of_table in result.truth_by_table().items()
        ]
        TableTruth.objects.bulk_create(truths, batch_size=ROWS_AT_ONCE)
        _thin_out(run)
    return run


def _content(
    result: Comparison,
    covered: Collection[Finding],
    found: Infrastructure,
    usage: CodeUsage | None,
) -> dict[str, Any]:
    """What is kept of a run besides its figures, as JSON holds it. Raises TooLarge."""
    findings = []
    for finding in result.findings:
        findings.append([*finding.identity, finding in covered, finding.granted])
    code = None
    uses = []
    if usage is not None:
        code = usage_to_json(usage)
        uses = [_use(access) for access in usage.accesses if access.reachable]
    content = _storable(
        {
            "found": to_json(found),
            "grants": [_grant(access, found) for access in found.grants],
            "findings": findings,
            "code": code,
            "uses": uses,
        }
    )
    size = len(json.dumps(content))
    if size > LARGEST:
        raise TooLarge(
            f"what was found takes {size:,} characters; a run keeps at most {LARGEST:,}: read fewer projects at once"
        )
    return content


def _grant(access: GrantedAccess, found: Infrastructure) -> dict[str, Any]:
    """The fields of a Grant; names as long as their columns take."""
    actions = found.actions.get(access)
    return {
        "table": access.table[:255],
        "service": access.service[:255],
        "mode": access.mode,
        "evidence": [[location.file, location.line] for location in found.grants[access]],
        "actions": None if actions is None else actions_to_json(actions),
    }


def _use(access: CodeAccess) -> dict[str, Any]:
    """The fields of a CodeUse."""
    return {
        "table": access.table[:255],
        "service": access.service[:255],
        "mode": access.mode,
        "content": code_access_to_json(access),
    }


def _truth(run: DriftRun, table: str, truth: Truth) -> TableTruth:
    """The row for one table's figure."""
    return TableTruth(run=run, table=table[:255], agreeing=truth.agreeing, accesses=truth.accesses)


def _thin_out(run: DriftRun) -> None:
    """Delete the runs of the series beyond KEPT, and of the older ones all but their figures."""
    series = DriftRun.objects.series(run.reader, run.environment)
    ids = list(series.values_list("pk", flat=True)[: KEPT + 1])
    if len(ids) > KEPT:
        series.filter(pk__lte=ids[KEPT]).delete()
    if len(ids) > KEPT_BY_TABLE:
        TableTruth.objects.filter(run__in=ids[KEPT_BY_TABLE:]).delete()
    if len(ids) > KEPT_WHOLE:
        older = series.filter(pk__lte=ids[KEPT_WHOLE], found__isnull=False)
        Grant.objects.filter(run__in=older.values("pk")).delete()
        CodeUse.objects.filter(run__in=older.values("pk")).delete()
        older.order_by().update(found=None, findings=None, code=None)


def _storable(value: Any) -> Any:
    """The value without what PostgreSQL can't store in a text: NUL, and halves of surrogate pairs."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
        case dict():
            return {key: _storable(item) for key, item in value.items()}
        case list() | tuple():
            return [_storable(item) for item in value]
    return value
