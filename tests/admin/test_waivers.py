"""Waivers in the admin: everybody sees them, team leads extend and end them."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import localdate

from ownership.history.change_sets import change_set
from ownership.models import Waiver
from tests.support.admin_forms import change_url, form_of
from tests.support.factories import make_table, make_waiver

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
LIST = reverse("admin:ownership_waiver_changelist")


@pytest.fixture
def waiver():
    """A waiver with a reason."""
    with change_set(reason="Goes with the old site"):
        return make_waiver()


def post(client, waiver, **fields):
    response = client.get(change_url(waiver))
    return client.post(change_url(waiver), form_of(response) | fields)


def test_the_list_shows_finding_day_and_reason(viewer_client, waiver):
    page = viewer_client.get(LIST).text
    kind, _, finding = str(waiver).partition(": ")
    assert f"{kind.replace('_', ' ').capitalize()}: {finding}" in page
    assert "Goes with the old site" in page


def test_list_and_form_say_what_was_granted_in_words(lead_client):
    with change_set(reason="Goes with the old site"):
        waiver = make_waiver(granted="read_write")
    for address in (LIST, change_url(waiver)):
        page = lead_client.get(address).text
        assert "Read + Write" in page
        assert "read_write" not in page


def test_the_filter_separates_waivers_in_force_from_ended_ones(viewer_client, waiver):
    with change_set(reason="For a week"):
        ended = make_waiver(table=make_table("orders"), until=localdate() - timedelta(days=1))

    def listed(day):
        return set(viewer_client.get(LIST, {"day": day} if day else {}).context["cl"].queryset)

    assert (listed(""), listed("ahead"), listed("past")) == ({waiver, ended}, {waiver}, {ended})


def test_a_lead_extends_a_waiver_with_a_reason(lead_client, waiver):
    until = localdate() + timedelta(days=60)
    assert post(lead_client, waiver, until=str(until), reason="Two more months").status_code == 302
    told = Waiver.objects.with_decisions().get()
    assert (told.until, told.reason, told.by) == (until, "Two more months", "lead")


def test_a_waiver_lasts_a_year_at_most(lead_client, waiver):
    response = post(
        lead_client, waiver, until=str(localdate() + timedelta(days=400)), reason="For ever"
    )
    assert "A waiver lasts a year at most" in response.text
    assert Waiver.objects.get().until == waiver.until


def test_a_lead_ends_a_waiver_and_history_keeps_it(lead_client, waiver):
    delete = reverse("admin:ownership_waiver_delete", args=[waiver.pk])
    revision = form_of(lead_client.get(delete)).get("revision", "")
    lead_client.post(
        delete, {"post": "yes", "reason": "The old site is gone", "revision": revision}
    )
    assert not Waiver.objects.exists()
    assert (
        "The old site is gone"
        in lead_client.get(reverse("admin:ownership_waiver_history", args=[waiver.pk])).text
    )


def test_a_viewer_changes_nothing(viewer_client, waiver):
    assert (
        viewer_client.post(
            change_url(waiver), {"until": str(localdate()), "reason": "No"}
        ).status_code
        == 403
    )
    assert Waiver.objects.get().until == waiver.until


def test_nobody_adds_a_waiver_in_the_admin(lead_client):
    assert lead_client.get(reverse("admin:ownership_waiver_add")).status_code == 403
