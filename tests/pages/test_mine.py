"""What is "mine": what the reader's teams are answerable for, as a page and as a filter of the other pages."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ownership.models import Access, Service, Table
from tests.support.factories import (
    make_access,
    make_confirmation,
    make_member,
    make_service,
    make_suggestion,
    make_table,
    make_team,
)
from tests.support.pages import text_of
from tests.support.runs import keep_run

pytestmark = pytest.mark.django_db

MINE = "/mine/"


@pytest.fixture
def ann(db) -> Client:
    """Signed in as a member of Money, which owns wallet and, through a part of it, receipts; bots owns shop."""
    team = make_team("Money", contact="#money")
    client = Client()
    client.force_login(make_member(team, "ann"))
    wallet = make_service("wallet", team=team)
    part = make_service("printer", part_of=make_service("till", part_of=wallet))
    bots = make_service("bots")
    make_access(make_table("accounts", owner=wallet), wallet)
    make_access(make_table("receipts", owner=part), bots)
    make_access(make_table("shop", owner=bots), bots)
    make_access(Table.objects.get(name="shop"), wallet)
    return client


def links(page: str, kind: str) -> set[str]:
    """Names of the tables or services that a page's main part links to."""
    main = page.split("<main")[1]
    return {piece.split('"')[0].split("/")[0] for piece in main.split(f'href="/{kind}/')[1:]} - {""}


def test_the_page_lists_the_tables_and_services_of_the_readers_teams_and_of_their_parts(ann):
    page = ann.get(MINE).text
    assert links(page, "tables") == {"accounts", "receipts"}
    assert "wallet" in links(page, "services")
    assert "printer" in links(page, "services")
    assert "What Money is answerable for." in text_of(page)
    assert "To confirm 2 Never confirmed accounts , receipts Review and confirm" in text_of(page)


def test_what_is_confirmed_waits_no_more(ann):
    for name in ("accounts", "receipts"):
        make_confirmation(Table.objects.get(name=name))
    assert "Nothing waits for you." in text_of(ann.get(MINE).text)


def test_suggestions_wait_for_the_team_and_ones_own_are_listed_apart(ann, settings):
    settings.RIGHTS_FOLLOW_OWNER = True
    accounts, shop = Table.objects.get(name="accounts"), Table.objects.get(name="shop")
    bots = shop.owner
    bots.team = make_team("Robots")
    bots.save()
    make_suggestion(accounts, description="Of everybody")
    make_suggestion(shop, description="Not for Money")
    make_suggestion(shop, make_member(bots.team, "ben"), owner=accounts.owner)
    make_suggestion(shop, User.objects.get(username="ann"), description="By Ann")
    page = text_of(ann.get(MINE).text)
    assert "Suggestions 1" in page
    assert "waits for any team lead" not in page
    assert "Hand-overs to agree to 1" in page
    assert "owner: bots → wallet" in page.split("Hand-overs to agree to 1 ")[2]
    assert "My suggestions 1" in page
    assert "By Ann" in page
    assert "Not for Money" not in page


def test_findings_on_the_readers_tables_wait_and_those_of_others_do_not(ann):
    keep_run("bots write accounts", "bots write shop", "bots write unknown")
    page = ann.get(MINE).text
    assert "Findings on my tables" in text_of(page)
    section = page.split('id="findings"')[1].split('id="tables"')[0]
    assert "accounts" in section
    assert "shop" not in section
    assert "unknown" not in section
    accounts = ann.get("/drift/", {"mine": "true"}).text
    assert "bots" in accounts
    assert "unknown" not in accounts.split("<main")[1].split("Unresolved")[0]


def test_who_is_in_no_team_sees_neither_the_link_nor_the_filters_and_is_told_why(viewer_client):
    make_table()
    for address in ("/", "/services/", "/matrix/", "/changes/", "/drift/"):
        page = viewer_client.get(address).text
        assert f'href="{MINE}"' not in page
        assert ">Mine<" not in page
    assert "You are in no team." in text_of(viewer_client.get(MINE).text)
    assert "Whose" not in viewer_client.get("/admin/ownership/table/").text


