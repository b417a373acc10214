"""A report as JUnit's XML, which pipelines show as tests.

Each finding is a test case that fails, or is skipped if it is waived or was there before the change. Each declared
access without a finding passes, or is skipped if it could not be judged. What could not be read is an error.
"""

from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from ownership.drift.finding_words import KINDS, message
from ownership.drift.report import in_a_line
from ownership.drift.reported import Reported
from ownership.drift.source_tree import Place
from ownership.drift.types import MODE_LABELS, Finding, ReadOrWrite, combined_mode, printable

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
# A suite's attribute: a case's element.
OUTCOMES = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def as_junit(report: Reported) -> str:
    """One test suite with all cases."""
    name = f"drift {report.found.reader} {report.environment or ''}".strip()
    suite = Element("testsuite", name=printable(name))
    suite.extend(_error_cases(report))
    suite.extend(_finding_cases(report))
    suite.extend(_access_cases(report))
    suite.extend(_settled_cases(report))
    suite.set("tests", str(len(suite)))
    for attribute, element in OUTCOMES.items():
        suite.set(attribute, str(len(suite.findall(f"testcase/{element}"))))
    suites = Element("testsuites", dict(suite.attrib))
    suites.append(suite)
    ElementTree.indent(suites, " ")
    return f"{DECLARATION}{ElementTree.tostring(suites, encoding='unicode')}\n"


def _case(group: str, name: str, place: Place | None = None) -> Element:
    case = Element("testcase", classname=printable(group), name=printable(name), time="0")
    if place is not None:
        case.set("file", printable(place.path))
        if place.line is not None:
            case.set("line", str(place.line))
    return case


def _error_cases(report: Reported) -> Iterator[Element]:
    for error, place in report.read_errors():
        case = _case("could not read", str(error.location), place)
        SubElement(case, "error", message=printable(error.reason), type="could_not_read")
        yield case


def _finding_cases(report: Reported) -> Iterator[Element]:
    for finding in report.findings:
        place = report.place(finding)
        case = _case(_group(finding), f"{finding.table}: {KINDS[finding.kind].title}", place)
        waiver = report.waived.get(finding)
        if waiver is not None:
            SubElement(
                case, "skipped", message=printable(f"waived until {waiver.until}: {waiver.reason}")
            )
        elif not report.is_new(finding):
            SubElement(case, "skipped", message=f"not added by the change: {message(finding)}")
        else:
            failure = SubElement(case, "failure", message=message(finding), type=finding.kind)
            failure.text = printable(", ".join(map(str, finding.evidence + finding.code_evidence)))
        yield case


def _group(finding: Finding) -> str:
    """What the finding is listed under: its service, or that it is about a table."""
    return finding.service or "tables"


def _access_cases(report: Reported) -> Iterator[Element]:
    """The declared accesses without a finding; none for a reader of tables alone, which checks no access."""
    if not report.result.reads_permissions:
        return
    with_finding = {(finding.service, finding.table) for finding in report.findings}
    unchecked = {
        (access.service, access.table): access.reason for access in report.result.unchecked
    }
    modes: dict[tuple[str, str], set[ReadOrWrite]] = {}
    for access in report.declared.accesses:
        modes.setdefault((access.service, access.table), set()).add(access.mode)
    for service, table in sorted(modes):
        if (service, table) in with_finding:
            continue
        mode = combined_mode(modes[service, table]) or ""
        case = _case(service, f"{table}: {MODE_LABELS[mode]}")
        if (service, table) in unchecked:
            SubElement(
                case, "skipped", message=printable(f"not checked: {unchecked[service, table]}")
            )
        yield case


def _settled_cases(report: Reported) -> Iterator[Element]:
    """What the change settles, as cases that pass; what can't be judged this time, as skipped ones."""
    if report.changes is None:
        return
    for finding in report.changes.settled:
        yield _case("settled", in_a_line(finding))
    for finding in report.changes.not_judged:
        case = _case("settled", in_a_line(finding))
        SubElement(case, "skipped", message="not judged this time")
        yield case
