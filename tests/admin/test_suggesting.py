"""The form for suggestions: for everybody who may look, with the checks of a save, and no write to the map."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from ownership.history.models import ChangeSet
from ownership.models import Access, Service, Suggestion, Table
from tests.support.admin_forms import form_of, open_form, save_form
from tests.support.factories import make_access, make_service, make_table
from tests.support.pages import text_of

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]


@pytest.fixture
def orders(db) -> Table:
    table = make_table("orders", description="Old", owner=make_service("payments"))
    make_access(table, make_service("bots"), mode="read")
    make_access(table, make_service("users"), mode="write")
    return table


def address(row) -> str:
    return reverse(f"admin:ownership_{row._meta.model_name}_suggest", args=[row.pk])


def suggest(client, row, *, reason="So it is", form=None, **fields):
    form = form or form_of(client.get(address(row)))
    return client.post(address(row), form | fields | {"reason": reason})


@pytest.mark.slow
def test_a_viewer_suggests_a_new_table_with_its_accesses_and_a_lead_takes_it(
    viewer_client, lead_client, orders
):
    new = "/admin/ownership/table/suggest/"
    assert f'href="{new}"' in viewer_client.get("/admin/ownership/table/").text
    assert f'href="{new}"' not in lead_client.get("/admin/ownership/table/").text
    page = viewer_client.get(new)
    assert "Suggest a table" in text_of(page.text)
    assert "add_id_owner" not in page.text  # the button to add a service
    form = form_of(page) | {
        "name": "refunds",
        "group": orders.group_id,
        "owner": orders.owner_id,
        "reason": "We begin to refund",
    }
    assert "Please give a reason" in viewer_client.post(new, form | {"reason": ""}).text
    assert "already exists" in viewer_client.post(new, form | {"name": "orders"}).text
    response = viewer_client.post(new, form)
    suggestion = Suggestion.objects.get()
    assert response["Location"] == suggestion.get_absolute_url()
    assert [(step["label"], step["what"]) for step in suggestion.steps] == [
        ("refunds", "created"),
        ("payments → refunds", "created"),
    ]
    assert not Table.objects.filter(name="refunds").exists()
    take = form_of(lead_client.get(suggestion.get_absolute_url()))
    lead_client.post(
        suggestion.get_absolute_url(), take | {"act": "take", "take": ["0", "1"], "reason": "Yes"}
    )
    [access] = Table.objects.get(name="refunds").accesses.all()
    assert (access.service, access.mode) == (orders.owner, "read_write")


@pytest.mark.slow
def test_a_viewer_suggests_to_delete_a_table_and_a_lead_takes_it(
    viewer_client, lead_client, orders
):
    fields = {"_suggest_deletion": "Suggest deletion"}
    assert "Please give a reason" in suggest(viewer_client, orders, reason="", **fields).text
    suggest(viewer_client, orders, description="Typed, and not meant", **fields)
    suggestion = Suggestion.objects.get()
    assert [(step["label"], step["what"]) for step in suggestion.steps] == [
        ("bots → orders", "deleted"),
        ("users → orders", "deleted"),
        ("orders", "deleted"),
    ]
    assert Table.objects.filter(name="orders").exists()
    take = form_of(lead_client.get(suggestion.get_absolute_url()))
    fields = {"act": "take", "take": ["0", "1", "2"], "reason": "Yes"}
    lead_client.post(suggestion.get_absolute_url(), take | fields)
    assert not Table.objects.filter(name="orders").exists()
    assert ChangeSet.objects.first().suggested_by_name == "viewer"


def test_an_access_that_may_only_be_read_leads_to_its_tables_suggestions(viewer_client, orders):
    access = orders.accesses.first()
    page = viewer_client.get(f"/admin/ownership/access/{access.pk}/change/").text
    assert f'href="{address(orders)}"' in page


def test_a_viewer_suggests_a_new_service(viewer_client, db):
    new = "/admin/ownership/service/suggest/"
    form = form_of(viewer_client.get(new)) | {"name": "refunds", "reason": "We need it"}
    assert viewer_client.post(new, form).status_code == 302
    assert not Service.objects.filter(name="refunds").exists()
    assert Suggestion.objects.get().about == "refunds"


def test_a_viewer_suggests_on_the_same_form_and_the_map_stays_as_it_is(viewer_client, orders):
    before = list(Table.objects.values()) + list(Access.objects.values())
    page = viewer_client.get(address(orders))
    assert 'value="Suggest"' in page.text
    assert "Delete…" not in page.text
    response = suggest(
        viewer_client,
        orders,
        form=form_of(page),
        description="New",
        **{"accesses-0-mode": "read_write", "accesses-1-DELETE": "on"},
    )
    suggestion = Suggestion.objects.get()
    assert response["Location"] == suggestion.get_absolute_url()
    assert list(Table.objects.values()) + list(Access.objects.values()) == before
    assert [
        (step["label"], step["what"], step["changes"].get("mode")) for step in suggestion.steps
    ] == [
        ("users → orders", "deleted", ["write", None]),
        ("orders", "changed", None),
        ("bots → orders", "changed", ["read", "read_write"]),
    ]
    assert (suggestion.user_name, suggestion.reason, suggestion.about) == (
        "viewer",
        "So it is",
        "orders",
    )


def test_an_access_can_be_suggested_for_a_table_whose_new_name_is_suggested_too(
    viewer_client, orders
):
    new = make_service("checkout")
    form = form_of(viewer_client.get(address(orders)))
    form |= {
        "accesses-TOTAL_FORMS": "3",
        "accesses-2-service": str(new.pk),
        "accesses-2-mode": "read",
    }
    suggest(viewer_client, orders, form=form | {"accesses-2-position": "2"}, name="purchases")
    table, access = Suggestion.objects.get().steps
    assert table["changes"] == {"name": ["orders", "purchases"]}
    assert (access["label"], access["ids"]["table"]) == ("checkout → orders", [None, orders.pk])


def test_a_service_can_be_suggested_to_change(viewer_client):
    service = make_service("payments")
    suggest(viewer_client, service, aliases="pay\npayment")
    assert Suggestion.objects.get().steps[0]["changes"] == {"aliases": [[], ["pay", "payment"]]}
    assert Service.objects.get().aliases == []


@pytest.mark.slow
def test_a_suggestion_needs_a_reason_a_change_and_valid_values(viewer_client, orders):
    assert "give a reason" in suggest(viewer_client, orders, reason=" ", description="New").text
    assert "letters, digits" in suggest(viewer_client, orders, name="no spaces").text
    unchanged = suggest(viewer_client, orders)
    assert unchanged["Location"] == address(orders)
    assert "Nothing was suggested: the form" in viewer_client.get(unchanged["Location"]).text
    assert not Suggestion.objects.exists()


@pytest.mark.slow
def test_what_waits_already_is_not_suggested_again(viewer_client, orders):
    suggest(viewer_client, orders, description="New")
    again = suggest(viewer_client, orders, description="New", reason="Still so")
    assert Suggestion.objects.count() == 1
    page = text_of(viewer_client.get(again["Location"]).text)
    assert "Nothing was suggested: suggestion 1, by viewer, waits already." in page

    suggest(viewer_client, orders, description="Newer")
    assert Suggestion.objects.count() == 2


@pytest.mark.slow
def test_what_somebody_saved_meanwhile_is_shown_before_anything_is_suggested(
    viewer_client, lead_client, orders
):
    form = form_of(viewer_client.get(address(orders)))
    save_form(lead_client, orders, open_form(lead_client, orders) | {"description": "Theirs"})
    page = suggest(viewer_client, orders, form=form, description="Mine", more_title="Handbook")
    assert "lead also changed this. Current value: “Theirs”" in text_of(page.text)
    assert not Suggestion.objects.exists()
    suggest(viewer_client, orders, form=form_of(page))
    [step] = Suggestion.objects.get().steps
    assert step["changes"] == {"description": ["Theirs", "Mine"], "more_title": ["", "Handbook"]}


def test_only_people_with_a_role_may_suggest_and_nobody_saves_there(
    client, viewer_client, lead_client, orders
):
    newcomer = User.objects.create_user("newcomer")
    client.force_login(newcomer)
    assert suggest(client, orders, form={"description": "New"}).status_code == 302  # to the sign-in
    suggest(lead_client, orders, description="New")
    orders.refresh_from_db()
    assert orders.description == "Old"
    assert ChangeSet.objects.first().source == "suggestion"
    assert save_form(viewer_client, orders, {"description": "New"}).status_code == 403


@pytest.mark.slow
def test_pages_offer_it_to_those_who_may_not_edit(viewer_client, lead_client, orders):
    assert address(orders) in viewer_client.get(orders.get_absolute_url()).text
    assert address(orders) not in lead_client.get(orders.get_absolute_url()).text
    assert address(orders.owner) in viewer_client.get(orders.owner.get_absolute_url()).text
