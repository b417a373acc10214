"""The log of all changes: filtered, searched, as CSV; one change set of it; and the way to another day."""

import html
import re
from datetime import datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ownership.audit import log_search
from ownership.history import change_sets
from ownership.history.change_sets import change_set
from ownership.history.models import current_head
from ownership.models import Service, Table
from tests.support.factories import edit, make_member, make_service, make_table, make_team
from tests.support.pages import csv_rows, text_of

pytestmark = pytest.mark.django_db

CHANGES = "/changes/"
COMPARE = "/compare/"


def revisions_on(page) -> list[int]:
    assert page.status_code == 200
    return [int(number) for number in re.findall(r'id="revision-(\d+)"', page.text)]


@pytest.mark.parametrize(
    ("query", "revisions"),
    [
        ("", [6, 5, 4, 3, 2, 1]),
        ("kind=ownership", [5, 3]),
        ("kind=access", [6]),
        ("field=owner", [5, 3]),
        ("field=mode", [6]),
        ("user=nobody", []),
        ("table=orders", [6, 5, 3]),
        ("service=users", [6, 5, 4]),
        ("group=Group", [6, 5, 3, 2]),
        ("kind=ownership&source=command", [5, 3]),
        ("table=orders&kind=ownership&field=owner", [5, 3]),
        ("kind=service", [4, 1]),
        ("source=seed", []),
        ("q=nothing", []),
        ("q=orders", [6, 5, 3]),
        ("q=ORDERS+users", [6, 5]),
        ("q=orders&kind=access", [6]),
        ("before=4", [3, 2, 1]),
        ("revision=3", [3, 2, 1]),
        ("revision=3&kind=ownership", [3]),
    ],
)
def test_changes_are_filtered_and_filters_combine(viewer_client, orders, query, revisions):
    assert revisions_on(viewer_client.get(f"{CHANGES}?{query}")) == revisions


@pytest.mark.parametrize(
    ("text", "revisions"),
    [
        ("invoices", [7, 2]),  # a former name: what was changed under it, and its end
        ("#cash-desk", [5]),  # a value
        ("Renamed in infra", [7]),
        ("lead", [7]),
        ("billing", [8, 7]),  # a deleted table
    ],
)
def test_the_search_finds_former_and_deleted_names_values_reasons_and_people(
    viewer_client, lead, text, revisions
):
    table = make_table("invoices", owner=make_service("payments"))
    make_table("other")
    edit(Service.objects.get(name="payments"), contact="#cash-desk")
    edit(Table.objects.get(name="other"), description="Others")
    number = edit(table, name="billing", reason="Renamed in infra", user=lead)
    table.delete()
    offset = number - 7
    found = revisions_on(viewer_client.get(CHANGES, {"q": text}))
    expected = {
        "invoices": [number, creation_of("invoices")],
        "#cash-desk": [contact_change()],
        "Renamed in infra": [number],
        "lead": [number],
        "billing": [number + 1, number],
    }
    assert (offset, found) == (offset, expected[text]), revisions


def creation_of(name: str) -> int:
    return Table.history.filter(name=name, history_type="+").get().change_set_id


def contact_change() -> int:
    return Service.history.filter(contact="#cash-desk").get().change_set_id


@pytest.mark.parametrize("address", [CHANGES, f"{COMPARE}?from=0"])
def test_names_of_tables_and_services_alone_are_set_as_code(viewer_client, orders, address):
    make_member(make_team("Payments crew"), "ann")
    page = viewer_client.get(address).text
    as_code = re.findall(r'class="name"[^>]*>([^<]+)<', page)
    in_words = re.findall(r'class="title"[^>]*>([^<]+)<', page)
    assert {"orders", "payments", "users"} <= set(" ".join(as_code).replace("→", " ").split())
    assert set(in_words) == {"Group", "Payments crew", "ann in Payments crew"}
    assert not set(in_words) & set(as_code)


def test_the_search_shows_the_entries_that_it_found(viewer_client):
    with change_set(reason="Many"):
        for number in range(30):
            make_service(f"service-{number:02}")
    page = text_of(viewer_client.get(CHANGES, {"q": "service-27"}).text)
    assert "service-27 created" in page
    assert "service-03" not in page
    assert "and 29 more entries in this change set" in page


