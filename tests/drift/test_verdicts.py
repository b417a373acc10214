"""A table of what is declared, granted and in code, and which side the findings call wrong."""

from collections.abc import Collection
from dataclasses import replace

import pytest

from ownership.drift.compare import compare
from ownership.drift.registry_client import from_map
from ownership.drift.report import verdict_in_words
from ownership.drift.types import (
    ActionOn,
    CodeAccess,
    CodeUsage,
    Finding,
    GrantedAccess,
    Infrastructure,
    Location,
    ReadOrWrite,
    TableShape,
    Unresolved,
)
from tests.support.drift_code import code_usage
from tests.support.drift_projects import a_map

GRANT = Location("users/serverless.yml", 9)
PARTS: dict[str, str | None] = {"interactions": None, "teams": "interactions"}


def infrastructure(
    *grants: str, actions: dict[str, set[ActionOn]] | None = None, **fields: object
) -> Infrastructure:
    """Grants like ``"users read_write X"``; the services users, interactions and pay were read."""
    accesses = []
    for line in grants:
        service, modes, table = line.split()
        accesses += [GrantedAccess(service, table, mode) for mode in modes.split("_")]  # type: ignore[arg-type]
    permitted = {}
    for access in accesses:
        if actions and f"{access.service} {access.mode} {access.table}" in actions:
            permitted[access] = frozenset(actions[f"{access.service} {access.mode} {access.table}"])
    services = frozenset({"users", "pay", "interactions"}) | {access.service for access in accesses}
    found = Infrastructure("test", dict.fromkeys(accesses, (GRANT,)), permitted, services=services)
    return replace(found, **fields)  # type: ignore[arg-type]


def told(findings: Collection[Finding]) -> set[str]:
    """Kind, table, service, what is in code, the verdict, and where modes differ, that of each."""
    lines = set()
    for finding in findings:
        line = (
            f"{finding.kind} {finding.table} {finding.service} {finding.in_code} {finding.verdict}"
        )
        if len(set(finding.verdicts)) > 1:
            line += " " + " ".join(f"{mode}:{verdict}" for mode, verdict in finding.verdicts)
        lines.add(line)
    return lines


CASES = {
    # declared, granted, in code, findings
    "all agree": (["users read X"], ["users read X"], ["users read X"], set()),
    "granted and in code": (
        ["pay read X"],
        ["pay read X", "users read X"],
        ["pay read X", "users read X"],
        {"undeclared_access X users read fix_map"},
    ),
    "declared and in code": (
        ["users read X"],
        [],
        ["users read X"],
        {"access_not_granted X users read fix_iam"},
    ),
    "granted alone": (
        ["pay read X"],
        ["pay read X", "users write X"],
        ["pay read X"],
        {"undeclared_access X users none trim_iam"},
    ),
    "declared alone": (
        ["users read X"],
        [],
        [],
        {"access_not_granted X users none remove_from_map"},
    ),
    "declared and granted": (
        ["users read X"],
        ["users read X"],
        [],
        {"unused_declaration X users none remove_from_map"},
    ),
    "in code alone": (
        ["pay read X"],
        ["pay read X"],
        ["pay read X", "users write X"],
        {"undeclared_use X users write fix_map"},
    ),
    "both modes granted, code reads": (
        ["pay read X"],
        ["pay read X", "users read_write X"],
        ["pay read X", "users read X"],
        {"undeclared_access X users read mixed read:fix_map write:trim_iam"},
    ),
    "both modes declared, code writes": (
        ["users read_write X"],
        [],
        ["users write X"],
        {"access_not_granted X users write mixed read:remove_from_map write:fix_iam"},
    ),
    "write declared, read granted, code reads": (
        ["users write X"],
        ["users read X"],
        ["users read X"],
        {"wider_grant X users read fix_map", "narrower_grant X users read remove_from_map"},
    ),
    "a wider grant, all unused": (
        ["users read X"],
        ["users read_write X"],
        [],
        {"wider_grant X users none trim_iam", "unused_declaration X users none remove_from_map"},
    ),
    "a table that is not on the map, in code": (
        [],
        ["users read_write Z"],
        ["users read Z"],
        {"unregistered_table Z users read mixed read:fix_map write:trim_iam"},
    ),
    "a table that is in code alone": (
        [],
        [],
        ["users read Z"],
        {"unregistered_table Z users read fix_map"},
    ),
    "a part's access by its whole's grant and code": (
        ["teams read X"],
        ["interactions read X"],
        ["interactions read X"],
        set(),
    ),
    "a part's access by its whole's code, not granted": (
        ["teams read X"],
        [],
        ["interactions read X"],
        {"access_not_granted X teams read fix_iam"},
    ),
    "a part's access that its whole's code does not do": (
        ["teams read X"],
        ["interactions read X"],
        [],
        {"unused_declaration X teams none remove_from_map"},
    ),
    "a whole's grant that a part's code uses": (
        ["pay read X"],
        ["pay read X", "interactions read X"],
        ["pay read X", "teams read X"],
        {"undeclared_use X teams read fix_map"},
    ),
    "a part's grant that its whole's code does not use": (
        ["interactions read X"],
        ["interactions read X", "teams read X"],
        ["interactions read X"],
        {"undeclared_access X teams none trim_iam"},
    ),
}


