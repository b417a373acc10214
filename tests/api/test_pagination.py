"""Pages: whole lists in capped pieces, and nonsense refused before it reaches a database."""

import pytest

from tests.support.factories import make_service


def test_all_pages_together_are_the_list(seeded, get):
    pages = [get(f"accesses/?page_size=20&page={page}").json() for page in (1, 2, 3)]

    assert [len(page["results"]) for page in pages] == [20, 20, 15]
    assert [row for page in pages for row in page["results"]] == get("accesses/").json()["results"]
    assert (pages[0]["previous"], pages[2]["next"]) == (None, None)


@pytest.mark.slow
def test_a_page_has_a_hundred_entries_by_default(get):
    for number in range(101):
        make_service(f"s{number:03}")

    page = get("services/").json()

    assert (page["count"], len(page["results"])) == (101, 100)
    assert (
        get(page["next"].removeprefix("http://testserver/api/v1/")).json()["results"][0]["name"]
        == "s100"
    )
    assert len(get("services/?page_size=1000").json()["results"]) == 101


def test_the_next_page_keeps_the_filters(seeded, get):
    page = get("accesses/?mode=read&page_size=2").json()

    assert page["next"] == "http://testserver/api/v1/accesses/?mode=read&page=2&page_size=2"


def test_an_empty_list_is_one_empty_page(get):
    assert get("tables/?page=1").json() == {
        "count": 0,
        "next": None,
        "previous": None,
        "results": [],
    }


NUMBERS = {
    "zero": "0",
    "negative": "-1",
    "empty": "",
    "word": "last",
    "fraction": "1.5",
    "exponent": "1e3",
    "2^31": "2147483648",
    "2^63": "9223372036854775808",
    "huge": "9" * 5_000,
    "superscript": "²",
    "other-digits": "١",
    "nul": "%00",
    "blank": "%201",
    "signed": "%2B1",
}


@pytest.mark.parametrize("parameter", ["page", "page_size"])
@pytest.mark.parametrize("value", NUMBERS.values(), ids=NUMBERS)
def test_nonsense_is_refused_as_a(get, parameter, value):
    make_service()

    answer = get(f"services/?{parameter}={value}")

    assert answer.status_code == 400
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


def test_a_page_beyond_the_last_is_refused_with_their_number(get):
    make_service("a")
    make_service("b")

    answer = get("services/?page=3&page_size=1")

    assert answer.status_code == 400
    assert answer.json()["detail"] == "page: Must be a whole number from 1 to 2."


def test_a_page_larger_than_the_cap_is_refused(get):
    assert get("services/?page_size=1000").status_code == 200
    assert (
        get("services/?page_size=1001").json()["detail"]
        == "page_size: Must be a whole number from 1 to 1000."
    )