def test_every_page_is_narrowed_to_what_is_mine(ann):
    assert links(ann.get("/", {"mine": "true"}).text, "tables") == {"accounts", "receipts"}
    services = ann.get("/services/", {"mine": "true"}).text
    assert links(services, "services") == {"wallet", "till", "printer"}
    matrix = ann.get("/matrix/", {"mine": "true"}).text
    assert links(matrix, "tables") == {"accounts", "receipts", "shop"}
    changes = text_of(ann.get("/changes/", {"mine": "true"}).text)
    assert "wallet → shop" in changes
    assert "bots → receipts" in changes
    assert "bots → shop" not in changes
    csv = b"".join(ann.get("/changes/", {"mine": "true", "format": "csv"})).decode()
    assert "bots → shop" not in csv


def test_every_list_of_the_admin_is_narrowed_to_what_is_mine(ann):
    def listed(model):
        return ann.get(f"/admin/ownership/{model}/", {"mine": "true"}).context["cl"].queryset

    assert [table.name for table in listed("table")] == ["accounts", "receipts"]
    assert [service.name for service in listed("service")] == ["printer", "till", "wallet"]
    assert {str(access) for access in listed("access")} == {
        "wallet → accounts",
        "bots → receipts",
        "wallet → shop",
    }
    assert list(listed("waiver")) == []


def test_mine_takes_true_and_a_sign_in(ann, settings):
    for address in ("/", "/services/", "/matrix/", "/changes/", "/drift/"):
        assert ann.get(address, {"mine": "yes"}).status_code == 400
    settings.ANONYMOUS_READ = True
    assert Client().get("/services/").status_code == 200
    assert Client().get("/services/", {"mine": "true"})["Location"].startswith("/admin/login/")
    assert Client().get("/api/v1/services/", {"mine": "true"}).status_code == 401


def test_of_the_past_it_shows_what_the_teams_of_today_were_answerable_for(ann):
    wallet = Service.objects.get(name="wallet")
    head = ann.get("/api/v1/head/").json()["revision"]
    other = make_team("Other")
    make_member(other, "ann")
    wallet.team = other
    wallet.save()
    then = ann.get("/services/", {"mine": "true", "revision": str(head)}).text
    assert links(then, "services") == {"wallet", "till", "printer"}
    answer = ann.get("/api/v1/tables/", {"mine": "true", "revision": str(head)}).json()
    assert [table["name"] for table in answer["results"]] == ["accounts", "receipts"]


@pytest.mark.slow
def test_lists_of_the_api_are_narrowed_to_a_team_and_to_what_is_mine(ann, viewer_client):
    def names(client, address, **query):
        return [
            row.get("name") for row in client.get(f"/api/v1/{address}/", query).json()["results"]
        ]

    for query in ({"mine": "true"}, {"team": "Money"}):
        assert names(ann, "tables", **query) == ["accounts", "receipts"]
        assert names(ann, "services", **query) == ["printer", "till", "wallet"]
        assert len(names(ann, "accesses", **query)) == 3
    assert names(ann, "tables", mine="false") == ["shop"]
    assert names(viewer_client, "tables", mine="true") == []
    assert viewer_client.get("/api/v1/tables/", {"team": "Nobody"}).status_code == 400
    assert viewer_client.get("/api/v1/tables/", {"mine": "yes"}).status_code == 400
    feed = ann.get("/api/v1/changes/", {"mine": "true"}).json()["results"]
    labels = [entry["label"] for change in feed for entry in change["entries"]]
    assert "ann in Money" in labels
    assert "bots → shop" not in labels
    assert viewer_client.get("/api/v1/changes/", {"mine": "true"}).json()["results"] == []
    keep_run("bots write accounts", "bots write shop")
    [run] = ann.get("/api/v1/drift/", {"mine": "true"}).json()["runs"]
    assert {finding["table"] for finding in run["findings"]} == {"accounts", "receipts"}


def test_two_accounts_never_get_each_others_answer_from_a_cache(ann, viewer_client):
    first = ann.get("/api/v1/tables/", {"mine": "true"})
    other = viewer_client.get(
        "/api/v1/tables/", {"mine": "true"}, headers={"if-none-match": first["ETag"]}
    )
    assert other.status_code == 200
    again = ann.get("/api/v1/tables/", {"mine": "true"}, headers={"if-none-match": first["ETag"]})
    assert again.status_code == 304


