"""What a change adds and settles: the findings now beside those of an earlier report or of a commit.

Lines are no part of what makes findings the same, so moving code changes nothing.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ownership.drift.compare import Comparison
from ownership.drift.readers.files import NotReadable, read_bytes
from ownership.drift.types import (
    FINDING_KINDS,
    READ_AND_WRITE,
    ActionOn,
    CodeUsage,
    Finding,
    Identity,
    Infrastructure,
    Location,
    NeededAction,
    ReadError,
)

MAX_REPORT_BYTES = 100_000_000
# Kinds between which a finding may change while its excess, or what it lacks, stays the same.
SIDES = {
    "unregistered_table": "excess",
    "undeclared_access": "excess",
    "wider_grant": "excess",
    "access_not_granted": "missing",
    "narrower_grant": "missing",
}
# Kinds of findings that need code to have been read.
KINDS_OF_CODE = ("unused_declaration", "undeclared_use", "action_not_granted")


class FindingPart(NamedTuple):
    """One thing that a finding says: a service may, or may not, use a table in one mode; or how a table differs."""

    side: str
    table: str
    service: str | None
    what: str


@dataclass(frozen=True)
class Baseline:
    """The findings of an earlier report, or of a commit. ``name`` says which."""

    name: str
    findings: Sequence[Finding]
    notes: Sequence[str] = ()  # what people should know about it
    # Those of the files with evidence that changed, by their paths in the repository.
    changed_files: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BaselineChanges:
    """What a change adds and settles.

    - ``new``: they say something that was not said before.
    - ``settled``: nothing that they said is said any more, and it was looked at.
    - ``not_judged``: nothing that they said is said any more, for it could not be looked at this time.
    """

    baseline: Baseline
    new: frozenset[Finding]
    unchanged: Sequence[Finding]
    settled: Sequence[Finding]
    not_judged: Sequence[Finding]

    @property
    def changed_files(self) -> frozenset[str]:
        """The files that show findings and have changed."""
        return self.baseline.changed_files


def changes_since(
    baseline: Baseline, result: Comparison, found: Infrastructure, usage: CodeUsage | None = None
) -> BaselineChanges:
    """The findings of a run beside those of the baseline."""
    parts_before = _parts_of_all(baseline.findings)
    new, unchanged = [], []
    for finding in result.findings:
        if parts(finding) <= parts_before:
            unchanged.append(finding)
        else:
            new.append(finding)

    parts_now = _parts_of_all(result.findings)
    settled, not_judged = [], []
    for finding in baseline.findings:
        if parts(finding) & parts_now:
            continue
        if _is_judged(finding, result, found, usage):
            settled.append(finding)
        else:
            not_judged.append(finding)
    return BaselineChanges(baseline, frozenset(new), unchanged, settled, not_judged)


def _is_judged(
    finding: Finding, result: Comparison, found: Infrastructure, usage: CodeUsage | None
) -> bool:
    """Whether the run would have reported the finding, had it still been there."""
    if found.errors or finding.service in found.unread:
        return False
    if finding.kind in KINDS_OF_CODE and (usage is None or usage.errors):
        return False
    unchecked = {(access.table, access.service) for access in result.unchecked}
    return (finding.table, finding.service) not in unchecked


def _parts_of_all(findings: Iterable[Finding]) -> set[FindingPart]:
    all_parts: set[FindingPart] = set()
    for finding in findings:
        all_parts |= parts(finding)
    return all_parts


def parts(finding: Finding) -> frozenset[FindingPart]:
    """What the finding says, one by one: its modes, the actions that are refused, or keys or indexes as deployed."""
    side = SIDES.get(finding.kind, finding.kind)
    if finding.kind == "action_not_granted":
        said = {str(needed.action) for needed in finding.to_allow}
    else:
        said = set(_modes(finding))
    return frozenset(FindingPart(side, finding.table, finding.service, what) for what in said)


def fingerprint(finding: Finding) -> str:
    """The same for the same finding in every run, wherever its lines move: from kind, table, service and modes."""
    content = json.dumps([*finding.identity, _modes(finding)])
    return hashlib.sha256(content.encode()).hexdigest()


def _modes(finding: Finding) -> list[str]:
    """The modes that the finding is about; of keys and indexes, how they are deployed."""
    modes: list[str] = [mode for mode, _ in finding.verdicts]
    return sorted(modes) or [finding.granted or ""]


def load_report(path: Path, reader: str, environment: str | None) -> Baseline:
    """The findings of a report of ``--format json``. Raises ReadError, also for another reader or environment."""
    location = Location(str(path))
    try:
        content = read_bytes(path, MAX_REPORT_BYTES)
        report = json.loads(content)
        summary = report["summary"]
        findings = [_finding(entry) for entry in report["findings"]]
        made_by = (summary["reader"], summary["environment"])
        unreadable = int(summary["errors"])
    except NotReadable as error:
        raise ReadError(location, str(error)) from error
    except OSError as error:
        raise ReadError(location, error.strerror or "can't be opened") from error
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ReadError(
            location, "is no report of drift --format json; make one where the change begins"
        ) from error
    if made_by != (reader, environment):
        raise ReadError(
            location,
            f"is a report of {_run(*made_by)}, and this run is of {_run(reader, environment)}: they don't compare",
        )
    return Baseline(str(path), findings, unreadable_notes(unreadable))


def unreadable_notes(count: int) -> list[str]:
    """That something could not be read at the baseline: what it held then is not known."""
    if not count:
        return []
    if count == 1:
        return ["1 file could not be read then, so what it held counts as new"]
    return [f"{count} files could not be read then, so what they held counts as new"]


def _run(reader: str, environment: str | None) -> str:
    return f"{reader} in {environment}" if environment else f"{reader} without an environment"


def _finding(entry: Mapping[str, Any]) -> Finding:
    """A finding as far as a comparison needs it. Raises KeyError, TypeError, ValueError."""
    identity = Identity(entry["kind"], entry["table"], entry["service"])
    if identity.kind not in FINDING_KINDS or not isinstance(identity.table, str):
        raise ValueError(identity)
    modes = tuple((mode, None) for mode in READ_AND_WRITE if mode in entry["verdicts"])
    return Finding(
        *identity,
        declared=entry["declared"],
        granted=entry["granted"],
        owner=entry["owner"],
        verdicts=modes,
        to_allow=tuple(_needed(needed) for needed in entry["to_allow"]),
    )


def _needed(entry: Mapping[str, Any]) -> NeededAction:
    action = ActionOn(entry["action"].removeprefix("dynamodb:"), entry["index"] or "")
    return NeededAction(action, entry["service"], tuple(entry["functions"]))
