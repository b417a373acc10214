"""Declared vs. granted: of one table, and of one service."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localdate

from ownership.drift.types import Location, Unresolved
from ownership.findings import side_by_side
from ownership.findings.summary import drift_summaries
from ownership.models import Service, Table
from tests.support.drift_code import code_usage
from tests.support.factories import make_access, make_service, make_table
from tests.support.pages import text_of
from tests.support.runs import keep_run, show, waive

pytestmark = pytest.mark.django_db

GRANTED = '<th scope="col">Granted</th>'


@pytest.fixture
def orders():
    """payments reads and writes orders, teams (part of interactions) reads it, bots is there."""
    table = make_table("orders")
    make_access(table, make_service("payments"), mode="read_write")
    make_access(table, make_service("teams", part_of=make_service("interactions")), mode="read")
    make_service("bots")
    return table


def told(latest):
    """The main values of each row."""
    return {
        (row.table, row.service): (
            row.declared,
            row.granted,
            row.through,
            [finding.kind for finding in row.findings],
        )
        for row in latest.rows
    }


def test_a_tables_services_are_listed_with_findings_and_evidence(orders):
    keep_run("payments read orders", "bots write orders", "interactions read orders")
    (latest,) = side_by_side.of_table(orders)
    assert told(latest) == {
        ("orders", "payments"): ("read_write", "read", None, ["narrower_grant"]),
        ("orders", "bots"): (None, "write", None, ["undeclared_access"]),
        ("orders", "teams"): ("read", "read", "interactions", []),
        ("orders", "interactions"): (None, "read", None, []),
    }
    assert {row.service: row.evidence for row in latest.rows}["bots"] == (
        Location("bots/serverless.yml", 2),
    )


def test_a_services_tables_are_listed_without_those_of_its_parts(orders):
    keep_run(
        "interactions read orders",
        "interactions write shadow",
        "bots read orders",
        "teams read shadow",
    )
    (of_whole,) = side_by_side.of_service(Service.objects.get(name="interactions"))
    assert told(of_whole) == {
        ("orders", "interactions"): (None, "read", None, []),
        ("shadow", "interactions"): (None, "write", None, ["unregistered_table"]),
    }
    (of_part,) = side_by_side.of_service(Service.objects.get(name="teams"))
    assert told(of_part)["orders", "teams"] == ("read", "read", "interactions", [])


def test_an_access_that_cannot_be_checked_has_a_reason_instead_of_a_finding(orders):
    place = Location("payments/serverless.yml", 3)
    unknown = Unresolved(place, "${ssm:x}", "not given", "payments", frozenset({"write"}))
    keep_run("payments read orders", unresolved=(unknown,))
    (latest,) = side_by_side.of_table(orders)
    assert {row.service: (bool(row.findings), row.unchecked) for row in latest.rows} == {
        "payments": (False, "something unresolved may grant the access"),
        "teams": (False, "no permissions of the service were read"),
    }


def test_only_rows_that_the_run_knows_nothing_about_are_listed_separately(viewer_client, orders):
    place = Location("payments/serverless.yml", 3)
    unknown = Unresolved(place, "${ssm:x}", "not given", "payments", frozenset({"write"}))
    keep_run(services=frozenset({"payments"}), unresolved=(unknown,))
    (latest,) = side_by_side.of_table(orders)
    assert {row.service: row.is_unknown for row in latest.rows} == {
        "payments": False,
        "teams": True,
    }
    page = viewer_client.get("/tables/orders/").text
    assert ">Access not granted</span>" in page
    assert "something unresolved may grant the access" in page
    assert "Unknown (no permissions of the service were read): teams." in text_of(page)


def test_a_waived_row_says_until_when(orders):
    run = keep_run("bots write orders")
    waive(run, localdate() + timedelta(days=3), "The old bot goes")
    (latest,) = side_by_side.of_table(orders)
    (waiver,) = [row.waiver for row in latest.rows if row.waiver]
    assert (waiver.until, waiver.reason) == (localdate() + timedelta(days=3), "The old bot goes")


@pytest.mark.slow
def test_it_has_the_same_findings_as_the_whole_comparison(seeded):
    run = keep_run(
        "events read biztechEvents",
        "bots write biztechUsers",
        "payments read_write biztechUsers",
        "x read y",
    )
    whole = {finding.identity for finding in show(run).findings}
    by_table = {
        finding.identity
        for table in Table.objects.all()
        for latest in side_by_side.of_table(table)
        for row in latest.rows
        for finding in row.findings
    }
    by_service = {
        finding.identity
        for service in Service.objects.all()
        for latest in side_by_side.of_service(service)
        for row in latest.rows
        for finding in row.findings
    }
    assert by_table == {one for one in whole if one.kind != "unregistered_table"}
    assert by_service == {one for one in whole if one.service != "x"}


def test_runs_that_read_no_permissions_are_left_out(orders):
    keep_run(reader="dynamodb", all_tables=True)
    assert side_by_side.of_table(orders) == []


@pytest.mark.parametrize("thing", ["tables/orders", "services/bots"])
def test_pages_show_it_to_people_who_are_signed_in_and_not_for_the_past(
    viewer_client, client, settings, orders, thing
):
    settings.ANONYMOUS_READ = True
    assert GRANTED not in viewer_client.get(f"/{thing}/").text
    keep_run("bots write orders")
    page = viewer_client.get(f"/{thing}/").text
    assert GRANTED in page
    assert ">Undeclared access</span>" in page
    assert "bots/serverless.yml:1" in page
    assert GRANTED not in client.get(f"/{thing}/").text
    assert GRANTED not in viewer_client.get(f"/{thing}/?revision=1").text


@pytest.mark.parametrize("of", [side_by_side.of_table, side_by_side.of_service])
def test_queries_do_not_grow(orders, of):
    thing = orders if of is side_by_side.of_table else Service.objects.get(name="bots")

    def counted():
        with CaptureQueriesContext(connection) as queries:
            of(thing)
        return len(queries)

    keep_run("bots write orders")
    few = counted()
    others = [make_service().name for _ in range(10)]
    for environment in ("dev", "production"):
        keep_run(
            "bots write orders",
            *(f"{other} read orders" for other in others),
            environment=None,
            reader=environment,
        )
    # Services; accesses; runs; grants; waivers; for a service also which of the tables are on the map.
    assert counted() == few == 5 + (of is side_by_side.of_service)


def test_what_code_does_is_beside_what_is_declared_and_granted(viewer_client, orders):
    usage = code_usage(
        "payments read orders",
        "bots write orders indirectly",
        services={"payments", "interactions"},
    )
    keep_run("payments read_write orders", "bots write orders", code=usage)
    (latest,) = side_by_side.of_table(orders)
    assert {
        row.service: (row.in_code, row.code_evidence, row.code_path) for row in latest.rows
    } == {
        "payments": ("read", (Location("payments/handler.js", 1),), ()),
        "bots": (
            "write",
            (Location("bots/handler.js", 2),),
            ("bots/handler.js#main", "lib/db.js#call"),
        ),
        "teams": ("none", (), ()),
    }
    assert latest.truth == (0, 3, 1)
    page = text_of(viewer_client.get("/tables/orders/").text)
    for words in (
        "In code",
        "bots/handler.js:2",
        "indirectly",
        "by way of bots/handler.js#main",
        "fix the map",
    ):
        assert words in page
    assert "agree on 0 of 3 accesses; 1 not known" in page


def test_a_table_has_the_course_of_what_is_true(viewer_client, orders):
    usage = code_usage("payments read_write orders", services={"payments", "interactions"})
    keep_run("payments read_write orders", code=usage)
    assert "<circle" not in viewer_client.get("/tables/orders/").text
    run = keep_run("payments read_write orders", "interactions read orders", code=usage)
    readings = side_by_side.truth_over_runs("orders", run)
    assert [(reading.agreeing, reading.accesses) for reading in readings] == [(1, 2), (2, 3)]
    assert viewer_client.get("/tables/orders/").text.count("<circle") == 2


def test_a_run_that_read_code_is_summed_up_with_it(orders):
    usage = code_usage("payments read_write orders", services={"payments", "interactions"})
    run = keep_run("payments read_write orders", "bots write orders", code=usage)
    words = drift_summaries([orders])["orders"].in_words()
    assert words.startswith(f"Run {run.pk} (serverless, all environments, ")
    assert words.endswith(
        ": map, IAM and code agree on 1 of 3 accesses, 1 not known; "
        "findings: undeclared access (bots)."
    )
