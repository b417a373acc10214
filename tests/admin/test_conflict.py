"""Two people edit the same row: the second gets a message, keeps their input and overwrites nothing."""

from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from ownership.admin import saving
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.models import Access, SecondaryIndex, Service, Table
from tests.support.admin_forms import change_url, form_of, open_form, save_form
from tests.support.factories import make_access, make_service, make_table

pytestmark = pytest.mark.django_db


@pytest.fixture
def table() -> Table:
    return make_table(
        "orders", owner=make_service("payments"), description="Orders.", more_title="Wiki"
    )


@pytest.fixture
def access(table) -> Access:
    return make_access(table, make_service("users"), notes="Reads orders.", mode="read")


def others_change(row, reason="Meanwhile", **fields):
    with change_set(user=None, reason=reason):
        row = type(row).objects.get(pk=row.pk)
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()


def test_a_form_that_is_up_to_date_is_saved(lead_client, table):
    form = open_form(lead_client, table)
    assert save_form(lead_client, table, form | {"description": "All orders."}).status_code == 302
    assert Table.objects.get().description == "All orders."


def test_the_second_form_is_refused_and_says_who_changed_what_and_why(lead_client, table, lead):
    form = open_form(lead_client, table)
    with change_set(user=lead, reason="Handed to users"):
        table.owner = make_service("users")
        table.save()
    response = save_form(lead_client, table, form | {"description": "All orders."})
    page = response.content.decode()
    assert response.status_code == 200
    assert Table.objects.get().description == "Orders."
    for told in ("Not saved: lead changed this", "Handed to users", "payments", "users"):
        assert told in page


def test_what_was_entered_stays_and_all_else_is_up_to_date(lead_client, table):
    form = open_form(lead_client, table)
    new_owner = make_service("users")
    others_change(table, owner=new_owner, more_title="Handbook")
    again = form_of(
        save_form(lead_client, table, form | {"description": "All orders."}, "My reason")
    )
    assert again["description"] == "All orders."
    assert again["reason"] == "My reason"
    assert again["owner"] == str(new_owner.pk)
    assert again["more_title"] == "Handbook"


@pytest.fixture
def before_the_lock(monkeypatch):
    """Let something happen once, after a form was checked and before the lock is taken to write it."""

    def let(happen) -> None:
        acts, take = [happen], saving.admin_change_set

        def taken_late(*args):
            if acts:
                acts.pop()()
            return take(*args)

        monkeypatch.setattr(saving, "admin_change_set", taken_late)

    return let


