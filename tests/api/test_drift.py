"""drift/ returns the latest runs, compared with the current map."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localdate

from ownership.api import drift
from ownership.drift.types import KeyAttribute, Keys, Location, TableShape, Unresolved
from ownership.models import Access, Service, Table
from tests.support.drift_code import code_usage
from tests.support.factories import make_access, make_service, make_table, make_waiver
from tests.support.runs import keep_run, show, waive

pytestmark = pytest.mark.django_db


@pytest.fixture
def drifted():
    """Two runs. bots writes orders, undeclared and waived; the second run also found shadow, and keys of orders."""
    make_access(make_table("orders"), make_service("payments"))
    make_service("bots")
    first = keep_run("bots write orders", "payments read orders")
    waive(first, localdate() + timedelta(days=9), "Until the new bot is out")
    place = Location("bots/serverless.yml", 7)
    keys = Keys(KeyAttribute("id", "S"))
    return keep_run(
        "bots write orders",
        "payments read orders",
        "bots read shadow",
        tables=(TableShape("orders", keys, (), (place,)),),
        unresolved=(Unresolved(place, "${ssm:x}", "not given", "bots"),),
    )


def test_the_latest_run_is_returned_whole(get, drifted):
    answer = get("drift/")
    (run,) = answer.json()["runs"]
    assert answer.json()["revision"] == int(answer["X-Registry-Revision"])
    assert (run["run"], run["reader"], run["environment"], run["user"]) == (
        drifted.pk,
        "serverless",
        None,
        "nightly",
    )
    assert run["summary"] == {
        "findings": 2,
        "waived": 1,
        "new": 1,
        "settled": 0,
        "by_kind": {"undeclared_access": 1, "unregistered_table": 1},
        "by_owner": {show(drifted).declared.owners["orders"]: 1},
        "by_verdict": {"not_known": 2},
    }
    waived, new = run["findings"]
    assert waived["waived"] == {
        "until": str(localdate() + timedelta(days=9)),
        "reason": "Until the new bot is out",
    }
    assert waived["evidence"] == [{"file": "bots/serverless.yml", "line": 1}]
    assert (new["table"], new["new"], new["waived"], new["granted"]) == (
        "shadow",
        True,
        None,
        "read",
    )
    assert run["offers"][0]["key_schema"] == {
        "partition_key": {"name": "id", "type": "S"},
        "sort_key": None,
    }
    assert run["unresolved"][0]["text"] == "${ssm:x}"
    assert [
        (one["agreeing"], one["compared"], one["findings"], one["waived"])
        for one in run["agreement"]
    ] == [
        (1, 2, 1, 0),
        (2, 4, 2, 1),
    ]


def test_findings_have_a_verdict_where_code_was_read(get):
    make_access(make_table("orders"), make_service("payments"), mode="read_write")
    make_service("bots")
    unresolved = Unresolved(
        Location("bots/handler.js", 3), "name", "comes from a request", "bots", frozenset({"read"})
    )
    keep_run(
        "payments read orders",
        "bots write orders",
        code=code_usage(
            "payments read_write orders indirectly", services={"bots"}, unresolved=(unresolved,)
        ),
    )
    (run,) = get("drift/").json()["runs"]
    excess, lacking = run["findings"]
    assert (excess["verdict"], excess["in_code"], excess["verdicts"]) == (
        "trim_iam",
        "none",
        {"write": "trim_iam"},
    )
    assert (lacking["kind"], lacking["verdict"], lacking["in_code"]) == (
        "narrower_grant",
        "fix_iam",
        "read_write",
    )
    needed = {
        "action": "dynamodb:PutItem",
        "index": None,
        "service": "payments",
        "functions": ["main"],
    }
    assert lacking["to_allow"] == [needed]
    assert lacking["code_evidence"][0] == {"file": "payments/handler.js", "line": 1}
    assert lacking["code_paths"] == [
        {"mode": "write", "path": ["payments/handler.js#main", "lib/db.js#call"]}
    ]
    assert run["summary"]["by_verdict"] == {"fix_iam": 1, "trim_iam": 1}
    assert run["truth"] == {"agreeing": 0, "accesses": 2, "unknown": 0}
    assert run["truth_by_table"] == [
        {"table": "orders", "agreeing": 0, "accesses": 2, "unknown": 0}
    ]
    assert run["code"]["services"] == ["bots", "payments"]
    assert run["code"]["unresolved"][0]["reason"] == "comes from a request"
    assert (run["agreement"][0]["true_accesses"], run["agreement"][0]["accesses"]) == (0, 2)
    (trimmed,) = get("drift/?verdict=trim_iam").json()["runs"]
    assert [finding["service"] for finding in trimmed["findings"]] == ["bots"]
    assert get("drift/?verdict=x").status_code == 400


@pytest.mark.parametrize(
    ("query", "tables"),
    [
        ("kind=undeclared_access", ["orders"]),
        ("table=shadow", ["shadow"]),
        ("service=bots", ["orders", "shadow"]),
        ("service=payments", []),
        ("waived=true", ["orders"]),
        ("waived=false", ["shadow"]),
        ("new=true", ["shadow"]),
        ("environment=none&reader=serverless", ["orders", "shadow"]),
    ],
)
def test_filters_narrow_the_findings(get, drifted, query, tables):
    (run,) = get(f"drift/?{query}").json()["runs"]
    assert [finding["table"] for finding in run["findings"]] == tables
    assert run["summary"]["findings"] == len(tables)


@pytest.mark.parametrize(
    ("query", "offers", "unchecked", "unresolved"),
    [
        ("", ["orders"], ["idle"], ["bots"]),
        ("table=orders", ["orders"], ["idle"], ["bots"]),
        ("table=shadow", [], [], ["bots"]),
        ("service=idle", ["orders"], ["idle"], []),
        ("service=bots", ["orders"], [], ["bots"]),
        ("owner=idle", [], [], ["bots"]),
    ],
)
def test_filters_narrow_everything_besides_the_findings(
    get, drifted, query, offers, unchecked, unresolved
):
    make_access(Table.objects.get(name="orders"), make_service("idle"))
    (run,) = get(f"drift/?{query}").json()["runs"]
    assert [one["table"] for one in run["offers"]] == offers
    assert [one["service"] for one in run["unchecked"]] == unchecked
    assert [one["service"] for one in run["unresolved"]] == unresolved


def test_findings_of_an_owner(get, drifted):
    owner = show(drifted).declared.owners["orders"]
    (run,) = get(f"drift/?owner={owner}").json()["runs"]
    assert [finding["table"] for finding in run["findings"]] == ["orders"]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "query",
    [
        "reader=x",
        "environment=x",
        "kind=x",
        "owner=x",
        "table=x",
        "service=x",
        "waived=1",
        "new=no",
        "table=%00",
        "x=1",
    ],
)
def test_unknown_values_are_refused_by_name(get, drifted, query):
    answer = get(f"drift/?{query}")
    assert answer.status_code == 400
    assert [error["parameter"] for error in answer.json()["errors"]] == [query.partition("=")[0]]


@pytest.mark.parametrize("address", ["drift/", "drift/waivers/"])
def test_drift_needs_a_sign_in_even_where_everybody_may_read_the_map(
    client, open_to_all, drifted, address
):
    assert client.get(f"/api/v1/{address}").status_code == 401


@pytest.mark.slow
@pytest.mark.parametrize("address", ["drift/", "drift/waivers/"])
def test_the_etag_changes_with_the_map_the_runs_and_the_day(get, drifted, address, monkeypatch):
    def still_good(etag):
        return get(address, if_none_match=etag).status_code == 304

    for change in (
        lambda: make_service("new"),
        lambda: keep_run("bots write orders"),
        lambda: monkeypatch.setattr(drift, "localdate", lambda: localdate() + timedelta(days=1)),
    ):
        etag = get(address)["ETag"]
        assert still_good(etag)
        change()
        assert not still_good(etag)


def test_without_a_run_there_is_nothing_to_filter_by(get, here):
    assert get("drift/").json()["runs"] == []
    assert (
        get("drift/?reader=serverless").json()["errors"][0]["detail"] == "No run has been kept yet."
    )


def test_only_waivers_in_force_are_listed(get, drifted):
    make_waiver(until=localdate() - timedelta(days=1))
    (waiver,) = get("drift/waivers/").json()["results"]
    assert waiver["reason"] == "Until the new bot is out"
    wanted = {
        "kind": "undeclared_access",
        "table": "orders",
        "service": "bots",
        "environment": None,
        "granted": "write",
    }
    assert wanted.items() <= waiver.items()


def test_queries_do_not_grow_with_findings(get, drifted):
    def counted():
        with CaptureQueriesContext(connection) as queries:
            assert get("drift/").status_code == 200
        return len(queries)

    keep_run("bots write orders")
    few = counted()
    keep_run(*(f"bots write shadow{number}" for number in range(30)), "bots write orders")
    for number in range(5):
        make_waiver(
            table_name=f"shadow{number}",
            kind="unregistered_table",
            service=Service.objects.get(name="bots"),
        )
        Access.objects.create(
            table=make_table(), service=Service.objects.get(name="bots"), mode="read"
        )
    # Session, user, permissions twice, head and last run before and after; the runs; head twice, five models
    # of the map; waivers; and of the run its grants, the one before, and the figures.
    assert counted() == few == 2 + 2 + 4 + 1 + 7 + 1 + 3
