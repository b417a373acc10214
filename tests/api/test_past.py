"""The addresses answer as of a revision or a time just as they answered then; and tell what differs between two."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, current_head
from ownership.models import Access, Membership, Service, Table
from tests.support.factories import (
    make_access,
    make_member,
    make_service,
    make_table,
    make_team,
)
from tests.support.lifetime import a_life
from tests.support.tokens import make_token

MAP_AND_LISTS = ["map/", "tables/", "services/", "accesses/", "groups/", "teams/", "environments/"]
DETAILS = [
    "tables/biztechUsers/",
    "services/teams/",
    "tables/biztechUsers/trace/",
    "services/interactions/trace/",
]
# Every filter, search, ordering and page that there is.
QUERIES = [
    *MAP_AND_LISTS[1:],
    *DETAILS,
    "map/?environment=production",
    "tables/?environment=production",
    "tables/biztechUsers/?environment=production",
    "tables/?group=Core Tables",
    "tables/?owner=payments",
    "tables/?service=payments",
    "tables/?service=payments&mode=write,read_write",
    "tables/?mode=read",
    "tables/?indirect=true",
    "tables/?physical_name=biztechUsersPROD",
    "tables/?search=payment",
    "tables/?search=users reads",
    "tables/?ordering=-owner,name",
    "tables/?ordering=group",
    "tables/?ordering=-name&page_size=5&page=3",
    "services/?part_of=interactions",
    "services/?table=biztechUsers",
    "services/?mode=write&indirect=false",
    "services/?search=e",
    "services/?ordering=-name",
    "services/?ordering=part_of",
    "accesses/?table=biztechUsers",
    "accesses/?service=payments",
    "accesses/?part_of=interactions",
    "accesses/?group=Core Tables",
    "accesses/?owner=events",
    "accesses/?mode=read",
    "accesses/?indirect=true",
    "accesses/?physical_name=biztechUsers",
    "accesses/?search=owner",
    "accesses/?ordering=-mode,service,table",
    "groups/?search=core",
    "groups/?ordering=-name",
    "environments/?search=prod",
    "environments/?ordering=suffix",
    # and errors
    "tables/?owner=nobody",
    "tables/?page=9",
    "tables/?mode=append",
    "tables/?ordering=age",
    "tables/nothing/",
    "map/?environment=nowhere",
]


def then(path, revision):
    return f"{path}{'&' if '?' in path else '?'}revision={revision}"


def content_of(answer):
    """Status and content, less the addresses of other pages, which name the revision."""
    content = answer.json()
    return answer.status_code, {
        key: value for key, value in content.items() if key not in ("next", "previous")
    }


@pytest.mark.slow
def test_every_query_of_the_past_answers_as_it_did_then(seeded, get):
    recorded = {path: content_of(get(path)) for path in ["map/", *QUERIES]}
    assert {path: content_of(get(then(path, 1))) for path in recorded} == recorded, (
        "of the head, both ways"
    )

    for _ in a_life():
        pass

    assert {path: content_of(get(then(path, 1))) for path in recorded} == recorded
    changed = {path for path, before in recorded.items() if content_of(get(path)) != before}
    assert len(changed) > 35, "most answers of today are others"


@pytest.mark.slow
def test_every_revision_of_the_map_is_the_one_served_when_it_was_current(seeded, get):
    recorded = {1: get("map/").json()}
    for _ in a_life():
        recorded[current_head().revision] = get("map/").json()

    assert {revision: get(f"map/?revision={revision}").json() for revision in recorded} == recorded
    assert get("map/?revision=0").json() == {
        "revision": 0,
        "environment": None,
        **{part: [] for part in ("environments", "groups", "teams", "services", "tables")},
    }


def test_pages_of_the_past_link_to_pages_of_the_past(seeded, get):
    make_table("later")
    page = get("tables/?revision=1&page_size=30").json()
    rest = get(page["next"].partition("/api/v1/")[2]).json()
    assert [page["count"], len(page["results"]) + len(rest["results"])] == [34, 34]


def test_a_time_shows_the_last_revision_at_or_before_it(seeded, get):
    time = ChangeSet.objects.get().time
    make_table("later")
    at, before = (
        (time - timedelta(microseconds=n)).isoformat().replace("+00:00", "Z") for n in (0, 1)
    )

    assert [get(f"tables/?as_of={moment}").json()["count"] for moment in (at, before)] == [34, 0]
    assert get(f"map/?as_of={at}").json() == get("map/?revision=1").json()
    assert get(f"map/?as_of={datetime.max.date()}").json() == get("map/").json()


# Who may


@pytest.mark.slow
def test_the_past_needs_a_sign_in_or_a_token_even_if_the_map_is_open(seeded, open_to_all, viewer):
    with_token = Client(headers={"Authorization": f"Token {make_token(viewer)[1]}"})
    past = [
        path + query
        for path in [*MAP_AND_LISTS, *DETAILS]
        for query in ("?revision=1", "?as_of=2100-01-01")
    ]

    assert {Client().get(f"/api/v1/{path}").status_code for path in [*past, "compare/?from=0"]} == {
        401
    }
    assert {
        with_token.get(f"/api/v1/{path}").status_code for path in [*past, "compare/?from=0"]
    } == {200}
    assert {Client().get(f"/api/v1/{path}").status_code for path in [*MAP_AND_LISTS, *DETAILS]} == {
        200
    }


# Nonsense


def test_a_revision_that_is_not_there_yet_is_refused_with_the_latest_one(seeded, get):
    (error,) = get("map/?revision=2").json()["errors"]
    assert error == {"parameter": "revision", "detail": "There is no revision 2. The latest is 1."}


@pytest.mark.parametrize("value", ["-1", "x", "1.5", "%00", "1%00", str(2**63), "٣"])
def test_an_unknown_revision_is_refused_with_the_latest_one(seeded, get, value):
    for path in [*MAP_AND_LISTS, *DETAILS]:
        answer = get(f"{path}?revision={value}")
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
        assert answer.json()["errors"] == [
            {
                "parameter": "revision",
                "detail": "Takes a whole number from 0 to 1, which is the latest revision.",
            }
        ]


@pytest.mark.parametrize("value", ["x", "12:00", "2026-02-30", "%00", "0001-01-01T00:00%2B14:00"])
def test_an_invalid_time_is_refused_with_the_allowed_format(seeded, get, value):
    answer = get(f"map/?as_of={value}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert [error["parameter"] for error in answer.json()["errors"]] == ["as_of"]
    assert "ISO 8601" in answer.json()["detail"]


def test_revision_and_time_together_are_refused(seeded, get):
    answer = get("map/?revision=1&as_of=2026-01-01")
    assert answer.status_code == 400
    assert {error["parameter"] for error in answer.json()["errors"]} == {"revision", "as_of"}


# Asking again


@pytest.mark.parametrize("path", ["map/", "tables/", "tables/biztechUsers/", "services/"])
def test_later_edits_change_todays_answers_and_not_the_past(seeded, get, path):
    past, today = get(f"{path}?revision=1"), get(path)
    make_table("later")

    again = get(f"{path}?revision=1", if_none_match=past["ETag"])
    assert (again.status_code, again["ETag"], again["X-Registry-Revision"]) == (
        304,
        past["ETag"],
        "1",
    )
    assert get(path, if_none_match=today["ETag"]).status_code == 200
    assert get(f"{path}?revision=2", if_none_match=past["ETag"]).status_code == 200
    assert get(f"{path}?revision=1").content == past.content


def test_the_present_is_back_after_the_past_even_after_an_error(seeded, get):
    make_table("later")
    for path in ("tables/later/?revision=1", "tables/?revision=1&page=9", "tables/?revision=1"):
        get(path)
        assert get("tables/later/").status_code == 200


@pytest.mark.parametrize(
    "path", ["tables/biztechUser/", "tables/biztechUser/trace/", "services/payment/"]
)
def test_an_unknown_name_in_the_past_lists_similar_names_of_that_time(seeded, get, path):
    for row in (Table.objects.get(name="biztechUsers"), Service.objects.get(name="payments")):
        row.name = f"{row.name[:-1]}-s"
        row.save()
    then, now = get(f"{path}?revision=1"), get(path)
    assert (then.status_code, now.status_code) == (404, 404)
    assert {"biztechUsers", "payments"} & {*then.json()["near"]}
    assert not {"biztechUsers", "payments"} & {*now.json()["near"]}
    assert {"biztechUser-s", "payment-s"} & {*now.json()["near"]}
    assert not {"biztechUser-s", "payment-s"} & {*then.json()["near"]}


@pytest.mark.slow
def test_the_past_takes_one_query_less_than_today_at_any_size(seeded, get):
    def today(path):
        # Indented, because today's map in its usual form is kept.
        with CaptureQueriesContext(connection) as queries:
            answer = get(path, accept="application/json; indent=1")
        # The head is not read again after the rows: the past does not change. An error reads it once in any case.
        return len(queries), len(queries) - (answer.status_code == 200)

    def past(path, revision):
        return today(then(path, revision))[0]

    # What is not there brings similar names, kept per revision: test_errors.py.
    paths = [path for path in ["map/", *QUERIES] if path != "tables/nothing/"]
    few = {path: today(path)[1] for path in paths}
    assert {path: past(path, 1) for path in paths} == few
    with change_set(reason="Grow"):
        for number in range(30):
            make_access(make_table(f"more-{number}"))
    assert few["map/"] == past("map/", 2) == today("map/")[1]
    assert {path: past(path, 2) for path in paths} == {path: today(path)[1] for path in paths}


# Compare


def entries(get, query):
    answer = get(f"compare/?{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["entries"]


def test_compare_says_what_changed_in_each_row_with_names_of_that_time(seeded, get):
    users, payments = Table.objects.get(name="biztechUsers"), Service.objects.get(name="payments")
    owner = users.owner.name
    users.owner = payments
    users.save()
    payments.name = "checkout"
    payments.save()
    users.name = "people"
    users.save()
    make_service("joined", aliases=["j"])
    Access.objects.get(table=users, service=payments).delete()

    found = entries(get, "from=1")

    assert found[0] == {
        "type": "changed",
        "model": "service",
        "label": "checkout",
        "changes": {"name": ["payments", "checkout"]},
    }
    assert [(entry["type"], entry["model"], entry["label"]) for entry in found[1:]] == [
        ("created", "service", "joined"),
        ("changed", "table", "people"),
        ("deleted", "access", "payments → biztechUsers"),
    ]
    assert found[1]["changes"]["aliases"] == [None, ["j"]]
    assert found[2]["changes"] == {"name": ["biztechUsers", "people"], "owner": [owner, "checkout"]}
    assert found[3]["changes"]["table"] == ["biztechUsers", None]
    assert found[3]["changes"]["service"] == ["payments", None]


def test_compare_names_members_whose_accounts_have_been_deleted_since(seeded, get):
    team = make_team("Money")
    gone = make_member(team, "gone")
    stays = make_member(team, "stays")
    before = current_head().revision
    Membership.objects.get(user=gone).delete()
    Membership.objects.get(user=stays).delete()
    gone.delete()

    found = entries(get, f"from={before}")
    assert [(entry["type"], entry["label"]) for entry in found] == [
        ("deleted", "gone in Money"),
        ("deleted", "stays in Money"),
    ]
    assert found[0]["changes"]["user"] == ["gone", None]


def test_compare_leaves_out_what_was_reverted_in_between(seeded, get):
    table = Table.objects.first()
    for description in ("Other", table.description):
        table.description = description
        table.save()
    make_service("passing").delete()

    assert entries(get, f"from=1&to={current_head().revision}") == []
    assert len(entries(get, f"from=1&to={current_head().revision - 1}")) == 1
    assert entries(get, "from=1&to=1") == []


def test_compare_says_the_same_as_the_feed_where_each_row_changed_once(seeded, get):
    table = make_table("orders", group=Table.objects.first().group)
    make_access(table, mode="write")

    feed = get("changes/?after=1").json()["results"]
    of_feed = [
        {key: value for key, value in entry.items() if key not in ("revision", "sequence")}
        for change in feed
        for entry in change["entries"]
    ]
    assert sorted(entries(get, "from=1"), key=str) == sorted(of_feed, key=str)


def test_compare_from_the_beginning_lists_the_whole_registry(seeded, get):
    answer = get("compare/?from=1900-01-01&to=2100-01-01")
    assert (answer.json()["from"], answer.json()["to"], answer["X-Registry-Revision"]) == (
        0,
        1,
        "1",
    )
    assert {entry["type"] for entry in answer.json()["entries"]} == {"created"}
    assert len(answer.json()["entries"]) == 3 + 7 + 19 + 34 + 55 + 2


def test_a_comparison_with_the_past_is_unchanged_after_later_edits(seeded, get):
    make_service()
    tag = get("compare/?from=0&to=1")["ETag"]
    now = get("compare/?from=0")["ETag"]
    make_service()
    assert get("compare/?from=0&to=1", if_none_match=tag).status_code == 304
    assert get("compare/?from=0", if_none_match=now).status_code == 200


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "from"),
        ("to=1", "from"),
        ("from=2", "from"),
        ("from=x", "from"),
        ("from=1&to=0", "from"),
        ("from=0&to=2", "to"),
        ("from=0&to=%00", "to"),
        ("from=0&to=tomorrow", "to"),
        (f"from=0&to={2**63}", "to"),
        ("from=0&to=", "to"),
        ("from=0&after=1", "after"),
    ],
)
def test_a_comparison_with_invalid_parameters_is_refused(seeded, get, query, parameter):
    answer = get(f"compare/?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


@pytest.mark.slow
def test_compare_takes_a_fixed_number_of_queries(seeded, get):
    def counted():
        with CaptureQueriesContext(connection) as queries:
            assert get("compare/?from=1").status_code == 200
        return len(queries)

    make_access()
    few = counted()
    with change_set(reason="Grow"):
        for _ in range(30):
            make_access()
    # Session, user, permissions twice; the head before and after, and `from`; and ten models, twice.
    assert counted() == few == 4 + 3 + 20
