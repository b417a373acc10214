"""Keeps runs of drift, and thins out the older ones."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from ownership.drift.compare import compare
from ownership.drift.serialization import to_json
from ownership.drift.types import DeclaredMap, GrantedAccess, Infrastructure, Location
from ownership.findings import runs
from ownership.history.head import Head
from ownership.models import DriftRun, Grant

KEPT_WHOLE = 10  # runs of a series that keep what was found
KEPT = 1_000  # runs of a series that keep their figures
LARGEST = 50_000_000  # characters of JSON that a run may take
GRANTS_AT_ONCE = 2_000  # rows of one INSERT


class TooLarge(ValueError):
    """A reader found more than a run may keep."""


def keep(
    head: Head,
    declared: DeclaredMap,
    found: Infrastructure,
    environment: str | None,
    user: str,
) -> DriftRun:
    """Keep a run with its figures of this moment, and thin out its series. Raises TooLarge; then nothing is kept."""
    result = compare(declared, found)
    covered = runs.waived_by(result.findings, environment, runs.waivers_in_force(runs.today()))
    findings = []
    for finding in result.findings:
        findings.append([*finding.identity, finding in covered, finding.granted])
    content = _storable(
        {
            "found": to_json(found),
            "grants": [_grant(access, locations) for access, locations in found.grants.items()],
            "findings": findings,
        }
    )
    size = len(json.dumps(content))
    if size > LARGEST:
        raise TooLarge(
            f"what was found takes {size:,} characters; a run keeps at most {LARGEST:,}: read fewer projects at once"
        )
    agreeing, compared = result.agreement()
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
        )
        grants = [Grant(run=run, **grant) for grant in content["grants"]]
        Grant.objects.bulk_create(grants, batch_size=GRANTS_AT_ONCE)
        _thin_out(run)
    return run


def _grant(access: GrantedAccess, locations: Iterable[Location]) -> dict[str, Any]:
    """The fields of a Grant; names as long as their columns take."""
    return {
        "table": access.table[:255],
        "service": access.service[:255],
        "mode": access.mode,
        "evidence": [[location.file, location.line] for location in locations],
    }


def _thin_out(run: DriftRun) -> None:
    """Delete the runs of the series beyond KEPT, and what was found in those beyond KEPT_WHOLE."""
    series = DriftRun.objects.series(run.reader, run.environment)
    ids = list(series.values_list("pk", flat=True)[: KEPT + 1])
    if len(ids) > KEPT:
        series.filter(pk__lte=ids[KEPT]).delete()
    if len(ids) > KEPT_WHOLE:
        older = series.filter(pk__lte=ids[KEPT_WHOLE], found__isnull=False)
        Grant.objects.filter(run__in=older.values("pk")).delete()
        older.order_by().update(found=None, findings=None)


def _storable(value: Any) -> Any:
    """The value without what PostgreSQL can't store in a text: NUL, and halves of surrogate pairs."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    return value