@pytest.mark.slow
def test_the_page_takes_as_many_queries_for_many_tables_as_for_few(ann):
    keep_run("bots write accounts")

    def counted():
        with CaptureQueriesContext(connection) as queries:
            assert ann.get(MINE).status_code == 200
        return len(queries)

    few = counted()
    wallet = Service.objects.get(name="wallet")
    for _ in range(20):
        make_access(make_table(owner=wallet), wallet)
    # Session, user, teams, permissions twice; links of services; teams; suggestions, hand-overs, tables to confirm,
    # own suggestions; for findings tables, accesses, their services, indexes, all services, runs, grants, waivers;
    # teams and links again; the page: number, tables, indexes, accesses, services, confirmations, services of the
    # teams, and whether they are watched.
    assert counted() == few == 5 + 2 + 4 + 8 + 2 + 6 + 1 + 1
    assert Access.objects.count() > 20


# The team beside the owner


@pytest.mark.slow
def test_pages_name_the_team_that_is_answerable_for_the_owner_and_how_to_reach_it(ann):
    for address in ("/", "/services/", "/tables/receipts/", "/services/till/", "/groups/Group/"):
        assert "Money" in text_of(ann.get(address).text), address
    page = text_of(ann.get("/tables/receipts/").text)
    assert "Team Money : #money" in page
    keep_run("bots write receipts")
    for address, says in (
        ("/search/?q=receipts", "Owned by printer , team Money (#money)."),
        ("/search/?q=receipt", "owned by printer (Money), in Group."),
        ("/search/?q=till", "Team Money (#money)."),
        ("/tables/receipts/trace/", "owned by printer (Money)"),
        ("/drift/", "Owner: printer Money ("),
    ):
        assert says in text_of(ann.get(address).text), address
    # Of who is to be told, those without a contact of their own are reached by their team.
    assert "printer owner #money Money" in page


def test_a_teams_page_lists_what_it_is_answerable_for_and_its_members_to_people_with_a_role(
    ann, settings
):
    page = ann.get("/teams/Money/").text
    assert links(page, "tables") == {"accounts", "receipts"}
    assert links(page, "services") >= {"wallet", "till", "printer"}
    assert "Members ann" in text_of(page)
    settings.ANONYMOUS_READ = True
    public = text_of(Client().get("/teams/Money/").text)
    assert "#money" in public
    assert "ann" not in public.split("Money", 1)[1].split("Tables")[0]
    assert Client().get("/teams/Nobody/").status_code == 404


@pytest.mark.slow
def test_without_teams_nothing_says_team(seeded, viewer_client):
    for address in (
        "/",
        "/services/",
        "/tables/biztechUsers/",
        "/services/payments/",
        "/groups/Core Tables/",
    ):
        main = viewer_client.get(address).text.split("<main")[1].split("</main>")[0]
        assert "Team" not in main.replace("Teams", ""), address
    columns = viewer_client.get("/admin/ownership/service/").context["cl"].list_display
    assert "team" not in columns


def test_of_the_past_pages_name_the_team_of_that_time(ann):
    head = ann.get("/api/v1/head/").json()["revision"]
    wallet = Service.objects.get(name="wallet")
    wallet.team = make_team("Other")
    wallet.save()
    assert "Team Other" in text_of(ann.get("/tables/receipts/").text)
    assert "Team Money" in text_of(ann.get("/tables/receipts/", {"revision": head}).text)
    then = ann.get("/api/v1/tables/receipts/", {"revision": head}).json()
    assert (then["team"], ann.get("/api/v1/tables/receipts/").json()["team"]) == ("Money", "Other")


def test_the_csv_says_the_owners_team(ann):
    text = b"".join(ann.get("/api/v1/map/", {"format": "csv"})).decode("utf-8-sig")
    head, *rows = [line.split(",") for line in text.splitlines()]
    of_receipts = [dict(zip(head, row, strict=True)) for row in rows if row[0] == "receipts"]
    assert {row["owner_team"] for row in of_receipts} == {"Money"}
    assert {row["team"] for row in of_receipts} == {""}  # of bots, whose access it is
