"""The table's form: its accesses, a new table's first access, what is wrong, and what is said after saving."""

import re
from html import unescape

import pytest
from django.urls import reverse

from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.models import Access, Service, Table, TableGroup
from tests.support.admin_forms import change_url, form_of, open_form, save_form
from tests.support.factories import make_access, make_service, make_table
from tests.support.pages import text_of

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]

ADD = "/admin/ownership/table/add/"


def messages_of(response) -> list[str]:
    return [unescape(text_of(str(message))).strip() for message in response.context["messages"]]


def new_table(client, **fields):
    form = form_of(client.get(ADD)) | {"name": "orders", "reason": "New table"}
    owner, group = make_service("payments"), TableGroup.objects.get_or_create(name="Group")[0]
    return client.post(ADD, form | {"owner": str(owner.pk), "group": str(group.pk)} | fields)


def test_a_new_table_begins_with_its_owners_read_and_write_access(lead_client):
    page = lead_client.get(ADD)
    assert form_of(page)["accesses-0-mode"] == "read_write"
    assert new_table(lead_client).status_code == 302
    access = Access.objects.get()
    assert (access.service.name, access.mode) == ("payments", "read_write")
    assert ChangeSet.objects.first().reason == "New table"


def test_without_a_script_rows_are_chosen_by_typing_their_names(lead_client):
    typed = {"owner": "", "owner-typed": "payments", "group-typed": "Group"}
    assert new_table(lead_client, **typed).status_code == 302
    table = Table.objects.get(name="orders")
    assert (table.owner.name, table.group.name) == ("payments", "Group")
    make_service("users")
    add = reverse("admin:ownership_access_add")
    form = form_of(lead_client.get(add)) | {
        "table-typed": "orders",
        "mode": "read",
        "reason": "Reads",
    }
    assert lead_client.post(add, form | {"service-typed": "no\x00body"}).status_code == 200
    refused = lead_client.post(add, form | {"service-typed": "nobody"})
    assert 'name="service-typed" value="nobody"' in refused.text
    assert "There is no service “nobody”." in refused.text
    assert lead_client.post(add, form | {"service-typed": "users"}).status_code == 302
    assert {access.service.name for access in table.accesses.all()} == {"payments", "users"}


def test_the_access_that_a_new_table_is_offered_can_be_changed_or_removed(lead_client):
    other = make_service("users")
    assert (
        new_table(
            lead_client, **{"accesses-0-service": str(other.pk), "accesses-0-mode": "read"}
        ).status_code
        == 302
    )
    assert [(access.service, access.mode) for access in Access.objects.all()] == [(other, "read")]
    Table.objects.get().delete()
    form = {
        "name": "orders",
        "reason": "Again",
        "owner": str(other.pk),
        "group": str(TableGroup.objects.get().pk),
    }
    answer = lead_client.post(
        ADD, form_of(lead_client.get(ADD)) | form | {"accesses-0-DELETE": "on"}
    )
    assert answer.status_code == 302
    assert not Access.objects.exists()


def test_a_new_table_without_an_owner_names_the_owner_alone(lead_client):
    page = new_table(lead_client, owner="")
    assert [problem.label for problem in page.context["problems"]] == ["Owner"]


def test_an_access_added_to_an_existing_table_needs_a_service(lead_client):
    table = make_table("orders")
    form = open_form(lead_client, table) | {"accesses-TOTAL_FORMS": "1", "accesses-0-mode": "read"}
    form["accesses-0-position"] = "0"
    page = save_form(lead_client, table, form)
    assert [(problem.label, problem.field_id) for problem in page.context["problems"]] == [
        ("new access: service", "id_accesses-0-service")
    ]


def test_what_is_wrong_is_named_at_the_top_with_links_to_the_fields(lead_client):
    access = make_access(make_table("orders"), make_service("payments"))
    form = open_form(lead_client, access.table) | {
        "name": "no spaces please",
        "accesses-0-mode": "x",
    }
    page = save_form(lead_client, access.table, form, reason="")
    summary = re.search(r'<div class="errornote problems".*?</div>', page.text, re.S).group()
    links = dict(re.findall(r'<a href="#([^"]*)">([^<]*)</a>', summary))
    assert links == {
        "id_reason": "Reason for this change",
        "id_name": "Name",
        "id_accesses-0-mode": "payments → no spaces please: mode",
    }
    for field_id in ("id_reason", "id_name", "id_accesses-0-mode"):
        assert f'id="{field_id}"' in page.text
    assert "correct the error" not in page.text


def test_each_access_says_in_its_labels_whose_it_is(lead_client):
    access = make_access(make_table("orders"), make_service("payments"))
    page = text_of(lead_client.get(change_url(access.table)).text)
    for label in (
        "Mode of payments",
        "Indirect : payments",
        "Notes on payments",
        "Remove payments",
    ):
        assert label in page


def test_positions_are_fields_that_nobody_sees(lead_client):
    access = make_access(make_table("orders"))
    for row in (access.table, access, access.table.group):
        page = lead_client.get(change_url(row)).text
        inputs = re.findall(r'<input type="(\w+)" name="[^"]*position"', page)
        assert inputs
        assert set(inputs) == {"hidden"}


