"""Tables are handed over to another service from their list."""

import pytest
from django.test import Client

from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, entries_of
from ownership.models import Service, Table
from ownership.plans.plan import Plan
from tests.support.admin_forms import answer, form_of
from tests.support.pages import text_of

pytestmark = pytest.mark.django_db

TABLES = "/admin/ownership/table/"


def hand_over(client: Client, tables, **fields):
    selected = {"action": "hand_over", "_selected_action": [table.pk for table in tables]}
    return client.post(TABLES, selected | fields, follow=True)


def hand_over_to(client: Client, tables, owner, reason):
    """From a page opened now."""
    page = hand_over(client, tables)
    return hand_over(client, tables, **answer(page, owner=owner, reason=reason))


def test_selected_tables_are_handed_over_in_one_change_set(lead_client, seeded):
    tables = list(Table.objects.filter(owner__name="btx"))
    assert "owner btx the new owner" in text_of(hand_over(lead_client, tables).text)
    owner = Service.objects.get(name="bots")
    hand_over_to(lead_client, tables, owner.pk, "Bots takes BTX")
    assert not Table.objects.filter(owner__name="btx").exists()
    assert ChangeSet.objects.count() == 2
    assert {tuple(entry.changes["owner"]) for entry in entries_of([2])} == {("btx", "bots")}


def test_handing_over_needs_a_reason_and_an_owner(lead_client, seeded):
    tables = list(Table.objects.filter(owner__name="btx"))
    page = text_of(hand_over_to(lead_client, tables, "", "").text)
    assert "This field is required" in page
    assert "Please give a reason." in page
    assert ChangeSet.objects.count() == 1


def test_handing_over_what_changed_meanwhile_is_refused_and_keeps_what_was_chosen(lead, lead_client, seeded):
    tables = list(Table.objects.filter(owner__name="btx"))
    owner, rival = Service.objects.get(name="bots"), Service.objects.get(name="events")
    opened = hand_over(lead_client, tables)
    with change_set(user=lead, reason="Events takes it", source=ChangeSet.Source.ADMIN):
        tables[0].owner = rival
        tables[0].save()
    page = hand_over(lead_client, tables, **answer(opened, owner=owner.pk, reason="Bots takes BTX"))
    assert "lead changed this" in text_of(page.text)
    assert "Events takes it" in text_of(page.text)
    assert form_of(page)["reason"] == "Bots takes BTX"
    assert form_of(page)["owner"] == str(owner.pk)
    assert not Table.objects.filter(owner=owner, pk__in=[table.pk for table in tables]).exists()
    hand_over(lead_client, tables, **answer(page))
    assert Table.objects.filter(owner=owner, pk__in=[table.pk for table in tables]).count() == len(tables)


def test_handing_over_is_refused_where_a_table_changes_just_before_it_is_written(lead_client, seeded, monkeypatch):
    tables = list(Table.objects.filter(owner__name="btx"))
    owner, rival = Service.objects.get(name="bots"), Service.objects.get(name="events")
    apply = Plan.apply

    def apply_late(plan, **arguments):
        tables[0].owner = rival
        tables[0].save()
        return apply(plan, **arguments)

    monkeypatch.setattr(Plan, "apply", apply_late)
    page = hand_over_to(lead_client, tables, owner.pk, "Bots takes BTX")
    assert "changed this while you had the page open" in text_of(page.text)
    assert form_of(page)["owner"] == str(owner.pk)
    assert not Table.objects.filter(owner=owner, pk__in=[table.pk for table in tables]).exists()


def test_handing_over_to_the_owner_changes_nothing(lead_client, seeded):
    tables = list(Table.objects.filter(owner__name="btx"))
    page = hand_over_to(lead_client, tables, tables[0].owner_id, "Once more")
    assert "Nothing was changed: btx already owns these tables." in text_of(page.text)
    assert ChangeSet.objects.count() == 1