@pytest.mark.parametrize(("declares", "grants", "code", "expected"), CASES.values(), ids=CASES)
def test_verdicts(
    declares: list[str], grants: list[str], code: list[str], expected: set[str]
) -> None:
    declared = from_map(a_map(*declares, services=PARTS))
    usage = code_usage(*code, services={"users", "pay", "interactions", "teams"})
    assert told(compare(declared, infrastructure(*grants), usage).findings) == expected


def test_without_code_the_findings_are_the_same_and_have_no_verdict() -> None:
    declared = from_map(a_map("users read X"))
    (finding,) = compare(declared, infrastructure()).findings
    assert (finding.in_code, finding.code_evidence, finding.verdict, finding.verdicts) == (
        None,
        (),
        None,
        (("read", None),),
    )


def test_a_service_whose_code_was_not_read_has_no_verdict() -> None:
    declared = from_map(a_map("users read X", "pay read X"))
    result = compare(declared, infrastructure("users write X"), code_usage(services={"pay"}))
    assert told(result.findings) == {
        "wider_grant X users None None",
        "narrower_grant X users None None",
        "access_not_granted X pay none remove_from_map",
    }


def unresolved(service: str, *modes: ReadOrWrite) -> Unresolved:
    return Unresolved(
        Location(f"{service}/handler.js", 3),
        "table",
        "comes from a request",
        service,
        frozenset(modes),
    )


def test_what_something_unresolved_may_do_is_not_called_unused() -> None:
    declared = from_map(a_map("users read_write X"))
    usage = code_usage(
        "users read X", services={"users"}, unresolved=(unresolved("users", "write"),)
    )
    result = compare(declared, infrastructure("users read_write X"), usage)
    assert result.findings == ()
    assert result.truth() == (0, 1, 1)
    result = compare(declared, infrastructure(), usage)
    assert told(result.findings) == {"access_not_granted X users read None read:fix_iam write:None"}


def test_what_code_is_seen_to_do_has_a_verdict_although_something_else_is_unresolved() -> None:
    declared = from_map(a_map("pay read X"))
    usage = code_usage(
        "users read X", services={"users"}, unresolved=(unresolved("users", "read", "write"),)
    )
    result = compare(declared, infrastructure("users read X"), usage)
    assert "undeclared_access X users read fix_map" in told(result.findings)


def test_a_function_that_nobody_deploys_does_not_count() -> None:
    declared = from_map(a_map("users read X"))
    usage = code_usage("users read X", services={"users"})
    unreached = replace(
        usage, accesses=tuple(replace(access, reachable=False) for access in usage.accesses)
    )
    result = compare(declared, infrastructure("users read X"), unreached)
    assert told(result.findings) == {"unused_declaration X users none remove_from_map"}


def test_a_finding_has_the_places_in_code_and_the_way_to_an_indirect_use() -> None:
    access = CodeAccess(
        "users",
        "X",
        "read",
        "list",
        direct=False,
        path=("users/handler.js#list", "lib/pay.js#find"),
        operations=("Query",),
        indexes=(),
        evidence=(Location("lib/pay.js", 4),),
        calls=(ActionOn("Query"),),
    )
    usage = CodeUsage((access,), frozenset({"users"}))
    (finding,) = compare(from_map(a_map(X={})), infrastructure("users read X"), usage).findings
    assert finding.code_evidence == (Location("lib/pay.js", 4),)
    assert finding.code_paths == (("read", ("users/handler.js#list", "lib/pay.js#find")),)


def test_an_action_that_is_not_granted_shows_the_places_of_its_own_calls() -> None:
    def a_call(function: str, line: int, action: ActionOn) -> CodeAccess:
        place = (Location("users.js", line),)
        path = (f"users.js#{function}",)
        return CodeAccess(
            "users",
            "X",
            "read",
            function,
            True,
            path,
            (action.action,),
            (),
            evidence=place,
            calls=(action,),
        )

    usage = CodeUsage((a_call("get", 4, QUERY), a_call("list", 25, SCAN)), frozenset({"users"}))
    found = infrastructure("users read X", actions={"users read X": {QUERY}})
    (finding,) = compare(from_map(a_map("users read X")), found, usage).findings
    assert finding.kind == "action_not_granted"
    assert finding.code_evidence == (Location("users.js", 25),)


# Actions

