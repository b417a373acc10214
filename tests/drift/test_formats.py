"""Reports for other programs: SARIF, GitHub, GitLab, JUnit."""

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import jsonschema_rs
import pytest

from ownership.drift.baseline import Baseline, changes_since
from ownership.drift.baseline_words import counts
from ownership.drift.command import main
from ownership.drift.compare import Comparison, compare
from ownership.drift.finding_words import KINDS, message
from ownership.drift.formats import FORMATS
from ownership.drift.report_github import MAX_SUMMARY_BYTES, append_summary, as_github, as_summary
from ownership.drift.report_gitlab import as_gitlab
from ownership.drift.report_junit import as_junit
from ownership.drift.report_sarif import as_sarif
from ownership.drift.reported import Reported
from ownership.drift.source_tree import Place, SourceTree
from ownership.drift.types import (
    FINDING_KINDS,
    ActionOn,
    CodeUsage,
    DeclaredAccess,
    DeclaredMap,
    Finding,
    GrantedAccess,
    Infrastructure,
    Location,
    NeededAction,
    Note,
    ReadError,
    Unchecked,
    Unresolved,
    WaiverTerms,
)
from tests.support.drift_projects import ARN, a_map, statement, write

SCHEMA = json.loads(
    (Path(__file__).parent / "sarif/sarif-schema-2.1.0.json").read_text(encoding="utf-8")
)
SARIF = jsonschema_rs.validator_for(SCHEMA)

