"""Nonsense to every address of pages, admin and API: an answer, never an error of the server."""

import csv
import io
import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import CharField, TextField
from django.test import Client
from django.utils.html import escape
from markdown_it import MarkdownIt

from ownership.history.change_sets import change_set
from ownership.models import Environment, Table
from tests.support.addresses import address, routes
from tests.support.admin_forms import form_of
from tests.support.tokens import make_token

# Each of these asks every address: of each kind a few in `make test`, all of them in `.ci/run`.
KEPT_QUICK = 6
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


def sampled(values: Iterable[Any]) -> list[Any]:
    """Every sixth value as it is, the others marked as slow."""
    return [
        value if number % KEPT_QUICK == 1 else pytest.param(value, marks=pytest.mark.slow)
        for number, value in enumerate(values)
    ]


def answers(
    client: Client, requests: Iterable[tuple[str, str, bytes]], **headers: str
) -> Iterator[tuple[str, str, int]]:
    """The status of each question (method, address, body)."""
    for method, url, body in requests:
        cookies = client.cookies.copy()
        with transaction.atomic():
            response = client.generic(method, url, body, "application/x-www-form-urlencoded", headers=headers)
            transaction.set_rollback(True)
        client.cookies = cookies
        yield method, url, response.status_code


def verdicts(client: Client, requests: Iterable[tuple[str, str, bytes]], **headers: str) -> list[tuple[str, str, int]]:
    """Those of the questions that got no answer of ours."""
    given = answers(client, requests, **headers)
    return [(method, url[:300], status) for method, url, status in given if status not in ANSWERS]


def addresses() -> list[str]:
    return [address(route) for route in routes()]


def all_parameters(odd: str) -> list[tuple[str, str, bytes]]:
    """Each address with one value for all that it may read."""
    return [("GET", f"{url}?{urlencode(dict.fromkeys(NAMES, odd))}", b"") for url in addresses()]


def each_parameter() -> list[tuple[str, str, bytes]]:
    """Each parameter alone, once or twice. Each address has another odd value for the same name; between them all
    values meet all names.
    """
    return [
        ("GET", f"{url}?{urlencode([(name, ODD[(place + number) % len(ODD)])] * (1 + number % 2))}", b"")
        for place, url in enumerate(addresses())
        for number, name in enumerate(NAMES)
        if not url.startswith("/admin/") or url in ("/admin/ownership/table/", "/admin/ownership/changeset/")
    ]


@pytest.mark.slow
@pytest.mark.parametrize("odd", sampled(ODD), ids=lambda text: ascii(text)[:20])
def test_an_odd_value_of_all_parameters_is_answered(asker, odd):
    assert verdicts(asker, all_parameters(odd)) == []


@pytest.mark.slow
def test_odd_and_repeated_values_of_each_parameter_are_answered(asker):
    assert verdicts(asker, each_parameter()) == []


ODD_NAMES = [*ODD[1:], "..", "a/b", "abc", "0"]
PARTS = ("<str:name>", "<path:name>", "<path:anything>", "<path:object_id>", "<id>", "<path:content_type_id>")


def odd_names(odd: str) -> list[tuple[str, str, bytes]]:
    """Each address with that in the place of a name or number."""
    found = [route.replace(part, quote(odd, safe="/")) for route in routes() for part in PARTS if part in route]
    return [("GET", address(route), b"") for route in found]


@pytest.mark.parametrize("odd", sampled(ODD_NAMES), ids=lambda text: ascii(text)[:20])
def test_an_odd_name_or_number_in_any_address_is_answered(asker, odd):
    assert verdicts(asker, odd_names(odd)) == []


def each_field(client: Client, url: str) -> list[tuple[str, str, bytes]]:
    """The form at that address, posted with an odd value in each field in turn, all else as it is."""
    page = client.get(url)
    html = page.status_code == 200 and "html" in page.headers["Content-Type"] and "login" not in url
    form = form_of(page) if html else {}
    # Another value for the same name at each address; numbers in it are rows' ids, which differ between databases.
    start = sum(ord(one) for one in url if not one.isdigit())
    return [
        ("POST", url, urlencode(form | {"reason": "Because"} | {name: ODD[(start + number) % len(ODD)]}).encode())
        for number, name in enumerate(form)
    ]


@pytest.mark.slow
def test_an_odd_value_of_each_field_of_each_form_is_answered(asker):
    requests = [one for url in addresses() for one in each_field(asker, url)]
    assert len(requests) > 200
    assert verdicts(asker, requests) == []


# Where to write the verdicts for the other database's test to compare with.
TOLD = "TEST_VERDICTS"


