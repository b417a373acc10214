"""What the latest runs say of some tables: side by side with the map, and in a few words to keep."""

from collections.abc import Collection
from dataclasses import dataclass

from django.template.defaultfilters import pluralize

from ownership.drift.types import Finding
from ownership.findings.side_by_side import Latest, each_once, of_tables, shape_findings_of
from ownership.models import DriftRun, Table


@dataclass(frozen=True)
class SaidByRuns:
    """What the latest run of each series says of one table: of its accesses, and of its keys and indexes."""

    runs: list[DriftRun]
    accesses: list[Latest]  # of the runs that read permissions
    shape: dict[int, list[Finding]]  # of the table itself, by the run's id

    def shape_findings(self) -> list[Finding]:
        """What the runs find of the table itself, each once."""
        return each_once(self.shape)

    def in_words(self) -> str:
        """A line for each run: its number and day, how many accesses agree, and what it finds."""
        of_run = {latest.run.pk: latest for latest in self.accesses}
        lines = []
        for run in self.runs:
            facts = []
            findings = []
            if run.pk in of_run:
                facts.append(_agreement(of_run[run.pk]))
                findings += _access_findings(of_run[run.pk])
            findings += [_words(finding.kind) for finding in self.shape.get(run.pk, ())]
            facts.append(f"findings: {', '.join(findings)}" if findings else "no findings")
            lines.append(f"{_name(run)}: {'; '.join(facts)}.")
        return "\n".join(lines)


def said_of(tables: Collection[Table]) -> dict[str, SaidByRuns]:
    """What the latest runs say of each of the tables, by its name; as many queries for many tables as for one.

    The tables must have their accesses and indexes fetched.
    """
    runs = list(DriftRun.objects.latest_of_each().defer("found", "findings", "code"))
    if not runs:
        return {table.name: SaidByRuns([], [], {}) for table in tables}
    accesses = of_tables(tables)
    shapes = shape_findings_of(tables)
    said = {}
    for table in tables:
        said[table.name] = SaidByRuns(runs, accesses[table.name], shapes[table.name])
    return said


def _name(run: DriftRun) -> str:
    environment = run.environment or "all environments"
    return f"Run {run.pk} ({run.reader}, {environment}, {run.time.day} {run.time:%b %Y})"


def _agreement(latest: Latest) -> str:
    """On how many accesses the map and the run agree."""
    if latest.truth is not None:
        agreeing, accesses, unknown = latest.truth
        sides = "map, IAM and code"
    else:
        accesses = len(latest.rows)
        unknown = sum(row.is_unknown for row in latest.rows)
        agreeing = sum(not row.findings and not row.is_unknown for row in latest.rows)
        sides = "map and IAM"
    words = f"{sides} agree on {agreeing} of {accesses} access{pluralize(accesses, 'es')}"
    if unknown:
        words += f", {unknown} not known"
    return words


def _access_findings(latest: Latest) -> list[str]:
    findings = []
    for row in latest.rows:
        for finding in row.open_findings:
            findings.append(f"{_words(finding.kind)} ({row.service})")
    return findings


def _words(kind: str) -> str:
    return kind.replace("_", " ")
