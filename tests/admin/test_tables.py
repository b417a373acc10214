"""The list of tables, and a table's form with its accesses."""

import re

import pytest

from ownership.admin import filters
from ownership.models import Access, Service, Table
from tests.support.admin_forms import change_url, open_form, save_form
from tests.support.factories import make_access, make_confirmation, make_table, make_team
from tests.support.pages import text_of
from tests.support.statements import wakings

pytestmark = pytest.mark.django_db

TABLES = "/admin/ownership/table/"


def names(response) -> list[str]:
    """The tables that a list shows, in order."""
    return re.findall(r'class="field-name"><a [^>]*>([^<]+)<', response.content.decode())


@pytest.mark.slow
def test_the_list_shows_group_owner_key_schema_writers_readers_and_last_change(
    lead_client, lead, seeded
):
    access = Access.objects.get(table__name="biztechProfiles", service__name="members")
    form = open_form(lead_client, access.table) | {"accesses-2-notes": "Changed."}
    save_form(lead_client, access.table, form)
    row = re.search(
        r"<tr>(?:(?!</tr>).)*biztechProfiles.*?</tr>",
        lead_client.get(TABLES).content.decode(),
        re.S,
    )
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row.group()))
    assert "Core Tables" in words
    assert "id (PROFILE#&lt;id&gt;) + eventID;year" in words
    assert (
        "profiles , interactions , members (indirect), payments (indirect) profiles , interactions"
        in words
    )
    assert words.rstrip().endswith("lead")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("group=Instagram+Table", ["biztechInstagramAuth"]),
        ("owner=events", ["biztechEvents", "biztechEventFeedback"]),
        ("service=bots", ["biztechMembers2026"]),
        ("service=payments&mode=write", ["biztechMembers2026", "biztechProfiles"]),
        ("service=payments&mode=read", ["biztechEvents"]),
        ("q=createProfile", ["biztechProfiles"]),
        ("q=event-form-query", ["biztechEventFeedback"]),
        ("q=feedback submissions", ["biztechEventFeedback"]),
        ("q=instagram", ["biztechInstagramAuth"]),
    ],
)
def test_filters_and_search_find(lead_client, seeded, query, expected):
    assert names(lead_client.get(f"{TABLES}?{query}")) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (f"{TABLES}?service=payments", 5),
        ("/admin/ownership/access/?service=payments", 5),
        ("/admin/ownership/access/?group=Instagram+Table", 1),
    ],
)
def test_names_are_typed_if_there_are_too_many_to_list(
    lead_client, seeded, monkeypatch, address, expected
):
    listed = lead_client.get(address)
    monkeypatch.setattr(filters, "MAX_LISTED", 5)
    typed = lead_client.get(address)
    assert listed.context["cl"].result_count == typed.context["cl"].result_count == expected
    assert '<option value="bots">bots</option>' in listed.text
    assert '<option value="bots">bots</option>' not in typed.text
    assert 'placeholder="name"' in typed.text


@pytest.mark.slow
def test_tables_are_filtered_by_how_far_they_are_confirmed(lead_client):
    make_confirmation(make_table("orders"))
    make_confirmation(make_table("receipts"), days=3)
    make_table("refunds")
    found = {}
    for state in ("confirmed", "due", "never", "overdue"):
        found[state] = names(lead_client.get(TABLES, {"confirmation": state}))
    assert found == {
        "confirmed": ["orders"],
        "due": ["receipts"],
        "never": ["refunds"],
        "overdue": [],
    }


@pytest.mark.parametrize("max_listed", [5, 100])
def test_a_filter_by_an_unknown_name_finds_nothing_and_offers_similar_names(
    lead_client, seeded, monkeypatch, max_listed
):
    monkeypatch.setattr(filters, "MAX_LISTED", max_listed)
    page = lead_client.get(f"{TABLES}?owner=event")
    assert page.context["cl"].result_count == 0
    assert "?owner=events" in page.text


@pytest.mark.parametrize("facets", ["", "&_facets=True"])
def test_a_filter_by_a_typed_name_that_is_unknown_says_so(lead_client, seeded, monkeypatch, facets):
    monkeypatch.setattr(filters, "MAX_LISTED", 5)
    sentence = "No service is called “event”."
    assert lead_client.get(f"{TABLES}?owner=event{facets}").text.count(sentence) == 1
    assert sentence not in lead_client.get(f"{TABLES}?owner=events").text


def test_the_list_is_in_the_documents_order(lead_client, seeded):
    assert names(lead_client.get(TABLES)) == list(Table.objects.values_list("name", flat=True))
    assert names(lead_client.get(TABLES))[:2] == ["biztechUsers", "biztechEvents"]