def test_after_saving_the_message_says_what_changed_and_offers_to_undo_it(lead_client):
    access = make_access(make_table("orders"), make_service("payments"))
    form = open_form(lead_client, access.table) | {
        "accesses-0-mode": "read_write",
        "more_title": "Wiki",
    }
    save_form(lead_client, access.table, form)
    page = lead_client.get("/admin/")
    assert messages_of(page) == [
        "Saved: orders: link text empty → Wiki · payments → orders: Read → Read + Write. View · History · Undo"
    ]
    revision = ChangeSet.objects.first().revision
    assert reverse("admin:ownership_undo", args=[revision]) in page.text


def test_the_history_of_a_table_or_service_is_read_on_its_page_for_every_reader(lead_client):
    row = make_table("orders", owner=make_service("payments"))
    for edited, address in (
        (row, "/tables/orders/history/"),
        (row.owner, "/services/payments/history/"),
    ):
        link = f'href="{address}"'
        assert link in lead_client.get(change_url(edited)).text
        save_form(lead_client, edited, open_form(lead_client, edited) | {"description": "Edited"})
        assert link in lead_client.get("/admin/").text


def test_the_first_access_of_a_new_table_says_that_it_is_the_owners(lead_client):
    page = lead_client.get(ADD).text
    assert page.count('data-placeholder="the owner"') == 1
    table = make_access().table
    assert 'data-placeholder="the owner"' not in lead_client.get(change_url(table)).text


def test_the_page_before_a_deletion_counts_in_words_what_is_deleted(lead_client):
    table = make_table("orders")
    make_access(table)
    make_access(table)
    delete = reverse("admin:ownership_table_delete", args=[table.pk])
    assert "This deletes 1 table and 2 accesses:" in text_of(lead_client.get(delete).text)


def test_the_message_ends_with_one_full_stop(lead_client):
    table = make_table("orders", description="Old.")
    save_form(lead_client, table, open_form(lead_client, table) | {"description": "New."})
    [message] = messages_of(lead_client.get("/admin/"))
    assert message.startswith("Saved: orders: description Old. → New. View")


def test_long_values_and_many_entries_are_not_spelt_out_after_saving(lead_client):
    table = make_table("orders", description="x" * 80)
    for number in range(6):
        make_access(table, make_service(f"s{number}"))
    form = open_form(lead_client, table) | {"description": "y"}
    for number in range(6):
        form[f"accesses-{number}-DELETE"] = "on"
    save_form(lead_client, table, form)
    [message] = messages_of(lead_client.get("/admin/"))
    assert message.startswith("Saved: orders: description changed · s0 → orders removed")
    assert "· 3 more." in message


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/tables/orders/", "/tables/orders/"),
        ("https://elsewhere.example/", "/admin/ownership/table/"),
        ("//elsewhere.example/", "/admin/ownership/table/"),
        ("javascript:alert(1)", "/admin/ownership/table/"),
        ("", "/admin/ownership/table/"),
    ],
)
def test_saving_leads_back_to_where_one_came_from_if_that_is_here(lead_client, address, expected):
    table = make_table("orders")
    url = f"{change_url(table)}?next={address}"
    form = form_of(lead_client.get(url)) | {"description": "Orders.", "reason": "Because"}
    assert lead_client.post(url, form)["Location"] == expected
    # The same where nothing changed.
    assert (
        lead_client.post(url, form_of(lead_client.get(url)) | {"reason": "Because"})["Location"]
        == expected
    )


def test_the_sites_edit_buttons_say_where_to_go_back_to(lead_client, seeded):
    for page in ("/tables/biztechUsers/", "/services/payments/"):
        assert f"?next={page}" in lead_client.get(page).text


def test_the_reason_is_suggested_from_the_users_latest_ones(lead_client, lead):
    table = make_table("orders")
    for reason in ("First", "Second", "Second", "Third", "Fourth", "Fifth", "Sixth"):
        table.description += "."
        with change_set(user=lead, reason=reason):
            table.save()
    table.description = ""
    with change_set(user=None, reason="Not theirs"):
        table.save()
    options = re.findall(
        r'<option value="([^"]*)"></option>', lead_client.get(change_url(table)).text
    )
    assert options == ["Sixth", "Fifth", "Fourth", "Third", "Second"]


def test_the_edit_address_of_a_deleted_row_leads_to_its_history(lead_client):
    table = make_table("orders")
    url, history = change_url(table), reverse("admin:ownership_table_history", args=[table.pk])
    table.delete()
    page = lead_client.get(url, follow=True)
    assert page.redirect_chain == [(history, 302)]
    assert messages_of(page) == []
    never = lead_client.get(change_url(Table(pk=999)), follow=True)
    assert "doesn’t exist" in messages_of(never)[0]


def test_undoing_suggests_its_reason(lead_client, lead):
    service = make_service("payments")
    with change_set(user=lead, reason="Says whom to call"):
        service.contact = "#payments"
        service.save()
    revision = ChangeSet.objects.first().revision
    form = form_of(lead_client.get(reverse("admin:ownership_undo", args=[revision])))
    assert form["reason"] == f"Undo revision {revision}: Says whom to call"
    lead_client.post(reverse("admin:ownership_undo", args=[revision]), form)
    assert Service.objects.get().contact == ""
