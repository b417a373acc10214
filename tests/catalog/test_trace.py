"""A trace follows data over accesses, hop by hop: both ways, once through every place, with a bound."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ownership.catalog import trace as module
from ownership.catalog.trace import trace
from ownership.history import time_travel
from ownership.history.change_sets import change_set
from ownership.history.models import current_head
from ownership.models import Access, Service, Table
from tests.support.factories import make_access, make_service, make_table


def build(text: str) -> None:
    """Tables and services from lines ``service r|w|rw table``; a ``~`` before the mode makes it indirect."""
    modes = {"r": "read", "w": "write", "rw": "read_write"}
    for line in text.strip().splitlines():
        service, mode, table = line.split()
        service = Service.objects.filter(name=service).first() or make_service(service)
        table = Table.objects.filter(name=table).first() or make_table(table)
        make_access(table, service, mode=modes[mode.lstrip("~")], indirect=mode.startswith("~"))


def named(name: str) -> Table | Service:
    return Table.objects.filter(name=name).first() or Service.objects.get(name=name)


def hops(start: str, downstream: bool = True, depth: int = module.MAX_DEPTH) -> list[list[str]]:
    """The places' names by hop; those that an earlier hop came to end in ``*``."""
    found = trace(named(start), downstream=downstream, depth=depth)
    return [[place.row.name + "*" * place.again for place in places] for places in found.hops]


CHAIN = """
a w one
b r one
b w two
c r two
"""


def test_downstream_follows_data_from_writers_over_tables_to_readers(db):
    build(CHAIN)
    assert hops("a") == [["a"], ["one"], ["b"], ["two"], ["c"]]
    assert hops("one") == [["one"], ["b"], ["two"], ["c"]]
    assert hops("c") == [["c"]]


def test_upstream_follows_the_same_accesses_in_reverse(db):
    build(CHAIN)
    assert hops("c", downstream=False) == [["c"], ["two"], ["b"], ["one"], ["a"]]
    assert hops("two", downstream=False) == [["two"], ["b"], ["one"], ["a"]]
    assert hops("a", downstream=False) == [["a"]]


def test_it_ends_at_the_requested_depth(db):
    build(CHAIN)
    assert hops("a", depth=1) == [["a"], ["one"]]
    assert hops("a", depth=3) == [["a"], ["one"], ["b"], ["two"]]


def test_a_circle_is_marked_where_it_closes_and_not_gone_through_again(db):
    build(CHAIN + "c w one")
    assert hops("a") == [["a"], ["one"], ["b"], ["two"], ["c"], ["one*"]]
    closing = trace(named("a"), downstream=True, depth=9).hops[-1][0]
    assert (closing.first, closing.hop, [str(access) for access in closing.accesses]) == (
        1,
        5,
        ["c → one"],
    )


def test_an_access_that_reads_and_writes_does_not_lead_back_over_itself(db):
    build("a rw one\nb rw one\nb w two")
    assert hops("a") == [["a"], ["one"], ["b"], ["two"]]
    assert hops("one") == [["one"], ["a", "b"], ["two"]]


def test_a_stop_that_several_accesses_lead_to_is_listed_once_with_each_access(db):
    build("a w one\na w two\nb r one\nb ~r two\nc r two")
    (b, c) = trace(named("a"), downstream=True, depth=2).hops[2]
    assert [(str(access), access.indirect) for access in b.accesses] == [
        ("b → one", False),
        ("b → two", True),
    ]
    assert [str(access) for access in c.accesses] == ["c → two"]


def test_a_trace_starts_from_a_service_with_its_parts_but_goes_on_from_what_it_comes_to_alone(db):
    build(
        "whole w one\npart w two\npart-of-part w three\nreader r one\nbefore w zero\nwhole r zero\npart r zero"
    )
    for part, whole in (("part", "whole"), ("part-of-part", "part")):
        row = named(part)
        row.part_of = named(whole)
        row.save()

    assert hops("whole")[:2] == [["whole", "part", "part-of-part"], ["one", "three", "two"]]
    assert hops("part")[:2] == [["part", "part-of-part"], ["three", "two"]]

    Access.objects.get_by_natural_key("zero", "part").delete()
    assert hops("before") == [["before"], ["zero"], ["whole"], ["one"], ["reader"]]


def test_the_two_questions_of_an_incident_are_answered_over_the_documents_map(seeded):
    payments = hops("payments", depth=2)
    assert payments[1] == [
        "biztechUsers",
        "biztechRegistrations",
        "biztechMembers2026",
        "biztechProfiles",
    ]
    assert payments[2] == [
        "bots",
        "events",
        "interactions",
        "members",
        "profiles",
        "registrations",
        "transactions",
        "users",
    ]

    (_, writers) = trace(named("biztechProfiles"), downstream=False, depth=1).hops
    assert {
        place.row.name: [access.indirect for access in place.accesses] for place in writers
    } == {
        "interactions": [False],
        "members": [True],
        "payments": [True],
        "profiles": [False],
    }


def test_a_trace_that_is_cut_off_says_so_and_stops_there(db, monkeypatch):
    build("\n".join(f"a w table-{number}" for number in range(4)) + "\nb r table-0\nc r table-1")
    monkeypatch.setattr(module, "MAX_ROWS", 6)
    assert (len(hops("a")[1]), trace(named("a"), downstream=True, depth=9).complete) == (4, True)
    monkeypatch.setattr(module, "MAX_ROWS", 5)
    found = trace(named("a"), downstream=True, depth=9)
    assert (found.complete, [len(places) for places in found.hops]) == (False, [1, 4, 1])
    monkeypatch.setattr(module, "MAX_ROWS", 3)
    found = trace(named("a"), downstream=True, depth=9)
    assert (found.complete, [len(places) for places in found.hops]) == (False, [1, 3])


def test_it_shows_the_accesses_and_names_of_that_time(db):
    build(CHAIN)
    then = current_head().revision
    with change_set(reason="Moved on"):
        for name in ("one", "b"):
            row = named(name)
            row.name = f"{name}-of-today"
            row.save()
        Access.objects.get_by_natural_key("two", "c").delete()

    assert hops("a") == [["a"], ["one-of-today"], ["b-of-today"], ["two"]]
    with time_travel.as_of(then):
        assert hops("a") == [["a"], ["one"], ["b"], ["two"], ["c"]]


@pytest.mark.slow
@pytest.mark.parametrize(("start", "queries"), [("a", 5 + 1), ("one", 4), ("c", 1 + 1)])
def test_queries_grow_with_the_hops_and_not_with_the_map(db, start, queries):
    """One per hop, the last of which finds nothing; and for a service one that finds it has no parts."""
    build(CHAIN)
    row = named(start)

    def counted() -> int:
        with CaptureQueriesContext(connection) as captured:
            found = trace(row, downstream=True, depth=9)
            [
                (place.row.name, [str(access) for access in place.accesses])
                for hop in found.hops
                for place in hop
            ]
        return len(captured)

    assert counted() == queries
    build(
        "\n".join(
            f"b{number} r one\nb{number} w two-{number}\nc{number} r two" for number in range(30)
        )
    )
    assert counted() == queries
