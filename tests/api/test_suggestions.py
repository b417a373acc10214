"""Suggestions over the API: who wants what changed, and what became of it."""

import pytest
from django.contrib.auth.models import User

from ownership.models import Membership
from ownership.models.suggestions import Suggestion
from ownership.plans.suggestions import decline
from tests.support.factories import (
    make_member,
    make_service,
    make_suggestion,
    make_table,
    make_team,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders():
    return make_table("orders", description="Old", owner=make_service("payments"))


def numbers(get, query="") -> list[int]:
    answer = get(f"suggestions/{query}")
    assert answer.status_code == 200, answer.content
    return [one["number"] for one in answer.json()["results"]]


def test_a_suggestion_says_who_when_why_what_and_its_answer(get, orders, lead):
    suggestion = make_suggestion(orders, description="New", owner=make_service("bots"))
    one = get("suggestions/1/").json()
    assert (one["number"], one["kind"], one["about"], one["state"]) == (
        1,
        "change",
        "orders",
        "waiting",
    )
    assert (one["suggested_by"], one["reason"], one["answer"]) == ("suggester", "It is so", None)
    assert one["until"] == str(suggestion.until)
    assert one["steps"] == [
        {
            "type": "changed",
            "model": "table",
            "label": "orders",
            "changes": {"owner": ["payments", "bots"], "description": ["Old", "New"]},
        }
    ]
    head = int(get("suggestions/")["X-Registry-Revision"])
    decline(suggestion, user=lead, reason="No", revision=head)
    one = get("suggestions/1/").json()
    assert (one["state"], one["answer"]["user"], one["answer"]["reason"]) == (
        "declined",
        "lead",
        "No",
    )
    assert one["answer"]["revision"] == head + 1


def test_a_suggestion_says_whom_it_waits_for(get, orders, lead, settings):
    settings.RIGHTS_FOLLOW_OWNER = True

    def waits_for() -> dict | None:
        one = get("suggestions/1/").json()
        assert get("suggestions/").json()["results"] == [one]
        return one["waits_for"]

    suggestion = make_suggestion(orders, lead)
    assert waits_for() == {"who": "team leads", "teams": []}
    team = make_team("Money")
    orders.owner.team = team
    orders.owner.save()
    Membership.objects.create(team=team, user=lead)
    assert waits_for() == {"who": "administrators", "teams": ["Money"]}
    make_member(team)
    assert waits_for() == {"who": "teams", "teams": ["Money"]}
    head = int(get("suggestions/")["X-Registry-Revision"])
    decline(suggestion, user=make_member(team), reason="No", revision=head + 2)
    assert waits_for() is None


def test_filters_narrow_the_list(get, orders, lead, monkeypatch):
    make_suggestion(orders)
    make_suggestion(orders.owner, lead, contact="#pay")
    assert numbers(get) == [2, 1]
    assert numbers(get, "?table=orders") == [1]
    assert numbers(get, "?service=payments") == [2]
    assert numbers(get, "?suggested_by=lead") == [2]
    assert numbers(get, "?state=waiting&kind=change&ordering=number") == [1, 2]
    assert numbers(get, "?state=taken") == []
    after = Suggestion.objects.first().until.replace(year=2100)
    monkeypatch.setattr("ownership.models.suggestions.localdate", lambda: after)
    assert numbers(get, "?state=lapsed") == [2, 1]
    decline(Suggestion.objects.get(number=1), user=lead, reason="No", revision=1)
    assert numbers(get, "?state=lapsed,declined") == [2, 1]
    assert numbers(get, "?state=waiting,declined") == [1]
    assert numbers(get, "?state=waiting") == []


def test_mine_are_those_that_wait_for_a_team_of_the_account(get, orders):
    bots = make_service("bots", team=make_team("Bots"))
    asked = make_suggestion(make_table(owner=bots))
    make_suggestion(orders)
    assert numbers(get, "?mine=true") == []
    Membership.objects.create(team=bots.team, user=User.objects.get(username="viewer"))
    assert numbers(get, "?mine=true") == [asked.number]


@pytest.mark.parametrize(
    "query",
    [
        "?mine=false",
        "?state=odd",
        "?state=waiting,odd",
        "?kind=odd",
        "?table=none",
        "?service=a%00b",
        "?odd=1",
        "?ordering=x",
    ],
)
def test_an_unknown_value_is_refused(get, query):
    assert get(f"suggestions/{query}").status_code == 400


@pytest.mark.parametrize("number", ["9", "x", "9" * 40, "-1"])
def test_there_is_no_other_suggestion(get, number):
    assert get(f"suggestions/{number}/").status_code == 404


@pytest.mark.parametrize("rows", [1, 12])
def test_the_list_takes_a_fixed_number_of_queries(get, orders, rows, django_assert_num_queries):
    for _ in range(rows):
        make_suggestion(orders)
    get("suggestions/")
    # Of which one for the teams.
    with django_assert_num_queries(9):
        get("suggestions/")
