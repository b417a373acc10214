"""Undoing in the admin: a preview, permissions, a reason, and no values from the request."""

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from ownership.admin import undo as admin_undo
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.models import Service, Table
from tests.support.admin_forms import form_of
from tests.support.factories import make_service, make_table
from tests.support.pages import text_of

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


def test_the_page_shows_the_difference_to_now_and_undoes_with_a_reason(lead_client, revision):
    page = lead_client.get(url(revision))
    assert "owner users payments" in text_of(page.text)
    response = lead_client.post(url(revision), form_of(page) | {"reason": "A mistake"}, follow=True)
    assert f"Undo of revision {revision}" in text_of(response.text)
    assert (Table.objects.get().owner.name, ChangeSet.objects.first().user_name) == (
        "payments",
        "lead",
    )


def test_the_entries_of_a_large_undo_are_folded_by_kind(lead_client, seeded):
    page = lead_client.get(url(1)).text
    folds = re.findall(r'<details class="fold">\s*<summary>(.+?\(\d+\))</summary>', page)
    assert folds == [
        "Accesses (55)",
        "Secondary indexes (2)",
        "Tables (34)",
        "Services (19)",
        "Groups (7)",
        "Environments (3)",
    ]


def test_what_a_row_to_be_deleted_holds_is_folded(lead_client):
    make_table("orders", description="All orders.")
    page = lead_client.get(url(head())).text
    plan = page.partition('<div class="entry-plan deleted">')[2]
    folded = plan.partition("<summary>Current values</summary>")[2].partition("</details>")[0]
    assert "All orders." in folded
    assert "After undo" not in plan


def test_without_a_reason_nothing_is_undone(lead_client, revision):
    page = lead_client.post(
        url(revision), form_of(lead_client.get(url(revision))) | {"reason": " "}
    )
    assert "give a reason" in text_of(page.text)
    assert head() == revision


def test_field_values_in_the_request_are_ignored(lead_client, revision):
    form = form_of(lead_client.get(url(revision)))
    lead_client.post(
        url(revision),
        form | {"reason": "x", "description": "hacked", "owner": "1", "name": "hacked"},
    )
    assert (Table.objects.get().name, Table.objects.get().description) == ("orders", "Orders.")


def test_only_actual_conflicts_can_be_chosen(lead_client, revision):
    form = form_of(lead_client.get(url(revision)))
    response = lead_client.post(url(revision), form | {"reason": "x", "conflicts": "table:1:name"})
    assert "not one of the available choices" in text_of(response.text)
    assert head() == revision


def test_a_page_that_is_out_of_date_is_refused(lead_client, revision):
    form = form_of(lead_client.get(url(revision)))
    table = Table.objects.get(name="orders")
    table.description = "Edited meanwhile."
    table.save()
    before = head()
    page = lead_client.post(url(revision), form | {"reason": "x"})
    assert "the registry has changed since this page was opened" in text_of(page.text)
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
    assert (
        viewer_client.post(url(revision), {"reason": "x", "revision": str(revision)}).status_code
        == 403
    )
    assert (
        "Undo…"
        not in viewer_client.get(f"/admin/ownership/changeset/{revision}/change/").content.decode()
    )
    assert head() == revision


def test_a_blocker_is_reported(lead_client):
    table = make_table("orders")
    owner = table.owner
    table.delete()
    revision = head()
    make_table("orders", owner=owner)
    page = lead_client.get(url(revision))
    response = lead_client.post(url(revision), form_of(page) | {"reason": "x"}, follow=True)
    assert (
        "Nothing was changed. orders: A table with this name already exists. Change or delete that one first."
        in text_of(response.text)
    )


@pytest.mark.parametrize(
    "path", ["99999/undo/", "1/undo/99/", "0/undo/", f"{2**63}/undo/", f"1/undo/{2**63}/"]
)
def test_a_revision_or_entry_that_does_not_exist_can_not_be_undone(lead_client, revision, path):
    assert lead_client.get(f"/admin/ownership/changeset/{path}").status_code == 404


