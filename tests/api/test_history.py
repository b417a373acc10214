"""The change feed, timelines and the Atom feed: in commit order, whole, and for people who signed in."""

import base64
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ownership.audit.feed import MODEL_NAMES
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, registry_models
from ownership.models import Access, ApiToken, Service, Table
from tests.support.factories import make_access, make_service, make_table

pytestmark = pytest.mark.django_db

CHANGES = "/api/v1/changes/"


def get(client, url=CHANGES, **parameters):
    response = client.get(url, parameters)
    assert response.status_code == 200, response.content
    return response.json()


def follow(client, after="0", **parameters):
    """All that a consumer gets who goes on until there is no more; and the cursor it is left with."""
    entries, has_more = [], True
    while has_more:
        page = get(client, after=after, **parameters)
        entries += [entry for change in page["results"] for entry in change["entries"]]
        after, has_more = page["next"], page["has_more"]
    return entries, after


@pytest.fixture
def story(lead):
    """Seven change sets: payments; the group; orders; users; a hand-over by lead; an access; its deletion."""
    table = make_table("orders", owner=make_service("payments"))
    users = make_service("users")
    with change_set(user=lead, reason="Users takes orders", source=ChangeSet.Source.ADMIN):
        table.owner = users
        table.save()
    make_access(table, Service.objects.get(name="payments")).delete()


def test_a_change_set_says_who_when_and_why_with_old_and_new_values(viewer_client, story, lead):
    change = get(viewer_client, after="4")["results"][0]
    about = [
        "revision",
        "time",
        "user",
        "suggested_by",
        "reason",
        "source",
        "undoes",
        "request_id",
        "digest",
    ]
    assert list(change) == [*about, "entries"]
    assert (change["revision"], change["user"], change["reason"]) == (
        5,
        "lead",
        "Users takes orders",
    )
    assert change["suggested_by"] is None
    assert (change["source"], change["undoes"]) == ("admin", None)
    assert change["entries"] == [
        {
            "revision": 5,
            "sequence": 1,
            "type": "changed",
            "model": "table",
            "label": "orders",
            "changes": {"owner": ["payments", "users"]},
        }
    ]


def test_a_deletion_is_an_entry_with_its_last_values(viewer_client, story):
    entry = get(viewer_client, after="6")["results"][0]["entries"][0]
    assert (entry["type"], entry["model"], entry["label"]) == (
        "deleted",
        "access",
        "payments → orders",
    )
    assert entry["changes"]["mode"] == ["read", None]


@pytest.mark.parametrize("page_size", [1, 2, 500])
def test_polling_with_the_last_cursor_misses_and_repeats_nothing(viewer_client, story, page_size):
    seen, cursor = follow(viewer_client, page_size=page_size)
    assert [(entry["revision"], entry["sequence"]) for entry in seen] == [
        (number, 1) for number in range(1, 8)
    ]
    assert follow(viewer_client, cursor) == ([], cursor)
    make_service("late")
    more, _ = follow(viewer_client, cursor)
    assert [entry["label"] for entry in more] == ["late"]


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_a_large_change_set_spans_pages_and_loses_no_entry(viewer_client, seeded, size):
    entries, _ = follow(viewer_client, page_size=size) if size > 3 else (None, None)
    if entries is None:
        first = get(viewer_client, page_size=size)
        second = get(viewer_client, page_size=size, after=first["next"])
        entries = first["results"][0]["entries"] + second["results"][0]["entries"]
        assert [entry["sequence"] for entry in entries] == list(range(1, 2 * size + 1))
    else:
        assert [entry["sequence"] for entry in entries] == list(range(1, 121))


def test_page_size_also_works_by_its_name_of_version_0_1_0(viewer_client, story):
    assert get(viewer_client, limit=2) == get(viewer_client, page_size=2)
    both = viewer_client.get(CHANGES, {"limit": 2, "page_size": 2})
    assert both.status_code == 400
    assert both.json()["errors"][0]["parameter"] == "limit"


def test_a_filtered_poll_continues_from_the_head_instead_of_its_last_match(viewer_client, story):
    page = get(viewer_client, kind="ownership")
    assert page["next"].startswith("7-")