NASTY = "a%b,c:d|e<f>`g`[h](i)\n::error::\x00\x1b\ud800\ufffe"
GRANTED = Finding(
    "undeclared_access",
    "prizes",
    "payments",
    None,
    "read_write",
    "prizes",
    evidence=(Location("my services/a#b.yml", 3), Location("my services/more.yml", 9)),
    verdicts=(("read", "fix_map"), ("write", "fix_map")),
)
MISSING = Finding(
    "access_not_granted", "users", "payments", "read", None, "users", verdicts=(("read", None),)
)
LIVE = Finding(
    "unregistered_table",
    "old",
    None,
    None,
    None,
    None,
    evidence=(Location("arn:aws:dynamodb:x:1:table/old"),),
)
REFUSED = Finding(
    "action_not_granted",
    "users",
    "users",
    "read",
    "read",
    "users",
    code_evidence=(Location("list.js", 5),),
    verdicts=(("read", "fix_iam"),),
    to_allow=(NeededAction(ActionOn("Query", "byName"), "users", ("list",)),),
)
ALL = (GRANTED, MISSING, LIVE, REFUSED)
WAIVER = WaiverTerms(
    GRANTED.identity, None, "read_write", date(2027, 3, 31), "Prizes move in spring"
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return write(
        tmp_path,
        {
            ".git/HEAD": "",
            "infra/my services/a#b.yml": "",
            "infra/my services/more.yml": "",
            "infra/payments.yml": "",
            "code/list.js": "",
        },
    )


def a_report(repository: Path, *findings: Finding, **changes: Any) -> Reported:
    infrastructure = Infrastructure(
        "serverless",
        grants={GrantedAccess("payments", "orders", "read"): (Location("payments.yml", 4),)},
        unresolved=(Unresolved(Location("payments.yml", 7), "${ssm:x}", "is unknown", "payments"),),
        notes=(Note(Location("payments.yml", 1), "No region"),),
        errors=(ReadError(Location("broken.yml", 2), "duplicate key"),),
    )
    sources = SourceTree(
        repository, repository / "infra", repository / "code", repository / "infra"
    )
    unchecked = [Unchecked("orders", "bots", "not read")]
    report = Reported(
        DeclaredMap(accesses=frozenset({DeclaredAccess("payments", "orders", "read")})),
        infrastructure,
        a_comparison(findings, unchecked),
        {},
        None,
        sources,
    )
    return replace(report, **changes)


def a_comparison(findings: Sequence[Finding], unchecked: Sequence[Unchecked] = ()) -> Comparison:
    """A comparison with these findings, without the pairs that they come from."""
    stated = SimpleNamespace(
        findings=findings,
        unchecked=unchecked,
        offers=(),
        reads_code=True,
        reads_permissions=True,
    )
    return cast(Comparison, stated)


def since(report: Reported, *before: Finding) -> Reported:
    baseline = Baseline("main", before, changed_files=frozenset({"infra/my services/a#b.yml"}))
    return replace(
        report, changes=changes_since(baseline, report.result, report.found, report.usage)
    )


def sarif_run(report: Reported) -> dict[str, Any]:
    log = json.loads(as_sarif(report))
    SARIF.validate(log)
    (run,) = log["runs"]
    return run


# SARIF


def test_sarif_is_valid_with_everything_in_it(repository: Path) -> None:
    report = since(
        a_report(repository, *ALL, waived={GRANTED: WAIVER}), MISSING, replace(LIVE, table="gone")
    )
    run = sarif_run(report)
    assert [result["ruleId"] for result in run["results"]] == [finding.kind for finding in ALL]


def test_sarif_has_a_rule_for_each_kind_with_help_in_markdown(repository: Path) -> None:
    rules = sarif_run(a_report(repository, *ALL))["tool"]["driver"]["rules"]
    assert tuple(rule["id"] for rule in rules) == FINDING_KINDS
    for rule in rules:
        assert "**What to do:**" in rule["help"]["markdown"]
        assert "helpUri" not in rule


def test_sarif_names_the_version_of_the_project(repository: Path) -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (
        sarif_run(a_report(repository))["tool"]["driver"]["semanticVersion"] == project["version"]
    )


def test_sarif_names_files_relative_to_the_repository_and_encoded(repository: Path) -> None:
    run = sarif_run(a_report(repository, GRANTED))
    (result,) = run["results"]
    file = result["locations"][0]["physicalLocation"]
    assert file["artifactLocation"] == {
        "uri": "infra/my%20services/a%23b.yml",
        "uriBaseId": "%SRCROOT%",
    }
    assert file["region"] == {"startLine": 3}
    base = run["originalUriBaseIds"]["%SRCROOT%"]["uri"]
    assert base.endswith("/")
    path = unquote(urlsplit(base + file["artifactLocation"]["uri"]).path)
    assert Path(path) == repository / "infra/my services/a#b.yml"
    assert result["relatedLocations"][0]["physicalLocation"]["region"] == {"startLine": 9}


def test_sarif_shows_what_is_not_granted_where_the_service_has_its_grants(repository: Path) -> None:
    (result,) = sarif_run(a_report(repository, MISSING))["results"]
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "infra/payments.yml"


def test_sarif_names_a_live_table_by_its_arn_and_no_file(repository: Path) -> None:
    (result,) = sarif_run(a_report(repository, LIVE))["results"]
    (location,) = result["locations"]
    assert "physicalLocation" not in location
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "arn:aws:dynamodb:x:1:table/old"


def test_a_resource_of_a_plan_is_shown_at_the_plan_with_its_address(repository: Path) -> None:
    address = 'plan.json#module.shop["a"].aws_iam_role_policy.app'
    write(repository, {"infra/plan.json": "", "infra/more.json": ""})
    evidence = (Location(address), Location("more.json#aws_iam_role.app"))
    (result,) = sarif_run(a_report(repository, replace(GRANTED, evidence=evidence)))["results"]
    (related,) = result["relatedLocations"]
    assert "region" not in related["physicalLocation"]
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "infra/plan.json"
    assert location["logicalLocations"][0]["fullyQualifiedName"] == address
    assert f"Found in {address}." in result["message"]["text"]


def test_fingerprints_survive_moved_lines_and_tell_findings_apart(repository: Path) -> None:
    moved = replace(GRANTED, evidence=(Location("my services/more.yml", 90),))
    others = (
        replace(GRANTED, table="x"),
        replace(GRANTED, service="x"),
        replace(GRANTED, verdicts=(("read", None),)),
    )
    run = sarif_run(a_report(repository, GRANTED, moved, *others, *ALL[1:]))
    prints = [json.dumps(result["partialFingerprints"]) for result in run["results"]]
    assert prints[0] == prints[1]
    assert len(set(prints)) == len(prints) - 1


def test_a_waived_finding_is_suppressed_with_its_reason_and_the_others_state_that_they_are_not(
    repository: Path,
) -> None:
    run = sarif_run(a_report(repository, GRANTED, MISSING, waived={GRANTED: WAIVER}))
    waived, other = run["results"]
    assert waived["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "Waived until 2027-03-31: Prizes move in spring",
        }
    ]
    assert other["suppressions"] == []