def test_a_large_change_set_is_undone_from_a_page_that_shows_some_of_it(lead_client, monkeypatch):
    monkeypatch.setattr(admin_undo, "SHOWN", 3)
    with change_set(reason="Many"):
        for number in range(8):
            make_service(f"service-{number}")
    shown, address = [], "?"
    while address:
        page = lead_client.get(url(head()) + address)
        shown += re.findall(r"<strong>(service-\d)", page.content.decode())
        address = next(iter(re.findall(r'href="(\?from=\d+)"', page.content.decode())), "")
    assert shown == [f"service-{number}" for number in reversed(range(8))]
    form = form_of(lead_client.get(url(head())))
    assert lead_client.post(url(head()), form | {"reason": "x"}).status_code == 302
    assert not Service.objects.exists()


def test_blockers_are_shown_before_anything_is_undone_and_can_be_skipped(lead_client):
    with change_set(reason="Two services"):
        used, _ = make_service("used"), make_service("free")
    revision = head()
    table = make_table("orders", owner=used)
    page = lead_client.get(url(revision))
    assert "used : still used by orders. Change or delete these first. Go to orders" in text_of(
        page.text
    )
    assert reverse("admin:ownership_table_change", args=[table.pk]) in page.content.decode()
    refused = lead_client.post(url(revision), form_of(page) | {"reason": "x"})
    assert "Nothing was changed. used: still used by orders." in text_of(refused.text)
    assert form_of(refused)["reason"] == "x"
    assert Service.objects.filter(name="free").exists()
    lead_client.post(url(revision), form_of(page) | {"reason": "x", "rest": "on"})
    assert set(Service.objects.values_list("name", flat=True)) == {"used"}


def test_a_conflict_names_the_later_change_and_counts_only_if_selected(lead_client, revision):
    with change_set(user=User.objects.get(username="lead"), reason="A later thought"):
        table = Table.objects.get()
        table.description, table.owner = "Later.", make_service("later")
        table.save()
    page = lead_client.get(url(revision))
    assert f"Revision {head()} by lead" in text_of(page.text)
    assert "A later thought" in text_of(page.text)
    assert "tables 0 0 0 1" in text_of(page.text)
    form = form_of(page) | {"reason": " ", "conflicts": f"table:{table.pk}:owner"}
    refused = lead_client.post(url(revision), form)
    assert "tables 0 0 1 0" in text_of(refused.text)
    assert form_of(refused)["conflicts"] == form["conflicts"]
    lead_client.post(url(revision), form_of(refused) | {"reason": "x"})
    assert (Table.objects.get().owner.name, Table.objects.get().description) == (
        "payments",
        "Later.",
    )


def test_all_conflicts_can_be_selected_at_once(lead_client):
    services = [make_service(f"service-{number}") for number in range(3)]
    for contact in ("first", "second"):
        with change_set(reason=contact):
            for service in services:
                service.contact = contact
                service.save()
    page = lead_client.get(url(head() - 1))
    lead_client.post(url(head() - 1), form_of(page) | {"reason": "x", "every_conflict": "on"})
    assert set(Service.objects.values_list("contact", flat=True)) == {""}


def test_the_undo_page_leads_back(lead_client, revision):
    change = reverse("pages:change-set", args=[revision])
    assert f'href="{change}">Cancel</a>' in lead_client.get(url(revision)).content.decode()


def test_more_than_a_page_can_undo_is_left_to_the_command(lead_client, revision, monkeypatch):
    monkeypatch.setattr(admin_undo, "MOST_UNDONE", 0)
    page = lead_client.get(url(revision))
    assert f"manage.py undo {revision} --apply" in text_of(page.text)
    lead_client.post(url(revision), form_of(page) | {"reason": "x"})
    assert head() == revision
