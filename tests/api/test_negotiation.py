"""The form of an answer: JSON, and a refusal in words for every other."""

import pytest

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = pytest.mark.sqlite


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "*/*",
        "application/*",
        "text/html,application/xhtml+xml,*/*;q=0.8",
        "application/json; indent=4",
        "text/csv, application/json;q=0.1",
        "*/*;q=nonsense",
    ],
)
def test_an_accept_header_that_allows_json_gets_json(db, get, accept):
    answer = get("map/", accept=accept)

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json()["revision"] == 0


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml", "text/xml", "nonsense", "", "é", "a" * 100_000]
)
def test_an_accept_header_without_an_available_form_lists_those_available(db, get, accept):
    answer = get("map/", accept=accept)

    assert (answer.status_code, answer["Content-Type"]) == (406, "application/problem+json")
    assert (
        answer.json()["detail"]
        == "The requested media type is not supported. Available: application/json, text/csv, text/markdown."
    )


@pytest.mark.parametrize(
    ("address", "takes"),
    [
        ("map/", "json, csv, markdown"),
        ("tables/", "json"),
        ("schema/", "yaml, json"),
        ("docs/", "html"),
    ],
)
@pytest.mark.parametrize("form", ["xml", "csv2", "JSON", "api", "%00", "é"])
def test_an_unknown_format_lists_the_allowed_ones(db, get, address, takes, form):
    answer = get(f"{address}?format={form}")

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["errors"] == [
        {"parameter": "format", "detail": f"Unknown format. Allowed: {takes}."}
    ]


def test_json_can_be_requested_by_name(db, get):
    assert get("map/?format=json").json()["revision"] == 0
