"""``tables/{name}/trace/`` and ``services/{name}/trace/``."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ownership.history.change_sets import change_set
from ownership.models import Access, Service
from tests.support.factories import make_access, make_table, make_team


def shape(answer):
    """By hop, its kind and the names there; those that an earlier hop came to end in ``*``."""
    return [
        (hop["kind"], [place["name"] + "*" * place["again"] for place in hop["places"]])
        for hop in answer.json()["hops"]
    ]


def test_each_hop_has_the_accesses_that_lead_to_it(seeded, get):
    profiles = Service.objects.get(name="profiles")
    profiles.team = make_team("People")
    profiles.save()
    answer = get("tables/biztechProfiles/trace/?direction=upstream&depth=1").json()

    assert {key: answer[key] for key in answer if key != "hops"} == {
        "revision": 3,
        "direction": "upstream",
        "depth": 1,
        "complete": True,
    }
    start, writers = answer["hops"]
    assert start == {
        "hop": 0,
        "kind": "table",
        "places": [
            {
                "name": "biztechProfiles",
                "owner": "profiles",
                "team": "People",
                "part_of": None,
                "again": False,
                "first_hop": 0,
                "accesses": [],
            }
        ],
    }
    assert (writers["hop"], writers["kind"]) == (1, "service")
    by_name = {place["name"]: place for place in writers["places"]}
    assert by_name["payments"] == {
        "name": "payments",
        "owner": None,
        "team": None,
        "part_of": None,
        "again": False,
        "first_hop": 1,
        "accesses": [
            {
                "table": "biztechProfiles",
                "service": "payments",
                "mode": "write",
                "indirect": True,
                "notes": "Webhook calls createProfile() which writes here",
            }
        ],
    }


def test_a_service_starts_with_its_parts_and_downstream_is_the_default(seeded, get):
    answer = get("services/interactions/trace/")

    assert (answer.json()["direction"], answer.json()["depth"]) == ("downstream", 4)
    kind, names = shape(answer)[0]
    assert (kind, names) == (
        "service",
        ["interactions", "connections", "investments", "qr", "quests", "quizzes", "teams"],
    )
    assert answer.json()["hops"][0]["places"][1]["part_of"] == "interactions"
    assert [kind for kind, _ in shape(answer)] == [
        "service",
        "table",
        "service",
        "table",
        "service",
    ]


def test_a_trace_in_the_past_answers_as_it_did_then(seeded, get):
    before = get("services/payments/trace/")
    with change_set(reason="Payments writes no users any more"):
        Access.objects.get_by_natural_key("biztechUsers", "payments").delete()

    assert get("services/payments/trace/?revision=1").json() == before.json()
    assert shape(get("services/payments/trace/")) != shape(before)


def test_invalid_parameters_are_refused_with_what_is_allowed(seeded, get):
    refusals = {
        "direction=sideways": ("direction", "Must be one of downstream, upstream."),
        "depth=0": ("depth", "Must be a whole number from 1 to 10."),
        "depth=11": ("depth", "Must be a whole number from 1 to 10."),
        "depth=%D9%A3": ("depth", "Must be a whole number from 1 to 10."),
        "hops=2": (
            "hops",
            "Unknown parameter. Allowed: as_of, depth, direction, format, revision.",
        ),
    }
    for query, (parameter, detail) in refusals.items():
        answer = get(f"services/payments/trace/?{query}")
        assert (answer.status_code, answer.json()["errors"]) == (
            400,
            [{"parameter": parameter, "detail": detail}],
        )


@pytest.mark.parametrize("name", ["nothing", "payments%00", "PAYMENTS", "é"])
def test_an_unknown_name_is_not_found(seeded, get, name):
    answer = get(f"services/{name}/trace/")
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("No service is called")
    assert get("tables/payments/trace/").json()["detail"] == "No table is called 'payments'."


@pytest.mark.slow
def test_a_trace_takes_one_query_per_hop_at_any_size(seeded, viewer_client):
    def counted():
        with CaptureQueriesContext(connection) as captured:
            assert (
                viewer_client.get("/api/v1/tables/biztechProfiles/trace/?depth=3").status_code
                == 200
            )
        return len(captured)

    # session, user, permissions twice; head before and after, the table, its hops; teams
    assert counted() == 4 + 2 + 1 + 3 + 1
    for _ in range(20):
        make_access(make_table(), None, mode="read_write")
    assert counted() == 4 + 2 + 1 + 3 + 1
