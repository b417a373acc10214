"""Reports in SARIF."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema_rs

from ownership.drift.report_sarif import as_sarif
from ownership.drift.reported import Reported
from ownership.drift.source_tree import Place, SourceTree
from ownership.drift.types import (
    FINDING_KINDS,
    CodeUsage,
    GrantedAccess,
    Infrastructure,
    Location,
    Note,
    ReadError,
    Unresolved,
)
from tests.support.drift_projects import write
from tests.support.drift_reports import (
    ALL,
    GRANTED,
    LIVE,
    MISSING,
    WAIVER,
    a_comparison,
    a_report,
    since,
)

SCHEMA = json.loads(
    (Path(__file__).parent / "sarif/sarif-schema-2.1.0.json").read_text(encoding="utf-8")
)
SARIF = jsonschema_rs.validator_for(SCHEMA)


def sarif_run(report: Reported) -> dict[str, Any]:
    log = json.loads(as_sarif(report))
    SARIF.validate(log)
    (run,) = log["runs"]
    return run


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
