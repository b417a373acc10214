"""Nonsense to every address of pages, admin and API: an answer, never an error of the server."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
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

# Each of these asks every address, so `make test` asks with every sixth odd name alone.
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
# Only Python reads most of them, so one database is enough.
SQLITE = pytest.mark.sqlite
HEADERS = [
    pytest.param({"accept": "text/\x80, */*;q=x"}, marks=SQLITE),
    pytest.param(
        {
            "accept-language": "xx-" * 500,
            "range": "bytes=-1",
            "x-forwarded-for": "x, ,",
            "content-type": "application/json; charset=x",
            "if-none-match": "W/",
            "if-modified-since": "yesterday",
            "x-requested-with": "XMLHttpRequest",
        },
        marks=SQLITE,
    ),
    # By these the database is searched.
    {"cookie": "sessionid=\x00; csrftoken=; =;;"},
    {"authorization": "Basic x"},
]
# Nothing reads the body of another method than POST.
BODY = b"\x00\xff" + b"{" * 2_000
BODIES = [
    pytest.param("POST", b"", marks=SQLITE, id="none"),
    pytest.param("POST", BODY, marks=SQLITE, id="bytes"),
    pytest.param("POST", b"revision=%00&reason=%ff&name=%F0%9F", id="form"),
    pytest.param("PROPFIND", BODY, marks=SQLITE, id="propfind"),
]
# Method, address and body.
Question = tuple[str, str, bytes]
ANSWERS = {200, 301, 302, 400, 401, 403, 404, 405, 406, 409, 410, 429}


@pytest.fixture
def asker(small_map, settings) -> Client:
    """An administrator, whom no missing right keeps from any code."""
    settings.ANONYMOUS_READ = True
    client = Client(raise_request_exception=False)
    administrator = User.objects.create_superuser("administrator")
    client.force_login(administrator)
    make_token(administrator)
    return client


Answer = tuple[str, str, int]


def answers(client: Client, questions: Iterable[Question], **headers: str) -> list[Answer]:
    """Method, address and status of each answer; what the question changed is rolled back."""
    given = []
    for method, url, body in questions:
        cookies = client.cookies.copy()
        with transaction.atomic():
            response = client.generic(
                method, url, body, "application/x-www-form-urlencoded", headers=headers
            )
            transaction.set_rollback(True)
        client.cookies = cookies
        given.append((method, url[:300], response.status_code))
    return given


def unanswered(given: list[Answer]) -> list[Answer]:
    """Those that are no answer of ours."""
    return [answer for answer in given if answer[2] not in ANSWERS]


def addresses() -> list[str]:
    return [address(route) for route in routes()]


def all_parameters() -> list[Question]:
    """Each address with one value for all that it may read, for every third of the odd values."""
    questions: list[Question] = []
    for place, url in enumerate(addresses()):
        for odd in ODD[place % 3 :: 3]:
            questions.append(("GET", f"{url}?{urlencode(dict.fromkeys(NAMES, odd))}", b""))
    return questions


def each_parameter() -> list[Question]:
    """Each address with half of the parameters, each alone, once or twice, and another odd value for the same name at
    each address; between them all values meet all names.
    """
    lists = ("/admin/ownership/table/", "/admin/ownership/changeset/")
    urls = [url for url in addresses() if not url.startswith("/admin/") or url in lists]
    questions: list[Question] = []
    for place, url in enumerate(urls):
        for number in range(place % 2, len(NAMES), 2):
            values = [ODD[(place // 2 + number // 2) % len(ODD)]] * (1 + number // 2 % 2)
            query = urlencode([(NAMES[number], value) for value in values])
            questions.append(("GET", f"{url}?{query}", b""))
    return questions


ODD_NAMES = [*ODD[1:], "..", "a/b", "abc", "0"]
PARTS = (
    "<str:name>",
    "<path:name>",
    "<path:anything>",
    "<path:object_id>",
    "<id>",
    "<path:content_type_id>",
)


def odd_names(odd: str) -> list[Question]:
    """Each address with that in the place of a name or number."""
    found = [
        route.replace(part, quote(odd, safe="/"))
        for route in routes()
        for part in PARTS
        if part in route
    ]
    return [("GET", address(route), b"") for route in found]


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD_NAMES[1::KEPT_QUICK], ids=lambda text: ascii(text)[:20])
def test_an_odd_name_or_number_in_any_address_is_answered(asker, odd):
    assert unanswered(answers(asker, odd_names(odd))) == []


# A field of a row below the form, such as accesses-1-mode: accesses-0-mode is read by the same code.
OF_FURTHER_ROW = re.compile(r"-[1-9]\d*-")


def each_field(client: Client, url: str) -> list[Question]:
    """The form at that address, posted with an odd value in each field in turn, all else as it is."""
    page = client.get(url)
    html = page.status_code == 200 and "html" in page.headers["Content-Type"] and "login" not in url
    form = form_of(page) if html else {}
    # Another value for the same name at each address; numbers in it are rows' ids, which differ between databases.
    start = sum(ord(one) for one in url if not one.isdigit())
    return [
        (
            "POST",
            url,
            urlencode(
                form | {"reason": "Because"} | {name: ODD[(start + number) % len(ODD)]}
            ).encode(),
        )
        for number, name in enumerate(form)
        if not OF_FURTHER_ROW.search(name)
    ]


def questions_of_kind(kind: str, client: Client) -> list[Question]:
    """Odd values in all places of that kind, at every address."""
    if kind == "each parameter":
        return each_parameter()
    if kind == "all parameters":
        return all_parameters()
    questions = []
    if kind == "names":
        for odd in ODD_NAMES:
            questions += odd_names(odd)
    else:
        for url in addresses():
            questions += each_field(client, url)
    return questions


# On PostgreSQL every fifth of these questions is asked again, which meets all odd values at some address.
COMPARED = 5
KINDS = pytest.mark.parametrize("kind", ["all parameters", "each parameter", "names", "fields"])
# The folder in which the run on SQLite leaves its answers, for the run on PostgreSQL to compare with.
LEFT = "TEST_ANSWERS"


@pytest.mark.slow
@pytest.mark.sqlite
@KINDS
def test_an_odd_value_is_answered(asker, kind):
    given = answers(asker, questions_of_kind(kind, asker))
    assert len(given) > 200
    assert unanswered(given) == []
    if LEFT in os.environ:
        folder = Path(os.environ[LEFT])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{kind}.json").write_text(json.dumps(given))


def answers_on_sqlite(kind: str, folder: Path) -> list[Answer]:
    """What the test above got there: left by the run before this one, or else by one for this purpose."""
    left = Path(os.environ.get(LEFT, folder), f"{kind}.json")
    if not left.exists():
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        this = f"{__file__}::{test_an_odd_value_is_answered.__name__}[{kind}]"
        command = [sys.executable, "-m", "pytest", "-q", "-n0", this]
        subprocess.run(command, env=environment | {LEFT: str(left.parent)}, check=True, timeout=600)
    return [tuple(answer) for answer in json.loads(left.read_text())]


@pytest.mark.slow
@pytest.mark.postgres
@KINDS
def test_an_odd_value_is_answered_as_on_sqlite(asker, kind, tmp_path):
    given = answers(asker, questions_of_kind(kind, asker)[::COMPARED])
    assert unanswered(given) == []
    differing = []
    theirs_of_all = answers_on_sqlite(kind, tmp_path)
    for mine, theirs in zip(given, theirs_of_all[::COMPARED], strict=True):
        if mine[2] != theirs[2]:
            differing.append((mine, theirs))
    assert differing == []


@pytest.mark.slow
@pytest.mark.parametrize("header", HEADERS, ids=lambda header: next(iter(header)))
def test_an_odd_header_is_answered(asker, header):
    questions = [("GET", url, BODY) for url in addresses()]
    assert unanswered(answers(asker, questions, **header)) == []


@pytest.mark.slow
@pytest.mark.parametrize(("method", "body"), BODIES)
def test_an_odd_body_is_answered(asker, method, body):
    questions = [(method, url, body) for url in addresses()]
    assert unanswered(answers(asker, questions)) == []


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
        for row in (
            table,
            table.owner,
            table.group,
            table.accesses.first(),
            Environment.objects.first(),
        ):
            for field in row._meta.fields:
                with suppress(ValidationError):
                    if isinstance(field, TextField | CharField):
                        setattr(row, field.name, field.clean(f"{text} {field.name}", row))
            row.full_clean()
            row.save()
    return text


HTML = [text for text in MARKUP if "<" in text]


@pytest.mark.slow
@pytest.mark.sqlite  # only templates and exports make markup of a text
@pytest.mark.parametrize("marked", HTML, ids=ascii, indirect=True)
def test_stored_markup_is_shown_as_text_on_every_page(asker, marked):
    shown = 0
    pages = [url for url in addresses() if "logout" not in url]
    for url in [
        *pages,
        "/tables/biztechUsers/",
        "/services/users/",
        "/tables/biztechUsers/history/",
    ]:
        response = asker.get(url)
        if "html" not in response.headers.get("Content-Type", "") or response.status_code != 200:
            continue
        page = response.content.decode()
        shown += escape(marked) in page
        assert marked not in page, url
    assert shown > 5


@pytest.mark.sqlite
@pytest.mark.parametrize("marked", MARKUP, ids=ascii, indirect=True)
@pytest.mark.parametrize("url", FORMS)
def test_stored_markup_is_text_in_every_form(asker, viewer, marked, url):
    credentials = b64encode(f"any:{make_token(viewer)[1]}".encode()).decode()
    answer = asker.get(
        url, headers={"authorization": f"Basic {credentials}"} if "atom" in url else {}
    )
    assert answer.status_code == 200
    live = FORMS[url](b"".join(answer).decode())
    assert "csv" in url or "users" in live
    if "<" in marked or "csv" in url:
        assert marked not in live
