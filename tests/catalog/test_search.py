"""Search finds things by what people have at hand."""

import json
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ownership.catalog.completion import completions
from ownership.catalog.search import LONGEST_TEXT, search
from ownership.history.change_sets import change_set
from ownership.history.models import current_head
from ownership.history.time_travel import as_of
from ownership.models import Environment, Service, Table, TableGroup
from tests.support.factories import make_access, make_service, make_table
from tests.support.pages import text_of

ARN = "arn:aws:dynamodb:us-west-2:123456789012:table/biztechRegistrationsPROD"
LOG = (
    '2026-11-23T02:11:08Z 5f1c ERROR {"service":"x","message":"ConditionalCheckFailed: Requested resource not found: '
    'Table: biztechUsersPROD not found.","retry":3}'
)


def known(text):
    return [(k.table.name, k.physical_name, k.environments) for k in search(text).tables]


def held(text, kind):
    [hits] = [hits for hits in search(text).hits if hits.kind == kind]
    return [str(row) for row in hits.rows]


@pytest.mark.parametrize(
    ("text", "table", "physical", "environments"),
    [
        ("biztechUsersPROD", "biztechUsers", "biztechUsersPROD", ["production"]),
        ("biztechUsers", "biztechUsers", "biztechUsers", ["dev", "staging"]),
        (ARN, "biztechRegistrations", "biztechRegistrationsPROD", ["production"]),
        (
            f"{ARN}/stream/2026-01-31T00:00:00.000",
            "biztechRegistrations",
            "biztechRegistrationsPROD",
            ["production"],
        ),
        (
            f"{ARN}/index/event-query",
            "biztechRegistrations",
            "biztechRegistrationsPROD",
            ["production"],
        ),
        (LOG, "biztechUsers", "biztechUsersPROD", ["production"]),
        ("Is it biztechUsers?", "biztechUsers", "biztechUsers", ["dev", "staging"]),
        ("It is biztechUsersPROD.", "biztechUsers", "biztechUsersPROD", ["production"]),
    ],
)
def test_a_physical_name_is_recognised_anywhere_in_the_text(
    seeded, text, table, physical, environments
):
    assert known(text) == [(table, physical, environments)]


def test_a_name_that_two_tables_can_mean_gives_both(seeded):
    make_table("biztechUsersPROD")
    assert known("biztechUsersPROD") == [
        ("biztechUsersPROD", "biztechUsersPROD", ["dev", "staging"]),
        ("biztechUsers", "biztechUsersPROD", ["production"]),
    ]


def test_a_table_is_known_by_its_base_name_where_every_environment_has_a_suffix(seeded):
    for environment in Environment.objects.filter(suffix=""):
        environment.suffix = f"-{environment.name}"
        environment.save()
    assert known("biztechUsers-dev") == [("biztechUsers", "biztechUsers-dev", ["dev"])]
    assert known("biztechUsers") == [("biztechUsers", "biztechUsers", [])]


def test_an_index_in_an_arn_is_that_of_its_table(seeded):
    assert [str(index) for index in search(f"{ARN}/index/event-query").indexes] == [
        "biztechRegistrations / event-query"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:iam::123456789012:role/payments-dev-us-east-1-lambdaRole",
        "/aws/lambda/shop-prod-payments",
        "till",
        "role/the-till-prod",
        "svc.with_parts-x",
    ],
)
def test_a_service_is_recognised_by_name_or_alias_within_the_names_of_its_infrastructure(
    seeded, text
):
    payments = Service.objects.get(name="payments")
    payments.aliases = ["till", "svc.with_parts"]
    payments.save()
    assert [service.name for service in search(text).services] == ["payments"]


def test_any_part_finds_tables_services_indexes_and_notes(seeded):
    assert sorted(held("quer", "indexes"), reverse=True) == [
        "biztechRegistrations / event-query",
        "biztechEventFeedback / event-form-query",
    ]
    assert held("ismember", "notes") == ["payments → biztechUsers", "members → biztechUsers"]
    assert "biztechEvents" in held("eVENTs", "tables")
    assert held("ledger", "tables") == ["biztechTransactions"]
    assert held("profile company", "notes") == [
        "profiles → biztechProfiles",
        "profiles → biztechQRs",
    ]


def test_the_case_of_every_letter_is_ignored_also_in_aliases(db):
    make_service("till", aliases=["Kassé Öst"])
    make_table("orders", partition_key_name="id", partition_key_format="Prüfung")
    head = current_head()
    assert held("kassÉ öst", "services") == ["till"]
    assert held("öS", "services") == ["till"]
    assert held("PRÜF", "keys") == ["orders"]
    with as_of(head.revision):
        assert held("KASSÉ", "services") == ["till"]


