"""Findings of each kind, and what a report of them is made of."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from ownership.drift.baseline import Baseline, changes_since
from ownership.drift.compare import Comparison
from ownership.drift.reported import Reported
from ownership.drift.source_tree import SourceTree
from ownership.drift.types import (
    ActionOn,
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
