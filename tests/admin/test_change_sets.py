"""Change sets in the admin: all that ever changed, filtered; one of them; and what was deleted."""

import re

import pytest
from django.urls import reverse

from ownership.admin import change_sets as changes_admin
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.models import Access, Service, Table
from tests.support.admin_forms import form_of
from tests.support.factories import make_access, make_service, make_table
from tests.support.pages import text_of

pytestmark = pytest.mark.django_db

RECENT = "/admin/ownership/changeset/"
ACCESS = re.compile(r"table-\d\d")


def head() -> int:
    return ChangeSet.objects.first().revision


def edit(row, undoes=None, **fields) -> int:
    with change_set(reason="An edit", undoes=undoes):
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()
    return head()


@pytest.mark.slow
def test_deleted_rows_are_listed_opened_and_restored(lead_client):
    access = make_access(make_table("orders"), make_service("payments"))
    access.table.delete()
    page = lead_client.get(reverse("admin:ownership_deleted")).content.decode()
    assert "orders" in page
    assert "payments → orders" not in page, "a table stands for its accesses"
    timeline, restore = (
        re.search(r'href="(/admin/ownership/table/\d+/history/)"', page),
        re.search(r'"([^"]+/undo/\d+/)"', page),
    )
    gone = lead_client.get(timeline.group(1))
    assert "orders was deleted; this is its history. Restore…" in text_of(gone.text)
    assert f'class="button" href="{restore.group(1)}"' in gone.content.decode()
    page = lead_client.get(restore.group(1))
    assert "Restore orders, revision" in text_of(page.text)
    form = form_of(page)
    lead_client.post(restore.group(1), form | {"reason": "Still needed"})
    assert Table.objects.get().accesses.get().service.name == "payments"
    assert "No deleted rows." in text_of(lead_client.get(reverse("admin:ownership_deleted")).text)


def test_an_access_that_exists_again_is_not_offered_for_restoring(lead_client):
    access = make_access(make_table("orders"), make_service("payments"))
    access.delete()
    anew = make_access(Table.objects.get(), Service.objects.get(name="payments"))
    page = lead_client.get(reverse("admin:ownership_deleted"))
    assert "This name is in use again: payments → orders" in text_of(page.text)
    assert reverse("admin:ownership_access_change", args=[anew.pk]) in page.content.decode()
    assert "Restore…" not in text_of(page.text)
    Access.objects.get().delete()
    assert text_of(lead_client.get(reverse("admin:ownership_deleted")).text).count("Restore…") == 2


def test_deleted_rows_are_shown_page_by_page(lead_client, monkeypatch):
    monkeypatch.setattr(changes_admin, "DELETED_SHOWN", 3)
    for number in range(8):
        make_service(f"service-{number}")
    with change_set(reason="All at once"):
        Service.objects.all().delete()
    shown, address = [], "?"
    while address:
        page = lead_client.get(reverse("admin:ownership_deleted") + address).content.decode()
        shown += re.findall(r"<strong>(service-\d)", page)
        address = next(iter(re.findall(r'href="(\?before=[\d.]+)"', page)), "")
    assert sorted(shown) == [f"service-{number}" for number in range(8)]


@pytest.mark.slow
def test_a_timeline_leads_to_the_entries_that_it_folds_and_to_the_rest_of_the_change_set(
    lead_client,
):
    service = make_service("payments")
    with change_set(reason="Many"):
        for number in range(30):
            make_access(make_table(f"table-{number:02}"), service)
    for address in (
        reverse("admin:ownership_service_history", args=[service.pk]),
        reverse("pages:service-history", args=["payments"]),
    ):
        page = lead_client.get(address)
        assert "and 61 more entries in this change set" in text_of(page.text)
        assert len(set(ACCESS.findall(text_of(page.text)))) == 20
        rest = (
            re.search(r'href="([^"]*within[^"]*)"', page.content.decode())
            .group(1)
            .replace("&amp;", "&")
        )
        assert len(set(ACCESS.findall(text_of(lead_client.get(address + rest).text)))) == 10


def test_a_long_note_shows_the_change_and_the_whole_text_on_demand(lead_client):
    note = "Same words. " * 50
    access = make_access(notes=f"{note}It reads.")
    edit(access, notes=f"{note}It writes.")
    page = lead_client.get(
        reverse("admin:ownership_access_history", args=[access.pk])
    ).content.decode()
    assert "…" in page
    assert f'<span class="unseen">new: </span>{note}It writes.</span></details' in page


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("", "/changes/"),
        (
            "?q=orders&user_name=lead&from=2026-01-01",
            "/changes/?q=orders&from=2026-01-01&user=lead",
        ),
        ("1/change/", "/changes/1/"),
        ("1/history/", "/changes/1/"),
    ],
)
def test_change_sets_have_pages_of_their_own_to_which_the_admin_leads(viewer_client, address, page):
    make_service("payments")
    assert viewer_client.get(RECENT + address).headers["Location"] == page
    assert viewer_client.get(f"{RECENT}99/history/").status_code == 404
