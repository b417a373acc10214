"""The first page: the map in the document's order, or its groups, and what changed lately."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ownership.history.change_sets import change_set
from ownership.models import Table, TableGroup
from ownership.pages import home
from tests.support.factories import make_access, make_service, make_table
from tests.support.pages import text_of
from tests.support.runs import keep_run

HOME = reverse("pages:home")


def test_the_map_is_in_the_documents_order(seeded, viewer_client):
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
    link = re.search(
        r'href="([^"]+)">Companion &amp; Gamification Tables</a>\s*<span[^>]*>7 tables', page
    )[1]
    assert "biztechQuizzes" in viewer_client.get(unescape(link)).text


@pytest.mark.parametrize("query", ["show=changed", "mine=true"])
def test_a_large_map_refuses_parts_of_a_list_that_it_does_not_show(
    viewer_client, monkeypatch, query
):
    monkeypatch.setattr(home, "MAX_TABLES_AT_HOME", 0)
    make_table()
    response = viewer_client.get(f"{HOME}?{query}")
    assert response.status_code == 400
    assert "The map is too large for it." in response.text


def test_a_group_pages_through_many_tables(viewer_client, monkeypatch):
    monkeypatch.setattr(home, "TABLES_PER_PAGE", 3)
    with change_set(reason="Grow"):
        for number in range(4):
            make_table(f"table-number-{number}")
    address = reverse("pages:group", args=["Group"])
    assert "table-number-3" not in viewer_client.get(address).text
    assert "table-number-3" in viewer_client.get(address, {"page": "2"}).text
    assert "table-number-3" in viewer_client.get(address, {"page": "99999999999999999999"}).text


def test_recent_changes_need_a_sign_in(seeded, viewer_client, settings):
    settings.ANONYMOUS_READ = True
    assert "Seeded from" in viewer_client.get(HOME).text
    assert "Seeded from" not in Client().get(HOME).text
    assert "Seeded from" not in viewer_client.get(HOME, {"revision": "0"}).text


def test_a_recent_change_shows_the_first_line_of_its_reason(viewer_client, seeded):
    with change_set(reason="As found\n\nAccepted from run 1"):
        make_service("late")
    for address in (HOME, "/admin/", reverse("pages:day")):
        page = text_of(viewer_client.get(address).text)
        assert "As found" in page
        assert "Accepted from run" not in page


def test_the_list_of_services_shows_what_they_own_and_use(seeded, viewer_client):
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


@pytest.mark.slow
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


def test_a_groups_tables_stay_together_even_if_another_group_has_the_same_position(
    seeded, viewer_client
):
    make_table(
        "between",
        group=TableGroup.objects.create(name="A group in the same place", position=0),
        position=1,
    )
    page = viewer_client.get("/").text
    assert len(re.findall(r">Core Tables</a>\s*</h2>", page)) == 1


def rows_of(page):
    """{table: text of its row} of the list."""
    rows = {}
    for row in re.findall(r'<tr>\s*<th scope="row">.*?</tr>', page, re.S):
        text = text_of(row).strip()
        rows[text.partition(" ")[0]] = text
    return rows


def test_a_row_names_the_owner_and_only_others_as_writers_and_readers(seeded, viewer_client):
    rows = rows_of(viewer_client.get(HOME).text)
    assert len(rows) == 34
    assert rows["biztechQuests"] == "biztechQuests quests – –"
    assert rows["biztechProfiles"].split() == (
        [
            "biztechProfiles",
            "profiles",
            "interactions",
            "members",
            "(indirect)",
            "+1",
            "interactions",
        ]
    )


def test_a_list_names_two_neighbours_and_counts_the_others(seeded, viewer_client):
    table = make_table("hub")
    for _ in range(15):
        make_access(table, make_service(), mode="write")
    assert (
        'href="/tables/hub/#accesses" aria-label="13 more">+13</a>' in viewer_client.get("/").text
    )


@pytest.fixture
def seen(seeded):
    """A finding of drift, a warning, and a change after the seed, each of another table."""
    keep_run("qr write biztechUsers")
    prizes = Table.objects.get(name="biztechPrizes")
    prizes.accesses.all().delete()
    quests = Table.objects.get(name="biztechQuests")
    quests.description = "Quests"
    quests.save()


def test_only_people_who_are_signed_in_are_told_what_changed_and_what_needs_attention(
    seen, viewer_client, settings
):
    settings.ANONYMOUS_READ = True
    page = text_of(viewer_client.get(HOME).text)
    assert "All 34 Changed this week 2 Needs attention 2" in page
    stranger = Client()
    page = text_of(stranger.get(HOME).text)
    assert "Changed this week" not in page
    assert "Needs attention" not in page
    assert "drift" not in page
    assert (
        stranger.get(HOME, {"show": "changed"})
        .headers["Location"]
        .startswith("/admin/login/?next=")
    )


@pytest.mark.parametrize(
    ("show", "names"),
    [
        ("changed", {"biztechPrizes", "biztechQuests"}),
        ("attention", {"biztechUsers", "biztechPrizes"}),
    ],
)
def test_the_list_can_be_narrowed_to_what_changed_or_needs_attention(
    seen, viewer_client, show, names
):
    rows = rows_of(viewer_client.get(HOME, {"show": show}).text)
    assert rows.keys() == names
    if show == "attention":
        assert "1 drift" in rows["biztechUsers"]
        assert "warning" in rows["biztechPrizes"]


@pytest.mark.parametrize("query", [{"show": "x"}, {"show": "changed", "revision": "1"}])
def test_a_choice_that_there_is_not_says_what_there_is(seeded, viewer_client, query):
    response = viewer_client.get(HOME, query)
    assert response.status_code == 400
    assert "show" in text_of(response.text.partition("<main")[2])


def test_a_choice_without_tables_says_so(db, viewer_client):
    make_access(table := make_table(), table.owner)
    assert "No table needs attention." in viewer_client.get(HOME, {"show": "attention"}).text


def test_home_takes_so_many_queries(seeded, viewer_client, settings, django_assert_num_queries):
    """Tables, groups, teams, services, indexes, accesses and confirmations; signed in also session, user, two for
    permissions, teams, the latest changes, the tables changed this week and the latest runs; with a run its grants
    and waivers."""
    settings.ANONYMOUS_READ = True
    with django_assert_num_queries(7):
        Client().get(HOME)
    with django_assert_num_queries(15):
        viewer_client.get(HOME)
    keep_run("bots write biztechUsers")
    with django_assert_num_queries(17):
        viewer_client.get(HOME)
