"""What holds for reports in every form."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ownership.drift.baseline import Baseline
from ownership.drift.command import main
from ownership.drift.compare import compare
from ownership.drift.finding_words import KINDS, message
from ownership.drift.formats import FORMATS
from ownership.drift.report_github import as_github
from ownership.drift.source_tree import Place
from ownership.drift.types import (
    FINDING_KINDS,
    ActionOn,
    Location,
)
from tests.support.drift_projects import ARN, a_map, statement, write
from tests.support.drift_reports import ALL, GRANTED, MISSING, NASTY, REFUSED, a_report, since


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
