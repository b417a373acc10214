"""The page that answers what else is affected, and where data comes from."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ownership.history.change_sets import change_set
from ownership.models import Access
from tests.support.factories import make_access, make_table
from tests.support.pages import text_of

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = pytest.mark.sqlite


def page(client, kind, name, **query):
    response = client.get(reverse(f"pages:{kind}-trace", args=[name]), query)
    assert response.status_code == 200
    return response.text


def columns(text):
    """What each column says, its heading first."""
    return [
        text_of(column).strip()
        for column in re.findall(r'<section class="hop">(.*?)</section>', text, re.DOTALL)
    ]


def test_what_else_is_affected_is_shown_in_columns_hop_by_hop(seeded, viewer_client):
    text = page(viewer_client, "service", "payments", depth=2)

    start, tables, services = columns(text)
    assert start == "Start payments"
    assert tables.startswith(
        "1 Tables written biztechUsers by payments biztechRegistrations by payments"
    )
    assert tables.endswith(
        "biztechProfiles indirect by payments : Webhook calls createProfile() which writes here"
    )
    assert services.startswith(
        "2 Services that read them bots biztechMembers2026 events biztechRegistrations"
    )
    assert "8 services and 4 tables within 2 hops." in text_of(text)


def test_where_data_comes_from_is_shown_in_the_same_way(seeded, viewer_client):
    _, writers = columns(
        page(viewer_client, "table", "biztechProfiles", direction="upstream", depth=1)
    )
    assert writers.startswith(
        "1 Services that write it interactions biztechProfiles members indirect biztechProfiles :"
    )


def test_what_was_reached_before_is_marked_with_the_hop_that_reached_it(seeded, viewer_client):
    *_, last = columns(page(viewer_client, "service", "payments", depth=4))
    assert re.search(
        r"Already reached: interactions \(hop 2\), payments \(start\)", last.replace(" ,", ",")
    )


def test_its_links_keep_the_moment_and_change_direction_and_depth(seeded, viewer_client):
    with change_set(reason="Payments writes no users any more"):
        Access.objects.get_by_natural_key("biztechUsers", "payments").delete()

    then = page(viewer_client, "service", "payments", revision=1)
    assert 'href="?direction=upstream&amp;depth=4&amp;revision=1"' in then
    assert 'href="?direction=downstream&amp;depth=5&amp;revision=1"' in then
    assert 'href="/tables/biztechUsers/?revision=1"' in then
    assert "biztechUsers" in columns(then)[1]
    assert "biztechUsers" not in columns(page(viewer_client, "service", "payments"))[1]


def test_a_trace_that_is_cut_off_says_so(seeded, viewer_client, monkeypatch):
    assert "Incomplete: the trace stops" not in page(viewer_client, "service", "payments")
    monkeypatch.setattr("ownership.catalog.trace.MAX_ROWS", 5)
    assert "Incomplete: the trace stops" in page(viewer_client, "service", "payments")


def test_a_trace_that_leads_nowhere_says_so(seeded, viewer_client):
    assert "no recorded access leads downstream from here" in page(
        viewer_client, "table", make_table("alone").name
    )


@pytest.mark.parametrize(
    "query", ["direction=sideways", "depth=0", "depth=11", "depth=x", "depth=%D9%A3", "revision=9"]
)
def test_an_address_of_something_that_does_not_exist_is_refused_with_a_sentence(
    seeded, viewer_client, query
):
    response = viewer_client.get(f"{reverse('pages:service-trace', args=['payments'])}?{query}")
    assert response.status_code == 400
    assert re.search("takes|Takes|There is no revision 9", response.text)


def test_an_invalid_name_is_not_found(seeded, viewer_client):
    assert viewer_client.get(reverse("pages:table-trace", args=["payments"])).status_code == 404


@pytest.mark.slow
def test_it_takes_a_fixed_number_of_queries(seeded, viewer_client):
    def counted():
        with CaptureQueriesContext(connection) as captured:
            page(viewer_client, "table", "biztechProfiles", depth=3)
        return len(captured)

    few = counted()
    for _ in range(20):
        make_access(
            make_table("more-" * 3 + str(_)),
            Access.objects.get(table__name="bizConnections").service,
        )
    assert counted() == few
