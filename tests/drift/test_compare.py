"""A table of what is declared, what is granted, and the findings."""

from typing import Any

import pytest

from ownership.drift.compare import compare
from ownership.drift.registry_client import from_map
from ownership.drift.types import (
    GrantedAccess,
    Infrastructure,
    KeyAttribute,
    Keys,
    Location,
    ReadOrWrite,
    TableShape,
    Unresolved,
)
from tests.support.drift_projects import a_map

PLACE = Location("users/serverless.yml", 9)
PARTS: dict[str, str | None] = {"interactions": None, "teams": "interactions", "juries": "teams"}


def granted(*lines: str, **fields: Any) -> Infrastructure:
    """An infrastructure with grants like ``"users read_write biztechUsers"``; their services were read."""
    accesses = [
        GrantedAccess(service, table, mode)  # type: ignore[arg-type]
        for service, modes, table in (line.split() for line in lines)
        for mode in modes.split("_")
    ]
    services = frozenset(a.service for a in accesses) | fields.pop("services", frozenset())
    return Infrastructure("test", dict.fromkeys(accesses, (PLACE,)), services=services, **fields)


CASES = {
    "as declared": (["users read X"], ["users read X"], set()),
    "undeclared": (
        ["users read X"],
        ["users read X", "pay write X"],
        {"undeclared_access X pay None write"},
    ),
    "not granted": (
        ["users read X", "users read Y"],
        ["users read X"],
        {"access_not_granted Y users read None"},
    ),
    "wider": (["users read X"], ["users read_write X"], {"wider_grant X users read read_write"}),
    "narrower": (
        ["users read_write X"],
        ["users read X"],
        {"narrower_grant X users read_write read"},
    ),
    "write declared, read granted": (
        ["users write X"],
        ["users read X"],
        {"wider_grant X users write read", "narrower_grant X users write read"},
    ),
    "unregistered": (
        ["users read X"],
        ["users read X", "users write Z"],
        {"unregistered_table Z users None write"},
    ),
    "a whole's grant covers its part's access": (
        ["teams read_write X"],
        ["interactions read_write X"],
        set(),
    ),
    "and that of the part's part": (["juries read X"], ["interactions read X"], set()),
    "a whole's grant beyond its part's": (
        ["teams read X"],
        ["interactions read_write X"],
        {"wider_grant X interactions read read_write"},
    ),
    "a whole's grant short of its part's": (
        ["teams read_write X"],
        ["interactions read X"],
        {"narrower_grant X teams read_write read"},
    ),
    "a part's grant is no grant to the whole": (
        ["interactions read X"],
        ["teams read X", "interactions read Z"],
        {
            "access_not_granted X interactions read None",
            "undeclared_access X teams None read",
            "unregistered_table Z interactions None read",
        },
    ),
}


@pytest.mark.parametrize(("declares", "grants", "expected"), CASES.values(), ids=CASES)
def test_findings(declares: list[str], grants: list[str], expected: set[str]) -> None:
    result = compare(from_map(a_map(*declares, services=PARTS)), granted(*grants))
    assert {
        f"{f.kind} {f.table} {f.service} {f.declared} {f.granted}" for f in result.findings
    } == expected


def test_a_finding_names_the_owner_and_the_evidence() -> None:
    (finding,) = compare(from_map(a_map("users read X")), granted("users read_write X")).findings
    assert (finding.owner, finding.evidence) == ("users", (PLACE,))


def test_a_place_that_grants_and_deploys_a_table_is_named_once() -> None:
    found = granted("users read Y", tables=(TableShape("Y", None, (), (PLACE,)),))
    findings = compare(from_map(a_map("users read X")), found).findings
    assert [f.evidence for f in findings if f.kind == "unregistered_table"] == [(PLACE,)]


def test_every_access_is_unchecked_where_no_service_was_read() -> None:
    result = compare(from_map(a_map("users read X")), granted())
    assert (len(result.findings), len(result.unchecked)) == (0, 1)


def test_a_reader_of_tables_alone_checks_no_access() -> None:
    found = granted(tables=(TableShape("X", None, (), (PLACE,)),), all_tables=True)
    result = compare(from_map(a_map("users read X")), found)
    assert (len(result.findings), len(result.unchecked)) == (0, 0)


def test_services_that_were_not_read_have_no_findings() -> None:
    result = compare(from_map(a_map("users read X", "pay read X")), granted("users read X"))
    assert result.findings == ()
    assert [(u.service, u.table) for u in result.unchecked] == [("pay", "X")]


