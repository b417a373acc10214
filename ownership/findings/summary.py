"""What the latest runs say of a table, in a few lines: they are shown, and kept with its confirmation."""

from collections.abc import Collection
from dataclasses import dataclass

from django.template.defaultfilters import pluralize

from ownership.drift.types import Finding
from ownership.findings.side_by_side import SideBySide, each_once, of_tables, shape_findings_of
from ownership.models import DriftRun, Table


@dataclass(frozen=True)
class DriftSummary:
    """What the latest run of each series says of one table: of its accesses, and of its keys and indexes."""

    runs: list[DriftRun]
    accesses: list[SideBySide]  # of the runs that read permissions
    shape: dict[int, list[Finding]]  # of the table itself, by the run's id

    def shape_findings(self) -> list[Finding]:
        """What the runs find of the table itself, each once."""
        return each_once(self.shape)

    def in_words(self) -> str:
        """A line for each run: its number and day, how many accesses agree, and what it finds."""
        return "\n".join(self._line(run) for run in self.runs)

    def _line(self, run: DriftRun) -> str:
        facts = []
        findings = []
        for compared in self.accesses:
            if compared.run.pk == run.pk:
                facts.append(_agreement(compared))
                findings += _access_findings(compared)
        for finding in self.shape.get(run.pk, ()):
            findings.append(_words(finding.kind))
        facts.append(f"findings: {', '.join(findings)}" if findings else "no findings")
        return f"{_name(run)}: {'; '.join(facts)}."


def drift_summaries(tables: Collection[Table]) -> dict[str, DriftSummary]:
    """What the latest runs say of each of the tables, by its name; as many queries for many tables as for one.

    The tables must have their accesses and indexes fetched.
    """
    runs = list(DriftRun.objects.latest_of_each().defer("found", "findings", "code"))
    if not runs:
        return {table.name: DriftSummary([], [], {}) for table in tables}
    accesses = of_tables(tables)
    shapes = shape_findings_of(tables)
    summaries = {}
    for table in tables:
        summaries[table.name] = DriftSummary(runs, accesses[table.name], shapes[table.name])
    return summaries


def _name(run: DriftRun) -> str:
    environment = run.environment or "all environments"
    return f"Run {run.pk} ({run.reader}, {environment}, {run.time.day} {run.time:%b %Y})"


def _agreement(compared: SideBySide) -> str:
    """On how many accesses the map and the run agree."""
    rows = compared.rows
    if compared.truth is not None:
        agreeing, accesses, unknown = compared.truth
        sides = "map, IAM and code"
    else:
        known = [row for row in rows if not row.is_unknown]
        agreeing = sum(not row.findings for row in known)
        accesses, unknown = len(rows), len(rows) - len(known)
        sides = "map and IAM"
    words = f"{sides} agree on {agreeing} of {accesses} access{pluralize(accesses, 'es')}"
    if unknown:
        words += f", {unknown} not known"
    return words


def _access_findings(compared: SideBySide) -> list[str]:
    findings = []
    for row in compared.rows:
        for finding in row.open_findings:
            findings.append(f"{_words(finding.kind)} ({row.service})")
    return findings


def _words(kind: str) -> str:
    return kind.replace("_", " ")