@pytest.mark.slow
@pytest.mark.parametrize("whose", ["table", "access"])
def test_a_change_between_the_checks_and_the_lock_is_a_conflict_too(
    lead_client, table, access, before_the_lock, whose
):
    form = open_form(lead_client, table)
    rows = {"table": (table, {"more_title": "Handbook"}), "access": (access, {"mode": "write"})}
    before_the_lock(lambda: others_change(rows[whose][0], **rows[whose][1]))
    response = save_form(lead_client, table, form | {"description": "All orders."})
    assert "Not saved" in response.content.decode()
    assert form_of(response)["description"] == "All orders."
    assert Table.objects.get().description == "Orders."
    assert save_form(lead_client, table, form_of(response)).status_code == 302
    access.refresh_from_db()
    assert (Table.objects.get().more_title, access.mode) in [
        ("Handbook", "read"),
        ("Wiki", "write"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("whose", ["table", "access"])
def test_a_third_change_made_while_the_conflict_page_is_built_is_not_lost(
    lead_client, table, access, monkeypatch, whose
):
    form = open_form(lead_client, table) | {"description": "All orders."}
    others_change(table, more_url="https://wiki.example")
    third = {
        "table": (table, {"more_title": "Handbook"}),
        "access": (access, {"notes": "Reads all orders."}),
    }
    (row, fields), merge = third[whose], saving.merge_posted

    def merged_late(*args):
        others_change(row, reason="Third", **fields)
        return merge(*args)

    with monkeypatch.context() as patch:
        patch.setattr(saving, "merge_posted", merged_late)
        page = save_form(lead_client, table, form)
    while "Not saved" in page.text:
        page = save_form(lead_client, table, form_of(page))
    assert page.status_code == 302
    assert Table.objects.get().description == "All orders."
    assert ChangeSet.objects.filter(reason="Third").exists()
    row.refresh_from_db()
    assert {name: getattr(row, name) for name in fields} == fields


def test_a_row_deleted_between_the_checks_and_the_lock_is_gone(lead_client, table, before_the_lock):
    form = open_form(lead_client, table)
    before_the_lock(table.delete)
    response = save_form(lead_client, table, form | {"description": "All orders."})
    assert (response.status_code, Table.objects.count()) == (409, 0)
    assert "was deleted meanwhile" in response.content.decode()


def test_a_form_whose_row_was_deleted_gives_back_what_was_entered_and_says_who_deleted_it(
    lead_client, lead, table
):
    form = open_form(lead_client, table) | {
        "description": "Long thoughts.",
        "accesses-0-mode": "read",
    }
    url = change_url(table)
    with change_set(user=lead, reason="No longer used"):
        table.delete()
    response = lead_client.post(url, form | {"reason": "Because"})
    assert response.status_code == 409
    entered = {
        "name": "orders",
        "description": "Long thoughts.",
        "reason": "Because",
        "accesses 1, mode": "Read",
    }
    assert entered.items() <= response.context["typed"].items()
    assert response.context["typed"]["owner"] == "payments"
    for words in ("orders was deleted meanwhile", "No longer used", reverse("admin:index")):
        assert words in response.text


@pytest.mark.slow
def test_a_name_taken_between_the_checks_and_the_lock_is_an_error_of_its_field(
    lead_client, table, before_the_lock
):
    form = open_form(lead_client, table)
    before_the_lock(lambda: make_table("invoices"))
    response = save_form(lead_client, table, form | {"name": "invoices"})
    assert "A table with this name already exists." in response.content.decode()
    assert sorted(Table.objects.values_list("name", flat=True)) == ["invoices", "orders"]
    assert "was changed successfully" not in lead_client.get(change_url(table)).content.decode()


@pytest.mark.slow
def test_the_merged_form_can_be_saved_and_neither_edit_is_lost(lead_client, table):
    form = open_form(lead_client, table)
    others_change(table, more_title="Handbook")
    again = form_of(save_form(lead_client, table, form | {"description": "All orders."}))
    assert save_form(lead_client, table, again).status_code == 302
    saved = Table.objects.get()
    assert (saved.description, saved.more_title) == ("All orders.", "Handbook")


def test_of_a_field_that_both_edited_the_page_shows_both_values_and_keeps_what_was_entered(
    lead_client, table
):
    form = open_form(lead_client, table)
    others_change(table, description="Theirs.")
    response = save_form(lead_client, table, form | {"description": "Mine."})
    assert form_of(response)["description"] == "Mine."
    assert "Theirs." in response.content.decode()


@pytest.mark.slow
def test_an_access_changed_by_another_is_a_conflict_of_the_tables_form(lead_client, table, access):
    form = open_form(lead_client, table)
    others_change(access, mode="read_write")
    again = form_of(save_form(lead_client, table, form | {"accesses-0-notes": "Reads all orders."}))
    assert (again["accesses-0-mode"], again["accesses-0-notes"]) == (
        "read_write",
        "Reads all orders.",
    )
    assert save_form(lead_client, table, again).status_code == 302
    saved = Access.objects.get()
    assert (saved.mode, saved.notes) == ("read_write", "Reads all orders.")


def test_an_access_deleted_by_another_and_not_edited_here_stays_deleted(lead_client, table, access):
    form = open_form(lead_client, table)
    access.delete()
    again = form_of(save_form(lead_client, table, form | {"description": "All orders."}))
    assert again["accesses-TOTAL_FORMS"] == "0"
    assert save_form(lead_client, table, again).status_code == 302
    assert not Access.objects.exists()


def test_an_access_deleted_by_another_and_edited_here_is_offered_as_a_new_one(
    lead_client, table, access
):
    form = open_form(lead_client, table)
    access.delete()
    again = form_of(save_form(lead_client, table, form | {"accesses-0-notes": "Still needed."}))
    assert save_form(lead_client, table, again).status_code == 302
    assert Access.objects.get().notes == "Still needed."


def test_an_access_added_by_another_appears_on_the_page(lead_client, table, access):
    form = open_form(lead_client, table)
    added = make_access(table, make_service("events"), mode="write")
    again = form_of(save_form(lead_client, table, form | {"description": "All orders."}))
    assert again["accesses-INITIAL_FORMS"] == "2"
    assert again["accesses-1-id"] == str(added.pk)
    assert save_form(lead_client, table, again).status_code == 302
    assert Access.objects.count() == 2


@pytest.mark.slow
def test_an_access_added_here_survives_the_merge(lead_client, table, access):
    service = make_service("bots")
    form = open_form(lead_client, table) | {
        "accesses-TOTAL_FORMS": "2",
        "accesses-1-service": str(service.pk),
        "accesses-1-mode": "write",
        "accesses-1-position": "1",
    }
    others_change(table, description="Theirs.")
    again = form_of(save_form(lead_client, table, form))
    assert save_form(lead_client, table, again).status_code == 302
    assert {row.service.name for row in Access.objects.all()} == {"users", "bots"}


def test_an_access_removed_here_is_still_marked_for_removal_after_the_merge(
    lead_client, table, access
):
    form = open_form(lead_client, table) | {"accesses-0-DELETE": "on"}
    others_change(table, description="Theirs.")
    again = form_of(save_form(lead_client, table, form))
    assert again["accesses-0-DELETE"] == "on"
    assert save_form(lead_client, table, again).status_code == 302
    assert not Access.objects.exists()


def test_an_unticked_box_counts_as_edited(lead_client, table, access):
    others_change(access, indirect=True)
    form = open_form(lead_client, table)
    del form["accesses-0-indirect"]
    others_change(table, description="Theirs.")
    again = form_of(save_form(lead_client, table, form))
    assert "accesses-0-indirect" not in again


def test_a_change_elsewhere_is_no_conflict(lead_client, table):
    form = open_form(lead_client, table)
    make_access(make_table("elsewhere"), make_service())
    assert save_form(lead_client, table, form | {"description": "All orders."}).status_code == 302


@pytest.mark.sqlite
@pytest.mark.parametrize("token", [None, "", "x", "-1", "99999", "9" * 30, "1; DROP"])
def test_a_form_without_its_revision_is_refused_and_keeps_what_was_entered(
    lead_client, table, token
):
    form = open_form(lead_client, table) | {"description": "All orders."}
    form.pop("revision")
    response = save_form(
        lead_client, table, form | ({"revision": token} if token is not None else {})
    )
    assert response.status_code == 200
    assert "does not say which revision" in response.content.decode()
    assert form_of(response)["description"] == "All orders."
    assert Table.objects.get().description == "Orders."


@pytest.mark.slow
def test_text_of_several_lines_that_nobody_edited_does_not_count_as_edited(
    lead_client, table, access
):
    others_change(access, notes="first\nsecond")
    form = open_form(lead_client, table)
    form["accesses-0-notes"] = "first\r\nsecond"
    others_change(access, notes="third")
    again = form_of(save_form(lead_client, table, form | {"description": "All orders."}))
    assert again["accesses-0-notes"] == "third"


def test_a_services_form_is_merged_too_including_its_aliases(lead_client):
    service = make_service("payments", aliases=["pay"])
    form = open_form(lead_client, service)
    others_change(service, aliases=["pay", "checkout"])
    again = form_of(save_form(lead_client, service, form | {"contact": "#payments"}))
    assert again["aliases"] == "pay\ncheckout"
    assert save_form(lead_client, service, again).status_code == 302
    assert (Service.objects.get().contact, Service.objects.get().aliases) == (
        "#payments",
        ["pay", "checkout"],
    )


def test_an_index_changed_by_another_is_a_conflict_too(lead_client, table):
    index = SecondaryIndex.objects.create(table=table, name="by-day")
    form = open_form(lead_client, table)
    others_change(index, kind="GSI")
    again = form_of(save_form(lead_client, table, form | {"description": "All orders."}))
    assert again["indexes-0-kind"] == "GSI"


def test_a_table_that_changed_since_the_delete_page_was_opened_is_not_deleted(
    lead_client, table, access
):
    url = change_url(table).replace("change", "delete")
    form = form_of(lead_client.get(url))
    others_change(access, mode="write")
    response = lead_client.post(url, form | {"reason": "Not needed"}, follow=True)
    assert "Not saved" in response.content.decode()
    assert "saved while you had this page open" in response.content.decode()
    assert Table.objects.exists()
    again = form_of(response)
    assert again["reason"] == "Not needed"
    lead_client.post(url, again)
    assert not Table.objects.exists()


def test_a_refused_form_leaves_no_change_set(lead_client: Client, table):
    form = open_form(lead_client, table)
    others_change(table, description="Theirs.")
    before = ChangeSet.objects.count()
    save_form(lead_client, table, form | {"description": "Mine."})
    assert ChangeSet.objects.count() == before


@pytest.mark.slow
def test_a_field_that_both_changed_says_who_changed_it_and_what_it_holds_now(
    lead_client, lead, table, access
):
    form = open_form(lead_client, table) | {"description": "Mine.", "accesses-0-notes": "My notes"}
    with change_set(user=lead, reason="Theirs"):
        table.description, access.notes = "Their text.", "Their notes"
        table.save()
        access.save()
    page = unescape(save_form(lead_client, table, form).content.decode())
    assert (
        "lead also changed this. Current value: “Their text.” Saving replaces it with yours."
        in page
    )
    assert f"You both changed {access}" in page
    assert "correct the error" not in page


def test_a_save_that_changes_nothing_says_so(lead_client, table):
    before = ChangeSet.objects.count()
    form = open_form(lead_client, table) | {"reason": "For nothing"}
    page = lead_client.post(change_url(table), form | {"_save": "Save"}, follow=True)
    assert [str(message) for message in page.context["messages"]] == [
        "Nothing was changed: the form matches what is stored. There is no new revision."
    ]
    assert ChangeSet.objects.count() == before


@pytest.mark.parametrize("stored", ["one\ntwo", "one\r\ntwo", "one\ntwo\n"])
def test_line_ends_are_no_change_in_the_row_and_in_its_accesses(lead_client, table, access, stored):
    with change_set(reason="Two lines"):
        table.description = access.notes = stored
        table.save()
        access.save()
    before = ChangeSet.objects.count()
    form = open_form(lead_client, table) | {"reason": "For nothing"}
    for name, value in form.items():
        form[name] = value.replace("\r\n", "\n").replace("\n", "\r\n")
    lead_client.post(change_url(table), form | {"_save": "Save"})
    assert ChangeSet.objects.count() == before

    form |= {"more_title": "The book", "reason": "A book"}
    lead_client.post(change_url(table), form | {"_save": "Save"})
    assert list(Table.history.first().changes) == ["more_title"]
    table.refresh_from_db()
    assert table.description == stored


def test_a_text_is_stored_without_the_browsers_line_ends(lead_client, table):
    form = open_form(lead_client, table) | {"description": "one\r\ntwo", "reason": "Two lines"}
    lead_client.post(change_url(table), form | {"_save": "Save"})
    table.refresh_from_db()
    assert table.description == "one\ntwo"


@pytest.mark.sqlite
@pytest.mark.parametrize("blank", ["\u3164", "\u200b", "\u2800 \u00ad", "…", "_", "\u202e"])
def test_a_reason_without_a_visible_letter_is_refused(lead_client, table, blank):
    form = open_form(lead_client, table) | {"description": "New.", "reason": blank}
    assert "Please give a reason." in lead_client.post(change_url(table), form).content.decode()
