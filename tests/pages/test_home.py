"""The first page: the map in the document's order, or its groups, and what changed lately."""

import re
from html import unescape

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ownership.history.change_sets import change_set
from ownership.models import Table, TableGroup
from ownership.pages import home
from tests.support.factories import make_access, make_service, make_table

HOME = reverse("pages:home")


def test_the_map_stands_in_the_documents_order(seeded, viewer_client):
    page = viewer_client.get(HOME).text
    places = [page.index(f">{name}<") for name in Table.objects.values_list("name", flat=True)]
    assert places == sorted(places)
    headings = re.findall(r'<h2 id="group-\d+">\s*<a [^>]*>([^<]+)', page)
    assert headings[1] == "Companion &amp; Gamification Tables"
    assert len(headings) == TableGroup.objects.count()


def test_a_large_map_shows_its_groups_with_counts_that_open(seeded, viewer_client, monkeypatch):
    monkeypatch.setattr(home, "MAX_TABLES_AT_HOME", 33)
    page = viewer_client.get(HOME).text
    assert "biztechUsers<" not in page.partition("<main")[2]
    link = re.search(r'href="([^"]+)">Companion &amp; Gamification Tables</a>\s*<span[^>]*>7 tables', page)[1]
    assert "biztechQuizzes" in viewer_client.get(unescape(link)).text


def test_a_group_pages_through_many_tables(viewer_client, monkeypatch):
    monkeypatch.setattr(home, "TABLES_PER_PAGE", 3)
    with change_set(reason="Grow"):
        for number in range(4):
            make_table(f"table-number-{number}")
    address = reverse("pages:group", args=["Group"])
    assert "table-number-3" not in viewer_client.get(address).text
    assert "table-number-3" in viewer_client.get(address, {"page": "2"}).text
    assert "table-number-3" in viewer_client.get(address, {"page": "99999999999999999999"}).text


def test_what_changed_lately_is_for_people_who_are_signed_in(seeded, viewer_client, settings):
    settings.ANONYMOUS_READ = True
    assert "Seeded from" in viewer_client.get(HOME).text
    assert "Seeded from" not in Client().get(HOME).text
    assert "Seeded from" not in viewer_client.get(HOME, {"revision": "0"}).text


def test_services_tell_what_they_own_and_use(seeded, viewer_client):
    page = viewer_client.get(reverse("pages:services")).text
    row = page.partition("/services/payments/")[2].partition("</tr>")[0]
    assert "0 tables" in row
    assert "5 tables" in row


def test_every_page_can_be_seen_on_a_day(seeded, viewer_client):
    page = viewer_client.get(reverse("pages:search"), {"q": "user"}).text
    form = page.partition('class="then"')[2].partition("</form>")[0]
    assert 'name="q" value="user"' in form
    assert "as it was on" in form
    past = viewer_client.get(HOME, {"as_of": "2000-01-01"}).text
    assert "No tables yet" in past


def test_they_take_a_fixed_number_of_queries(viewer_client):
    def count():
        found = []
        for address in (HOME, reverse("pages:group", args=["Group"]), reverse("pages:services")):
            with CaptureQueriesContext(connection) as captured:
                assert viewer_client.get(address).status_code == 200
            found.append(len(captured))
        return found

    with change_set(reason="Few"):
        make_access(make_table(), make_service(part_of=make_service()))
    few = count()
    with change_set(reason="Many"):
        for _ in range(40):
            make_access(make_table(), make_service(part_of=make_service()))
    assert count() == few


def test_a_groups_tables_stand_together_also_beside_one_of_the_same_place(seeded, viewer_client):
    make_table("between", group=TableGroup.objects.create(name="A group in the same place", position=0), position=1)
    page = viewer_client.get("/").text
    assert len(re.findall(r">Core Tables</a>\s*</h2>", page)) == 1


def test_a_list_names_a_dozen_neighbours_and_counts_the_others(seeded, viewer_client):
    table = make_table("hub")
    for _ in range(15):
        make_access(table, make_service(), mode="write")
    assert 'href="/tables/hub/#accesses">and 3 more</a>' in viewer_client.get("/").text
