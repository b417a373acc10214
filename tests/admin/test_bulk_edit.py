"""Many rows are edited from their list: a preview, one reason, one change set."""

import re

import pytest
from django.test import Client

from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, entries_of
from ownership.models import Access, Service, Table, TableGroup
from ownership.plans.bulk_edit import AccessEdit, ServiceEdit, TableEdit
from ownership.plans.plan import Plan
from tests.support.admin_forms import answer, form_of
from tests.support.factories import make_access, make_service, make_table, make_team
from tests.support.pages import text_of

pytestmark = pytest.mark.django_db

TABLES = "/admin/ownership/table/"
ACCESSES = "/admin/ownership/access/"
SERVICES = "/admin/ownership/service/"
LISTS = {
    Table: (TABLES, "edit_tables"),
    Access: (ACCESSES, "edit_accesses"),
    Service: (SERVICES, "set_team"),
}


def edit(client: Client, rows, **fields):
    """The page of the selected rows; fields are what is posted with them."""
    address, action = LISTS[type(rows[0])]
    selected = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(address, selected | fields, follow=True)


def preview(client: Client, rows, **fields):
    """The page with a preview of these fields."""
    return edit(client, rows, **(answer(edit(client, rows)) | {"preview": "yes"} | fields))


def apply(client: Client, rows, page, **fields):
    """Apply what the page previews."""
    return edit(client, rows, **(answer(page) | {"apply": "Apply", "reason": "Because"} | fields))


@pytest.fixture
def tables(seeded) -> list[Table]:
    return list(Table.objects.filter(owner__name="btx"))


@pytest.fixture
def bots(seeded) -> Service:
    return Service.objects.get(name="bots")


def test_tables_are_handed_over_with_their_accesses_in_one_change_set(lead_client, tables, bots):
    page = preview(lead_client, tables, owner=bots.pk)
    assert "owner btx bots" in text_of(page.text)
    assert "service btx bots" in text_of(page.text)
    assert ChangeSet.objects.count() == 1
    done = apply(lead_client, tables, page, reason="Bots takes BTX")
    assert f"Saved: {2 * len(tables)} entries changed." in text_of(done.text)
    assert not Table.objects.filter(owner__name="btx").exists()
    assert Access.objects.filter(table__in=tables, service=bots).count() == len(tables)
    assert not Access.objects.filter(table__in=tables, service__name="btx").exists()
    change = ChangeSet.objects.first()
    assert (change.revision, change.reason, change.source, change.user_name) == (
        2,
        "Bots takes BTX",
        "admin",
        "lead",
    )


def test_accesses_stay_where_nobody_asks_to_move_them(lead_client, tables, bots):
    form = answer(edit(lead_client, tables))
    del form["move_accesses"]
    page = edit(lead_client, tables, **(form | {"preview": "yes", "owner": bots.pk}))
    apply(lead_client, tables, page)
    assert {tuple(entry.changes["owner"]) for entry in entries_of([2])} == {("btx", "bots")}
    assert Access.objects.filter(table__in=tables, service__name="btx").count() == len(tables)


def test_a_new_owner_with_an_access_of_its_own_gets_the_mode_of_both(lead_client):
    old, new = make_service("payments"), make_service("users")
    table = make_table("orders", owner=old)
    make_access(table, old, mode="write", notes="Owner.")
    make_access(table, new, mode="read", notes="Reads orders.")
    page = preview(lead_client, [table], owner=new.pk)
    apply(lead_client, [table], page)
    [access] = Access.objects.all()
    assert (access.service, access.mode, access.notes) == (new, "read_write", "Reads orders.")


def test_tables_get_another_group(lead_client, tables):
    group = TableGroup.objects.get(name="Core Tables")
    page = preview(lead_client, tables, group=group.pk)
    apply(lead_client, tables, page)
    assert Table.objects.filter(pk__in=[table.pk for table in tables], group=group).count() == len(
        tables
    )


def test_mode_indirect_and_notes_of_accesses_are_set_at_once(lead_client, seeded):
    accesses = list(Access.objects.all()[:20])
    page = preview(lead_client, accesses, mode="read", indirect="yes", notes="Reviewed.")
    apply(lead_client, accesses, page)
    stored = Access.objects.filter(pk__in=[access.pk for access in accesses])
    assert set(stored.values_list("mode", "indirect", "notes")) == {("read", True, "Reviewed.")}
    assert ChangeSet.objects.count() == 2