@pytest.mark.parametrize(
    ("parameters", "revisions"),
    [
        ({"table": "orders"}, [3, 5, 6, 7]),
        ({"service": "payments"}, [1, 3, 5, 6, 7]),
        ({"service": "users"}, [4, 5]),
        ({"group": "Group"}, [2, 3, 5, 6, 7]),
        ({"kind": "ownership"}, [3, 5]),
        ({"kind": "access"}, [6, 7]),
        ({"kind": "service"}, [1, 4]),
        ({"kind": "key_schema"}, [3]),
        ({"kind": "environment"}, []),
        ({"user": "lead"}, [5]),
        ({"user": "nobody"}, []),
        ({"source": "admin"}, [5]),
        ({"table": "orders", "kind": "access"}, [6, 7]),
        ({"service": "payments", "kind": "ownership"}, [3, 5]),
        ({"since": "2000-01-01", "until": "2001-01-01T00:00:00Z"}, []),
        ({"since": "2000-01-01"}, [1, 2, 3, 4, 5, 6, 7]),
    ],
    ids=str,
)
def test_filters_select_matching_entries(viewer_client, story, parameters, revisions):
    assert [
        change["revision"] for change in get(viewer_client, **parameters)["results"]
    ] == revisions


def test_a_row_is_found_under_all_its_names_even_after_deletion(viewer_client, story):
    table = Table.objects.get()
    table.name = "purchases"
    table.save()
    table.delete()
    for name in ("orders", "purchases"):
        assert [change["revision"] for change in get(viewer_client, table=name)["results"]] == [
            3,
            5,
            6,
            7,
            8,
            9,
        ]


def test_a_name_finds_a_deleted_row_even_if_another_row_has_it_now(viewer_client):
    first = make_table("orders")
    first.delete()
    deletion = ChangeSet.objects.first().revision
    make_table("orders")
    creation = ChangeSet.objects.first().revision
    told = [change["revision"] for change in get(viewer_client, table="orders")["results"]]
    assert told[-2:] == [deletion, creation]
    timeline = get(viewer_client, "/api/v1/tables/orders/history/")["results"]
    assert [change["revision"] for change in timeline] == [creation]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("after", "x"),
        ("after", "-1"),
        ("after", "1.2.3"),
        ("after", "1" * 30),
        ("after", "٣"),
        ("page_size", "0"),
        ("page_size", "1001"),
        ("limit", "0"),
        ("kind", "nonsense"),
        ("source", "nonsense"),
        ("since", "yesterday"),
        ("since", "2026-02-31"),
        ("since", "0001-01-01T00:00:00+14:00"),
        ("until", ""),
        ("table", "never-was"),
        ("service", "never-was"),
        ("group", "\x00"),
        ("user", "\x00"),
        ("colour", "red"),
    ],
)
def test_nonsense_is_refused_with_the_parameters_name(viewer_client, story, parameter, value):
    response = viewer_client.get(CHANGES, {parameter: value})
    assert response.status_code == 400
    assert [error["parameter"] for error in response.json()["errors"]] == [parameter]


@pytest.mark.parametrize("cursor", ["8", "999999", "5-000000000000", "5.1-000000000000"])
def test_a_cursor_of_another_history_is_410(viewer_client, story, cursor):
    response = viewer_client.get(CHANGES, {"after": cursor})
    assert response.status_code == 410
    assert "read the map again" in response.json()["detail"]


def test_no_change_is_a_304(viewer_client, story):
    response = viewer_client.get(CHANGES)
    again = viewer_client.get(CHANGES, headers={"if-none-match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    make_service("new")
    assert (
        viewer_client.get(CHANGES, headers={"if-none-match": response["ETag"]}).status_code == 200
    )


def test_a_pages_queries_do_not_grow_with_its_entries(
    viewer_client, seeded, django_assert_num_queries
):
    for size in (10, 100):
        with django_assert_num_queries(21):
            viewer_client.get(CHANGES, {"page_size": size})


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "expected"), [("tables/orders", 20), ("services/payments", 26)])
def test_a_timelines_queries_do_not_grow_with_its_entries(viewer_client, kind, expected):
    access = make_access(make_table("orders"), make_service("payments"))
    counts = []
    for edits in (20, 40):
        for number in range(edits):
            access.notes = f"note {edits} {number}"
            access.save()
        with CaptureQueriesContext(connection) as queries:
            get(viewer_client, f"/api/v1/{kind}/history/")
        counts.append(len(queries))
    assert counts == [expected, expected]


