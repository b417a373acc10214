"""The map as CSV and Markdown, tables and services as Mermaid: by ``?format=`` and by the Accept header."""

import csv
import io

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ownership.history.change_sets import change_set
from ownership.models import Table
from tests.support.factories import make_access, make_service, make_table

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = pytest.mark.sqlite

FORMS = {
    "map/": {"csv": "text/csv", "markdown": "text/markdown"},
    "tables/biztechUsers/": {"mermaid": "application/vnd.mermaid"},
    "services/interactions/": {"mermaid": "application/vnd.mermaid"},
}
EVERY = [
    (address, form, media) for address, forms in FORMS.items() for form, media in forms.items()
]


def content(answer):
    return (b"".join(answer) if answer.streaming else answer.content).decode()


@pytest.mark.parametrize(("address", "form", "media"), EVERY)
def test_a_form_can_be_requested_by_name_and_by_accept_header(seeded, get, address, form, media):
    by_name, by_header = get(f"{address}?format={form}"), get(address, accept=media)

    assert (by_name.status_code, by_header.status_code) == (200, 200)
    assert by_name["Content-Type"] == by_header["Content-Type"] == f"{media}; charset=utf-8"
    assert by_name["Content-Disposition"].startswith("inline; filename=")
    assert content(by_name) == content(by_header) != ""


@pytest.mark.parametrize(("address", "form", "media"), EVERY)
def test_each_form_has_its_own_etag_and_gives_304(seeded, get, address, form, media):
    etags = {
        get(address)["ETag"],
        get(f"{address}?format={form}")["ETag"],
        get(address, accept=media)["ETag"],
    }
    assert len(etags) == 3

    again = get(address, accept=media, if_none_match=get(address, accept=media)["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again["X-Registry-Revision"] == "1"


@pytest.mark.slow
@pytest.mark.parametrize(("address", "form", "media"), EVERY)
def test_the_past_is_available_in_every_form(seeded, get, address, form, media):
    before = content(get(address, accept=media))
    with change_set(reason="Time goes by"):
        for table in Table.objects.all():
            table.description = "Of today"
            table.save()
        make_access(Table.objects.get(name="biztechUsers"), make_service("new-one"), mode="read")
        make_access(
            make_table("new-table"), Table.objects.get(name="bizWallSockets").owner, mode="write"
        )

    assert content(get(f"{address}?format={form}&revision=1")) == before
    assert content(get(f"{address}?format={form}")) != before


def test_csv_is_streamed_and_has_a_row_per_access(seeded, get):
    answer = get("map/?format=csv&environment=production")

    assert answer.streaming
    rows = list(csv.DictReader(io.StringIO(content(answer).removeprefix("\ufeff"), newline="")))
    assert (len(rows), rows[0]["physical_name"]) == (55, "biztechUsersPROD")


def test_markdown_is_the_checked_in_document(seeded, get):
    checked_in = (settings.BASE_DIR / "docs" / "table-ownership-map.md").read_bytes()
    assert get("map/?format=markdown").content == checked_in


def test_markdown_takes_no_environment(seeded, get):
    answer = get("map/?format=markdown&environment=production")
    assert answer.status_code == 400
    assert [error["parameter"] for error in answer.json()["errors"]] == ["environment"]


@pytest.mark.parametrize("address", ["map/", "tables/", "services/", "accesses/"])
def test_only_details_have_a_diagram(seeded, get, address):
    by_name, by_header = (
        get(f"{address}?format=mermaid"),
        get(address, accept="application/vnd.mermaid"),
    )
    assert (by_name.status_code, by_header.status_code) == (400, 406)
    assert by_name.json()["detail"].startswith("format: Unknown format. Allowed: json")


@pytest.mark.parametrize(("address", "form", "media"), [*EVERY, ("tables/nothing/", "mermaid", "")])
def test_an_error_is_a_problem_whatever_the_form(seeded, get, address, form, media):
    answer = get(f"{address}?format={form}&environmental=1")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert get(f"tables/nothing/?format={'mermaid'}")["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("address", "form", "media"), EVERY)
def test_head_has_no_body(seeded, viewer_client, address, form, media):
    answer = viewer_client.head(f"/api/v1/{address}?format={form}")
    assert (answer.status_code, content(answer)) == (200, "")


def test_a_services_diagram_shows_its_parts_with_a_fixed_number_of_queries(seeded, get):
    def counted():
        with CaptureQueriesContext(connection) as captured:
            answer = get("services/interactions/?format=mermaid")
        return len(captured), content(answer)

    few, drawing = counted()
    assert 's1 -. "part of" .-> s0' in drawing
    assert "biztechQuizzes" in drawing

    for _ in range(10):
        make_access(make_table(), Table.objects.get(name="bizWallSockets").owner, mode="read")
    assert counted()[0] == few == 4 + 2 + 3
