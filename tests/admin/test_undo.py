"""Undoing in the admin: a page that shows the difference to now; permission, a reason, no values from outside."""

import re

import pytest
from django.urls import reverse

from ownership.admin import changes
from ownership.history import ChangeSet, change_set
from ownership.models import Service, Table
from tests.admin.pages import form_of
from tests.factories import make_access, make_service, make_table

pytestmark = pytest.mark.django_db


@pytest.fixture
def revision() -> int:
    table = make_table("orders", owner=make_service("payments"), description="Orders.")
    table.owner, table.description = make_service("users"), "All orders."
    table.save()
    return head()


def head() -> int:
    return ChangeSet.objects.first().revision


def url(revision: int) -> str:
    return reverse("admin:ownership_undo", args=[revision])


def words(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_the_page_shows_the_difference_to_now_and_undoes_with_a_reason(lead_client, revision):
    page = lead_client.get(url(revision))
    assert "owner users payments" in words(page)
    response = lead_client.post(url(revision), form_of(page) | {"reason": "A mistake"}, follow=True)
    assert f"Undoes revision {revision}" in words(response)
    assert (Table.objects.get().owner.name, ChangeSet.objects.first().user_name) == ("payments", "lead")


def test_without_a_reason_nothing_is_undone(lead_client, revision):
    page = lead_client.post(url(revision), form_of(lead_client.get(url(revision))) | {"reason": " "})
    assert "Say why" in words(page)
    assert head() == revision


def test_field_values_in_the_request_are_ignored(lead_client, revision):
    form = form_of(lead_client.get(url(revision)))
    lead_client.post(url(revision), form | {"reason": "x", "description": "hacked", "owner": "1", "name": "hacked"})
    assert (Table.objects.get().name, Table.objects.get().description) == ("orders", "Orders.")


def test_a_conflict_that_is_none_can_not_be_chosen(lead_client, revision):
    form = form_of(lead_client.get(url(revision)))
    response = lead_client.post(url(revision), form | {"reason": "x", "conflicts": "table:1:name"})
    assert "not one of the available choices" in words(response)
    assert head() == revision


def test_a_page_that_the_map_has_left_behind_is_refused(lead_client, revision):
    form = form_of(lead_client.get(url(revision)))
    table = Table.objects.get(name="orders")
    table.description = "Edited meanwhile."
    table.save()
    before = head()
    page = lead_client.post(url(revision), form | {"reason": "x"})
    assert "Nothing was changed yet" in words(page)
    assert form_of(page)["reason"] == "x"
    assert head() == before
    assert lead_client.post(url(revision), form_of(page)).status_code == 302
    assert head() == before + 1


def test_a_change_elsewhere_is_no_reason_to_refuse(lead_client, revision):
    form = form_of(lead_client.get(url(revision)))
    make_service("elsewhere")
    assert lead_client.post(url(revision), form | {"reason": "x"}).status_code == 302
    assert ChangeSet.objects.first().undoes_id == revision


def test_a_viewer_may_look_at_history_but_not_undo(viewer_client, revision):
    assert viewer_client.get(url(revision)).status_code == 403
    assert viewer_client.post(url(revision), {"reason": "x", "revision": str(revision)}).status_code == 403
    assert "Undo…" not in viewer_client.get(f"/admin/ownership/changeset/{revision}/change/").content.decode()
    assert head() == revision


def test_what_stands_in_the_way_is_said(lead_client):
    table = make_table("orders")
    owner = table.owner
    table.delete()
    revision = head()
    make_table("orders", owner=owner)
    page = lead_client.get(url(revision))
    response = lead_client.post(url(revision), form_of(page) | {"reason": "x"}, follow=True)
    assert "Nothing was changed. orders: There is a table of this name already." in words(response)


def test_deleted_entries_are_listed_opened_and_restored(lead_client):
    access = make_access(make_table("orders"), make_service("payments"))
    access.table.delete()
    page = lead_client.get(reverse("admin:ownership_deleted")).content.decode()
    assert "orders" in page
    assert "payments → orders" not in page, "a table stands for its accesses"
    history, restore = (
        re.search(r'href="(/admin/ownership/table/\d+/history/)"', page),
        re.search(r'"([^"]+/undo/\d+/)"', page),
    )
    assert "orders was deleted" in words(lead_client.get(history.group(1)))
    form = form_of(lead_client.get(restore.group(1)))
    lead_client.post(restore.group(1), form | {"reason": "Still needed"})
    assert Table.objects.get().accesses.get().service.name == "payments"
    assert "Nothing is deleted." in words(lead_client.get(reverse("admin:ownership_deleted")))


@pytest.mark.parametrize("path", ["99999/undo/", "1/undo/99/", "0/undo/", f"{2**63}/undo/", f"1/undo/{2**63}/"])
def test_what_is_not_there_can_not_be_undone(lead_client, revision, path):
    assert lead_client.get(f"/admin/ownership/changeset/{path}").status_code == 404


@pytest.mark.parametrize(
    ("query", "revisions"),
    [
        ("kind=ownership", [5, 3]),
        ("kind=access", [6]),
        ("who=nobody", []),
        ("table=orders", [6, 5, 3]),
        ("service=users", [6, 5, 4]),
        ("group=Group", [6, 5, 3, 2]),
        ("table=never-was", []),
        ("kind=ownership&source=command", [5, 3]),
        ("kind=service", [4, 1]),
        ("source=seed", []),
        ("q=nothing", []),
    ],
)
def test_recent_changes_are_filtered(lead_client, query, revisions):
    table = make_table("orders", owner=make_service("payments"), group=None)
    table.owner = make_service("users")
    table.save()
    make_access(table, table.owner)
    page = lead_client.get(f"/admin/ownership/changeset/?{query}").content.decode()
    found = [int(number) for number in re.findall(r'field-revision"><a [^>]*>(\d+)<', page)]
    assert found == revisions


def test_a_large_change_set_is_shown_page_by_page(lead_client):
    with change_set(reason="Many"):
        for number in range(150):
            make_table(f"table-{number:03}")
    revision, shown, address = head(), [], "?"
    while address:
        page = lead_client.get(f"/admin/ownership/changeset/{revision}/change/{address}").content.decode()
        assert page.count('<div class="entry') <= 200
        shown += re.findall(r"<strong>(?:<a[^>]*>)?(table-\d+)", page)
        address = next(iter(re.findall(r'href="(\?after=\d+)"', page)), "")
    assert shown == [f"table-{number:03}" for number in range(150)]


def test_more_entries_than_a_page_can_undo_are_not_undone_halfway(lead_client, monkeypatch):
    monkeypatch.setattr(changes, "MOST_UNDONE", 3)
    with change_set(reason="Many"):
        for number in range(4):
            make_service(f"service-{number}")
    page = lead_client.post(url(head()), {"reason": "Undo it", "revision": head()}, follow=True).content.decode()
    assert "has 4 entries; up to 3 can be undone" in page
    assert Service.objects.count() == 4
