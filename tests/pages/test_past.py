"""The pages as of a day: everything is of that time, marked as past, and nothing can be edited."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from ownership.history.models import ChangeSet, current_head
from ownership.models import Membership, Service, Table
from tests.support.factories import make_member, make_table, make_team
from tests.support.pages import text_of

HOME = reverse("pages:home")
PAGES = (
    "/",
    "/matrix/",
    "/services/",
    "/groups/Core Tables/",
    "/search/?q=biz",
    "/tables/biztechEvents/",
)


def main_of(response):
    assert response.status_code == 200
    return response.text.partition("<main")[2].partition("</main>")[0]


@pytest.fixture
def renamed(seeded):
    """Since revision 1, payments is called cash-desk, and a table is gone."""
    payments = Service.objects.get(name="payments")
    payments.name = "cash-desk"
    payments.save()
    Table.objects.get(name="biztechUsers").delete()


@pytest.mark.parametrize("page", PAGES)
def test_a_revision_shows_the_rows_of_that_time(renamed, viewer_client, page):
    address = page + ("&" if "?" in page else "?")
    then, now = main_of(viewer_client.get(f"{address}revision=1")), main_of(viewer_client.get(page))
    assert "cash-desk" not in then
    assert "payments" in then or "q=" in page
    assert ("cash-desk" in now) or "q=" in page or "groups" not in page
    assert ">biztechUsers<" not in now


@pytest.mark.parametrize(
    "page",
    [
        "/confirm/",
        "/drift/",
        "/drift/accept/",
        "/mine/",
        "/suggestions/",
        "/suggestions/mine/",
        "/suggestions/1/",
    ],
)
def test_what_is_about_today_takes_no_revision(renamed, lead_client, page):
    response = lead_client.get(f"{page}?revision=1")
    assert response.status_code == 400
    assert ": leave out revision and as_of." in text_of(response.text)


@pytest.mark.parametrize("page", ["/confirm/", "/drift/accept/", "/drift/waive/"])
def test_nothing_is_decided_about_the_past(renamed, lead_client, page):
    response = lead_client.post(f"{page}?revision=1", {"table": "1", "head": str(current_head())})
    assert response.status_code == 400
    assert ": leave out revision and as_of." in text_of(response.text)


def test_a_day_shows_its_end(renamed, viewer_client):
    day = f"{ChangeSet.objects.get(revision=3).time:%Y-%m-%d}"
    page = viewer_client.get(HOME, {"as_of": day}).text
    assert "You are viewing revision 3, the latest" in page
    assert "cash-desk" in page
    assert "No tables yet" in viewer_client.get(HOME, {"as_of": "1999-12-31"}).text


@pytest.mark.parametrize("page", PAGES)
def test_nothing_on_it_can_be_edited_or_leads_to_a_form(renamed, lead_client, page):
    shown = main_of(lead_client.get(page + ("&" if "?" in page else "?") + "revision=1"))
    for editing in ("/change/", "/add/", "/delete/", "method=post", 'method="post"'):
        assert editing not in shown.replace("/changeset/", "").replace("1/change/", ""), editing


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_page_of_the_map_stays_in_that_time(renamed, viewer_client, page):
    shown = viewer_client.get(page + ("&" if "?" in page else "?") + "revision=1").text
    links = re.findall(
        r'href="(/(?:tables|services|groups|matrix|search)?[^"]*)"', main_of_text(shown)
    )
    ours = [
        link
        for link in links
        if not link.startswith(("/admin", "/static", "/api", "/changes", "/compare"))
    ]
    assert ours or "matrix" in page
    assert all("revision=1" in link for link in ours)


@pytest.mark.parametrize("moment", ["revision=1", "as_of={day}"])
def test_a_name_that_nothing_had_suggests_names_of_that_time(renamed, viewer_client, moment):
    make_table("biztechUsed")
    moment = moment.format(day=datetime.now(UTC).date() if "as_of" in moment else "")
    then = 1 if "revision" in moment else ChangeSet.objects.latest("revision").revision
    response = viewer_client.get(f"/tables/biztechUser/?{moment}")
    assert response.status_code == 404
    shown = main_of_text(response.text)
    near = [row.name for _, row in response.context["near"]]
    assert ("biztechUsers" in near, "biztechUsed" in near) == (then == 1, then != 1)
    assert {*re.findall(r'href="[^"?]*\??([^"]*)"', shown)} == {f"revision={then}"}
    assert f'name="revision" value="{then}"' in shown


def test_rows_that_once_had_a_name_are_linked_by_their_name_at_that_time(seeded, viewer_client):
    tables = [Table.objects.get(name=name) for name in ("biztechUsers", "biztechEvents")]
    for table, later in zip(tables, ("one", "other"), strict=True):
        for name in ("shared", later):
            table.name = name
            table.save()
    shown = main_of_text(viewer_client.get("/tables/shared/?revision=1").text)
    assert 'href="/tables/biztechUsers/?revision=1"' in shown
    assert 'href="/tables/biztechEvents/?revision=1"' in shown


def main_of_text(text):
    return text.partition("<main")[2].partition("</main>")[0]


def test_the_past_needs_a_sign_in(renamed, settings):
    settings.ANONYMOUS_READ = True
    for page in PAGES:
        assert Client().get(page).status_code == 200
        assert Client().get(page + ("&" if "?" in page else "?") + "revision=1").status_code == 302


def test_the_admin_leads_there(renamed, viewer_client):
    for address in ("/admin/", "/changes/"):
        assert f'href="{reverse("pages:day")}"' in viewer_client.get(address).text
    assert f"{HOME}?revision=2" in viewer_client.get("/changes/2/").text
    assert 'id="then"' in viewer_client.get(HOME).text


@pytest.mark.parametrize("more", ["", "&before=99", "&within=2", "&before=x"])
def test_a_history_as_of_a_revision_shows_nothing_later_whatever_the_parameters(
    renamed, viewer_client, more
):
    shown = main_of(viewer_client.get(f"/services/payments/history/?revision=1{more}"))
    assert "cash-desk" not in shown.partition('class="timeline"')[2]
    assert 'id="revision-1"' in shown


def test_a_time_in_the_future_is_said_to_be_one(viewer_client, seeded):
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    banner = "The time you asked for is in the future."
    assert banner in viewer_client.get(HOME, {"as_of": tomorrow}).text
    assert banner in viewer_client.get("/day/", {"day": tomorrow}, follow=True).text
    assert banner not in viewer_client.get(HOME, {"as_of": today}).text
    assert (
        f"{tomorrow} is in the future"
        in viewer_client.get("/compare/", {"from": "1", "to": tomorrow}).text
    )
    assert "in the future" not in viewer_client.get("/compare/", {"from": "1", "to": today}).text


def test_a_teams_page_of_the_past_names_members_whose_accounts_have_been_deleted_since(
    db, viewer_client
):
    team = make_team("Money")
    gone = make_member(team, "gone")
    before = current_head().revision
    Membership.objects.get(user=gone).delete()
    gone.delete()

    address = team.get_absolute_url()
    assert "Members gone" in text_of(viewer_client.get(address, {"revision": before}).text)
    assert "gone" not in text_of(viewer_client.get(address).text)
