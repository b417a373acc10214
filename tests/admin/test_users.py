"""Administrators make accounts by a name and a role."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ownership.admin.users import role_of
from ownership.models import ProviderIdentity
from ownership.models.rights import TEAM_LEADS, VIEWERS
from tests.support.admin_forms import form_of
from tests.support.pages import submit_buttons, text_of

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]

ADD = "/admin/auth/user/add/"
USERS = "/admin/auth/user/"
PASSWORD = "a long pass phrase"


def change(user: User) -> str:
    return reverse("admin:auth_user_change", args=[user.pk])


def save(client, user, **fields):
    form = form_of(client.get(change(user)))
    # A browser leaves an unchecked box out.
    return client.post(
        change(user), {key: value for key, value in (form | fields).items() if value is not None}
    )


def test_a_new_account_gets_the_address_for_its_mail_at_once(admin_client):
    form = form_of(admin_client.get(ADD)) | {
        "username": "new",
        "email": "new@registry.example",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    admin_client.post(ADD, form)
    assert User.objects.get(username="new").email == "new@registry.example"


def test_an_account_for_a_team_lead_takes_a_name_a_password_and_nothing_else(admin_client):
    form = form_of(admin_client.get(ADD)) | {
        "username": "new",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    assert admin_client.post(ADD, form)["Location"] == USERS
    user = User.objects.get(username="new")
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert [group.name for group in user.groups.all()] == [TEAM_LEADS]
    client = Client()
    client.post("/admin/login/", {"username": "new", "password": PASSWORD})
    assert client.get("/admin/ownership/table/add/").status_code == 200


@pytest.mark.parametrize(
    ("role", "groups", "is_superuser"),
    [("lead", [TEAM_LEADS], False), ("viewer", [VIEWERS], False), ("administrator", [], True)],
)
def test_a_role_is_changed_and_leaves_nothing_of_the_old_one(
    admin_client, lead, viewer, role, groups, is_superuser
):
    for user in (lead, viewer):
        assert save(admin_client, user, role=role).status_code == 302
        user = User.objects.get(pk=user.pk)
        assert [group.name for group in user.groups.all()] == groups
        assert user.is_superuser == user.is_staff == is_superuser
        assert role_of(user) == role


def test_other_groups_of_an_account_stay(admin_client, lead):
    lead.groups.add(Group.objects.create(name="Others"))
    save(admin_client, lead, role="viewer")
    assert {group.name for group in lead.groups.all()} == {VIEWERS, "Others"}


def test_the_page_does_not_speak_of_staff_status_and_single_permissions(admin_client, lead):
    for address in (ADD, change(lead), USERS):
        page = admin_client.get(address).text
        assert "staff" not in page.lower()
        assert "user_permissions" not in page
    assert "/admin/auth/group/" not in admin_client.get("/admin/").text


def test_deleting_an_account_says_what_stays_and_names_no_inner_rows(admin_client, lead):
    address = reverse("admin:auth_user_delete", args=[lead.pk])
    page = admin_client.get(address)
    assert "What it changed stays in the history" in text_of(page.text)
    assert "User_groups" not in page.text
    admin_client.post(address, form_of(page))
    assert not User.objects.filter(pk=lead.pk).exists()


def test_the_history_of_an_account_leads_to_what_the_account_changed(admin_client, lead):
    address = reverse("admin:auth_user_history", args=[lead.pk])
    page = admin_client.get(address)
    words = text_of(page.text)
    assert "Users &rsaquo; lead &rsaquo; History" in words
    assert "Nobody has changed this here yet." in words
    assert 'href="/changes/?user=lead"' in page.text
    save(admin_client, lead, role="viewer")
    assert "Nobody has changed this" not in admin_client.get(address).text


def test_the_list_shows_each_account_s_role(admin_client, lead, viewer):
    page = text_of(admin_client.get(USERS).text)
    for words in ("lead Team lead", "viewer Viewer", "admin Administrator"):
        assert words in page
    assert change(viewer) not in admin_client.get(USERS, {"role": "lead"}).text
    before = query_count(admin_client)
    for number in range(5):
        User.objects.create_user(f"more-{number}").groups.add(Group.objects.get(name=VIEWERS))
    assert query_count(admin_client) == before


def query_count(client) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(USERS).status_code == 200
    return len(queries)


def test_the_last_administrator_stays_one(admin_client, admin_user):
    for fields in ({"role": "lead"}, {"is_active": None}):
        page = save(admin_client, admin_user, **fields)
        assert "This is the only administrator who can sign in." in text_of(page.text)
        assert User.objects.filter(pk=admin_user.pk, is_superuser=True, is_active=True).exists()
    User.objects.create_superuser("second")
    assert save(admin_client, admin_user, role="lead").status_code == 302


def test_who_may_only_edit_accounts_makes_no_administrator(lead, viewer, lead_client, admin_user):
    for codename in ("add_user", "change_user", "view_user"):
        lead.user_permissions.add(permission(codename))
    assert save(lead_client, viewer, role="administrator").status_code == 200
    assert not User.objects.get(pk=viewer.pk).is_superuser
    assert lead_client.post(change(admin_user), {"username": "mine"}).status_code == 403


def permission(codename: str):
    return Permission.objects.get(codename=codename)


def test_an_account_from_the_provider_is_released_on_its_page(admin_client, lead, viewer):
    ProviderIdentity.objects.create(
        user=lead, issuer="https://provider.example.com", subject="248289761001"
    )
    page = admin_client.get(change(lead)).text
    assert "248289761001" in page
    assert "Provider identities" not in admin_client.get(change(viewer)).text
    assert save(admin_client, lead, **{"provider_identity-0-DELETE": None}).status_code == 302
    assert ProviderIdentity.objects.exists()
    assert save(admin_client, lead, **{"provider_identity-0-DELETE": "on"}).status_code == 302
    assert not ProviderIdentity.objects.exists()


def test_an_accounts_form_has_the_buttons_of_other_forms_and_does_not_repeat_a_password(
    admin_client, lead
):
    new = admin_client.get(ADD).text
    assert submit_buttons(new) == ["_save", "_addanother", "_continue"]
    # The script writes there what somebody typed.
    assert "data-pending" not in new
    assert submit_buttons(admin_client.get(change(lead)).text) == ["_save", "_continue"]
