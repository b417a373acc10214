"""The map on a day: of then in all it says, marked as past, and without anything to edit."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ownership.history import ChangeSet, change_set
from ownership.models import Service, Table
from tests.factories import make_access, make_table

URL = "/admin/ownership/map/"


def shown(client, **query):
    response = client.get(URL, query)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def renamed(seeded):
    """Since revision 1, payments is called checkout, and a table is gone."""
    payments = Service.objects.get(name="payments")
    payments.name = "checkout"
    payments.save()
    Table.objects.get(name="biztechUsers").delete()


def test_a_revision_shows_groups_tables_owners_and_accesses_of_then(renamed, viewer_client):
    page = shown(viewer_client, revision="1")
    assert "This is the past: the map as of revision 1" in page
    assert "Core Tables" in page
    assert "biztechUsers" in page
    assert "payments: Read + Write" in page
    assert "checkout" not in page
    assert "biztechUsers" not in shown(viewer_client, revision="3")


def test_a_day_shows_its_end(renamed, viewer_client):
    day = f"{ChangeSet.objects.get(revision=3).time:%Y-%m-%d}"
    page = shown(viewer_client, day=day)
    assert "the latest revision, 3" in page
    assert "checkout" in page
    assert "There was no table yet" in shown(viewer_client, day="1999-12-31")


def test_nothing_on_it_can_be_edited_or_leads_to_a_form(renamed, lead_client):
    page = shown(lead_client, revision="1").partition('class="past-map"')[2]
    assert page
    for editing in ("<input", "<form", "<button", "/change/", "/add/", "/delete/"):
        assert editing not in page.partition("</p>")[2], editing


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"revision": "4"}, "Takes a whole number from 0 to 3"),
        ({"revision": "x"}, "Takes a whole number from 0 to 3"),
        ({"revision": str(2**63)}, "Takes a whole number from 0 to 3"),
        ({"day": "31.12.99999"}, "Enter a valid date"),
        ({"day": "2026-01-01", "revision": "1"}, "not both"),
    ],
)
def test_nonsense_is_told(renamed, viewer_client, query, sentence):
    page = shown(viewer_client, **query)
    assert sentence in page
    assert "past-map" not in page


def test_only_those_who_may_see_history_see_it(renamed):
    assert Client().get(URL, {"revision": "1"}).status_code == 302
    staff = Client()
    staff.force_login(User.objects.create_user("staff", is_staff=True))
    assert staff.get(URL, {"revision": "1"}).status_code == 403


def test_the_first_page_and_a_change_set_lead_there(renamed, viewer_client):
    assert URL in viewer_client.get("/admin/").content.decode()
    assert URL in viewer_client.get("/admin/ownership/changeset/").content.decode()
    assert f"{URL}?revision=2" in viewer_client.get("/admin/ownership/changeset/2/change/").content.decode()


def test_it_takes_a_fixed_number_of_queries_and_pages_through_many(renamed, viewer_client):
    with CaptureQueriesContext(connection) as few:
        shown(viewer_client, revision="1")
    with change_set(reason="Grow"):
        group = Table.objects.first().group
        for number in range(220):
            make_access(make_table(f"more-{number:03}", group=group))
    with CaptureQueriesContext(connection) as many:
        first = shown(viewer_client, revision="4")
    assert len(many) == len(few)
    assert "Page 1 of 2" in first
    assert "more-219" in first + shown(viewer_client, revision="4", page="2")
