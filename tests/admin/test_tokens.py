"""People create and revoke their own API tokens."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ownership.models import ApiToken
from tests.support.admin_forms import form_of
from tests.support.pages import submit_buttons, text_of

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]


def test_a_lead_makes_a_token_sees_it_once_and_reads_the_map_with_it(lead_client, lead, seeded):
    url = reverse("admin:ownership_apitoken_add")
    page = lead_client.post(url, form_of(lead_client.get(url)) | {"name": "nightly"}, follow=True)
    token = re.search(r"own_\w{20,}", page.content.decode()).group()
    assert Client().get("/api/v1/map/").status_code == 401
    assert (
        Client().get("/api/v1/map/", headers={"authorization": f"Token {token}"}).status_code == 200
    )
    assert token not in lead_client.get("/admin/ownership/apitoken/").content.decode()


def test_a_new_tokens_form_has_one_button(lead_client):
    assert submit_buttons(lead_client.get("/admin/ownership/apitoken/add/").text) == ["_save"]


def test_people_see_and_revoke_only_their_own_tokens(lead_client, viewer_client, lead):
    token, _ = ApiToken.objects.create(user=lead, name="nightly")
    url = reverse("admin:ownership_apitoken_delete", args=[token.pk])
    assert "nightly" not in text_of(viewer_client.get("/admin/ownership/apitoken/").text)
    viewer_client.post(url, {"post": "yes"})
    assert ApiToken.objects.exists()
    lead_client.post(url, {"post": "yes"})
    assert not ApiToken.objects.exists()


def test_a_token_is_valid_until_the_end_of_the_day_that_was_chosen(lead_client):
    url = reverse("admin:ownership_apitoken_add")
    day = in_days(365)
    lead_client.post(url, {"name": "nightly", "valid_until": day})
    assert ApiToken.objects.get().expiry.isoformat().startswith(f"{day}T23:59:59")


def test_a_day_that_is_past_is_refused(lead_client):
    url = reverse("admin:ownership_apitoken_add")
    page = lead_client.post(url, {"name": "nightly", "valid_until": "2020-01-01"})
    assert "This day is past." in text_of(page.text)
    assert not ApiToken.objects.exists()


def test_a_day_beyond_a_year_is_refused(lead_client):
    url = reverse("admin:ownership_apitoken_add")
    page = lead_client.post(url, {"name": "nightly", "valid_until": in_days(366)})
    assert (
        f"A token is valid for at most a year: choose a day no later than {in_days(365)}."
        in text_of(page.text)
    )
    assert not ApiToken.objects.exists()


def test_no_page_or_address_has_anything_of_a_tokens_hash(admin_client, lead):
    token, _ = ApiToken.objects.create(user=lead, name="nightly")
    for address in ("", f"{token.pk}/change/", f"{token.pk}/delete/", f"{token.pk}/history/"):
        page = admin_client.get(f"/admin/ownership/apitoken/{address}")
        assert page.status_code == 200
        assert token.digest[:12] not in page.text
        assert token.token_key not in page.text
    admin_client.post(reverse("admin:ownership_apitoken_delete", args=[token.pk]), {"post": "yes"})
    [logged] = LogEntry.objects.all()
    assert logged.object_id == str(token.pk)


def in_days(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).date().isoformat()
