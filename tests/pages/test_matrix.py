"""The matrix: every access in its cell, filters, and an overview where it would be too large."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ownership.history.change_sets import change_set
from ownership.models import Access, Table, TableGroup
from ownership.pages import matrix
from tests.support.factories import make_access, make_service, make_table

URL = reverse("pages:matrix")


def cells(client, **query):
    """{(table, service): letters} of the matrix that is shown."""
    response = client.get(URL, query)
    assert response.status_code == 200
    found = re.findall(
        r'href="/tables/([^/]+)/[^"#]*(?:#access-([^"]+))?"\s+aria-label="[^"]*" title[^>]*>([^<]*)<', response.text
    )
    return {(table, service): letters for table, service, letters in found}


def test_every_access_has_its_cell_that_leads_to_it(seeded, viewer_client):
    shown = cells(viewer_client)
    assert shown.keys() == {(a.table.name, a.service.name) for a in Access.objects.select_related("table", "service")}
    assert shown["biztechUsers", "users"] == "●RW"
    assert shown["biztechUsers", "payments"] == "RW"
    assert shown["biztechUsers", "members"] == "W"
    assert shown["biztechUsers", "registrations"] == "R"
    assert shown["biztechProfiles", "payments"] == "(W)"


def test_cells_have_labels_in_words_for_their_letters(seeded, viewer_client):
    page = viewer_client.get(URL).text
    assert 'aria-label="payments writes biztechProfiles, indirectly"' in page
    assert 'aria-label="users reads and writes biztechUsers, and owns it"' in page


def test_an_owner_without_an_access_is_seen(db, viewer_client):
    make_table("lonely", owner=make_service("keeper"))
    assert cells(viewer_client) == {("lonely", ""): "●"}


@pytest.mark.parametrize(
    ("query", "those"),
    [
        ({"group": "Core Tables"}, {"table__group__name": "Core Tables"}),
        ({"service": "payments"}, {"service__name": "payments"}),
        ({"mode": "indirect"}, {"indirect": True}),
        ({"mode": "write"}, {"mode__in": ["write", "read_write"]}),
        ({"mode": "read_write", "service": "profiles"}, {"mode": "read_write", "service__name": "profiles"}),
        (
            {"service": "interactions"},
            {"service__name__in": ["interactions", "teams", "qr", "quests", "quizzes", "investments", "connections"]},
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


def test_a_large_map_starts_from_groups_and_families_whose_counts_open_and_add_up(seeded, viewer_client, monkeypatch):
    monkeypatch.setattr(matrix, "MAX_CELLS", 100)
    page = viewer_client.get(URL).text
    links = re.findall(r'href="(\?group=[^"]+)"\s+aria-label="([^"]+): (\d+) access', page)
    assert sum(int(count) for _, _, count in links) == Access.objects.count()
    assert any("Companion &amp; Gamification Tables, interactions" in label for _, label, _ in links)
    assert not any(label.endswith(", teams") for _, label, _ in links)
    for link, _, count in links:
        opened = re.findall(r"#access-", viewer_client.get(URL + link.replace("&amp;", "&")).text)
        assert len(opened) == int(count)


def test_very_many_services_are_grouped_by_the_group_they_own_tables_in(seeded, viewer_client, monkeypatch):
    monkeypatch.setattr(matrix, "MAX_CELLS", 100)
    monkeypatch.setattr(matrix, "MAX_FAMILIES", 3)
    page = viewer_client.get(URL).text
    links = re.findall(r'href="(\?group=[^"]+&amp;home=[^"]+)"\s+aria-label="([^"]+): (\d+) access', page)
    assert sum(int(count) for _, _, count in links) == Access.objects.count()
    assert any(label == "Core Tables, no group" for _, label, _ in links)  # payments owns nothing
    for link, _, count in links:
        opened = re.findall(r"#access-", viewer_client.get(URL + link.replace("&amp;", "&")).text)
        assert len(opened) == int(count)


def test_an_overview_of_many_services_and_groups_is_bounded_and_leaves_nothing_out(seeded, viewer_client, monkeypatch):
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


def test_it_is_shown_as_it_was(seeded, viewer_client):
    Access.objects.get(table__name="biztechUsers", service__name="payments").delete()
    assert ("biztechUsers", "payments") not in cells(viewer_client)
    assert ("biztechUsers", "payments") in cells(viewer_client, revision="1")


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
