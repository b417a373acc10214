"""Reports of code quality for GitLab."""

import json
from pathlib import Path

from ownership.drift.report_gitlab import as_gitlab
from tests.support.drift_reports import ALL, GRANTED, WAIVER, a_report


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