@pytest.mark.slow
def test_values_are_found_among_the_latest_entries_alone_and_names_in_all(
    viewer_client, monkeypatch
):
    monkeypatch.setattr(log_search, "VALUES_SEARCHED", 2)
    edit(make_service("payments"), contact="#first")
    for number in range(2):
        edit(Service.objects.get(name="payments"), contact=f"#{number}")
    assert revisions_on(viewer_client.get(CHANGES, {"q": "#first"})) == [3]  # its old value
    edit(Service.objects.get(name="payments"), contact="#last")
    assert revisions_on(viewer_client.get(CHANGES, {"q": "#first"})) == []
    assert len(revisions_on(viewer_client.get(CHANGES, {"q": "payment"}))) == 5
    assert "values changed in the latest 2 entries" in text_of(viewer_client.get(CHANGES).text)


def test_a_search_that_left_matches_out_says_so(viewer_client, monkeypatch):
    monkeypatch.setattr(log_search, "MAX_MATCHES", 2)
    for number in range(4):
        make_service(f"service-{number}")
    assert "the search read the newest ones" in text_of(
        viewer_client.get(CHANGES, {"q": "service"}).text
    )
    assert "the search read the newest ones" not in text_of(
        viewer_client.get(CHANGES, {"q": "service-1"}).text
    )


@pytest.mark.parametrize("word", ["%", "_", '"', "'", "\\", "a", "é", "(", "name", "null"])
def test_a_word_stands_for_itself_in_the_search(viewer_client, word):
    make_service("plain", contact="xyz")
    revision = edit(Service.objects.get(name="plain"), contact=f"q{word}z")
    found = revisions_on(viewer_client.get(CHANGES, {"q": f"q{word}z"}))
    assert found == [revision]


def test_a_search_does_not_find_the_names_of_fields(viewer_client):
    make_service("payments", contact="#x")
    assert revisions_on(viewer_client.get(CHANGES, {"q": "contact"})) == []


@pytest.mark.slow
@pytest.mark.parametrize("query", ["", "?kind=ownership", "?q=orders", "?table=orders&q=orders"])
def test_the_queries_of_the_log_do_not_grow_with_the_history(viewer_client, orders, query):
    edit(orders, undoes=current_head().revision, description="Orders.")
    with CaptureQueriesContext(connection) as few:
        viewer_client.get(CHANGES + query)
    for number in range(30):
        edit(orders, undoes=current_head().revision, owner=make_service(f"service-{number}"))
    with CaptureQueriesContext(connection) as many:
        viewer_client.get(CHANGES + query)
    assert len(many) <= len(few)  # one for each kind of entry that is shown


def test_the_log_takes_so_many_queries(viewer_client, orders, django_assert_num_queries):
    with django_assert_num_queries(21):
        viewer_client.get(CHANGES)


def test_lists_and_timelines_say_what_a_change_set_undoes_and_what_undid_it(lead_client):
    service = make_service("payments")
    first = edit(service, contact="#a")
    second = edit(service, undoes=first, contact="")
    for address in (
        CHANGES,
        reverse("admin:ownership_service_history", args=[service.pk]),
        reverse("pages:service-history", args=["payments"]),
    ):
        page = text_of(lead_client.get(address).text)
        assert f"Undo of revision {first}" in page
        assert f"undone by revision {second}" in page


@pytest.mark.parametrize(
    ("days", "revisions"),
    [
        ("from=2026-02-01", [3, 2]),
        ("to=2026-02-01", [2, 1]),
        ("from=2026-02-01&to=2026-02-01", [2]),
        ("from=&to=", [3, 2, 1]),
        ("from=2026-02-03", []),
        ("from=2026-02-01&source=seed", []),
        ("from=2026-02-01&kind=service", [3, 2]),
    ],
)
def test_changes_are_narrowed_to_days_both_included(lead_client, monkeypatch, days, revisions):
    for day in ("2026-01-31T23:59:59", "2026-02-01T23:59:59", "2026-02-02T00:00:00"):
        monkeypatch.setattr(
            change_sets.timezone, "now", lambda day=day: datetime.fromisoformat(f"{day}+00:00")
        )
        make_service(f"service-{day[:10]}")
    assert revisions_on(lead_client.get(f"{CHANGES}?{days}")) == revisions


