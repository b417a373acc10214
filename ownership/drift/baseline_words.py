"""What a change adds and settles, in words."""

from collections.abc import Iterable
from typing import TypedDict

from ownership.drift.baseline import BaselineChanges
from ownership.drift.report import in_a_line
from ownership.drift.reported import Reported
from ownership.drift.types import Finding, FindingKind, printable

MAX_LISTED = 100  # findings of each list; JSON has them all


class IdentityJSON(TypedDict):
    """What identifies a finding."""

    kind: FindingKind
    table: str
    service: str | None


class ChangesJSON(TypedDict):
    """What a change adds and settles, and what could not be judged this time."""

    name: str
    notes: list[str]
    new: list[IdentityJSON]
    unchanged: list[IdentityJSON]
    settled: list[IdentityJSON]
    not_judged: list[IdentityJSON]


def baseline_lines(changes: BaselineChanges | None) -> list[str]:
    """How many findings are new, settled and unchanged, and which; nothing without a baseline."""
    if changes is None:
        return []
    numbers = f"{len(changes.new)} new, {len(changes.settled)} settled, {len(changes.unchanged)} unchanged"
    if changes.not_judged:
        numbers += f", {len(changes.not_judged)} not judged this time"
    lines = [f"Since {printable(changes.baseline.name)}: {numbers}."]
    lines += [printable(f"  note: {note}") for note in changes.baseline.notes]
    lines += _listed("new", sorted(changes.new, key=in_a_line))
    lines += _listed("settled", changes.settled)
    lines += _listed("not judged", changes.not_judged)
    return lines


def _listed(state: str, findings: Iterable[Finding]) -> list[str]:
    lines = [printable(f"  {state}: {in_a_line(finding)}") for finding in findings]
    more = len(lines) - MAX_LISTED
    if more > 0:
        lines[MAX_LISTED:] = [f"  {state}: and {more} more"]
    return lines


def counts(report: Reported) -> str:
    """The numbers of a run in one line."""
    findings = len(report.findings)
    numbers = {
        "finding" if findings == 1 else "findings": findings,
        "waived": len(report.waived),
        "unresolved": len(list(report.unresolved())),
        "unchecked": len(report.result.unchecked),
        "could not be read": len(list(report.read_errors())),
    }
    if not report.waived:
        del numbers["waived"]
    return "Drift: " + ", ".join(f"{number} {name}" for name, number in numbers.items())


def changes_json(changes: BaselineChanges) -> ChangesJSON:
    """The findings by what has become of them."""
    return {
        "name": changes.baseline.name,
        "notes": list(changes.baseline.notes),
        "new": _identities(sorted(changes.new, key=in_a_line)),
        "unchanged": _identities(changes.unchanged),
        "settled": _identities(changes.settled),
        "not_judged": _identities(changes.not_judged),
    }


def _identities(findings: Iterable[Finding]) -> list[IdentityJSON]:
    return [
        {"kind": finding.kind, "table": finding.table, "service": finding.service}
        for finding in findings
    ]