def test_what_code_leaves_open_is_shown_in_the_code(repository: Path) -> None:
    place = Location("list.js", 5)
    usage = CodeUsage(
        unresolved=(Unresolved(place, "name", "is unknown", "users"),),
        notes=(Note(place, "a note"),),
        errors=(ReadError(place, "is broken"),),
    )
    found = Infrastructure("serverless")
    report = a_report(repository, usage=usage, found=found, result=a_comparison([]))
    (invocation,) = sarif_run(report)["invocations"]
    for notification in invocation["toolExecutionNotifications"]:
        (location,) = notification["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "code/list.js"


def test_what_is_in_no_file_of_the_repository_has_no_place(repository: Path) -> None:
    grants = {GrantedAccess("payments", "users", "write"): (Location("far.yml"),)}
    found = Infrastructure("terraform", grants=grants)
    nowhere = a_report(repository, MISSING, found=found)
    assert nowhere.place(MISSING) == Place("infra")
    assert replace(nowhere, sources=SourceTree(repository)).place(MISSING) is None
    elsewhere = SourceTree(repository, Path("/"), None, Path("/"))
    assert replace(nowhere, sources=elsewhere).place(MISSING) is None
    for name in ("\0", "x" * 300):  # which no file can have
        assert nowhere.sources.place(Location(name)) is None


def test_sarif_notifies_of_what_was_not_read_resolved_or_checked(repository: Path) -> None:
    run = sarif_run(a_report(repository))
    (invocation,) = run["invocations"]
    notifications = invocation["toolExecutionNotifications"]
    assert [notification["descriptor"]["id"] for notification in notifications] == [
        "could_not_read",
        "unresolved",
        "unchecked",
        "note",
    ]
    assert invocation["executionSuccessful"] is False
    descriptors = run["tool"]["driver"]["notifications"]
    for notification in notifications:
        assert (
            descriptors[notification["descriptor"]["index"]]["id"]
            == notification["descriptor"]["id"]
        )


def test_sarif_says_what_is_new_and_what_was_there(repository: Path) -> None:
    run = sarif_run(since(a_report(repository, GRANTED, MISSING), MISSING))
    assert [result["baselineState"] for result in run["results"]] == ["new", "unchanged"]


# GitHub


def test_github_annotates_files_and_escapes(repository: Path) -> None:
    nasty = replace(GRANTED, table=NASTY)
    lines = as_github(a_report(repository, nasty)).splitlines()
    assert lines[0] == "::error title=Could not read::broken.yml:2: duplicate key"
    command = re.fullmatch(r"::error file=([^,:]*),line=3,title=([^,:]*)::(.*)", lines[1])
    assert command
    assert command[1] == "infra/my services/a#b.yml"
    assert "a%25b%2Cc%3Ad" in command[2]
    assert not [line for line in lines[2:] if line.startswith("::")]


def test_github_annotates_ten_findings_the_changes_own_first_and_counts_the_rest(
    repository: Path,
) -> None:
    old = [replace(MISSING, table=f"t{number}") for number in range(11)]
    in_changed_file = replace(GRANTED, table="changed")
    report = since(a_report(repository, *old, in_changed_file, GRANTED), *old, in_changed_file)
    lines = [
        line
        for line in as_github(report).splitlines()
        if not line.startswith("::error title=Could not read")
    ]
    annotations = [line for line in lines if line.startswith("::")]
    assert len(annotations) == 10
    assert annotations[0].startswith("::error file=infra/my services/a#b.yml")
    assert "prizes" in annotations[0]
    assert annotations[1].startswith("::warning file=infra/my services/a#b.yml")
    assert "and 3 more findings: see the summary, or --format text" in lines
    assert "Since main: 1 new, 0 settled, 12 unchanged." in lines


def test_the_summary_names_what_is_new_and_what_could_not_be_read(repository: Path) -> None:
    summary = as_summary(since(a_report(repository, GRANTED, replace(MISSING, service="bots"))))
    assert "- could not read broken.yml:2: duplicate key\n" in summary
    assert "- Since main: 2 new, 0 settled, 0 unchanged.\n" in summary
    assert "| New: Access is not declared | payments | prizes |" in summary
    assert summary.endswith("| infra |\n")
    assert "| Finding |" not in as_summary(a_report(repository))
    assert as_summary(a_report(repository, LIVE)).endswith("|  |\n")


def test_waived_findings_are_not_annotated(repository: Path) -> None:
    assert "prizes" not in as_github(a_report(repository, GRANTED, waived={GRANTED: WAIVER}))


def test_the_summary_is_a_table_that_names_cannot_break(repository: Path) -> None:
    summary = as_summary(a_report(repository, replace(GRANTED, table=NASTY), MISSING))
    rows = [line for line in summary.splitlines() if line.startswith("| ")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [7, 7, 7]
    assert "<f" not in summary
    assert r"\`g\`\[h\]" in summary


@pytest.mark.slow
@pytest.mark.parametrize("written", [0, MAX_SUMMARY_BYTES - 5_000, MAX_SUMMARY_BYTES])
def test_the_summary_stays_below_what_github_takes(repository: Path, written: int) -> None:
    findings = [replace(GRANTED, table=f"täble{number}") for number in range(9_000)]
    file = repository / "summary.md"
    file.write_text("x" * written)
    append_summary(a_report(repository, *findings), file)
    assert file.stat().st_size <= MAX_SUMMARY_BYTES
    if written < MAX_SUMMARY_BYTES:
        assert re.search(
            r"and \d+ more, for which there is no room here", file.read_text(encoding="utf-8")
        )


# GitLab


def test_gitlab_gets_each_open_finding_with_a_unique_fingerprint(repository: Path) -> None:
    issues = json.loads(as_gitlab(a_report(repository, *ALL)))
    assert [issue["check_name"] for issue in issues] == [
        "could_not_read",
        *(finding.kind for finding in ALL),
    ]
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"]["lines"]["begin"] >= 1
    assert issues[1]["location"] == {"path": "infra/my services/a#b.yml", "lines": {"begin": 3}}


def test_gitlab_gets_no_waived_findings(repository: Path) -> None:
    issues = json.loads(as_gitlab(a_report(repository, GRANTED, waived={GRANTED: WAIVER})))
    assert [issue["check_name"] for issue in issues] == ["could_not_read"]


# JUnit


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


# All of them


@pytest.mark.parametrize("name", ["sarif", "github", "gitlab", "junit"])
def test_each_format_takes_any_name_and_stays_printable(repository: Path, name: str) -> None:
    text = FORMATS[name](a_report(repository, replace(MISSING, table=NASTY)))
    assert "\x00" not in text
    assert "\x1b" not in text


def test_the_patch_for_iam_is_of_a_serverless_yml_and_templates_get_the_list_alone(
    repository: Path,
) -> None:
    report = a_report(repository, REFUSED)
    of_plan = replace(report, found=replace(report.found, reader="terraform"))
    assert "# users/serverless.yml" in FORMATS["iam"](report)
    assert (
        FORMATS["iam"](of_plan)
        == "users\n  users: allow dynamodb:Query on index byName in the role of list (list.js:5)\n"
    )


def test_without_code_or_anything_to_change_the_list_for_iam_says_so(repository: Path) -> None:
    report = a_report(repository, MISSING)
    assert FORMATS["iam"](report) == "Nothing to change.\n"
    without_code = replace(report, result=compare(report.declared, report.found))
    assert FORMATS["iam"](without_code).startswith("Nothing is known: only code tells")


def test_what_to_change_is_named_where_no_place_is_known(repository: Path) -> None:
    unused = replace(
        GRANTED,
        kind="wider_grant",
        evidence=(),
        verdicts=(("write", "trim_iam"),),
        to_remove=(ActionOn("PutItem"),),
    )
    text = FORMATS["iam"](a_report(repository, unused))
    assert text.startswith("payments\n  prizes: remove dynamodb:PutItem\n")


def test_each_kind_has_words() -> None:
    assert set(KINDS) == set(FINDING_KINDS)


def test_a_message_says_what_differs_what_to_do_and_whom_to_ask() -> None:
    assert message(REFUSED) == (
        "users, users: declared: Read; found: Read; fix IAM. Grant it: code does it and is denied. "
        "Allow dynamodb:Query on index byName for list. The table's owner is users."
    )


def test_the_best_place_is_infrastructure_then_code_then_what_was_read(repository: Path) -> None:
    report = a_report(repository, *ALL)
    assert report.place(GRANTED) == Place("infra/my services/a#b.yml", 3)
    assert report.place(REFUSED) == Place("code/list.js", 5)
    assert report.place(replace(MISSING, service="bots")) == Place("infra")


def test_an_annotation_is_in_a_file_of_the_change_where_one_shows_the_finding(
    repository: Path,
) -> None:
    both = replace(GRANTED, code_evidence=(Location("list.js", 5),))
    report = since(a_report(repository, both))
    assert "file=infra/my services/a#b.yml" in as_github(report)
    changes = replace(
        report.changes, baseline=Baseline("main", (), changed_files=frozenset({"code/list.js"}))
    )
    assert "::error file=code/list.js,line=5,title=" in as_github(replace(report, changes=changes))


def test_a_refused_action_is_shown_where_code_needs_it(repository: Path) -> None:
    refused = replace(REFUSED, evidence=GRANTED.evidence)
    assert a_report(repository).place(refused) == Place("code/list.js", 5)


def test_the_command_writes_the_summary_of_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        tmp_path,
        {
            ".git/HEAD": "",
            "map.json": json.dumps(a_map("users read biztechUsers", "prizes read biztechPrizes")),
            "services/users/serverless.yml": statement(f"[{ARN}biztechUsers, {ARN}biztechPrizes]"),
        },
    )
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.chdir(tmp_path)
    output: list[str] = []
    command = [
        "serverless",
        str(tmp_path / "services"),
        "--registry",
        str(tmp_path / "map.json"),
        "--format",
        "github",
    ]
    assert main(command, output.append) == 1
    assert output[0].startswith(
        "::error file=services/users/serverless.yml,line=10,title=Access is not declared%3A"
    )
    assert "| users | biztechPrizes | prizes |" in (tmp_path / "summary.md").read_text()

    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "none/summary.md"))
    assert main(command, output.append) == 1
    assert "summary.md: No such file or directory" in capsys.readouterr().err
    # Where there is no repository, files are named from the working directory.
    (tmp_path / ".git/HEAD").unlink()
    (tmp_path / ".git").rmdir()
    output.clear()
    assert main([*command, "--root", str(tmp_path)], output.append) == 1
    assert "file=services/users/serverless.yml," in output[0]


@pytest.mark.parametrize("arguments", [["--format", "sarif"], ["--baseline", "main"]], ids=str)
def test_code_alone_compares_nothing_and_says_so(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["code", str(tmp_path), *arguments]) == 2
    assert "code compares nothing" in capsys.readouterr().err
