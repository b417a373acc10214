"""What the latest run of each series finds, compared with rows of the map that a page has read already."""

from collections.abc import Collection
from dataclasses import dataclass

from ownership.drift.compare import Comparison, compare
from ownership.drift.serialization import from_json
from ownership.drift.types import DeclaredMap, Finding, GrantedAccess, Location
from ownership.findings.runs import today, waived_by, waivers_in_force
from ownership.models import DriftRun, Grant, Waiver

Grants = dict[GrantedAccess, tuple[Location, ...]]


@dataclass(frozen=True)
class LatestRun:
    """The latest run of a series, what differs from the map, and which of that is waived today."""

    run: DriftRun
    comparison: Comparison
    waived: dict[Finding, Waiver]

    def open_findings(self) -> list[Finding]:
        """The findings that nobody has waived."""
        return [finding for finding in self.comparison.findings if finding not in self.waived]


def compare_latest(declared: DeclaredMap, tables: Collection[str] | None = None) -> list[LatestRun]:
    """Compare the latest runs with a map; only grants for those tables, where there are too many for all.

    One query where no run was kept, otherwise three.
    """
    runs = list(DriftRun.objects.latest_of_each())
    if not runs:
        return []
    grants: dict[int, Grants] = {run.pk: {} for run in runs}
    rows = Grant.objects.filter(run__in=runs)
    if tables is not None:
        rows = rows.filter(table__in=tables)
    for row in rows:
        grants[row.run_id][row.value()] = row.locations()
    waivers = waivers_in_force(today())
    compared = []
    for run in runs:
        found = from_json(run.reader, run.found or {}, grants[run.pk])
        comparison = compare(declared, found)
        waived = waived_by(comparison.findings, run.environment or None, waivers)
        compared.append(LatestRun(run, comparison, waived))
    return compared
