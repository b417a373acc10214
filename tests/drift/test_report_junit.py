"""Reports in the form of JUnit."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from ownership.drift.baseline_words import counts
from ownership.drift.compare import compare
from ownership.drift.report_junit import as_junit
from ownership.drift.types import (
    DeclaredAccess,
    DeclaredMap,
    Infrastructure,
)
from tests.support.drift_reports import (
    GRANTED,
    LIVE,
    MISSING,
    NASTY,
    REFUSED,
    WAIVER,
    a_report,
    since,
)


def test_junit_has_a_case_for_each_finding_error_and_declared_access(repository: Path) -> None:
    declared = frozenset(
        {
            DeclaredAccess("payments", "orders", "read"),
            DeclaredAccess("payments", "prizes", "read"),
        }
    )
    report = since(
        a_report(
            repository,
            GRANTED,
            MISSING,
            waived={GRANTED: WAIVER},
            declared=DeclaredMap(accesses=declared),
        ),
        MISSING,
        REFUSED,
        LIVE,
    )
    suites = ElementTree.fromstring(as_junit(report))
    outcomes = {}
    for case in suites.iter("testcase"):
        outcomes[case.get("name")] = [outcome.tag for outcome in case]
    assert outcomes == {
        "broken.yml:2": ["error"],
        "prizes: Access is not declared": ["skipped"],
        "users: Access is not granted": ["skipped"],
        "orders: Read": [],
        "action_not_granted users users": ["skipped"],
        "unregistered_table old": ["skipped"],
    }
    assert {name: suites.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6",
        "failures": "0",
        "errors": "1",
        "skipped": "4",
    }
    settled = since(replace(report, found=Infrastructure("serverless")), LIVE)
    case = ElementTree.fromstring(as_junit(settled)).find(".//testcase[@classname='settled']")
    assert (case.get("name"), list(case)) == ("unregistered_table old", [])


def test_junit_is_xml_whatever_names_contain(repository: Path) -> None:
    text = as_junit(a_report(repository, replace(GRANTED, table=NASTY)))
    failures = ElementTree.fromstring(text.encode()).findall("testsuite/testcase/failure")
    assert len(failures) == 1


def test_junit_lists_no_access_where_only_tables_were_read(repository: Path) -> None:
    declared = DeclaredMap(accesses=frozenset({DeclaredAccess("bots", "prizes", "read")}))
    found = Infrastructure("dynamodb", all_tables=True)
    report = a_report(repository, declared=declared, found=found, result=compare(declared, found))
    assert ElementTree.fromstring(as_junit(report)).findall("testsuite/testcase") == []


def test_one_finding_is_counted_in_the_singular(repository: Path) -> None:
    assert counts(a_report(repository, GRANTED)).startswith("Drift: 1 finding, ")
    assert counts(a_report(repository, GRANTED, MISSING)).startswith("Drift: 2 findings, ")


def test_junit_skips_what_was_not_checked_with_its_reason(repository: Path) -> None:
    report = a_report(
        repository,
        declared=DeclaredMap(accesses=frozenset({DeclaredAccess("bots", "orders", "read")})),
    )
    (case,) = ElementTree.fromstring(as_junit(report)).findall(
        "testsuite/testcase[@classname='bots']"
    )
    assert case[0].get("message") == "not checked: not read"