def test_notes_are_kept_unless_they_are_to_be_removed(lead_client):
    access = make_access(notes="Reads orders.")
    apply(lead_client, [access], preview(lead_client, [access], mode="write"))
    access.refresh_from_db()
    assert (access.mode, access.notes) == ("write", "Reads orders.")
    apply(lead_client, [access], preview(lead_client, [access], clear_notes="on"))
    access.refresh_from_db()
    assert access.notes == ""


def test_a_button_of_the_list_previews_a_mode_at_once(lead_client):
    access, other = make_access(mode="write"), make_access(mode="read")
    buttons = dict(
        re.findall(r'name="index" value="(\d)">([^<]+)<', lead_client.get(ACCESSES).text)
    )
    [index] = [index for index, label in buttons.items() if label == "Set Read"]
    actions = re.findall(r'name="action" value="(\w+)"', lead_client.get(ACCESSES).text)
    selected = {"action": actions, "index": index, "_selected_action": [access.pk, other.pk]}
    page = lead_client.post(ACCESSES, selected)
    assert "1 of the selected accesses already has these values" in text_of(page.text)
    assert "mode Write Read" in text_of(page.text)
    apply(lead_client, [access, other], page)
    assert Access.objects.filter(mode="read").count() == 2


def test_the_buttons_of_whoever_can_only_suggest_say_so(viewer_client, lead_client):
    make_access()
    labels = [
        re.findall(r'name="index" value="\d">([^<]+)<', client.get(ACCESSES).text)[:2]
        for client in (viewer_client, lead_client)
    ]
    assert labels == [["Suggest: edit…", "Suggest: set Read"], ["Edit…", "Set Read"]]


def test_without_a_reason_nothing_is_changed(lead_client, tables, bots):
    page = apply(lead_client, tables, preview(lead_client, tables, owner=bots.pk), reason=" ")
    assert "Please give a reason." in text_of(page.text)
    assert ChangeSet.objects.count() == 1


@pytest.mark.slow
def test_what_nobody_saw_a_preview_of_is_shown_first(lead_client, tables, bots):
    page = edit(lead_client, tables)
    page = apply(lead_client, tables, page, owner=bots.pk)
    assert "Nothing was changed yet. Check the preview, then apply." in text_of(page.text)
    assert ChangeSet.objects.count() == 1
    apply(lead_client, tables, page)
    assert ChangeSet.objects.count() == 2


@pytest.mark.slow
def test_what_changed_meanwhile_is_refused_and_what_was_chosen_stays(
    lead, lead_client, tables, bots
):
    opened = preview(lead_client, tables, owner=bots.pk)
    rival = Service.objects.get(name="events")
    with change_set(user=lead, reason="Events takes it", source=ChangeSet.Source.ADMIN):
        tables[0].owner = rival
        tables[0].save()
    page = apply(lead_client, tables, opened, reason="Bots takes BTX")
    assert "lead changed this" in text_of(page.text)
    assert "Events takes it" in text_of(page.text)
    assert form_of(page)["reason"] == "Bots takes BTX"
    assert form_of(page)["owner"] == str(bots.pk)
    assert not Table.objects.filter(owner=bots, pk__in=[table.pk for table in tables]).exists()
    apply(lead_client, tables, page)
    assert Table.objects.filter(owner=bots, pk__in=[table.pk for table in tables]).count() == len(
        tables
    )


def test_it_is_refused_where_a_table_changes_just_before_it_is_written(
    lead_client, tables, bots, monkeypatch
):
    rival = Service.objects.get(name="events")
    opened = preview(lead_client, tables, owner=bots.pk)
    apply_plan = Plan.apply

    def apply_late(plan, **arguments):
        tables[0].owner = rival
        tables[0].save()
        return apply_plan(plan, **arguments)

    monkeypatch.setattr(Plan, "apply", apply_late)
    page = apply(lead_client, tables, opened)
    assert "changed this while you had the page open" in text_of(page.text)
    assert form_of(page)["owner"] == str(bots.pk)
    assert not Table.objects.filter(owner=bots, pk__in=[table.pk for table in tables]).exists()


def test_choosing_what_is_stored_changes_nothing(lead_client, tables):
    page = preview(lead_client, tables, owner=tables[0].owner_id)
    done = apply(lead_client, tables, page)
    assert "Nothing was changed: these rows already have the values that you chose." in text_of(
        done.text
    )
    assert ChangeSet.objects.count() == 1