def test_a_tables_timeline_is_newest_first_and_has_its_accesses(viewer_client, story):
    results = get(viewer_client, "/api/v1/tables/orders/history/")["results"]
    assert [change["revision"] for change in results] == [7, 6, 5, 3]


def test_a_services_timeline_has_what_it_gained_and_lost(viewer_client, story):
    results = get(viewer_client, "/api/v1/services/payments/history/")["results"]
    assert [(change["revision"], change["entries"][0]["label"]) for change in results] == [
        (7, "payments → orders"),
        (6, "payments → orders"),
        (5, "orders"),
        (3, "orders"),
        (1, "payments"),
    ]


@pytest.mark.slow
def test_a_timeline_has_pages_and_no_entry_loses_its_changes_at_their_edge(viewer_client):
    access = make_access(make_table("orders"))
    for number in range(45):
        access = Access.objects.get()
        access.notes = f"note {number}"
        access.save()
    seen, before = [], None
    while before is not None or not seen:
        page = get(
            viewer_client,
            "/api/v1/tables/orders/history/",
            **({"before": before} if before else {}),
        )
        seen += page["results"]
        before = page["next"]
    revisions = [change["revision"] for change in seen]
    assert revisions == sorted(set(revisions), reverse=True)
    assert len(seen) == 47
    assert all(entry["changes"] for change in seen for entry in change["entries"])


def test_a_timeline_of_a_name_that_never_existed_is_404(viewer_client, story):
    assert viewer_client.get("/api/v1/tables/never-was/history/").status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        CHANGES,
        "/api/v1/tables/orders/history/",
        "/api/v1/services/users/history/",
        f"{CHANGES}atom/",
    ],
)
def test_history_needs_a_sign_in_even_if_the_map_is_open(story, settings, url):
    settings.ANONYMOUS_READ = True
    assert Client().get("/api/v1/map/").status_code == 200
    assert Client().get(url).status_code == 401


def atom(token: str, name: str = "anyone"):
    credentials = base64.b64encode(f"{name}:{token}".encode()).decode()
    return Client().get(f"{CHANGES}atom/", headers={"authorization": f"Basic {credentials}"})


def test_the_atom_feed_takes_a_token_as_password(story, lead):
    _, token = ApiToken.objects.create(user=lead, name="feed reader")
    response = atom(token)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    names = {"a": "http://www.w3.org/2005/Atom"}
    items = ElementTree.fromstring(response.content).findall("a:entry", names)
    assert len(items) == 7
    assert items[2].find("a:title", names).text == "Users takes orders"
    assert items[2].find("a:author/a:name", names).text == "lead"
    assert "table orders changed: owner payments → users" in items[2].find("a:summary", names).text


@pytest.mark.parametrize(
    "credentials",
    ["Basic", "Basic !!!", "Basic " + base64.b64encode(b"\xff\xff").decode(), "Basic eA=="],
)
def test_broken_basic_credentials_are_401(story, credentials):
    response = Client().get(f"{CHANGES}atom/", headers={"authorization": credentials})
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Basic")


def test_text_in_the_atom_feed_is_escaped_and_valid_xml(lead):
    with change_set(user=User.objects.get(), reason="<script>alert(1)</script> & \x0b done"):
        make_service("a")
    _, token = ApiToken.objects.create(user=lead, name="feed reader")
    content = atom(token).content
    assert b"<script>" not in content
    ElementTree.fromstring(content)


def test_programs_have_a_name_for_every_model_with_history():
    assert set(MODEL_NAMES) == {model._meta.model_name for model in registry_models()}