def test_part_of_a_name_leads_to_the_names_that_contain_it(lead_client):
    make_table("orders")
    page = lead_client.get(f"{CHANGES}?table=RDER&source=command")
    assert "No table has, or ever had, the name “RDER”." in text_of(page.text)
    assert re.search(r'href="\?[^"]*table=orders[^"]*">orders<', page.text)
    assert revisions_on(page) == []


@pytest.mark.parametrize(
    "query", ["from=nonsense", "to=9999-12-31", "from=2026-W01-1", "kind=x", "source=x", "field=x"]
)
def test_an_impossible_value_of_a_filter_is_refused_with_what_it_takes(lead_client, query):
    page = lead_client.get(f"{CHANGES}?{query}")
    assert page.status_code == 400
    assert f"{query.partition('=')[0]} takes" in text_of(page.text)


def test_each_filter_in_use_is_a_chip_that_takes_it_back(lead_client, orders):
    page = lead_client.get(f"{CHANGES}?kind=ownership&source=command&before=9").text
    assert re.search(
        r'href="\?source=command">\s*<span class="unseen">Remove filter </span>what: ownership',
        page,
    )
    assert re.search(
        r'href="\?kind=ownership">\s*<span class="unseen">Remove filter </span>source: Command',
        page,
    )


def test_the_log_as_csv_has_a_row_for_each_field_and_runs_no_formula(viewer_client, orders):
    edit(orders, reason="=1+1", description="@SUM(A1)", owner=Service.objects.get(name="payments"))
    response = viewer_client.get(f"{CHANGES}?format=csv&table=orders&kind=table")
    assert response.headers["Content-Disposition"] == 'attachment; filename="changes.csv"'
    rows = [row for row in csv_rows(response) if row["revision"] == "7"]
    assert [(row["field"], row["old"], row["new"]) for row in rows] == [
        ("owner", "users", "payments"),
        ("description", "", "'@SUM(A1)"),
    ]
    assert {row["reason"] for row in rows} == {"'=1+1"}


@pytest.mark.parametrize(
    ("query", "revisions"),
    [
        ("", "123456"),
        ("kind=ownership", "35"),
        ("q=orders", "356"),
        ("revision=3", "123"),
        ("from=2999-01-01", ""),
    ],
)
def test_the_csv_has_what_the_filters_select_in_commit_order(
    viewer_client, orders, query, revisions
):
    rows = csv_rows(viewer_client.get(f"{CHANGES}?format=csv&{query}"))
    assert "".join(dict.fromkeys(row["revision"] for row in rows)) == revisions


def test_a_history_leads_to_itself_as_csv_with_the_same_filters(viewer_client, orders):
    page = viewer_client.get("/tables/orders/history/", {"kind": "access", "before": "99"}).text
    address = html.unescape(re.search(r'href="([^"]+format=csv[^"]*)"', page)[1])
    assert address == "/changes/?kind=access&table=orders&format=csv"
    rows = csv_rows(viewer_client.get(address))
    assert rows
    assert {row["kind"] for row in rows} == {"access"}


def test_the_csv_of_a_long_log_is_read_in_batches(viewer_client, monkeypatch, orders):
    monkeypatch.setattr("ownership.audit.log.CSV_BATCH", 2)
    rows = csv_rows(viewer_client.get(f"{CHANGES}?format=csv"))
    assert {row["revision"] for row in rows} == set("123456")
    assert len({tuple(row.values()) for row in rows}) == len(rows)


@pytest.mark.parametrize(
    "address", [CHANGES, f"{CHANGES}1/", COMPARE, "/day/", "/day/?day=2026-01-01"]
)
def test_history_takes_a_sign_in(db, settings, address):
    settings.ANONYMOUS_READ = True
    make_service()
    assert Client().get(address).headers["Location"].startswith("/admin/login/")


# One change set


@pytest.mark.slow
def test_a_large_change_set_is_shown_page_by_page_and_folded(lead_client):
    with change_set(reason="Many"):
        for number in range(150):
            make_table(f"table-{number:03}")
    revision, shown, address = current_head().revision, [], "?"
    while address:
        page = lead_client.get(f"{CHANGES}{revision}/{address}").text
        assert page.count('<li class="entry"') <= 200
        assert page.partition('<details class="fold"')[0].count('<li class="entry"') <= 20
        shown += re.findall(r">(table-\d+)</a>", page)
        address = next(iter(re.findall(r'href="(\?after=\d+)"', page)), "")
    assert shown == [f"table-{number:03}" for number in range(150)]


