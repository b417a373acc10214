"""Who gets into the admin, and what they may do there."""

import html
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ownership.history.models import ChangeSet
from ownership.models import Table
from tests.support.admin_forms import change_url
from tests.support.pages import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # no database decides how the admin looks


def test_the_first_page_shows_the_latest_changes(lead_client, viewer_client, seeded):
    assert "Seeded from the table ownership map" in text_of(lead_client.get("/admin/").text)


def test_the_first_page_lists_what_is_used_most_first(admin_client, lead_client):
    page = admin_client.get("/admin/").text
    lists = re.findall(r'<tr class="model-(\w+)', page)
    map_lists = [
        "table",
        "service",
        "access",
        "tablegroup",
        "environment",
        "team",
        "waiver",
        "endpoint",
        "changeset",
    ]
    assert lists == [*map_lists, "user", "apitoken"]
    assert re.findall(r'<tr class="model-(\w+)', lead_client.get("/admin/").text) == [
        *map_lists,
        "apitoken",
    ]


def test_a_lead_gets_in_without_staff_status_and_sees_no_users_groups_or_sessions(lead_client):
    page = lead_client.get("/admin/").content.decode()
    assert "/admin/ownership/table/" in page
    assert "/admin/auth/" not in page
    for url in ("/admin/auth/user/", "/admin/auth/group/"):
        assert lead_client.get(url).status_code == 403


def test_a_viewer_sees_registry_and_history_and_changes_nothing(viewer_client, seeded):
    table = Table.objects.get(name="biztechUsers")
    page = viewer_client.get(change_url(table))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert 'name="reason"' not in page.content.decode()
    assert (
        viewer_client.get(reverse("admin:ownership_table_history", args=[table.pk])).status_code
        == 200
    )
    assert viewer_client.get("/admin/ownership/changeset/1/change/", follow=True).status_code == 200
    assert (
        viewer_client.post(
            change_url(table), {"name": "x", "reason": "y", "revision": "1"}
        ).status_code
        == 403
    )
    assert viewer_client.get(reverse("admin:ownership_table_add")).status_code == 403
    assert ChangeSet.objects.count() == 1


def test_a_viewer_can_not_write_through_the_history_page(viewer_client, seeded):
    table = Table.objects.get(name="biztechUsers")
    url = reverse("admin:ownership_table_history", args=[table.pk])
    viewer_client.post(url, {"name": "hacked", "reason": "x"})
    viewer_client.post(f"{url}1/", {"name": "hacked", "reason": "x"})
    assert Table.objects.filter(name="biztechUsers").exists()
    assert ChangeSet.objects.count() == 1


def test_the_first_page_leads_to_what_a_viewer_may_do(viewer_client):
    page = viewer_client.get("/admin/")
    assert "Import a map… Deleted rows" in text_of(page.text)
    for name in ("ownership_import", "ownership_deleted"):
        assert viewer_client.get(reverse(f"admin:{name}")).status_code == 200


def test_someone_without_a_group_does_not_get_in():
    User.objects.create_user("stranger", password="a long pass phrase")
    client = Client()
    response = client.post(
        "/admin/login/", {"username": "stranger", "password": "a long pass phrase"}
    )
    assert "This account has no role yet." in text_of(response.text)
    assert client.get("/admin/").status_code == 302


def test_nobody_edits_or_deletes_change_sets(admin_client, seeded):
    assert admin_client.get("/admin/ownership/changeset/add/").status_code == 403
    assert admin_client.get("/admin/ownership/changeset/1/delete/").status_code == 403
    assert b'name="_save"' not in admin_client.get("/admin/ownership/changeset/1/change/").content


@pytest.mark.parametrize(
    ("address", "trail"),
    [
        ("ownership/table/", "Edit › Tables"),
        ("ownership/table/add/", "Edit › Tables › Add"),
        ("ownership/table/import/", "Edit › Tables › Import a map"),
        ("ownership/changeset/1/undo/", "Edit › Change sets › Undo revision 1"),
        ("auth/user/{user}/change/", "Edit › Users › admin"),
        ("auth/user/{user}/password/", "Edit › Users › admin › Password"),
    ],
)
def test_a_page_says_which_list_it_belongs_to(admin_client, admin_user, seeded, address, trail):
    page = admin_client.get(f"/admin/{address.format(user=admin_user.pk)}").text
    crumbs = page.partition('<div class="breadcrumbs">')[2].partition("</div>")[0]
    assert html.unescape(text_of(crumbs)).split() == trail.split()