@pytest.fixture
def patterns(db):
    """Two environments with patterns, and the table ``orders``."""
    Environment.objects.create(name="dev", pattern="{stage}-{name}", position=1)
    Environment.objects.create(name="prod", pattern="svc-{stage}-{name}-v2", position=2)
    return make_table("orders")


@pytest.mark.parametrize(
    ("text", "environments"),
    [("dev-orders", ["dev"]), ("svc-prod-orders-v2", ["prod"]), ("orders", [])],
)
def test_a_physical_name_is_recognised_by_the_pattern_of_its_environment(
    patterns, text, environments
):
    assert [(named.table, named.environments) for named in search(f"Throttled: {text}").tables] == [
        (patterns, environments)
    ]
    assert [hit.name for hit in completions(text)] == ["orders"]


def test_part_of_a_physical_name_finds_the_table_by_the_pattern_too(patterns):
    assert held("dev-ord", "tables") == held("ders-v2", "tables") == ["orders"]
    assert [hit.name for hit in completions("svc-prod-ord")] == ["orders"]
    assert known("DEV-Orders") == [("orders", "dev-orders", ["dev"])]


def test_part_of_a_physical_name_finds_the_table(seeded):
    assert held("UsersPROD", "tables") == ["biztechUsers"]


def test_names_that_begin_with_the_text_come_before_those_that_contain_it(db):
    make_table("a-users")
    make_table("users-b")
    make_table("user")
    assert held("Use", "tables") == ["user", "users-b", "a-users"]


def test_an_exact_match_is_not_listed_again_among_the_hits(seeded):
    assert known("biztechUsers") == [("biztechUsers", "biztechUsers", ["dev", "staging"])]
    assert held("biztechUsers", "tables") == []
    assert held("events", "services") == []
    assert "biztechPartnershipEvents" in held("events", "tables")
    assert held("event-query", "indexes") == []


def test_wildcards_of_the_databases_are_searched_literally(seeded):
    assert not held("%", "tables")
    assert not held("a_z", "tables")


def test_a_very_long_text_is_searched_up_to_a_limit_and_the_page_says_so(seeded, viewer_client):
    address = reverse("pages:search")
    inside = ("word " * 900)[: LONGEST_TEXT - 20] + " biztechUsersPROD"
    page = viewer_client.get(address, {"q": inside}).text
    assert "is its physical name" in page
    assert "were ignored" not in page
    page = viewer_client.get(address, {"q": "word " * 2000 + "biztechUsersPROD"}).text
    ignored = len("word " * 2000 + "biztechUsersPROD") - LONGEST_TEXT
    assert (
        f"Only the first {LONGEST_TEXT} characters were searched; the last {ignored} were ignored."
        in page
    )


def test_the_page_says_that_dev_and_staging_share_the_table(seeded, viewer_client):
    page = viewer_client.get(reverse("pages:search"), {"q": "biztechUsers"}).text
    assert "dev and staging (one shared table)." in text_of(page)


@pytest.mark.parametrize(
    "text", ["", "   ", "'", '"', "\\", "((", "\u202e", "<b>", "💥", "a" * LONGEST_TEXT]
)
def test_odd_texts_find_little_and_break_nothing(seeded, viewer_client, text):
    response = viewer_client.get(reverse("pages:search"), {"q": text})
    assert response.status_code == 200
    assert "<b>" not in response.text


def test_the_past_is_searched_by_names_of_that_time(seeded, viewer_client):
    table = Table.objects.get(name="biztechUsers")
    table.name = "people"
    table.save()
    address = reverse("pages:search")
    assert "/tables/people/" in viewer_client.get(address, {"q": "people"}).text
    then = viewer_client.get(address, {"q": "biztechUsers", "revision": "1"}).text
    assert "/tables/biztechUsers/?revision=1" in then
    assert "/tables/people/" not in then
    with as_of(1):
        assert [row.name for row in search("iztechUser").hits[0].rows] == ["biztechUsers"]


@pytest.mark.slow
def test_it_takes_a_fixed_number_of_queries(viewer_client, django_assert_num_queries):
    def count(text):
        with CaptureQueriesContext(connection) as captured:
            viewer_client.get(reverse("pages:search"), {"q": text})
        return len(captured)

    with change_set(reason="Few"):
        make_access(make_table("hub-one"), make_service("hub-svc", aliases=["hub"]))
    few = count("hub"), count("hub-one " * 50)
    with change_set(reason="Many"):
        for number in range(60):
            make_access(make_table(f"hub-{number:03}"), make_service(aliases=["hub"]), notes="hub")
    assert (count("hub"), count("hub-001 hub-002 " * 50)) == few


def test_text_found_is_never_markup(seeded, viewer_client):
    make_service("evil", description="<script>x</script>", aliases=["<i>"])
    page = viewer_client.get(reverse("pages:search"), {"q": "evil"}).text
    assert "<script>x" not in page
    assert "<i>" not in page
    assert json.dumps("&lt;i&gt;")[1:-1] in page