def test_services_get_a_team_in_one_change_set(lead_client):
    money, bots = make_team("Money"), make_team("Bots")
    services = [
        make_service("wallet"),
        make_service("till", team=bots),
        make_service("a", team=money),
    ]
    page = preview(lead_client, services, team=money.pk)
    assert "team — Money" in text_of(page.text)
    assert "team Bots Money" in text_of(page.text)
    assert "1 of the selected services already has these values" in text_of(page.text)
    head = ChangeSet.objects.count()
    done = apply(lead_client, services, page, reason="Money takes them")
    assert "Saved: 2 entries changed." in text_of(done.text)
    assert set(Service.objects.values_list("team__name", flat=True)) == {"Money"}
    assert ChangeSet.objects.count() == head + 1


def test_services_are_taken_out_of_their_teams(lead_client):
    service = make_service(team=make_team())
    apply(lead_client, [service], preview(lead_client, [service], no_team="on"))
    service.refresh_from_db()
    assert service.team is None


def test_a_team_and_no_team_at_once_is_no_answer(lead_client):
    team = make_team()
    service = make_service(team=team)
    page = preview(lead_client, [service], team=team.pk, no_team="on")
    page = apply(lead_client, [service], page)
    assert "Choose a team or “No team”, not both." in text_of(page.text)
    service.refresh_from_db()
    assert service.team == team


def test_nothing_is_planned_for_services_before_a_team_is_chosen(lead_client):
    service = make_service(team=make_team())
    assert "Nothing changes yet: choose above what to set." in text_of(
        edit(lead_client, [service]).text
    )


def test_a_viewer_is_offered_to_suggest_edits_and_no_deletion(viewer_client, tables):
    make_service(team=make_team())
    for address in (TABLES, ACCESSES, SERVICES):
        page = viewer_client.get(address).text
        assert 'name="action"' in page
        assert "delete_selected" not in page


def test_a_plans_queries_do_not_grow_with_its_rows(seeded, django_assert_num_queries):
    bots, tables = (
        Service.objects.get(name="bots"),
        list(Table.objects.values_list("pk", flat=True)),
    )
    for pks in (tables[:2], tables):
        with django_assert_num_queries(3):
            TableEdit(owner=bots, move_accesses=True).plan(pks)
    accesses = list(Access.objects.values_list("pk", flat=True))
    for pks in (accesses[:2], accesses):
        with django_assert_num_queries(2):
            AccessEdit(mode="read").plan(pks)
    team, services = make_team(), list(Service.objects.values_list("pk", flat=True))
    for pks in (services[:2], services):
        with django_assert_num_queries(2):
            ServiceEdit(team).plan(pks)


@pytest.mark.slow
def test_a_viewer_suggests_a_change_of_many_rows_and_writes_nothing(viewer_client, lead_client):
    accesses = [make_access(make_table(name), mode="read") for name in ("orders", "users")]
    head = ChangeSet.objects.count()
    selected = {"action": "edit_accesses", "_selected_action": [row.pk for row in accesses]}
    page = viewer_client.post(ACCESSES, selected)
    assert "Suggest a change to 2 accesses" in page.text
    fields = form_of(page) | selected | {"mode": "write"}
    preview = viewer_client.post(ACCESSES, fields | {"preview": "yes"})
    fields = form_of(preview) | selected | {"reason": "They write"}
    assert 'name="apply"' not in preview.text
    assert viewer_client.post(ACCESSES, fields | {"apply": "Apply"}).status_code == 403
    assert ChangeSet.objects.count() == head
    sent = viewer_client.post(ACCESSES, fields | {"suggest": "Suggest"}, follow=True)
    assert "Sent as 2 suggestions, one for each owner" in text_of(sent.text)
    assert {access.mode for access in Access.objects.all()} == {"read"}
    again = viewer_client.post(ACCESSES, selected | {"preview": "yes", "mode": "write"})
    assert text_of(again.text).count("by viewer") == 2
    fields = form_of(again) | selected | {"reason": "Again"}
    viewer_client.post(ACCESSES, fields | {"apply": "Apply"})
    viewer_client.post(ACCESSES, fields | {"suggest": "Suggest"})
    assert ChangeSet.objects.count() == head + 1