def test_a_change_set_leads_to_its_neighbours_the_map_then_and_comparisons(
    lead_client, viewer_client, orders
):
    page = lead_client.get(f"{CHANGES}3/").text
    for address in (
        "/changes/2/",
        "/changes/4/",
        "/?revision=3",
        "/compare/?from=3",
        "/admin/ownership/changeset/3/undo/",
    ):
        assert f'href="{address}"' in page
    assert 'href="/compare/?from=2&amp;to=3"' in page
    assert 'href="/tables/orders/"' in page
    assert "/changes/7/" not in lead_client.get(f"{CHANGES}6/").text
    assert "/undo/" not in viewer_client.get(f"{CHANGES}3/").text
    assert lead_client.get(f"{CHANGES}99/").status_code == 404
    assert lead_client.get(f"{CHANGES}{'9' * 30}/").status_code == 404


def test_a_change_set_is_narrowed_to_entries_of_one_kind(viewer_client, seeded):
    page = viewer_client.get(f"{CHANGES}1/?kind=tablegroup")
    assert page.text.count('<li class="entry"') == 7
    assert "Tables 34" in text_of(page.text)
    assert viewer_client.get(f"{CHANGES}1/?kind=nonsense").status_code == 400


# Another day


def test_a_day_and_time_lead_to_the_pages_of_that_moment(viewer_client, orders):
    response = viewer_client.get("/day/", {"day": "2999-01-31", "time": "12:00"})
    assert response.headers["Location"] == "?as_of=2999-01-31T12%3A00Z"
    page = viewer_client.get(f"/day/{response.headers['Location']}").text
    for address in (
        "/?revision=6",
        "/matrix/?revision=6",
        "/compare/?from=6",
        "/changes/6/",
        "?revision=5",
    ):
        assert f'href="{address}"' in page
    assert viewer_client.get("/day/?day=x", follow=True).status_code == 400
    assert viewer_client.get("/day/?time=12:00").status_code == 400


def test_a_past_page_leads_to_the_revisions_before_and_after_and_says_its_own_in_the_title(
    viewer_client, orders
):
    page = viewer_client.get("/tables/orders/?revision=5").text
    assert re.search(r"<title>orders · revision 5\n· Ownership registry</title>", page)
    assert 'href="?revision=4"' in page
    assert 'href="?revision=6"' in page
    assert 'href="?revision=-1"' not in viewer_client.get("/?revision=0").text


# A table's page


def test_a_table_s_page_says_who_made_the_owner_the_owner_and_how_many_changes_there_were(
    viewer_client, lead, orders
):
    edit(
        orders, owner=Service.objects.get(name="payments"), reason="Payments bills them", user=lead
    )
    edit(orders, description="Later")
    page = text_of(viewer_client.get("/tables/orders/").text)
    assert re.search(
        r"Since .* UTC , before: users \. lead: “Payments bills them” \( revision 7 \)", page
    )
    assert "History 5" in page
    assert "Payments bills them" not in text_of(
        viewer_client.get("/tables/orders/?revision=6").text
    )


def test_a_history_says_first_what_changed_and_is_filtered(viewer_client, orders):
    address = reverse("pages:table-history", args=["orders"])
    page = text_of(viewer_client.get(address).text)
    assert "owner: old: payments → new: users" in page
    assert revisions_on(viewer_client.get(address)) == [6, 5, 3]
    assert revisions_on(viewer_client.get(f"{address}?kind=ownership")) == [5, 3]
    assert revisions_on(viewer_client.get(f"{address}?kind=access&source=command")) == [6]
    assert revisions_on(viewer_client.get(f"{address}?q=users")) == [6, 5]
    assert viewer_client.get(f"{address}?kind=nonsense").status_code == 400


def test_a_history_offers_filters_for_what_it_can_have_alone(viewer_client, orders):
    page = viewer_client.get("/tables/orders/history/").text
    assert 'value="partition_key_type"' in page
    assert 'value="repository"' not in page  # a service's field
    assert '<option value="environment">' not in page.partition('id="log-field"')[0]
    assert 'value="repository"' in viewer_client.get(CHANGES).text
