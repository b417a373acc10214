"""Every form and deletion asks for a reason and is one change set; history pages show them."""

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from ownership.history.bulk import save_rows
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, entries_of
from ownership.models import Service, Table, TableGroup
from tests.support.admin_forms import answer, form_of, open_form, save_form
from tests.support.factories import make_access, make_service, make_table
from tests.support.pages import text_of

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]

TABLES = "/admin/ownership/table/"


def test_an_edit_keeps_user_reason_and_source(lead_client, lead, seeded):
    table = Table.objects.get(name="biztechUsers")
    form = open_form(lead_client, table) | {"accesses-1-mode": "read"}
    assert save_form(lead_client, table, form, "Payments writes no more").status_code == 302
    change = ChangeSet.objects.first()
    assert (change.user_name, change.reason, change.source) == (
        "lead",
        "Payments writes no more",
        "admin",
    )
    assert [entry.changes for entry in entries_of([change.revision])] == [
        {"mode": ["read_write", "read"]}
    ]


@pytest.mark.parametrize(
    ("button", "leads_to"),
    [
        ("_save", "/admin/ownership/service/"),
        ("_addanother", "/admin/ownership/service/add/"),
        ("_continue", "/admin/ownership/service/{pk}/change/"),
    ],
)
def test_each_button_of_a_new_row_saves_it_and_leads_on(lead_client, button, leads_to):
    address = reverse("admin:ownership_service_add")
    form = form_of(lead_client.get(address)) | {"name": "till", "reason": "New", button: "1"}
    response = lead_client.post(address, form)
    till = Service.objects.get(name="till")
    assert response["Location"] == leads_to.format(pk=till.pk)
    page = lead_client.get(response["Location"]).text
    assert "Saved: till added." in text_of(page)


def test_saving_and_continuing_leads_back_to_the_form_also_where_nothing_changed(lead_client):
    till = make_service("till")
    address = reverse("admin:ownership_service_change", args=[till.pk])
    for contact, message in (
        ("#till", "Saved: till: contact empty → #till."),
        ("#till", "Nothing"),
    ):
        form = form_of(lead_client.get(address)) | {"contact": contact, "reason": "Contact"}
        response = lead_client.post(address, form | {"_continue": "1"})
        assert response["Location"] == address
        assert message in text_of(lead_client.get(address).text)


def test_a_row_added_from_another_form_closes_its_window(lead_client):
    address = reverse("admin:ownership_tablegroup_add") + "?_popup=1"
    form = form_of(lead_client.get(address)) | {"name": "Sales", "reason": "New"}
    page = lead_client.post(address, form).text
    assert f"&quot;value&quot;: &quot;{TableGroup.objects.get(name='Sales').pk}&quot;" in page


def test_everything_in_one_save_is_one_change_set(lead_client, seeded):
    table = Table.objects.get(name="biztechUsers")
    form = open_form(lead_client, table)
    form |= {"description": "Accounts.", "accesses-0-notes": "CRUD", "accesses-2-DELETE": "on"}
    save_form(lead_client, table, form)
    assert ChangeSet.objects.count() == 2
    assert len(entries_of([2])) == 3


@pytest.mark.slow
@pytest.mark.parametrize("reason", ["", "   ", "x" * 1001])
def test_without_a_reason_nothing_is_saved_and_what_was_entered_stays(lead_client, seeded, reason):
    table = Table.objects.get(name="biztechUsers")
    response = save_form(
        lead_client, table, open_form(lead_client, table) | {"description": "Typed."}, reason
    )
    assert response.status_code == 200
    assert form_of(response)["description"] == "Typed."
    assert Table.objects.get(name="biztechUsers").description == "User accounts."
    assert ChangeSet.objects.count() == 1


def test_adding_asks_for_a_reason_too(lead_client):
    url = reverse("admin:ownership_service_add")
    form = form_of(lead_client.get(url)) | {"name": "checkout"}
    assert lead_client.post(url, form | {"reason": ""}).status_code == 200
    assert not Service.objects.exists()
    assert lead_client.post(url, form | {"reason": "New service"}).status_code == 302
    assert ChangeSet.objects.get().reason == "New service"


def test_deleting_asks_for_a_reason(lead_client):
    service = make_service()
    url = reverse("admin:ownership_service_delete", args=[service.pk])
    form = form_of(lead_client.get(url))
    assert "reason" in form
    page = lead_client.post(url, form | {"reason": " "}, follow=True)
    assert "Nothing was deleted. Please give a reason." in text_of(page.text)
    assert Service.objects.exists()
    lead_client.post(url, form | {"reason": "Shut down"})
    assert not Service.objects.exists()
    assert ChangeSet.objects.first().reason == "Shut down"


