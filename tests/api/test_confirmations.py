"""Confirmations over the API: facts that change with revisions alone, and a filter by state."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localdate

from ownership.api import views
from ownership.history.models import current_head
from ownership.models import Confirmation, Table
from ownership.plans.confirming import confirm
from tests.support.factories import make_access, make_confirmation, make_table


@pytest.fixture
def table(db) -> Table:
    """A table that somebody confirms."""
    return make_table("orders")


def confirm_now(*tables: Table) -> None:
    confirm([table.pk for table in tables], current_head().revision, user=None)


def names(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["results"]]


@pytest.mark.slow
def test_a_table_says_alike_everywhere_when_it_was_confirmed(table, get):
    def everywhere() -> list:
        found = [
            get("tables/orders/").json(),
            get("tables/").json()["results"][0],
            get("map/").json()["tables"][0],
        ]
        return [row["confirmation"] for row in found]

    assert everywhere() == [None] * 3
    shown_at = current_head().revision
    confirm_now(table)
    facts = {
        "on": str(localdate()),
        "until": str(localdate() + timedelta(days=180)),
        "at_revision": shown_at,
        "changed_since": False,
    }
    assert everywhere() == [facts] * 3
    confirmed = current_head().revision
    make_access(table)
    assert everywhere() == [facts | {"changed_since": True}] * 3
    for address in ("map/", "tables/"):
        for revision, expected in ((shown_at, None), (confirmed, facts)):
            content = get(f"{address}?revision={revision}").json()
            [row] = content.get("tables") or content["results"]
            assert row["confirmation"] == expected


def test_who_confirmed_it_is_in_history_alone(table, open_to_all):
    confirm_now(table)
    name = Confirmation.objects.get().confirmed_by
    for address in ("map/", "tables/", "tables/orders/"):
        assert f'"{name}"' not in Client().get(f"/api/v1/{address}").text


@pytest.mark.slow
def test_tables_are_found_by_state(table, get):
    due, overdue, changed = [make_table(name) for name in ("due", "overdue", "changed")]
    confirm_now(table, changed)
    make_confirmation(due, days=3)
    make_confirmation(overdue, days=-3)
    make_access(changed)
    make_table("new")
    expected = {
        "confirmed": "orders",
        "due": "due",
        "overdue": "overdue",
        "changed_since": "changed",
    }
    for state, name in expected.items():
        assert names(get(f"tables/?confirmation={state}")) == [name]
    assert set(names(get("tables/?confirmation=due,overdue"))) == {"due", "overdue"}
    assert "new" in names(get("tables/?confirmation=never"))
    past = f"revision={current_head().revision}"
    assert set(names(get(f"tables/?confirmation=confirmed&{past}"))) == {"orders", "due", "overdue"}
    for query in (
        "confirmation=soon",
        "confirmation=due,soon",
        "confirmation=due&confirmation=overdue",
        f"confirmation=due&{past}",
        f"confirmation=never,due&{past}",
    ):
        answer = get(f"tables/?{query}")
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["parameter"] == "confirmation"


def test_only_the_filter_by_state_makes_an_etag_depend_on_the_day(table, get, monkeypatch):
    confirm_now(table)
    past = f"revision={current_head().revision}"
    filtered, others = (
        "tables/?confirmation=confirmed",
        ("map/", "tables/", f"tables/?confirmation=confirmed&{past}"),
    )
    before = {address: get(address)["ETag"] for address in (filtered, *others)}
    assert get(filtered, if_none_match=before[filtered]).status_code == 304
    tomorrow = localdate() + timedelta(days=1)
    monkeypatch.setattr(views, "localdate", lambda: tomorrow)
    assert get(filtered, if_none_match=before[filtered]).status_code == 200
    for address in others:
        assert get(address, if_none_match=before[address]).status_code == 304


def test_the_feed_delivers_confirmations_with_their_source(table, get):
    confirm_now(table)
    feed = get("changes/?kind=confirmation").json()
    [change] = feed["results"]
    assert change["source"] == "confirm"
    [entry] = change["entries"]
    assert (entry["model"], entry["label"], entry["type"]) == ("confirmation", "orders", "created")
    assert get("tables/orders/history/").json()["results"][0]["source"] == "confirm"


@pytest.mark.slow
def test_confirmations_add_one_query_however_many_tables_there_are(get):
    def count(number: int) -> list[int]:
        tables = [make_table() for _ in range(number)]
        confirm_now(*tables)
        make_access(tables[0])
        found = []
        for address in ("tables/", "tables/?confirmation=confirmed", f"tables/{tables[0].name}/"):
            with CaptureQueriesContext(connection) as queries:
                assert get(address).status_code == 200
            found.append(len(queries))
        return found

    few = count(2)
    assert count(20) == few == [13, 12, 12]
