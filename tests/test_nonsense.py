"""Nonsense to every address of pages, admin and API: an answer, never an error of the server."""

from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from ownership.models import Access, Service, Table, TableGroup
from tests.api.conftest import make_token
from tests.test_roles import address, routes

HUGE = str(2**63)
ODD = [
    "",
    "\x00",
    HUGE,
    "-1",
    "1e400",
    "é→",
    "\u202eabc",
    "<script>alert(1)</script>",
    "=1+1",
    "'; --",
    "x" * 5_000,
    "%",
]
# Parameters that pages, admin and API read, and some that nobody does.
NAMES = [
    "revision", "as_of", "q", "p", "page", "o", "e", "all", "next", "before", "after", "limit", "format",
    "environment", "owner", "owner_id", "service", "table", "group", "kind", "who", "mode", "search", "ordering",
    "from", "to", "since", "until", "day", "sort", "direction", "owner__id__exact", "_changelist_filters",
    "_popup", "undeclared", "é",
]  # fmt: skip
HEADERS = {
    "accept": "text/\x80, */*;q=x", "cookie": "sessionid=\x00; csrftoken=; =;;", "accept-language": "xx-" * 500,
    "if-none-match": "W/", "if-modified-since": "yesterday", "range": "bytes=-1",
    "content-type": "application/json; charset=x",
    "x-forwarded-for": "x, ,", "x-requested-with": "XMLHttpRequest", "authorization": "Basic x",
}  # fmt: skip
ANSWERS = {200, 301, 302, 400, 401, 403, 404, 405, 406, 409, 410, 429}


@pytest.fixture
def asker(seeded, settings) -> Client:
    """An administrator, whom no missing right keeps from any code."""
    settings.ANONYMOUS_READ = True
    client = Client(raise_request_exception=False)
    administrator = User.objects.create_superuser("administrator")
    client.force_login(administrator)
    make_token(administrator)
    return client


def verdicts(client: Client, asked: Iterator[tuple[str, str, bytes]], **headers: str) -> list[tuple[str, str, int]]:
    """Those of the questions (method, address, body) that got no answer of ours."""
    wrong = []
    for method, url, body in asked:
        cookies = client.cookies.copy()
        with transaction.atomic():
            response = client.generic(method, url, body, headers=headers)
            transaction.set_rollback(True)
        client.cookies = cookies
        if response.status_code not in ANSWERS:
            wrong.append((method, url[:300], response.status_code))
    return wrong


def addresses() -> list[str]:
    return [address(route) for route in routes()]


@pytest.mark.parametrize("odd", ODD, ids=lambda text: ascii(text)[:20])
def test_an_odd_value_of_all_parameters_is_answered(asker, odd):
    asked = (("GET", f"{url}?{urlencode(dict.fromkeys(NAMES, odd))}", b"") for url in addresses())
    assert verdicts(asker, asked) == []


def test_an_odd_value_of_each_parameter_and_doubled_ones_are_answered(asker):
    # Each address has another odd value for the same name; between them all values meet all names.
    asked = [
        ("GET", f"{url}?{urlencode([(name, ODD[(place + number) % len(ODD)])] * (1 + number % 2))}", b"")
        for place, url in enumerate(addresses())
        for number, name in enumerate(NAMES)
        if not url.startswith("/admin/") or url in ("/admin/ownership/table/", "/admin/ownership/changeset/")
    ]
    assert verdicts(asker, iter(asked)) == []


@pytest.mark.parametrize("odd", [*ODD[1:], "..", "a/b", "abc", "0"], ids=lambda text: ascii(text)[:20])
def test_an_odd_name_or_number_in_any_address_is_answered(asker, odd):
    parts = ("<str:name>", "<path:name>", "<path:anything>", "<path:object_id>", "<id>", "<path:content_type_id>")
    asked = []
    for route in routes():
        for part in parts:
            if part in route:
                asked.append(("GET", address(route.replace(part, quote(odd, safe="/"))), b""))
    assert verdicts(asker, iter(asked)) == []


@pytest.mark.parametrize(("name", "value"), HEADERS.items(), ids=HEADERS)
def test_an_odd_header_is_answered(asker, name, value):
    assert verdicts(asker, (("GET", url, b"") for url in addresses()), **{name: value}) == []


@pytest.mark.parametrize("method", ["GET", "POST", "PROPFIND"])
@pytest.mark.parametrize(
    "body",
    [b"", b"\x00\xff", b"{" * 2_000, b"revision=%00&reason=%ff&name=%F0%9F"],
    ids=["none", "bytes", "braces", "form"],
)
def test_an_odd_body_is_answered(asker, method, body):
    assert verdicts(asker, ((method, url, body) for url in addresses())) == []


MARKUP = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "]]><b>", "{{ 7*7 }}", "${7*7}"]


@pytest.mark.parametrize("text", MARKUP, ids=ascii)
def test_stored_markup_is_shown_as_text_everywhere(asker, text):
    for model in (Table, Service, TableGroup):
        row = model.objects.order_by("pk").first()
        row.description = text
        row.save()
    access = Access.objects.filter(table__name="biztechUsers").first()
    access.notes = text
    access.save()
    shown = 0
    for url in [*addresses(), "/?group_by=x"]:
        response = asker.get(url)
        if "html" not in response.headers.get("Content-Type", "") or response.status_code != 200:
            continue
        page = response.content.decode()
        shown += text in page or "&lt;" in page
        if "<" in text:
            assert text not in page, url
    assert shown