QUERY, SCAN = ActionOn("Query"), ActionOn("Scan")
BY_TIME = ActionOn("Query", "by-time")
ACTIONS = {
    # permitted, called, what is lacking
    "the same action": ({QUERY}, [QUERY], []),
    "another action of the same mode": ({QUERY}, [SCAN], ["dynamodb:Scan"]),
    "the table alone, called on an index": (
        {QUERY},
        [BY_TIME],
        ["dynamodb:Query on index by-time"],
    ),
    "all indexes": ({ActionOn("Query", "*")}, [BY_TIME], []),
    "another index": (
        {ActionOn("Query", "by-name")},
        [BY_TIME],
        ["dynamodb:Query on index by-time"],
    ),
    "indexes alone, called on the table": ({ActionOn("Query", "*")}, [QUERY], ["dynamodb:Query"]),
}


@pytest.mark.parametrize(("permitted", "called", "lacking"), ACTIONS.values(), ids=ACTIONS)
def test_an_action_that_its_mode_does_not_include(
    permitted: set[ActionOn], called: list[ActionOn], lacking: list[str]
) -> None:
    usage = code_usage("users read X", services={"users"}, calls=called)
    found = infrastructure("users read X", actions={"users read X": permitted})
    findings = compare(from_map(a_map("users read X")), found, usage).findings
    assert [str(needed.action) for finding in findings for needed in finding.to_allow] == lacking
    assert told(findings) == ({"action_not_granted X users read fix_iam"} if lacking else set())


def test_actions_are_not_checked_where_something_unresolved_may_grant_them() -> None:
    usage = code_usage("users read X", services={"users"}, calls=[SCAN])
    found = infrastructure(
        "users read X", actions={"users read X": {QUERY}}, unresolved=(unresolved("users", "read"),)
    )
    assert compare(from_map(a_map("users read X")), found, usage).findings == ()


def test_actions_are_not_checked_in_runs_that_did_not_keep_them() -> None:
    usage = code_usage("users read X", services={"users"}, calls=[SCAN])
    assert (
        compare(from_map(a_map("users read X")), infrastructure("users read X"), usage).findings
        == ()
    )


def test_a_finding_says_what_iam_lacks_for_which_function_and_what_it_grants_too_much() -> None:
    usage = code_usage("users read X", services={"users"}, calls=[SCAN])
    found = infrastructure(
        "users write X", actions={"users write X": {ActionOn("PutItem"), ActionOn("DeleteItem")}}
    )
    result = compare(from_map(a_map("users read X")), found, usage)
    lacking, excess = sorted(result.findings, key=lambda finding: finding.kind)
    assert [str(needed) for needed in lacking.to_allow] == ["dynamodb:Scan for main"]
    assert lacking.to_remove == ()
    assert excess.to_remove == (ActionOn("DeleteItem"), ActionOn("PutItem"))
    assert excess.to_allow == ()


def test_what_something_unresolved_may_grant_is_not_asked_of_iam() -> None:
    declared = from_map(a_map(X={}))
    usage = code_usage("users read X", services={"users"})
    (finding,) = compare(
        declared, infrastructure(unresolved=(unresolved("users", "read"),)), usage
    ).findings
    assert (finding.verdict, finding.to_allow) == ("fix_map", ())
    (finding,) = compare(declared, infrastructure(), usage).findings
    assert [str(needed) for needed in finding.to_allow] == ["dynamodb:GetItem for main"]


# How much is true


def test_truth_counts_the_accesses_that_are_known_to_agree_on_all_sides() -> None:
    declared = from_map(a_map("users read X", "pay read X", "stranger read X", "users write Y"))
    found = infrastructure("users read X", "pay read X", "users write Y", "pay write Y")
    usage = code_usage("users read X", "users write Y", services={"users", "pay"})
    result = compare(declared, found, usage)
    # Not true: pay's unused access to X, what pay may do with Y, and stranger's, of which nothing is known.
    assert result.truth() == (2, 5, 1)
    assert result.truth_by_table() == {"X": (1, 3, 1), "Y": (1, 2, 0)}


def test_without_code_nothing_is_said_about_truth() -> None:
    result = compare(from_map(a_map("users read X")), infrastructure("users read X"))
    assert (result.truth(), result.truth_by_table()) == (None, {})


def test_a_deployed_table_that_only_code_uses_is_one_finding() -> None:
    found = infrastructure(tables=(TableShape("Z", locations=(GRANT,)),))
    result = compare(from_map(a_map()), found, code_usage("users read Z", services={"users"}))
    assert told(result.findings) == {"unregistered_table Z users read fix_map"}


def test_a_verdict_that_is_not_known_has_no_words() -> None:
    finding = Finding(
        "wider_grant", "users", "shop", "read", "read_write", None, verdicts=(("write", None),)
    )
    assert verdict_in_words(finding) == ""
    assert (
        verdict_in_words(replace(finding, verdicts=(("write", "trim_iam"),))) == "write: trim IAM"
    )