@pytest.mark.parametrize(
    ("services", "unread", "missing"),
    [
        ({"interactions"}, set(), {"access_not_granted"}),
        ({"interactions", "teams"}, set(), {"access_not_granted"}),
        ({"teams"}, set(), set()),
        ({"interactions"}, {"teams"}, set()),
        ({"interactions", "teams"}, {"interactions"}, set()),
    ],
    ids=[
        "whole read",
        "both read",
        "part read alone",
        "part's project broken",
        "whole's second project broken",
    ],
)
def test_a_parts_access_is_missing_only_if_its_whole_was_read(
    services: set[str], unread: set[str], missing: set[str]
) -> None:
    found = granted(services=frozenset(services), unread=frozenset(unread))
    result = compare(from_map(a_map("teams read X", services=PARTS)), found)
    assert {f.kind for f in result.findings} == missing
    assert [u.service for u in result.unchecked] == ([] if missing else ["teams"])


def test_only_what_something_unresolved_may_grant_is_unchecked() -> None:
    unresolved = (Unresolved(PLACE, "${ssm:x}", "…", "users", frozenset[ReadOrWrite]({"read"})),)
    found = granted(services=frozenset({"users"}), unresolved=unresolved)
    result = compare(from_map(a_map("users read X", "users write Y")), found)
    assert [f.table for f in result.findings] == ["Y"]
    assert [u.table for u in result.unchecked] == ["X"]


def test_an_access_that_is_partly_unchecked_still_has_findings() -> None:
    unresolved = (Unresolved(PLACE, "${ssm:x}", "…", "users", frozenset[ReadOrWrite]({"read"})),)
    found = granted(services=frozenset({"users"}), unresolved=unresolved)
    result = compare(from_map(a_map("users read_write X")), found)
    assert [(f.kind, f.declared, f.granted) for f in result.findings] == [
        ("access_not_granted", "write", None)
    ]
    assert [u.table for u in result.unchecked] == ["X"]


def test_a_table_is_missing_only_if_the_reader_saw_all_tables() -> None:
    declared = from_map(a_map("users read X"))
    tables = (TableShape("Z", locations=(PLACE,)),)
    kinds = {
        all_tables: compare(declared, granted(tables=tables, all_tables=all_tables))
        for all_tables in (0, 1)
    }
    assert [(f.kind, f.table) for f in kinds[0].findings] == [("unregistered_table", "Z")]
    assert [(f.kind, f.table) for f in kinds[1].findings] == [
        ("table_not_deployed", "X"),
        ("unregistered_table", "Z"),
    ]


def keys(partition: str, sort: str | None = None) -> Keys:
    """``keys("id S", "year N")``"""
    return Keys(KeyAttribute(*partition.split()), KeyAttribute(*sort.split()) if sort else None)


ID = {"partition_key": {"name": "id", "type": None}, "sort_key": None}
ID_YEAR = {"partition_key": {"name": "id", "type": "S"}, "sort_key": {"name": "year", "type": None}}
SHAPES = {
    "type left open": ({"key_schema": ID}, keys("id S"), (), []),
    "another partition key": ({"key_schema": ID}, keys("uuid S"), (), ["key_schema_differs"]),
    "a sort key more": ({"key_schema": ID}, keys("id S", "year N"), (), ["key_schema_differs"]),
    "a sort key less": ({"key_schema": ID_YEAR}, keys("id S"), (), ["key_schema_differs"]),
    "another type": ({"key_schema": ID_YEAR}, keys("id N", "year N"), (), ["key_schema_differs"]),
    "nothing stated": ({}, keys("id S"), (), []),
    "an index more": ({"key_schema": ID}, keys("id S"), (("by-x", None),), ["index_differs"]),
    "an index less": ({"indexes": [{"name": "by-x"}]}, keys("id S"), (), ["index_differs"]),
    "an index's keys left open": (
        {"indexes": [{"name": "by-x"}]},
        None,
        (("by-x", keys("x S")),),
        [],
    ),
    "an index's keys": (
        {"indexes": [{"name": "by-x", "key_schema": ID}]},
        None,
        (("by-x", keys("x S")),),
        ["index_differs"],
    ),
}


@pytest.mark.parametrize(("stated", "schema", "indexes", "kinds"), SHAPES.values(), ids=SHAPES)
def test_shapes(stated: dict[str, Any], schema: Keys, indexes: Any, kinds: list[str]) -> None:
    found = granted("users read X", tables=(TableShape("X", schema, indexes, (PLACE,)),))
    findings = compare(from_map(a_map("users read X", X=stated)), found).findings
    assert [(f.kind, f.service, f.owner) for f in findings] == [
        (kind, None, "users") for kind in kinds
    ]


def test_keys_that_the_map_leaves_open_are_offered() -> None:
    table = TableShape("X", keys("id S"), (("by-x", keys("x S")),), (PLACE,))
    declared = from_map(a_map("users read X", X={"indexes": [{"name": "by-x"}]}))
    result = compare(declared, granted("users read X", tables=(table,)))
    assert [(o.index, str(o.key_schema)) for o in result.offers] == [
        (None, "id (S)"),
        ("by-x", "x (S)"),
    ]
    assert result.findings == ()
