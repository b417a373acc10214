"""A report in SARIF 2.1.0, the form that code scanning takes.

A waived finding is a result with a suppression. What could not be read, resolved or checked is a notification.
Version: https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from ownership.drift.baseline import fingerprint
from ownership.drift.finding_words import KINDS, message
from ownership.drift.report import WHAT_TO_DO, in_a_line, offer_in_a_line
from ownership.drift.reported import Reported
from ownership.drift.source_tree import Place
from ownership.drift.types import FINDING_KINDS, Finding, FindingKind, WaiverTerms, printable

Json = dict[str, object]

VERSION = "0.1.0"  # of this project, as pyproject.toml has it
SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
ROOT = "%SRCROOT%"  # the repository, by the name that GitHub and others use
MAX_RELATED = 100  # further places of a result; GitHub shows no more
WAIVING = (
    "If the difference is known and has to stay for a while, a team lead waives it until a date, "
    "on the page `/drift/` of the registry."
)
NOTIFICATIONS = {  # by what it is about: a sentence and a level
    "could_not_read": ("A file could not be read. The rest was compared.", "error"),
    "unresolved": ("A value could not be determined from the files.", "warning"),
    "unchecked": ("A declared access could not be judged.", "note"),
    "offered": ("Keys are deployed that the map leaves open.", "note"),
    "note": ("Something that people should know.", "note"),
    "settled": ("A finding of the baseline is settled.", "note"),
    "not_judged": ("A finding of the baseline could not be judged this time.", "warning"),
}


def as_sarif(report: Reported) -> str:
    """The report as a SARIF log with one run."""
    has_suppressions = bool(report.waived)
    results = []
    for finding in report.findings:
        result = _result(finding, report)
        if has_suppressions:  # all results state theirs, or none does
            result["suppressions"] = _suppressions(report.waived.get(finding))
        results.append(result)
    could_read_all = not any(report.read_errors())
    run: Json = {
        "tool": {"driver": _driver()},
        "automationDetails": {"id": f"drift/{report.found.reader}/{report.environment or 'all'}/"},
        "invocations": [
            {
                "executionSuccessful": could_read_all,
                "toolExecutionNotifications": list(_notifications(report)),
            }
        ],
        "originalUriBaseIds": {ROOT: {"uri": report.sources.root.as_uri().rstrip("/") + "/"}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1) + "\n"


def _driver() -> Json:
    descriptors = []
    for name, (sentence, level) in NOTIFICATIONS.items():
        text = {"text": sentence}
        descriptors.append(
            {
                "id": name,
                "shortDescription": text,
                "fullDescription": text,
                "help": text,
                "defaultConfiguration": {"level": level},
            }
        )
    return {
        "name": "drift",
        "fullName": "Drift between the table ownership map and the infrastructure",
        "semanticVersion": VERSION,
        "rules": [_rule(kind) for kind in FINDING_KINDS],
        "notifications": descriptors,
    }


def _rule(kind: FindingKind) -> Json:
    words = KINDS[kind]
    to_do = f"{WHAT_TO_DO[kind][0].upper()}{WHAT_TO_DO[kind][1:]}."
    level = _level(kind)
    return {
        "id": kind,
        "name": kind.title().replace("_", ""),
        "shortDescription": {"text": words.title},
        "fullDescription": {"text": words.meaning},
        "help": {
            "text": f"{words.meaning} {to_do} {WAIVING.replace('`', '')}",
            "markdown": f"{words.meaning}\n\n**What to do:** {to_do}\n\n{WAIVING}",
        },
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["drift"], "problem.severity": level},
    }


def _level(kind: FindingKind) -> str:
    return "error" if KINDS[kind].is_severe else "warning"


def _result(finding: Finding, report: Reported) -> Json:
    digest = fingerprint(finding)
    result: Json = {
        "ruleId": finding.kind,
        "ruleIndex": FINDING_KINDS.index(finding.kind),
        "level": _level(finding.kind),
        "message": {"text": message(finding)},
        "locations": [_location(finding, report.place(finding))],
        "partialFingerprints": {
            "finding/v1": digest,
            # GitHub compares this key alone. By lines, all tables of one wildcard would be one alert.
            "primaryLocationLineHash": f"{digest[:16]}:1",
        },
        "properties": {
            "table": finding.table,
            "service": finding.service,
            "owner": finding.owner,
            "declared": finding.declared,
            "granted": finding.granted,
            "inCode": finding.in_code,
            "verdict": finding.verdict,
        },
    }
    related = _related_locations(report.sources.places(finding)[1:])
    if related:
        result["relatedLocations"] = related
    state = report.state(finding)
    if state is not None:
        result["baselineState"] = state
    return result


def _suppressions(waiver: WaiverTerms | None) -> list[Json]:
    if waiver is None:
        return []
    justification = printable(f"Waived until {waiver.until}: {waiver.reason}")
    return [{"kind": "external", "status": "accepted", "justification": justification}]


def _location(finding: Finding, place: Place | None) -> Json:
    """The table, and the file and line: the first line where it is about a whole file, for GitHub wants one."""
    resource: Json = {
        "name": finding.table,
        "fullyQualifiedName": finding.table,
        "kind": "resource",
    }
    location: Json = {"logicalLocations": [resource]}
    if place is not None:
        location["physicalLocation"] = _physical(Place(place.path, place.line or 1))
    if (
        finding.evidence and finding.evidence[0].line is None
    ):  # a live table, or a resource of a plan
        resource["fullyQualifiedName"] = finding.evidence[0].file
    return location


def _related_locations(places: Sequence[Place]) -> list[Json]:
    related = []
    for number, place in enumerate(places[:MAX_RELATED], start=1):
        related.append({"id": number, "physicalLocation": _physical(place)})
    return related


def _physical(place: Place) -> Json:
    physical: Json = {"artifactLocation": {"uri": quote(place.path), "uriBaseId": ROOT}}
    if place.line is not None:
        physical["region"] = {"startLine": place.line}
    return physical


def _notifications(report: Reported) -> Iterator[Json]:
    for error, place in report.read_errors():
        yield _notification("could_not_read", str(error), place)
    for unresolved, place in report.unresolved():
        yield _notification("unresolved", f"{unresolved.text}: {unresolved.reason}", place)
    for access in report.result.unchecked:
        yield _notification("unchecked", f"{access.service}, {access.table}: {access.reason}")
    for offer in report.result.offers:
        yield _notification("offered", offer_in_a_line(offer))
    for note, place in report.notes():
        yield _notification("note", note.text, place)
    if report.changes is not None:
        yield from _about_findings("settled", report.changes.settled)
        yield from _about_findings("not_judged", report.changes.not_judged)


def _about_findings(about: str, findings: Iterable[Finding]) -> Iterator[Json]:
    for finding in findings:
        yield _notification(about, in_a_line(finding))


def _notification(about: str, text: str, place: Place | None = None) -> Json:
    _, level = NOTIFICATIONS[about]
    notification: Json = {
        "descriptor": {"id": about, "index": list(NOTIFICATIONS).index(about)},
        "level": level,
        "message": {"text": printable(text)},
    }
    if place is not None:
        notification["locations"] = [{"physicalLocation": _physical(place)}]
    return notification
