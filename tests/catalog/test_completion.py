"""Names that the search field suggests."""

import pytest
from django.test import Client
from django.urls import reverse

from ownership.catalog.completion import completions
from ownership.models import Service, Table

URL = reverse("pages:search-suggestions")


def suggested(text):
    """What is suggested for a text, as "kind name"."""
    return [f"{completion.kind} {completion.name}" for completion in completions(text)]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("biztechUs", ["table biztechUsers"]),
        ("usersprod", []),
        ("biztechUsersPROD", ["table biztechUsers"]),
        ("users", ["service users", "table biztechUsers"]),
        ("PAYM", ["service payments"]),
        ("event-q", ["index event-query"]),
        ("two words", []),
        ("", []),
        ("x" * 300, []),
    ],
)
def test_names_that_contain_the_text_are_suggested_first_those_that_begin_with_it(
    seeded, typed, expected
):
    assert suggested(typed) == expected


def test_a_name_that_a_table_or_service_used_to_have_leads_to_it(seeded):
    table = Table.objects.get(name="biztechQRs")
    table.name = "biztechCodes"
    table.save()
    service = Service.objects.get(name="bots")
    service.name = "discord"
    service.save()
    (former_table,) = completions("biztechQR")
    assert (former_table.kind, former_table.name, former_table.remark, former_table.url) == (
        "former table",
        "biztechQRs",
        "now biztechCodes",
        "/tables/biztechCodes/",
    )
    assert suggested("BIZTECHqrs") == ["former table biztechQRs"]
    assert suggested("bots") == ["former service bots"]
    assert suggested("bo") == []  # as part of too many names
    table.delete()
    assert suggested("biztechQR") == []


def test_there_are_never_more_than_fit_on_a_screen(seeded):
    assert len(suggested("biz")) == 8


@pytest.mark.parametrize(("typed", "queries"), [("biztech", 6), ("b", 4), ("", 0)])
def test_it_takes_so_many_queries(seeded, django_assert_num_queries, typed, queries):
    """Environments, tables, services and indexes; from three letters on, former names of tables and of services."""
    with django_assert_num_queries(queries):
        completions(typed)


def test_the_page_answers_with_addresses_of_its_moment(seeded, viewer_client):
    answer = viewer_client.get(URL, {"q": "event-q", "revision": "1"})
    assert answer.json() == {
        "suggestions": [
            {
                "name": "event-query",
                "kind": "index",
                "remark": "of biztechRegistrations",
                "url": "/tables/biztechRegistrations/?revision=1#index-event-query",
            }
        ]
    }
    assert Client().get(URL, {"q": "biz"}).status_code == 302
