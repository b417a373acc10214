"""Errors are problem details in JSON, whatever was asked for and wherever."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ownership.history.change_sets import change_set
from ownership.models import Service, Table
from tests.support.factories import make_service, make_table

pytestmark = pytest.mark.sqlite  # no database decides how errors are said

MISSING = {
    "tables/nothing/": "No table is called 'nothing'.",
    "tables/HERE-IT-IS/": "No table is called 'HERE-IT-IS'.",
    "tables/%00/": r"No table is called '\x00'.",
    "tables/here-it-is%00/": r"No table is called 'here-it-is\x00'.",
    "tables/é/": "No table is called 'é'.",
    "tables/%F0%9F%98%80/": "No table is called '😀'.",
    "tables/1/": "No table is called '1'.",
    f"tables/{'x' * 5_000}/": f"No table is called '{'x' * 5_000}'.",
    "services/nobody/": "No service is called 'nobody'.",
    "services/%00/": r"No service is called '\x00'.",
    "services/%FF/": "No service is called '%FF'.",
    "nothing/": "There is nothing at this address. See /api/v1/docs/ for all addresses.",
    "tables/here-it-is/accesses/": "There is nothing at this address. See /api/v1/docs/ for all addresses.",
    "tables/a%2Fb/": "There is nothing at this address. See /api/v1/docs/ for all addresses.",
    "nowhere/": "There is nothing at this address. See /api/v1/docs/ for all addresses.",
}


@pytest.mark.parametrize("address", MISSING, ids=[address[:20] for address in MISSING])
def test_a_missing_row_is_a_problem_that_names_it(get, address):
    make_table("here-it-is", owner=make_service("owner"))

    answer = get(address)

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    body = answer.json()
    body.pop("near", None)
    assert body == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": MISSING[address],
    }


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("tables/biztechUser/", "biztechUsers"),
        ("tables/biztechuserz/history/", "biztechUsers"),
        ("tables/usersbiztech/trace/", "biztechUsers"),
        ("services/payment/", "payments"),
        ("services/Payments/history/", "payments"),
    ],
)
def test_an_unknown_name_lists_similar_names(seeded, get, address, near):
    answer = get(address)
    assert answer.status_code == 404
    assert near in answer.json()["near"]
    models = {"tables": Table, "services": Service}
    assert models[address.split("/")[0]].objects.filter(
        name__in=answer.json()["near"]
    ).count() == len(answer.json()["near"])


def test_names_to_compare_are_read_once_per_revision_at_any_size(seeded, get):
    def counted():
        with CaptureQueriesContext(connection) as queries:
            get("tables/biztechUser/")
        return len(queries)

    first, again = counted(), counted()
    assert first == again + 3  # of tables, of services, of groups
    with change_set(reason="Grow"):
        for _ in range(30):
            make_table()
    assert (counted(), counted()) == (first, again)
    assert "biztechUsers" in get("tables/biztechUser/").json()["near"]


@pytest.mark.parametrize("address", ["map", "tables", "tables/here-it-is"])
def test_an_address_without_its_last_slash_redirects(get, address):
    answer = get(address)

    assert (answer.status_code, answer["Location"]) == (301, f"/api/v1/{address}/")


def test_a_detail_takes_no_filters(get):
    make_table("here-it-is")

    answer = get("tables/here-it-is/?owner=nobody&page=1")

    assert [error["parameter"] for error in answer.json()["errors"]] == ["owner", "page"]


@pytest.mark.parametrize("address", ["schema/", "docs/"])
def test_problems_are_json_even_if_answers_are_not(get, address):
    answer = get(f"{address}?nothing=1")

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["errors"][0]["parameter"] == "nothing"