def test_a_deletion_says_what_was_removed_and_offers_to_undo_it(lead_client):
    table = make_table("orders")
    make_access(table, make_service("payments"))
    url = reverse("admin:ownership_table_delete", args=[table.pk])
    done = lead_client.post(url, form_of(lead_client.get(url)) | {"reason": "Gone"}, follow=True)
    assert "Saved: payments → orders removed · orders removed. History · Undo" in text_of(done.text)
    undo = reverse("admin:ownership_undo", args=[ChangeSet.objects.first().revision])
    assert undo in done.text


def test_deleting_several_asks_for_a_reason_and_is_one_change_set(lead_client):
    services = [make_service(), make_service()]
    url = reverse("admin:ownership_service_changelist")
    chosen = {"action": "delete_selected", "_selected_action": [service.pk for service in services]}
    page = lead_client.post(url, chosen)
    assert 'name="reason"' in page.content.decode()
    form = form_of(page) | chosen
    assert "Please give a reason." in text_of(
        lead_client.post(url, form | {"reason": ""}, follow=True).text
    )
    assert Service.objects.count() == 2
    before = ChangeSet.objects.count()
    done = text_of(lead_client.post(url, form | {"reason": "Both shut down"}, follow=True).text)
    assert "removed. Undo" in done
    assert "Successfully" not in done
    assert not Service.objects.exists()
    assert ChangeSet.objects.count() == before + 1


def test_deleting_a_service_that_owns_or_uses_tables_is_refused_and_names_them(lead_client, seeded):
    service = Service.objects.get(name="payments")
    url = reverse("admin:ownership_service_delete", args=[service.pk])
    response = lead_client.get(url)
    page = text_of(response.text)
    assert "biztechUsers" in page
    assert "biztechProfiles" in page
    assert "This service is still in use. Do this first: Remove its 5 accesses… Cancel" in page
    assert "/admin/ownership/access/?service=payments" in response.text
    lead_client.post(url, {"post": "yes", "reason": "Gone", "revision": "1"})
    assert Service.objects.filter(name="payments").exists()


@pytest.mark.slow
def test_a_page_s_title_names_what_it_is_about(lead_client, viewer_client, seeded):
    table = Table.objects.get(name="biztechUsers")
    form, delete = f"{TABLES}{table.pk}/change/", f"{TABLES}{table.pk}/delete/"
    service = f"/admin/ownership/service/{table.owner_id}/delete/"
    titles = {
        "Edit biztechUsers": lead_client.get(form),
        "biztechUsers": viewer_client.get(form),
        "Delete biztechUsers": lead_client.get(delete),
        "Can’t delete users": lead_client.get(service),
        "Delete 1 table": lead_client.post(
            TABLES, {"action": "delete_selected", "_selected_action": table.pk}
        ),
    }
    for title, response in titles.items():
        page = text_of(response.text)
        assert f"{title} · Ownership registry" in page
        assert page.count(title) >= 2, "the heading"


def test_a_form_with_an_error_keeps_the_stored_name_in_its_heading(lead_client, admin_client):
    service, user = make_service("wallet"), User.objects.create(username="ann")
    typed = open_form(lead_client, service) | {"name": "purse"}
    page = save_form(lead_client, service, typed, reason="")
    accounts = admin_client.post(f"/admin/auth/user/{user.pk}/change/", {"username": "a b"})
    for name, shown in (("wallet", page), ("ann", accounts)):
        assert "Error: " in shown.text
        assert f"Edit {name} · Ownership registry" in text_of(shown.text)
        assert f"<h1>Edit {name}</h1>" in shown.text
        crumbs = shown.text.partition('<div class="breadcrumbs">')[2].partition("</div>")[0]
        assert text_of(crumbs).split()[-1] == name
    assert form_of(page)["name"] == "purse"


@pytest.mark.parametrize("model", ["access", "environment", "service", "tablegroup"])
def test_fields_for_texts_are_three_lines_high(lead_client, model):
    page = lead_client.get(reverse(f"admin:ownership_{model}_add")).text
    assert set(re.findall(r'rows="(\d+)"', page)) == {"3"}


def test_djangos_own_log_is_not_written_beside_the_history(lead_client, seeded):
    from django.contrib.admin.models import LogEntry

    table = Table.objects.get(name="biztechUsers")
    save_form(lead_client, table, open_form(lead_client, table) | {"description": "Accounts."})
    assert not LogEntry.objects.exists()