def all_answers(client: Client) -> list[tuple[str, str, int]]:
    """The status of every question of this module but those about headers and bodies."""
    questions = each_parameter()
    for odd in ODD:
        questions += all_parameters(odd)
    for odd in ODD_NAMES:
        questions += odd_names(odd)
    for url in addresses():
        questions += each_field(client, url)
    return list(answers(client, questions))


@pytest.mark.slow
@pytest.mark.sqlite
@pytest.mark.skipif(TOLD not in os.environ, reason="runs for the test below, which asks for it on PostgreSQL")
def test_sqlite_answers_every_question(asker):
    given = all_answers(asker)
    Path(os.environ[TOLD]).write_text(json.dumps(given))
    assert [answer for answer in given if answer[2] not in ANSWERS] == []


@pytest.mark.slow
@pytest.mark.postgres
def test_both_databases_give_the_same_verdict(asker, tmp_path):
    mine = all_answers(asker)
    told = tmp_path / "sqlite.json"
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | {TOLD: str(told)}
    this = f"{__file__}::{test_sqlite_answers_every_question.__name__}"
    subprocess.run([sys.executable, "-m", "pytest", "-q", "-n0", this], env=environment, check=True, timeout=600)
    theirs = json.loads(told.read_text())
    differing = [(one, other[-1]) for one, other in zip(mine, theirs, strict=True) if one[-1] != other[-1]]
    assert differing == []


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(HEADERS))
def test_an_odd_header_is_answered(asker, name):
    assert verdicts(asker, (("GET", url, b"") for url in addresses()), **{name: HEADERS[name]}) == []


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "POST", "PROPFIND"])
@pytest.mark.parametrize(
    "body",
    [b"", b"\x00\xff", b"{" * 2_000, b"revision=%00&reason=%ff&name=%F0%9F"],
    ids=["none", "bytes", "braces", "form"],
)
def test_an_odd_body_is_answered(asker, method, body):
    assert verdicts(asker, ((method, url, body) for url in addresses())) == []


MARKUP = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]><b>",
    "{{ 7*7 }}",
    "${7*7}",
    '=HYPERLINK("http://x.example")',
]
# Forms besides HTML: what a reader of that form would make of them.
FORMS = {
    "/api/v1/map/?format=csv": lambda text: "\n".join(
        cell for row in csv.reader(io.StringIO(text)) for cell in row if cell.startswith("=")
    ),
    "/api/v1/map/?format=markdown": MarkdownIt("commonmark", {"html": True}).enable("table").render,
    "/api/v1/tables/biztechUsers/?format=mermaid": str,
    "/api/v1/services/users/?format=mermaid": str,
    "/api/v1/changes/atom/": str,
}


@pytest.fixture
def marked(asker, request) -> str:
    """The text in every field that takes any text, of biztechUsers and the rows around it."""
    text = request.param
    table = Table.objects.get(name="biztechUsers")
    with change_set(reason=text):
        for row in (table, table.owner, table.group, table.accesses.first(), Environment.objects.first()):
            for field in row._meta.fields:
                with suppress(ValidationError):
                    if isinstance(field, TextField | CharField):
                        setattr(row, field.name, field.clean(f"{text} {field.name}", row))
            row.full_clean()
            row.save()
    return text


@pytest.mark.slow
@pytest.mark.parametrize("marked", sampled(MARKUP), ids=ascii, indirect=True)
def test_stored_markup_is_shown_as_text_on_every_page(asker, marked):
    shown = 0
    pages = [url for url in addresses() if "logout" not in url]
    for url in [*pages, "/tables/biztechUsers/", "/services/users/", "/tables/biztechUsers/history/"]:
        response = asker.get(url)
        if "html" not in response.headers.get("Content-Type", "") or response.status_code != 200:
            continue
        page = response.content.decode()
        shown += escape(marked) in page
        if "<" in marked:
            assert marked not in page, url
    assert shown > 5


@pytest.mark.parametrize("marked", MARKUP, ids=ascii, indirect=True)
@pytest.mark.parametrize("url", FORMS)
def test_stored_markup_is_text_in_every_form(asker, viewer, marked, url):
    credentials = b64encode(f"any:{make_token(viewer)[1]}".encode()).decode()
    answer = asker.get(url, headers={"authorization": f"Basic {credentials}"} if "atom" in url else {})
    assert answer.status_code == 200
    live = FORMS[url](b"".join(answer).decode())
    assert "csv" in url or "users" in live
    if "<" in marked or "csv" in url:
        assert marked not in live
