"""What all answers share: read-only methods, ETag and revision, caching headers, and a fixed number of queries."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ownership.api import base, map_pieces, map_view, snapshot
from ownership.history.head import Head
from ownership.history.models import current_head
from ownership.models import Access, Table
from tests.support.admin_forms import open_form, save_form
from tests.support.factories import make_service, make_table, make_team
from tests.support.tokens import make_token

DATA = [
    "map/",
    "tables/",
    "tables/here-it-is/",
    "services/",
    "tables/here-it-is/trace/",
    "services/owner/",
    "services/owner/trace/",
    "accesses/",
    "groups/",
    "teams/",
    "environments/",
]
HISTORY = [
    "changes/",
    "head/",
    "compare/?from=1",
    "tables/here-it-is/history/",
    "services/owner/history/",
]
ADDRESSES = [*DATA, *HISTORY, "schema/", "docs/"]
NOWHERE = ["", "nothing/", "tables/nothing/more/", "groups/Group/"]
WRITING = ["post", "put", "patch", "delete"]


# Methods


@pytest.mark.sqlite
@pytest.mark.parametrize("method", WRITING)
def test_nothing_can_be_written_by_anyone(here, settings, viewer, viewer_client, method):
    settings.ANONYMOUS_READ = True
    with_token = Client(headers={"Authorization": f"Token {make_token(viewer)[1]}"})
    checking_csrf = Client(enforce_csrf_checks=True)
    checking_csrf.force_login(viewer)
    clients = {
        "anyone": Client(),
        "session": viewer_client,
        "token": with_token,
        "csrf": checking_csrf,
    }

    answers = {
        (who, address): getattr(client, method)(
            f"/api/v1/{address}", data="{}", content_type="application/json"
        )
        for who, client in clients.items()
        for address in [*ADDRESSES, *NOWHERE]
    }

    assert {
        answer.status_code
        for (who, address), answer in answers.items()
        if who == "anyone" and address in HISTORY
    } == {401}
    answers = {key: answer for key, answer in answers.items() if answer.status_code != 401}
    assert len(answers) == 4 * len([*ADDRESSES, *NOWHERE]) - len(HISTORY)
    assert {key for key, answer in answers.items() if answer.status_code != 405} == set()
    assert {answer["Allow"] for answer in answers.values()} == {"GET, HEAD, OPTIONS"}
    assert {answer.json()["status"] for answer in answers.values()} == {405}
    assert Table.objects.count() == 1


@pytest.mark.sqlite
@pytest.mark.parametrize("method", ["get", "head", "options", *WRITING])
def test_missing_permission_is_reported_first(here, method):
    bad = ["?nothing=1", "?format=xml", "?environment=nowhere"]
    addresses = [*ADDRESSES, *NOWHERE, "tables/nothing/", *("map/" + query for query in bad)]

    answers = {address: getattr(Client(), method)(f"/api/v1/{address}") for address in addresses}

    assert {address for address, answer in answers.items() if answer.status_code != 401} == set()
    assert {answer["WWW-Authenticate"] for answer in answers.values()} == {"Token"}
    assert not any(answer.has_header("ETag") for answer in answers.values())
    if method != "head":
        assert {answer.json()["title"] for answer in answers.values()} == {"Unauthorized"}


def test_missing_permission_comes_before_the_form_of_the_answer():
    assert Client().get("/api/v1/map/", headers={"Accept": "text/html"}).status_code == 401


@pytest.mark.sqlite
@pytest.mark.parametrize("address", [*DATA, "schema/", "docs/"])
def test_anyone_may_read_an_open_map(here, open_to_all, address):
    assert Client().get(f"/api/v1/{address}").status_code == 200


@pytest.mark.sqlite
@pytest.mark.parametrize("address", ADDRESSES)
def test_head_is_get_without_the_body(here, viewer_client, address):
    got, head = viewer_client.get(f"/api/v1/{address}"), viewer_client.head(f"/api/v1/{address}")

    assert (head.status_code, head.content) == (200, b"")
    for header in (
        "Content-Type",
        "Content-Length",
        "ETag",
        "X-Registry-Revision",
        "Cache-Control",
        "Vary",
    ):
        assert head.headers.get(header) == got.headers.get(header)


def test_head_gives_304_too(here, get, viewer_client):
    etag = get("map/")["ETag"]

    assert viewer_client.head("/api/v1/map/", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.sqlite
@pytest.mark.parametrize("address", ADDRESSES)
def test_options_describe_the_address_in_json(here, viewer_client, address):
    answer = viewer_client.options(f"/api/v1/{address}")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer["Allow"] == "GET, HEAD, OPTIONS"
    assert answer.json()["description"]


# ETag and revision


@pytest.mark.sqlite
@pytest.mark.parametrize("address", [*DATA, *HISTORY, "changes/atom/"])
def test_an_answer_that_the_client_has_is_304(here, get, address):
    first = get(address)

    again = get(address, if_none_match=first["ETag"])

    assert (again.status_code, again.content) == (304, b"")
    for header in ("ETag", "X-Registry-Revision", "Cache-Control", "Vary"):
        assert again[header] == first[header]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("{}", 304),
        ("W/{}", 304),
        ('"other", {}', 304),
        ('"other",W/{}', 304),
        ('"other"', 200),
        ("other", 200),
        ("", 200),
        ("\x00", 200),
        ("é", 200),
        ("*", 200),
    ],
)
def test_if_none_match_means_what_http_says(here, get, sent, status):
    etag = get("map/")["ETag"]

    assert get("map/", if_none_match=sent.format(etag)).status_code == status


def test_a_missing_row_is_404_whatever_the_client_has(here, get):
    assert get("tables/nothing/", if_none_match="*").status_code == 404
    assert get("map/?environment=nowhere", if_none_match="*").status_code == 400


def test_every_edit_makes_a_new_etag_and_the_next_revision(here, get):
    before = get("tables/here-it-is/")
    here.description = "Edited"
    here.save()

    after = get("tables/here-it-is/", if_none_match=before["ETag"])

    assert (after.status_code, after.json()["description"]) == (200, "Edited")
    assert after["ETag"] != before["ETag"]
    assert int(after["X-Registry-Revision"]) == int(before["X-Registry-Revision"]) + 1


def test_a_save_that_changes_nothing_keeps_the_etag(here, get):
    etag = get("map/")["ETag"]
    here.save()

    assert get("map/", if_none_match=etag).status_code == 304


def test_a_deleted_table_is_404_even_with_its_etag(here, get):
    etag = get("tables/here-it-is/")["ETag"]
    here.delete()

    assert get("tables/here-it-is/", if_none_match=etag).status_code == 404


def test_every_query_and_form_has_its_own_etag(seeded, get):
    paths = [
        "map/",
        "map/?environment=dev",
        "map/?environment=staging",
        "tables/",
        "tables/?mode=read",
        "tables/?page=1",
        "services/",
        "tables/biztechUsers/",
        "tables/biztechEvents/",
    ]
    etags = [get(path)["ETag"] for path in paths] + [
        get("map/", accept="application/json; indent=2")["ETag"]
    ]

    assert len(set(etags)) == len(etags)


def test_the_same_revision_number_of_another_history_is_another_etag(here, get, monkeypatch):
    etag = get("map/")["ETag"]
    revision, digest = current_head()
    for module in (base, map_view, snapshot):
        monkeypatch.setattr(module, "current_head", lambda: Head(revision, digest[::-1]))

    assert get("map/")["X-Registry-Revision"] == str(revision)
    assert get("map/")["ETag"] != etag


def test_a_new_version_of_the_representation_changes_the_etag(here, get, monkeypatch):
    etag = get("map/")["ETag"]
    monkeypatch.setattr(base, "REPRESENTATION", base.REPRESENTATION + 1)
    base.make_etag.cache_clear()

    assert get("map/", if_none_match=etag).status_code == 200


def test_the_revision_in_the_body_is_that_of_the_header(seeded, get):
    answer = get("map/")

    assert answer["X-Registry-Revision"] == str(answer.json()["revision"]) == "1"


def test_a_change_between_head_and_rows_makes_them_read_again(here, get, monkeypatch):
    real, edits = map_pieces.confirmed_map, iter(["Edited meanwhile"])

    def edited_meanwhile():
        for description in edits:
            here.description = description
            here.save()
        return real()

    monkeypatch.setattr(map_pieces, "confirmed_map", edited_meanwhile)
    before = current_head().revision

    answer = get("map/")

    assert answer["X-Registry-Revision"] == str(answer.json()["revision"]) == str(before + 1)


# Caching headers


@pytest.mark.sqlite
@pytest.mark.slow
@pytest.mark.parametrize("anonymous", [True, False], ids=["open", "closed"])
def test_no_answer_may_be_cached_without_asking_again(here, settings, viewer_client, anonymous):
    settings.ANONYMOUS_READ = anonymous
    paths = [*ADDRESSES, *NOWHERE, "tables/nothing/", "map/?nothing=1"]

    answers = [
        client.get(f"/api/v1/{path}") for client in (Client(), viewer_client) for path in paths
    ]

    assert {answer["Cache-Control"] for answer in answers} == {"private, no-cache"}
    for answer in answers:
        assert {"Accept", "Authorization", "Cookie"} <= {
            name.strip() for name in answer["Vary"].split(",")
        }


# Queries: session and user, or token; the head before and after, but of a snapshot only before; and those listed.

SIGNED_IN = 4  # session, user, and twice permissions
HEADS = 2
KEPT = {"map/": 1, "map/?environment=production": 2}
QUERIES = {
    # count, tables, indexes, accesses, their services, confirmations, teams, which service is of which
    "tables/?page_size=1000": 8,
    "tables/?page_size=1000&service=payments&mode=read&owner=events&search=event": 10,
    "tables/?physical_name=biztechUsersPROD": 9,
    "tables/biztechUsers/": 7,
    "tables/biztechUsers/?environment=production": 8,
    "services/?page_size=1000": 2,
    "services/teams/": 1,
    "accesses/?page_size=1000": 2,
    "groups/": 2,
    "teams/": 2,
    "environments/": 2,
}


def counted(client, path):
    client.get(f"/api/v1/{path}")
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.content
    return len(queries)


@pytest.mark.slow
def test_every_answer_takes_a_fixed_number_of_queries(seeded, viewer_client):
    expected = {path: SIGNED_IN + HEADS + number for path, number in QUERIES.items()}
    expected |= {path: SIGNED_IN + number for path, number in KEPT.items()}

    make_team("People")
    few = {path: counted(viewer_client, path) for path in expected}
    for number in range(60):
        table = make_table(f"more-{number}")
        make_team(f"more-{number}")
        table.indexes.create(name="by-day")
        Access.objects.create(table=table, service=make_service(f"more-{number}"), mode="read")
    many = {path: counted(viewer_client, path) for path in expected}

    assert few == expected
    assert many == expected


def test_a_304_reads_only_the_head(here, get):
    etag = get("map/")["ETag"]

    with CaptureQueriesContext(connection) as queries:
        get("map/", if_none_match=etag)

    assert len(queries) == SIGNED_IN + 1


@pytest.mark.parametrize(("minimum", "status"), [("1", 200), ("2", 412), ("x", 400)])
def test_the_minimum_revision_is_checked_without_replicas_too(seeded, get, minimum, status):
    for path in ("map/", "tables/"):
        answer = get(path, x_registry_min_revision=minimum)
        assert answer.status_code == status, path
        assert status == 200 or answer["Content-Type"] == "application/problem+json"


def test_without_replicas_no_cookie_is_set(lead_client, seeded):
    table = Table.objects.first()
    saved = save_form(lead_client, table, open_form(lead_client, table) | {"description": "Anew."})
    assert saved.status_code == 302
    assert "registry_revision" not in saved.cookies
