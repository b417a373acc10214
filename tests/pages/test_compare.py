"""Two revisions or days compared: the whole map, or one table or service."""

import pytest

from ownership.models import Service
from tests.support.factories import edit, make_table
from tests.support.pages import csv_rows, text_of

pytestmark = pytest.mark.django_db

COMPARE = "/compare/"


def test_two_revisions_are_compared_by_table_in_words_of_their_times(viewer_client, orders):
    edit(orders, name="purchases")
    page = text_of(viewer_client.get(COMPARE, {"from": "4", "to": "7"}).text)
    assert "Compare Revision 4 and now (revision 7)" in page
    assert "name: old: orders → new: purchases" in page
    assert "owner: old: payments → new: users" in page
    assert "+ Access users → purchases added" in page
    assert "2 differences." in page


def test_what_was_changed_and_changed_back_is_no_difference(viewer_client, orders):
    edit(orders, description="x")
    edit(orders, description="")
    assert "No differences between these two" in text_of(
        viewer_client.get(COMPARE, {"from": "6", "to": "8"}).text
    )


@pytest.mark.parametrize(
    ("subject", "labels"),
    [
        ({"table": "orders"}, {"orders", "users → orders"}),
        ({"service": "payments"}, {"orders", "payments"}),
    ],
)
def test_one_table_or_service_is_compared(viewer_client, orders, subject, labels):
    make_table("other")
    edit(Service.objects.get(name="payments"), contact="#till")
    rows = csv_rows(viewer_client.get(COMPARE, {"from": "4", "format": "csv"} | subject))
    assert {row["entry"] for row in rows} == labels


def test_the_form_s_days_become_an_address_that_can_be_shared(viewer_client, orders):
    response = viewer_client.get(
        COMPARE, {"from": "1", "from_day": "2026-01-31", "to": "", "table": "orders"}
    )
    assert response.headers["Location"] == "?from=2026-01-31&table=orders"
    page = viewer_client.get(f"{COMPARE}{response.headers['Location']}")
    assert 'value="2026-01-31"' in page.text
    assert "Compare Revision 0 and now (revision 6)" in text_of(page.text)


@pytest.mark.parametrize("query", ["from=9", "from=x", "table=nothing", "format=pdf", "from_day=x"])
def test_an_impossible_comparison_is_refused(viewer_client, orders, query):
    assert viewer_client.get(f"{COMPARE}?{query}", follow=True).status_code == 400


def test_a_comparison_the_wrong_way_round_is_turned(viewer_client, orders):
    for query, turned in (
        ("from=5&to=3&table=orders", "?from=3&to=5&table=orders"),
        ("from=5&to=2000-01-01&format=csv", "?from=2000-01-01&to=5&format=csv"),
    ):
        assert viewer_client.get(f"{COMPARE}?{query}").headers["Location"] == turned
        assert viewer_client.get(COMPARE + turned).status_code == 200


def test_a_comparison_with_only_an_end_begins_one_revision_earlier(viewer_client, orders):
    assert "Compare revisions 2 and 3" in text_of(viewer_client.get(f"{COMPARE}?to=3").text)


def test_a_refused_comparison_names_the_parameter(viewer_client, orders):
    assert "to=x: Takes a date" in text_of(viewer_client.get(f"{COMPARE}?from=1&to=x").text)


def test_a_comparison_leads_to_the_ones_before_and_after(viewer_client, orders):
    page = viewer_client.get(f"{COMPARE}?from=3&to=4&table=orders").text
    assert 'href="?from=2&amp;to=3&amp;table=orders"' in page
    assert 'href="?from=4&amp;to=5&amp;table=orders"' in page
