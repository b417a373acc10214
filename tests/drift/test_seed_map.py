"""The seed's map beside a monorepo (``monorepo/``) that deviates from it; the findings were worked out by hand.

Its 20 services grant in the forms that such projects have: shared settings, statements in lists, items and files,
roles for functions, services within services, patterns, a project in JSON, folders called unlike their service.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from ownership.drift.compare import compare
from ownership.drift.naming import Names
from ownership.drift.readers.serverless import read_projects
from ownership.drift.registry_client import load_map
from ownership.drift.types import DeclaredAccess
from tests.support.drift_projects import ARN, write

HERE = Path(__file__).parent
SEED = HERE.parents[1] / "fixtures" / "ownership.yaml"
EXPECTED = """
access_not_granted bizBtxSockets btx: read_write, None
narrower_grant bizBtxPrices btx: read_write, read
unregistered_table bizBtxLedger btx: None, write
index_differs bizBtxTrades None: none, byTime (at (N))
key_schema_differs biztechUsers None: id, email (S)
undeclared_access bizStickers stickers: None, read
access_not_granted bizJudge interactions: read_write, None
unregistered_table biztechNFC interactions: None, read_write
access_not_granted biztechInvestments investments: read_write, None
narrower_grant biztechQuizzes quizzes: read_write, read
undeclared_access biztechQuests teams: None, write
narrower_grant biztechMembers2026 bots: read_write, write
unregistered_table biztechEmailTemplates emails: None, read
wider_grant biztechUsers members: write, read
narrower_grant biztechUsers members: write, read
access_not_granted biztechProfiles members: write, None
access_not_granted biztechEvents partnerships: read, None
wider_grant biztechEvents payments: read, read_write
wider_grant biztechMembers2026 payments: write, read_write
wider_grant biztechProfiles payments: write, read_write
narrower_grant biztechPrizes prizes: read_write, read
narrower_grant biztechMembers2026 profiles: read_write, read
access_not_granted biztechQRs profiles: write, None
access_not_granted biztechUsers registrations: read, None
undeclared_access biztechRegistrations users: None, read
wider_grant biztechUsers transactions: read, read_write
unregistered_table bizBtxAudit transactions: None, read_write
"""


@pytest.mark.parametrize(
    ("environment", "given"),
    [
        (None, {}),
        (None, {"opt:stage": "prod"}),
        ("production", {"opt:stage": "prod"}),
        ("dev", {"opt:stage": "stg"}),
    ],
    ids=["no environment", "stage prod", "production", "dev"],
)
def test_findings_are_those_worked_out_by_hand(
    environment: str | None, given: dict[str, str]
) -> None:
    declared = load_map(str(SEED))
    found = read_projects(HERE / "monorepo", Names.of(declared, environment), given)
    result = compare(declared, found)
    everything = {  # which transactions may use, and nobody declared
        f"undeclared_access {table.name} transactions: None, read_write"
        for table in declared.tables
        if table.name not in ("biztechUsers", "biztechTransactions")
    }
    assert {
        f"{f.kind} {f.table} {f.service}: {f.declared}, {f.granted}" for f in result.findings
    } == {
        *EXPECTED.strip().splitlines(),
        *everything,
    }
    assert (found.errors, result.unchecked) == ((), ())
    assert [(u.service, u.text) for u in found.unresolved] == [("emails", "…")]
    assert {offer.table for offer in result.offers} == {
        f"bizBtx{name}" for name in ("Accounts", "Holdings", "Prices", "Projects", "Trades")
    }


def granting(service: str, accesses: Iterable[DeclaredAccess]) -> dict[str, str]:
    """A project that grants a service its accesses."""
    action = {"read": "dynamodb:Query", "write": "dynamodb:PutItem"}
    statements = [
        {"Effect": "Allow", "Action": action[access.mode], "Resource": f"{ARN}{access.table}PROD"}
        for access in accesses
        if access.service == service
    ]
    project = {
        "service": f"club-{service}",
        "provider": {"iam": {"role": {"statements": statements}}},
        "functions": {"main": {"handler": "main.handler"}},
    }
    return {f"services/{service}/serverless.json": json.dumps(project)}


@pytest.mark.slow
def test_each_missing_grant_is_one_finding_and_otherwise_there_is_no_drift(tmp_path: Path) -> None:
    declared = load_map(str(SEED))
    names, accesses = Names.of(declared), declared.accesses
    for service in declared.services:
        write(tmp_path, granting(service.name, accesses))
    result = compare(declared, read_projects(tmp_path, names, {}))
    assert (result.findings, result.offers, result.unchecked) == ((), (), ())
    for access in sorted(accesses):
        write(tmp_path, granting(access.service, accesses - {access}))
        (finding,) = compare(declared, read_projects(tmp_path, names, {})).findings
        other = {
            DeclaredAccess(access.service, access.table, mode) for mode in ("read", "write")
        } - {access}
        kind = "narrower_grant" if other & accesses else "access_not_granted"
        assert finding.identity == (kind, access.table, access.service)
        write(tmp_path, granting(access.service, accesses))