def test_an_exact_name_is_among_the_first_of_very_many_hits(db, monkeypatch):
    monkeypatch.setattr("ownership.catalog.search.MAX_HITS", 3)
    with change_set(reason="Grow"):
        for number in range(6):
            make_table(f"a-{number}-hub")
        make_table("hub-last")
    assert held("hub", "tables") == ["hub-last", "a-0-hub", "a-1-hub"]


def test_a_mistyped_name_or_an_unknown_suffix_suggests_similar_names(seeded, viewer_client):
    for text in ("biztechUsersDEV", "bistechUsers"):
        page = viewer_client.get(reverse("pages:search"), {"q": text}).text
        assert "No table, service, index, key or note matches" in page
        assert '<a class="name" href="/tables/biztechUsers/">biztechUsers</a>' in page
    assert (
        "Did you mean" not in viewer_client.get(reverse("pages:search"), {"q": "biztechUsers"}).text
    )


def test_a_table_is_known_by_its_name_in_other_case(seeded):
    assert known("BIZTECHUSERS") == [("biztechUsers", "biztechUsers", ["dev", "staging"])]
    assert known("biztechusersprod") == [("biztechUsers", "biztechUsersPROD", ["production"])]
    assert known("biztechuser") == []


def test_tables_are_found_by_their_keys(seeded):
    assert held("email", "keys") == [
        "biztechUsers",
        "biztechRegistrations",
        "biztechMembers2026",
        "biztechQuests",
    ]


def test_a_name_that_begins_with_the_word_comes_before_one_that_holds_it(seeded):
    kinds = [hits.kind for hits in search("core").hits if hits.rows]
    assert kinds[:2] == ["groups", "tables"]


@pytest.fixture
def renamed_and_deleted(seeded, lead):
    """biztechQRs is called biztechQRCodes since revision 2, and biztechPrizes was deleted in revision 3."""
    table = Table.objects.get(name="biztechQRs")
    with change_set(user=lead, reason="Renamed in infra"):
        table.name = "biztechQRCodes"
        table.save()
    with change_set(user=lead, reason="Launch cancelled"):
        Table.objects.get(name="biztechPrizes").delete()


@pytest.mark.parametrize(
    "text", ["biztechQRs", "biztechQRsPROD", "not found: biztechQRs", "BIZTECHqrs"]
)
def test_a_former_name_answers_with_what_it_became(renamed_and_deleted, viewer_client, text):
    page = text_of(viewer_client.get(reverse("pages:search"), {"q": text}).text)
    assert "biztechQRs was this table’s name until" in page
    assert "“Renamed in infra”" in page
    assert "biztechQRCodes" in page


def test_a_deleted_name_says_who_deleted_it_and_why(
    renamed_and_deleted, lead_client, viewer_client
):
    page = lead_client.get(reverse("pages:search"), {"q": "biztechPrizes"}).text
    assert "biztechPrizes was deleted by lead" in text_of(page)
    assert "“Launch cancelled”" in text_of(page)
    assert "/tables/biztechPrizes/history/" in page
    assert re.search(r'href="/admin/ownership/changeset/3/undo/\d+/"', page)
    assert "/undo/" not in viewer_client.get(reverse("pages:search"), {"q": "biztechPrizes"}).text


def test_strangers_learn_what_a_name_became_and_nothing_of_people(renamed_and_deleted, settings):
    settings.ANONYMOUS_READ = True
    page = text_of(Client().get(reverse("pages:search"), {"q": "biztechQRs"}).text)
    assert "biztechQRCodes" in page
    assert "Renamed in infra" not in page
    assert "lead" not in page
    assert "was deleted" not in text_of(
        Client().get(reverse("pages:search"), {"q": "biztechPrizes"}).text
    )


def test_a_former_group_is_found_and_has_no_history_of_its_own(db):
    group = TableGroup.objects.create(name="Parcels")
    group.name = "Letters"
    group.save()
    [past] = search("parcels").past
    assert (past.kind, past.name, past.row, past.history_url) == ("group", "Parcels", group, "")


def test_a_name_in_use_again_is_no_former_name(renamed_and_deleted):
    table = Table.objects.get(name="biztechQRCodes")
    table.name = "biztechQRs"
    table.save()
    assert search("biztechQRs").past == []
    assert [past.new_name for past in search("biztechQRCodes").past] == ["biztechQRs"]


def test_the_past_knows_no_former_names(renamed_and_deleted):
    with as_of(1):
        assert search("biztechQRCodes").past == []


def test_what_contains_the_word_is_marked(seeded, viewer_client):
    page = viewer_client.get(reverse("pages:search"), {"q": "ledg"}).text
    assert "Credit <mark>ledg</mark>er." in page
