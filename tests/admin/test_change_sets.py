"""Change sets in the admin: all that ever changed, filtered; one of them; and what was deleted."""

import re
from datetime import datetime

import pytest
from django.urls import reverse

from ownership.admin import change_sets as changes_admin
from ownership.history import change_sets
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.models import Access, Service, Table
from tests.support.admin_forms import form_of
from tests.support.factories import make_access, make_service, make_table
from tests.support.pages import text_of

pytestmark = pytest.mark.django_db

RECENT = "/admin/ownership/changeset/"


def head() -> int:
    return ChangeSet.objects.first().revision


def edit(row, undoes=None, **fields) -> int:
    with change_set(reason="An edit", undoes=undoes):
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()
    return head()


@pytest.mark.parametrize(
    ("query", "revisions"),
    [
        ("kind=ownership", [5, 3]),
        ("kind=access", [6]),
        ("user_name=nobody", []),
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
        assert page.count('<li class="entry"') <= 200
        shown += re.findall(r'href="/tables/(table-\d+)/"', page)
        address = next(iter(re.findall(r'href="(\?after=\d+)"', page)), "")
    assert shown == [f"table-{number:03}" for number in range(150)]


def test_deleted_entries_are_listed_opened_and_restored(lead_client):
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
    assert "No deleted entries." in text_of(lead_client.get(reverse("admin:ownership_deleted")).text)


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


def test_deleted_entries_are_shown_page_by_page(lead_client, monkeypatch):
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


def test_lists_and_timelines_say_what_a_change_set_undoes_and_what_undid_it(lead_client):
    service = make_service("payments")
    first = edit(service, contact="#a")
    second = edit(service, undoes=first, contact="")
    page = text_of(lead_client.get(RECENT).text)
    assert f"Undoes revision {first} ." in page
    assert f"Undone by revision {second} ." in page
    for address in (
        reverse("admin:ownership_service_history", args=[service.pk]),
        reverse("pages:service-history", args=["payments"]),
    ):
        page = text_of(lead_client.get(address).text)
        assert f"undoes revision {first}" in page
        assert f"undone by revision {second}" in page


def test_the_queries_of_recent_changes_do_not_grow_with_what_was_undone(lead_client, django_assert_num_queries):
    service = make_service("payments")
    for number in range(5):
        edit(service, undoes=head(), contact=f"#{number}")
    with django_assert_num_queries(18):
        lead_client.get(RECENT)


def test_names_to_filter_by_are_typed_rather_than_listed(lead_client):
    make_table("orders", owner=make_service("payments"))
    page = lead_client.get(RECENT).content.decode()
    assert 'name="table"' in page
    assert 'value="orders"' not in page
    assert "table=orders" not in page


def test_recent_changes_summarize_what_each_changed(lead_client):
    with change_set(reason="Many"):
        for number in range(4):
            make_service(f"service-{number}")
    table = make_table("orders", owner=Service.objects.first())
    for service in Service.objects.all():
        make_access(table, service)
    table.delete()
    page = text_of(lead_client.get(RECENT).text)
    assert "Table orders deleted Access service-0 → orders deleted Access service-1 → orders deleted and 2 more" in page
    assert "Service service-0 created Service service-1 created Service service-2 created and 1 more" in page


@pytest.mark.parametrize(
    ("days", "revisions"),
    [
        ("from=2026-02-01", [3, 2]),
        ("to=2026-02-01", [2, 1]),
        ("from=2026-02-01&to=2026-02-01", [2]),
        ("from=&to=", [3, 2, 1]),
        ("from=2026-02-03", []),
        ("from=2026-02-01&source=seed", []),
    ],
)
def test_recent_changes_are_narrowed_to_days_both_included(lead_client, monkeypatch, days, revisions):
    for day in ("2026-01-31T23:59:59", "2026-02-01T23:59:59", "2026-02-02T00:00:00"):
        monkeypatch.setattr(change_sets.timezone, "now", lambda day=day: datetime.fromisoformat(f"{day}+00:00"))
        make_service(f"service-{day[:10]}")
    page = lead_client.get(f"{RECENT}?{days}").content.decode()
    assert [int(number) for number in re.findall(r'field-revision"><a [^>]*>(\d+)<', page)] == revisions


def test_part_of_a_name_leads_to_the_names_that_contain_it(lead_client):
    make_table("orders")
    page = lead_client.get(f"{RECENT}?table=RDER&source=command")
    assert "No table is called “RDER”." in text_of(page.text)
    assert re.search(r'href="\?[^"]*table=orders[^"]*">orders<', page.content.decode())
    assert '<input type="hidden" name="source" value="command">' in page.content.decode()


@pytest.mark.parametrize(
    "address", ["from=nonsense", "to=9999-12-31", "kind=nonsense", "source=nonsense", "user_name=nonsense"]
)
def test_an_unknown_value_of_a_filter_finds_nothing(lead_client, address):
    make_table("orders")
    page = text_of(lead_client.get(f"{RECENT}?{address}").text)
    assert "Recent changes" in page
    assert "0 change sets" in page


@pytest.mark.parametrize("address", ["from=nonsense", "to=9999-12-31"])
def test_an_invalid_day_is_refused_with_the_format(lead_client, address):
    make_table("orders")
    page = lead_client.get(f"{RECENT}?{address}")
    assert "Enter days as YYYY-MM-DD" in text_of(page.text)
    assert "Enter days as" not in text_of(lead_client.get(RECENT).text)


@pytest.mark.parametrize("address", ["nonsense=1", "time__gte=nonsense"])
def test_an_address_that_cannot_be_looked_up_leads_to_the_whole_list_with_a_message(lead_client, address):
    page = text_of(lead_client.get(f"{RECENT}?{address}", follow=True).text)
    assert "contains a value that can’t be searched for. Showing the whole list." in page


def test_a_change_set_s_history_is_its_own_page(lead_client):
    make_table("orders")
    response = lead_client.get(f"{RECENT}{head()}/history/")
    assert response.headers["Location"] == f"{RECENT}{head()}/change/"
    assert lead_client.get(f"{RECENT}99/history/").status_code == 404


def test_a_timeline_leads_to_the_entries_that_it_folds_and_to_the_rest_of_the_change_set(lead_client):
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
        assert len(set(re.findall(r"payments → table-\d\d", text_of(page.text)))) == 25
        rest = re.search(r'href="([^"]*within[^"]*)"', page.content.decode()).group(1).replace("&amp;", "&")
        assert len(set(re.findall(r"payments → table-\d\d", text_of(lead_client.get(address + rest).text)))) == 5


def test_a_long_note_shows_the_change_and_the_whole_text_on_demand(lead_client):
    note = "Same words. " * 50
    access = make_access(notes=f"{note}It reads.")
    edit(access, notes=f"{note}It writes.")
    page = lead_client.get(reverse("admin:ownership_access_history", args=[access.pk])).content.decode()
    assert "…" in page
    assert f'<span class="unseen">new: </span>{note}It writes.</span></details' in page
