"""A report as GitLab's Code Quality takes it: a list of issues, each with a file and a line.

The form has no place for waived findings, which are left out.
"""

import hashlib
import json

from ownership.drift.baseline import fingerprint
from ownership.drift.finding_words import KINDS, message
from ownership.drift.reported import Reported
from ownership.drift.source_tree import Place
from ownership.drift.types import Finding


def as_gitlab(report: Reported) -> str:
    """What could not be read, and the open findings."""
    issues = []
    for error, place in report.read_errors():
        text = str(error)
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        issues.append(
            _issue(
                f"Could not read {text}",
                "could_not_read",
                digest,
                "critical",
                place,
                error.location.file,
            )
        )
    for finding in report.open_findings:
        severity = "major" if KINDS[finding.kind].is_severe else "minor"
        place = report.place(finding)
        text = f"{KINDS[finding.kind].title}: {message(finding)}"
        if not report.is_new(finding):
            text += " The change does not add it."
        issues.append(
            _issue(text, finding.kind, fingerprint(finding), severity, place, _other_place(finding))
        )
    return json.dumps(issues, indent=1) + "\n"


def _other_place(finding: Finding) -> str:
    """Where the finding is if no file shows it: a live table's ARN, or the table."""
    return finding.evidence[0].file if finding.evidence else finding.table


def _issue(
    text: str, check: str, digest: str, severity: str, place: Place | None, other_place: str
) -> dict[str, object]:
    path, line = place or Place(other_place)
    return {
        "description": text,
        "check_name": check,
        "fingerprint": digest,
        "severity": severity,
        "location": {"path": path, "lines": {"begin": line or 1}},
    }
