"""What the latest run of each series finds, compared with rows of the map that a page has read already."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from ownership.catalog.queries import whole_tables
from ownership.drift.compare import Comparison, compare
from ownership.drift.types import CodeUsage, DeclaredMap, Finding, Infrastructure
from ownership.findings.runs import declared_map, waived_by, waivers_in_force
from ownership.models import DriftRun, Service, Waiver
from ownership.models.drift_runs import rows_of


@dataclass(frozen=True)
class LatestRun:
    """The latest run of a series, what differs from the map, and which of that is waived today."""

    run: DriftRun
    comparison: Comparison
    waived: dict[Finding, Waiver]

    @classmethod
    def compared(
        cls,
        run: DriftRun,
        declared: DeclaredMap,
        found: Infrastructure,
        usage: CodeUsage | None,
        waivers: Collection[Waiver],
    ) -> "LatestRun":
        """The run, of which this was found in infrastructure and code, compared with a map."""
        comparison = compare(declared, found, usage)
        waived = waived_by(comparison.findings, run.environment or None, waivers)
        return cls(run, comparison, waived)

    def open_findings(self) -> list[Finding]:
        """The findings that nobody has waived."""
        return [finding for finding in self.comparison.findings if finding not in self.waived]


@dataclass(frozen=True)
class FoundByRun:
    """What a run finds of some tables, and nobody has waived."""

    run: DriftRun
    findings: list[Finding]


def compare_latest(declared: DeclaredMap, tables: Collection[str] | None = None) -> list[LatestRun]:
    """Compare the latest runs with a map; only what they found of those tables, where there are too many for all.

    One query where no run was kept, otherwise three, or four if one of them read code.
    """
    runs = list(DriftRun.objects.latest_of_each())
    if not runs:
        return []
    rows = rows_of(runs, None if tables is None else Q(table__in=tables))
    waivers = waivers_in_force()
    compared = []
    for run in runs:
        of_run = rows[run.pk]
        found, usage = of_run.infrastructure(run), of_run.usage(run)
        compared.append(LatestRun.compared(run, declared, found, usage, waivers))
    return compared


def open_findings_of(condition: Q) -> list[FoundByRun]:
    """What the latest runs find of the tables on that condition; without runs that find nothing of them.

    As many queries for many tables as for one.
    """
    tables = list(whole_tables().filter(condition))
    if not tables:
        return []
    names = {table.name for table in tables}
    services = list(Service.objects.select_related("part_of"))
    declared = declared_map(0, {"services": services, "tables": tables, "environments": []})
    found = []
    for latest in compare_latest(declared, names):
        # The run found other tables, too, which are not among those that were read here.
        of_run = [finding for finding in latest.open_findings() if finding.table in names]
        if of_run:
            found.append(FoundByRun(latest.run, of_run))
    return found