def test_an_address_typed_without_scheme_is_https(lead_client):
    service = make_service()
    save_form(
        lead_client, service, open_form(lead_client, service) | {"repository": "example.org/repo"}
    )
    assert Service.objects.get().repository == "https://example.org/repo"


@pytest.mark.slow
def test_the_history_page_shows_who_why_and_old_and_new_in_words(lead_client, seeded):
    table = Table.objects.get(name="biztechUsers")
    save_form(
        lead_client,
        table,
        open_form(lead_client, table) | {"accesses-1-mode": "read"},
        "Payments writes no more",
    )
    page = text_of(lead_client.get(reverse("admin:ownership_table_history", args=[table.pk])).text)
    assert "Access payments → biztechUsers old: Read + Write → new: Read Undo…" in page
    assert "Payments writes no more" in page
    assert "lead" in page


def test_the_history_of_a_deleted_table_can_be_read(lead_client):
    access = make_access(make_table("orders"), make_service("payments"))
    pk = access.table.pk
    access.table.delete()
    page = text_of(lead_client.get(reverse("admin:ownership_table_history", args=[pk])).text)
    assert "orders was deleted" in page
    assert "payments → orders deleted" in page


@pytest.mark.parametrize("pk", ["999", "0", "abc", "x y", "99999999999999999999999", "_00"])
def test_the_history_of_something_that_never_existed_is_not_an_error(lead_client, pk):
    response = lead_client.get(f"/admin/ownership/table/{pk}/history/", follow=True)
    assert response.status_code == 200
    assert "doesn’t exist" in text_of(response.text)


def test_deleting_several_of_which_one_changed_meanwhile_is_refused(lead, lead_client):
    services = [make_service(), make_service()]
    url = reverse("admin:ownership_service_changelist")
    chosen = {"action": "delete_selected", "_selected_action": [service.pk for service in services]}
    opened = answer(lead_client.post(url, chosen))
    with change_set(user=lead, reason="Still needed", source=ChangeSet.Source.ADMIN):
        services[1].description = "Still in use."
        services[1].save()
    page = lead_client.post(url, chosen | opened | {"reason": "Both shut down"})
    assert "Still needed" in text_of(page.text)
    assert Service.objects.count() == 2
    lead_client.post(url, chosen | answer(page))
    assert not Service.objects.exists()


@pytest.mark.parametrize("action", ["delete_selected", "edit_tables"])
def test_an_action_without_the_revision_of_its_page_is_refused(lead_client, action):
    table = make_table()
    form = {
        "action": action,
        "_selected_action": table.pk,
        "post": "yes",
        "apply": "yes",
        "reason": "x",
    }
    page = lead_client.post(TABLES, form | {"owner": make_service().pk})
    assert "does not say which revision" in text_of(page.text)
    assert Table.objects.get().owner == table.owner


@pytest.mark.slow
def test_more_rows_than_djangos_form_takes_are_deleted_at_once(lead_client, seeded):
    owner = Service.objects.get(name="events")
    group = Table.objects.first().group
    save_rows(Table(name=f"many-{n}", group=group, owner=owner, position=n) for n in range(1_100))
    chosen = [
        str(pk)
        for pk in Table.objects.filter(name__startswith="many-").values_list("pk", flat=True)
    ]
    form = {"action": "delete_selected", "_selected_action": chosen[:1], "select_across": "1"}
    page = lead_client.post(f"{TABLES}?q=many-", form)
    assert page.status_code == 200
    confirmed = {
        "action": "delete_selected",
        "_selected_action": chosen,
        "post": "yes",
        "reason": "Never used",
    }
    answer = lead_client.post(
        f"{TABLES}?q=many-", confirmed | {"revision": form_of(page)["revision"]}
    )
    assert answer.status_code == 302
    assert Table.objects.count() == 34


def test_a_new_row_comes_last_unless_the_address_says_otherwise(lead_client, seeded):
    last = Table.objects.order_by("-position").first().position
    assert form_of(lead_client.get("/admin/ownership/table/add/"))["position"] == str(last + 1)
    assert form_of(lead_client.get("/admin/ownership/table/add/?position=3"))["position"] == "3"
    groups = TableGroup.objects.order_by("-position").first().position
    assert form_of(lead_client.get("/admin/ownership/tablegroup/add/"))["position"] == str(
        groups + 1
    )
