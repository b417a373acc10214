"""The matrix: every access in its cell, filters, and an overview where it would be too large."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localdate

from ownership.drift.types import ActionOn
from ownership.history.change_sets import change_set
from ownership.models import Access, DriftRun, Grant, Service, Table, TableGroup
from ownership.pages import matrix
from tests.support.drift_code import code_usage
from tests.support.factories import make_access, make_service, make_table
from tests.support.runs import keep_run, waive

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = pytest.mark.sqlite

URL = reverse("pages:matrix")


CELL = re.compile(
    r'<a\s+class="cell ([^"]*)" data-service="([^"]+)"\s+href="/tables/([^/]+)/[^"#]*(#access-[^"]+)?"'
    r'\s+aria-label="([^"]*)">([^<]*)<'
)


def cells(client, *, dimmed=False, **query):
    """{(table, service): letters} of the matrix: of the services that are asked for, or of those dimmed beside them."""
    response = client.get(URL, query)
    assert response.status_code == 200
    shown = {}
    for classes, service, table, anchor, _, letters in CELL.findall(response.text):
        if ("dim" in classes.split()) == dimmed:
            shown[table, service] = letters
            assert anchor in ("", f"#access-{service}")
    return shown


def columns(client, **query):
    """The services of the matrix, from left to right."""
    page = client.get(URL, query).text
    return re.findall(r'<th scope="col" class="turned(?: dim)?"><a[^>]*>([^<]+)', page)


def test_every_access_has_its_cell_that_leads_to_it(seeded, viewer_client):
    shown = cells(viewer_client)
    assert shown.keys() == {
        (a.table.name, a.service.name) for a in Access.objects.select_related("table", "service")
    }
    assert shown["biztechUsers", "users"] == "●RW"
    assert shown["biztechUsers", "payments"] == "RW"
    assert shown["biztechUsers", "members"] == "W"
    assert shown["biztechUsers", "registrations"] == "R"
    assert shown["biztechProfiles", "payments"] == "(W)"


def test_cells_have_labels_in_words_for_their_letters(seeded, viewer_client):
    page = viewer_client.get(URL).text
    assert 'aria-label="payments (W): writes biztechProfiles, indirectly"' in page
    assert 'aria-label="users RW: reads and writes biztechUsers, and owns it"' in page


def test_the_name_of_a_cell_begins_with_what_it_shows_on_any_width(run, viewer_client):
    for layer in ("declared", "granted", "drift"):
        marks = CELL.findall(viewer_client.get(URL, {"layer": layer}).text)
        assert marks
        for _, service, _, _, name, letters in marks:
            if letters != "●":
                # On a phone the service stands before the letters.
                assert name.startswith(f"{service} {letters.removeprefix('●')}: ")


def test_an_owner_without_an_access_is_seen(db, viewer_client):
    make_table("lonely", owner=make_service("keeper"))
    assert cells(viewer_client) == {("lonely", "keeper"): "●"}


@pytest.mark.parametrize(
    ("query", "those"),
    [
        ({"group": "Core Tables"}, {"table__group__name": "Core Tables"}),
        ({"service": "payments"}, {"service__name": "payments"}),
        ({"mode": "indirect"}, {"indirect": True}),
        ({"mode": "write"}, {"mode__in": ["write", "read_write"]}),
        (
            {"mode": "read_write", "service": "profiles"},
            {"mode": "read_write", "service__name": "profiles"},
        ),
        (
            {"service": "interactions"},
            {
                "service__name__in": [
                    "interactions",
                    "teams",
                    "qr",
                    "quests",
                    "quizzes",
                    "investments",
                    "connections",
                ]
            },
        ),
    ],
)
def test_filters_leave_what_they_ask_for(seeded, viewer_client, query, those):
    expected = Access.objects.filter(**those).values_list("table__name", "service__name")
    assert set(cells(viewer_client, **query)) == set(expected)


@pytest.mark.parametrize("query", [{"group": "x"}, {"service": "x"}, {"mode": "x"}, {"home": "x"}])
def test_an_unknown_value_is_reported(seeded, viewer_client, query):
    response = viewer_client.get(URL, query)
    assert response.status_code == 400
    assert f"{next(iter(query))}=x" in response.text


@pytest.mark.slow
def test_a_large_map_starts_from_groups_and_families_whose_counts_open_and_add_up(
    seeded, viewer_client, monkeypatch
):
    monkeypatch.setattr(matrix, "MAX_CELLS", 100)
    page = viewer_client.get(URL).text
    links = re.findall(r'href="(\?group=[^"]+)"\s+aria-label="([^"]+): (\d+) access', page)
    assert sum(int(count) for _, _, count in links) == Access.objects.count()
    assert any(
        "Companion &amp; Gamification Tables, interactions" in label for _, label, _ in links
    )
    assert not any(label.endswith(", teams") for _, label, _ in links)
    for link, _, count in links:
        opened = CELL.findall(viewer_client.get(URL + link.replace("&amp;", "&")).text)
        assert len(
            [anchor for classes, _, _, anchor, *_ in opened if anchor and "dim" not in classes]
        ) == int(count)


@pytest.mark.slow
def test_very_many_services_are_grouped_by_the_group_they_own_tables_in(
    seeded, viewer_client, monkeypatch
):
    monkeypatch.setattr(matrix, "MAX_CELLS", 100)
    monkeypatch.setattr(matrix, "MAX_FAMILIES", 3)
    page = viewer_client.get(URL).text
    links = re.findall(
        r'href="(\?group=[^"]+&amp;home=[^"]+)"\s+aria-label="([^"]+): (\d+) access', page
    )
    assert sum(int(count) for _, _, count in links) == Access.objects.count()
    assert any(label == "Core Tables, no group" for _, label, _ in links)  # payments owns nothing
    for link, _, count in links:
        opened = CELL.findall(viewer_client.get(URL + link.replace("&amp;", "&")).text)
        assert len(
            [anchor for classes, _, _, anchor, *_ in opened if anchor and "dim" not in classes]
        ) == int(count)


def test_an_overview_of_many_services_and_groups_is_bounded_and_leaves_nothing_out(
    seeded, viewer_client, monkeypatch
):
    monkeypatch.setattr(matrix, "MAX_CELLS", 100)
    monkeypatch.setattr(matrix, "MAX_COLUMNS", 3)
    with change_set(reason="Grow"):
        for number in range(30):
            TableGroup.objects.create(name=f"More {number}", position=100 + number)
    counted = []
    for page in "12":
        text = viewer_client.get(URL, {"page": page}).text
        assert len(re.findall('scope="col" class="turned"', text)) == 4
        counted += re.findall(r"<td>(?:<a\s[^>]*>)?(\d+)", text)
    assert sum(map(int, counted)) == Access.objects.count()
    assert "Page 2 of 2 (37 in total)" in text


@pytest.mark.slow
def test_rows_that_are_too_many_go_on_another_page(seeded, viewer_client, monkeypatch):
    monkeypatch.setattr(matrix, "MAX_CELLS", 100)
    with change_set(reason="Grow"):
        group = TableGroup.objects.create(name="Many")
        for _ in range(30):
            make_access(make_table(group=group))
    first, second = (cells(viewer_client, group="Many", page=page) for page in "12")
    assert {table for table, _ in first} | {table for table, _ in second} == set(
        Table.objects.filter(group=group).values_list("name", flat=True)
    )


def test_a_service_comes_first_then_the_owners_then_the_others_who_share_its_tables(
    seeded, viewer_client
):
    shown = columns(viewer_client, service="payments")
    owners = set(
        Table.objects.filter(accesses__service__name="payments").values_list(
            "owner__name", flat=True
        )
    )
    assert shown[0] == "payments"
    assert set(shown[1 : len(owners) + 1]) == owners
    sharers = Access.objects.filter(table__accesses__service__name="payments").values_list(
        "service__name", flat=True
    )
    assert set(shown) == set(sharers) | owners
    beside = cells(viewer_client, service="payments", dimmed=True)
    assert beside["biztechUsers", "users"] == "●RW"
    assert beside["biztechUsers", "registrations"] == "R"
    # Also where the service itself is asked about one mode.
    beside = cells(viewer_client, service="payments", mode="indirect", dimmed=True)
    assert beside["biztechProfiles", "profiles"] == "●RW"


def test_of_those_who_share_the_tables_only_so_many_have_columns(viewer_client, monkeypatch):
    monkeypatch.setattr(matrix, "MAX_SHARERS", 2)
    with change_set(reason="Grow"):
        table = make_table("hub", owner=make_service("keeper"))
        for name in ("asked", "one", "two", "three"):
            make_access(table, make_service(name))
    assert columns(viewer_client, service="asked") == ["asked", "keeper", "one"]


def test_rows_and_columns_have_totals(seeded, viewer_client):
    page = viewer_client.get(URL).text
    row = page.partition(">biztechUsers</a>")[2].partition("</tr>")[0]
    assert re.findall(r'class="sum">(\d+)', row) == ["4", "3"]
    foot = page.partition("<tfoot>")[2].partition("</tfoot>")[0]
    counts = [int(count) for count in re.findall(r'class="sum">(\d+)', foot)]
    reading = Access.objects.filter(mode__in=["read", "read_write"]).count()
    assert sum(counts[: len(counts) // 2]) == reading


def test_the_past_has_its_columns_where_today_has_them(seeded, viewer_client):
    before = columns(viewer_client)
    table = Table.objects.get(name="biztechUsers")
    table.owner = Service.objects.get(name="instagram")
    table.save()
    assert columns(viewer_client) == columns(viewer_client, revision="1") == before


@pytest.fixture
def run(seeded):
    """What the infrastructure grants: one grant that nobody declared, one through the whole, one access missing."""
    keep_run(
        "bots write biztechUsers",
        "payments read biztechUsers",
        "interactions read_write biztechTeams",
        "bots read unheard-of",
        services=frozenset({"payments", "bots", "interactions"}),
    )


def test_the_layer_of_grants_shows_what_the_latest_runs_found(run, viewer_client):
    shown = cells(viewer_client, layer="granted", group="Core Tables")
    assert shown["biztechUsers", "bots"] == "W"
    assert shown["biztechUsers", "payments"] == "R"
    assert shown["biztechUsers", "users"] == "●?"
    assert ("biztechEvents", "payments") not in shown
    assert cells(viewer_client, layer="granted")["biztechTeams", "teams"] == "●(RW)"


def test_the_layer_of_drift_shows_where_grants_differ(run, viewer_client):
    shown = cells(viewer_client, layer="drift", service="payments")
    assert shown["biztechUsers", "payments"] == "−W"
    assert shown["biztechProfiles", "payments"] == "−W"
    assert (
        cells(viewer_client, layer="drift", service="payments", dimmed=True)["biztechUsers", "bots"]
        == "+W"
    )
    page = viewer_client.get(URL, {"layer": "drift"}).text
    assert "Undeclared access: declared nothing, granted Write" in page
    waive(DriftRun.objects.get(), localdate())
    assert cells(viewer_client, layer="drift") == {}


def test_the_layer_of_drift_shows_what_only_code_tells(seeded, viewer_client):
    keep_run(
        "payments read_write biztechUsers",
        "bots read_write biztechMembers2026",
        code=code_usage(
            "bots read_write biztechMembers2026",
            "bots read biztechUsers",
            services={"payments"},
            calls=[ActionOn("Scan")],
        ),
    )
    Grant.objects.update(actions={"": ["GetItem"]})
    shown = cells(viewer_client, layer="drift", service="bots")
    assert shown["biztechUsers", "bots"] == "+R"
    assert shown["biztechMembers2026", "bots"] == "!"
    assert (
        cells(viewer_client, layer="drift", service="payments")["biztechUsers", "payments"] == "−RW"
    )


def test_layers_are_for_people_who_are_signed_in_of_today_and_where_there_is_a_run(
    seeded, viewer_client, settings
):
    settings.ANONYMOUS_READ = True
    assert "layer=" not in viewer_client.get(URL).text
    keep_run("bots write biztechUsers")
    assert "layer=drift" in viewer_client.get(URL).text
    assert "layer=" not in viewer_client.get(URL, {"revision": "1"}).text
    assert "layer=" not in Client().get(URL).text
    assert (
        Client().get(URL, {"layer": "drift"}).headers["Location"].startswith("/admin/login/?next=")
    )
    for query in (
        {"layer": "drift", "mode": "read"},
        {"layer": "drift", "revision": "1"},
        {"layer": "x"},
    ):
        assert viewer_client.get(URL, query).status_code == 400


@pytest.mark.slow
@pytest.mark.parametrize(("layer", "queries"), [("declared", 13), ("granted", 16), ("drift", 16)])
def test_each_layer_takes_so_many_queries(
    run, viewer_client, django_assert_num_queries, layer, queries
):
    """Session, user, permissions twice, teams, groups, services, number of tables, whether there is a
    confirmation, and a run.

    Tables on the page: number, rows, accesses. For what drift found also its runs, grants and waivers.
    """
    with django_assert_num_queries(queries):
        viewer_client.get(URL, {"layer": layer})
    with change_set(reason="Many"):
        for _ in range(20):
            make_access(make_table())
    with django_assert_num_queries(queries):
        viewer_client.get(URL, {"layer": layer})


def test_it_is_shown_as_it_was(seeded, viewer_client):
    Access.objects.get(table__name="biztechUsers", service__name="payments").delete()
    assert ("biztechUsers", "payments") not in cells(viewer_client)
    assert ("biztechUsers", "payments") in cells(viewer_client, revision="1")


@pytest.mark.slow
@pytest.mark.parametrize("query", [{}, {"group": "Group"}, {"mode": "read"}])
@pytest.mark.parametrize("largest", [8000, 1])
def test_it_takes_a_fixed_number_of_queries(viewer_client, monkeypatch, query, largest):
    monkeypatch.setattr(matrix, "MAX_CELLS", largest)
    monkeypatch.setattr(matrix, "MAX_FAMILIES", 0)

    def count():
        with CaptureQueriesContext(connection) as captured:
            assert viewer_client.get(URL, query).status_code == 200
        return len(captured)

    with change_set(reason="Few"):
        make_access(make_table(), make_service(part_of=make_service()))
    few = count()
    with change_set(reason="Many"):
        for _ in range(30):
            make_access(make_table(), make_service(part_of=make_service()))
    assert count() == few
