"""A service's form."""

import re

import pytest

from ownership.models import Service
from tests.support.admin_forms import change_url, open_form, save_form
from tests.support.factories import make_service, make_team
from tests.support.pages import text_of

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]


def test_a_services_page_links_the_tables_it_owns_reads_and_writes(lead_client, seeded):
    page = lead_client.get(change_url(Service.objects.get(name="payments"))).content.decode()
    linked = {
        name: re.search(rf'field-{name}">(.*?)</div>\s*</div>', page, re.S).group(1)
        for name in ("reads", "writes")
    }
    assert re.findall(r">(biz\w+)</a>", linked["reads"]) == [
        "biztechUsers",
        "biztechEvents",
        "biztechRegistrations",
    ]
    assert re.findall(r">(biz\w+)</a>", linked["writes"]) == [
        "biztechUsers",
        "biztechRegistrations",
        "biztechMembers2026",
        "biztechProfiles",
    ]


def test_aliases_are_typed_one_per_line(lead_client):
    service = make_service()
    form = open_form(lead_client, service) | {"aliases": "pay-prod\r\n\r\n  payments-api \r\n"}
    save_form(lead_client, service, form)
    assert Service.objects.get().aliases == ["pay-prod", "payments-api"]
    assert open_form(lead_client, service)["aliases"] == "pay-prod\npayments-api"


LIST = "/admin/ownership/service/"


def names_in(page) -> list[str]:
    """Names of the services that a page of the list shows."""
    return re.findall(r'<th class="field-name"><a [^>]+>([^<]+)</a>', page.text)


def test_services_are_listed_by_team_and_those_that_no_team_is_answerable_for(lead_client):
    wallet = make_service("wallet", team=make_team("Money"))
    make_service("till", part_of=wallet)
    make_service("coin", part_of=make_service("spare"))
    assert names_in(lead_client.get(LIST, {"team": "Money"})) == ["wallet"]
    assert names_in(lead_client.get(LIST, {"team": "(none)"})) == ["coin", "spare"]
    page = lead_client.get(LIST)
    assert '<option value="(none)">No team</option>' in page.text
    assert "till wallet as wallet" in text_of(page.text)


def test_teams_are_set_where_there_are_some(lead_client):
    make_service()
    assert "Set team…" not in lead_client.get(LIST).text
    make_team()
    assert "Set team…" in lead_client.get(LIST).text