@pytest.mark.slow
def test_the_lists_queries_do_not_grow_with_the_tables(
    lead_client, seeded, django_assert_num_queries
):
    lead_client.get("/admin/")
    with django_assert_num_queries(14):
        lead_client.get(TABLES)
    with django_assert_num_queries(13):  # it was counted for this revision
        lead_client.get(TABLES)
    owner = Service.objects.get(name="events")
    owner.team = make_team()
    owner.save()
    with django_assert_num_queries(15):  # which teams are answerable for which services
        lead_client.get(TABLES)
    for number in range(40):
        make_access(make_table(f"more-{number}", owner=owner), owner)
    with django_assert_num_queries(15):
        lead_client.get(TABLES)


def test_the_list_says_the_team_beside_the_owner_once_there_are_teams(lead_client, seeded):
    assert "column-team" not in lead_client.get(TABLES).text
    whole = Service.objects.get(name="interactions")
    whole.team = make_team("Companion")
    whole.save()
    page = text_of(lead_client.get(TABLES, {"group": "Core Tables"}).text)
    assert "biztechEvents Core Tables events — id + year" in page
    page = text_of(lead_client.get(TABLES, {"owner": "teams"}).text)
    assert "teams Companion eventID;year + id" in page


@pytest.mark.slow
def test_a_list_is_counted_again_after_the_registry_changed(lead_client, seeded):
    assert lead_client.get(TABLES).context["cl"].result_count == 34
    make_table("one-more")
    assert lead_client.get(TABLES).context["cl"].result_count == 35
    found = lead_client.get(TABLES, {"q": "one-more"})
    assert found.context["cl"].result_count == 1
    assert '1 result (<a href="?">35 total</a>)' in found.text
    assert " results (" not in lead_client.get(TABLES).text
    assert lead_client.get(TABLES, {"q": "nothing-so-called"}).context["cl"].result_count == 0


@pytest.mark.parametrize(
    ("words", "tables"),
    [
        ("biztechUsers", ["biztechUsers"]),
        ("event-query", ["biztechRegistrations"]),
        ("ledger", ["biztechTransactions"]),
        ("ismember", ["biztechUsers"]),
        ("stickers ledger", []),
        ('"user accounts"', ["biztechUsers"]),
        ("accounts user", ["biztechUsers"]),
    ],
)
def test_the_list_is_searched_in_all_texts_of_a_table(lead_client, seeded, words, tables):
    assert names(lead_client.get(TABLES, {"q": words})) == tables


@pytest.mark.slow
@pytest.mark.parametrize("accesses", [1, 5])
def test_a_saves_queries_do_not_grow_with_the_rows_that_nobody_touched(
    lead_client, accesses, django_assert_num_queries
):
    table = make_table()
    for _ in range(accesses):
        make_access(table)
    form = open_form(lead_client, table)
    make_table()  # so that the form does not show the latest revision, as is usual
    with django_assert_num_queries(30 + wakings()):
        response = save_form(lead_client, table, form | {"description": "Orders."})
    assert response.status_code == 302


def test_a_save_that_changes_one_access_does_not_write_its_table(
    lead_client, django_assert_num_queries
):
    access = make_access()
    form = open_form(lead_client, access.table) | {"accesses-0-notes": "Reads orders."}
    make_table()  # so that the form does not show the latest revision, as is usual
    with django_assert_num_queries(31 + wakings()) as queries:
        response = save_form(lead_client, access.table, form)
    assert response.status_code == 302
    written = [
        query["sql"].split('"')[1]
        for query in queries
        if query["sql"].startswith(("UPDATE", "INSERT"))
    ]
    assert written == ["ownership_access", "ownership_historicalaccess", "ownership_changeset"]


@pytest.mark.slow
def test_a_tables_page_shows_physical_names_and_warnings(lead_client, seeded):
    table = Table.objects.get(name="biztechUsers")
    assert "production: biztechUsersPROD" in text_of(lead_client.get(change_url(table)).text)
    assert "has no access of its own" not in text_of(lead_client.get(change_url(table)).text)
    save_form(
        lead_client,
        table,
        open_form(lead_client, table) | {"owner": str(Service.objects.get(name="bots").pk)},
        "Handed to bots",
    )
    page = text_of(lead_client.get(change_url(table)).text)
    assert "The owner, bots, has no access of its own to this table." in page
    assert "The note on users’s access begins with “Owner.”, but the owner is bots." in page


def test_a_broken_rule_is_explained_by_its_sentence(lead_client, seeded):
    table = Table.objects.get(name="biztechUsers")
    form = open_form(lead_client, table) | {"sort_key_name": "id"}
    assert "must be different attributes" in text_of(save_form(lead_client, table, form).text)


def test_a_doubled_access_is_refused(lead_client):
    access = make_access()
    form = open_form(lead_client, access.table)
    form |= {
        "accesses-TOTAL_FORMS": "2",
        "accesses-1-service": str(access.service_id),
        "accesses-1-mode": "write",
    }
    form |= {"accesses-1-position": "1"}
    assert save_form(lead_client, access.table, form).status_code == 200
    assert Access.objects.count() == 1
