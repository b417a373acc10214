"""Annotations and the summary of a step on GitHub."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ownership.drift.report_github import MAX_SUMMARY_BYTES, append_summary, as_github, as_summary
from tests.support.drift_reports import GRANTED, LIVE, MISSING, NASTY, WAIVER, a_report, since


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
