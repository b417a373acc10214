"""A service's form."""

import re

import pytest

from ownership.models import Service
from tests.support.admin_forms import change_url, open_form, save_form
from tests.support.factories import make_service

pytestmark = pytest.mark.django_db


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
