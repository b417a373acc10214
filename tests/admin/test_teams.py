"""Teams in the admin: a form with the members, the accounts that end, and what was deleted."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from ownership.history.models import ChangeSet, entries_of
from ownership.models import Membership, SecondaryIndex, Service, Team
from tests.support.admin_forms import answer, change_url, form_of, open_form, save_form
from tests.support.factories import make_member, make_service, make_table, make_team
from tests.support.pages import text_of

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]

ADD = "/admin/ownership/team/add/"


def test_a_team_is_made_with_its_members_in_one_change_set(lead_client, lead, viewer):
    form = form_of(lead_client.get(ADD)) | {
        "name": "Money",
        "contact": "#money",
        "memberships-0-user": "lead",
        "memberships-0-is_lead": "on",
        "memberships-1-user": "viewer",
        "memberships-TOTAL_FORMS": "2",
        "reason": "We have teams now",
    }
    assert lead_client.post(ADD, form).status_code == 302
    assert str(ChangeSet.objects.get()) == "Revision 1: We have teams now"
    labels = [entry.label for entry in entries_of([1])]
    assert labels == ["Money", "lead in Money", "viewer in Money"]
    assert list(Membership.objects.values_list("user__username", "is_lead")) == [
        ("lead", True),
        ("viewer", False),
    ]


def test_a_team_that_is_saved_unchanged_makes_no_revision(lead_client):
    team = make_team()
    make_member(team)
    head = ChangeSet.objects.count()
    assert save_form(lead_client, team, open_form(lead_client, team)).status_code == 302
    assert ChangeSet.objects.count() == head


@pytest.mark.parametrize("name", ["nobody", "gone", "1", "' OR 1=1"])
def test_a_member_is_an_active_account_by_its_name(lead_client, name):
    User.objects.create(username="gone", is_active=False)
    team = make_team()
    response = save_form(
        lead_client, team, open_form(lead_client, team) | {"memberships-0-user": name}
    )
    assert "No active account has this name." in text_of(response.text)
    assert not Membership.objects.exists()


def test_an_account_twice_is_said_of_the_members(lead_client, lead):
    team = make_team()
    rows = {"memberships-TOTAL_FORMS": "2", "reason": "Twice"}
    rows |= {f"memberships-{number}-user": "lead" for number in (0, 1)}
    page = text_of(save_form(lead_client, team, open_form(lead_client, team) | rows).text)
    assert "Memberships : Two rows have the same account." in page
    assert "Accesses" not in page
    assert not Membership.objects.exists()


def test_two_people_who_edit_a_team_at_once_both_keep_their_changes(lead_client):
    team = make_team("Money")
    make_member(team, "ann")
    form = open_form(lead_client, team) | {"contact": "#cash"}
    make_member(team, "ben")
    response = save_form(lead_client, team, form)
    assert "changed this while you had the page open" in text_of(response.text)
    assert save_form(lead_client, team, form_of(response)).status_code == 302
    assert Team.objects.get().contact == "#cash"
    assert list(Membership.objects.values_list("user__username", flat=True)) == ["ann", "ben"]


def test_a_service_is_given_a_team_where_there_are_teams(lead_client):
    service = make_service()
    assert "team" not in open_form(lead_client, service)
    team = make_team()
    form = open_form(lead_client, service)
    assert save_form(lead_client, service, form | {"team": team.pk}).status_code == 302
    assert Service.objects.get().team == team


def test_a_teams_form_lists_its_services_and_leads_to_those_without_a_team(
    lead_client, viewer_client
):
    team = make_team("Money")
    make_service("wallet", team=team)
    page = lead_client.get(change_url(team)).text
    assert "wallet Add services that have no team…" in text_of(page)
    assert 'href="/admin/ownership/service/?team=%28none%29"' in page
    shown = viewer_client.get(change_url(team)).text
    assert "wallet" in text_of(shown)
    assert "Add services" not in shown


def test_a_team_with_services_is_kept_and_says_what_to_do_first(lead_client):
    team = make_team("Money")
    make_service(team=team)
    page = lead_client.get(reverse("admin:ownership_team_delete", args=[team.pk]))
    assert "Give its 1 service another team" in text_of(page.text)
    assert "/admin/ownership/service/?team=Money" in page.text


def test_an_account_that_is_deleted_leaves_its_teams_in_a_change_set(admin_client):
    user = make_member(make_team("Money"), "ann")
    url = reverse("admin:auth_user_delete", args=[user.pk])
    page = admin_client.get(url)
    assert "It leaves these teams: Money" in text_of(page.text)
    assert admin_client.post(url, answer(page)).status_code == 302
    assert not User.objects.filter(username="ann").exists()
    last = ChangeSet.objects.first()
    assert (last.user_name, last.reason) == ("admin", "The account ann was deleted.")
    assert [entry.label for entry in entries_of([last.revision])] == ["ann in Money"]


def test_several_accounts_that_are_deleted_leave_their_teams(admin_client):
    team = make_team()
    users = [make_member(team), make_member(team)]
    action = {
        "action": "delete_selected",
        "_selected_action": [user.pk for user in users],
        "post": "yes",
    }
    assert admin_client.post("/admin/auth/user/", action).status_code == 302
    assert not Membership.objects.exists()
    assert not User.objects.filter(pk__in=[user.pk for user in users]).exists()


def test_deleted_indexes_and_members_link_to_the_history_of_what_they_were_part_of(lead_client):
    index = SecondaryIndex.objects.create(table=make_table(), name="by-day")
    index.delete()
    membership = make_member(make_team(), "ann").memberships.get()
    membership.delete()
    page = lead_client.get(reverse("admin:ownership_deleted")).text
    for row in (index.table, membership.team):
        assert change_url(row).replace("change/", "history/") in page
    # What went with its team comes back with the team.
    membership.team.delete()
    assert "ann" not in text_of(lead_client.get(reverse("admin:ownership_deleted")).text)
