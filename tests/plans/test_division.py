"""A plan is cut into what its user writes and what others are asked for; what waits already is asked for once."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ownership.history.models import current_head
from ownership.models import Access, Service, Suggestion, Table, TableGroup
from ownership.plans.division import Division, divide
from ownership.plans.plan import Plan, Refused
from ownership.plans.steps import Step, copy_of
from ownership.plans.suggestions import suggest, withdraw
from tests.support.factories import make_access, make_table
from tests.support.owned_map import OwnedMap

pytestmark = pytest.mark.django_db


@pytest.fixture
def owned(settings) -> OwnedMap:
    settings.RIGHTS_FOLLOW_OWNER = True
    return OwnedMap()


def changed(row, **fields) -> Step:
    before = type(row).objects.get(pk=row.pk)
    after = copy_of(before)
    for name, value in (fields or {"description": "New"}).items():
        setattr(after, name, value)
    return Step(before, after)


def plan_of(*steps: Step) -> Plan:
    return Plan(steps, current_head().revision)


def send(division: Division) -> list[Suggestion]:
    return suggest(
        division.parts, user=division.user, reason="So it is", revision=division.plan.revision
    )


def written(division: Division) -> list[str]:
    return [step.label for step in division.writable.steps]


def asked(division: Division) -> list[list[str]]:
    return [[step.label for step in part.steps] for part in division.parts]


def test_the_own_part_is_written_and_the_rest_is_suggested(owned):
    make_access(owned.accounts, owned.spare)

    def plan() -> Plan:
        access = Access.objects.get(service=owned.spare)
        return plan_of(changed(owned.accounts), changed(owned.replies), Step(access, None))

    division = divide(plan(), owned.ann)
    assert written(division) == ["accounts", "spare → accounts"]
    assert asked(division) == [["replies"]]
    assert not division.may_apply
    with pytest.raises(Refused, match="belongs to Bots"):
        division.to_apply().apply(user=owned.ann, reason="x", source="import")
    send(divide(plan(), owned.ann))
    division = divide(plan(), owned.ann)
    assert division.may_apply
    assert division.to_apply().apply(user=owned.ann, reason="x", source="import")
    assert Table.objects.filter(description="New").get().name == "accounts"


def test_a_plan_that_one_may_write_whole_is_not_looked_through_twice(
    owned, django_assert_num_queries
):
    plan = plan_of(changed(owned.accounts, owner=owned.till))
    assert plan.blockers == []
    division = divide(plan, owned.ann)
    with django_assert_num_queries(0):
        assert division.to_apply().blockers == []


def test_what_is_done_to_one_table_stays_together(owned):
    """Ann may change her service's access to a table of Bots, but not the table."""
    steps = [changed(owned.used, mode="write"), changed(owned.replies)]
    division = divide(plan_of(*steps), owned.ann)
    assert written(division) == []
    assert asked(division) == [["wallet → replies", "replies"]]


def test_what_the_own_part_and_that_of_others_need_is_in_both(owned):
    bots = Service(name="bots")
    accounts, replies = (Table.objects.get(pk=row.pk) for row in (owned.accounts, owned.replies))
    steps = [
        Step(None, bots),
        Step(None, Access(table=accounts, service=bots, mode="read")),
        Step(None, Access(table=replies, service=bots, mode="read")),
    ]
    division = divide(plan_of(*steps), owned.ann)
    assert written(division) == ["bots", "bots → accounts"]
    assert asked(division) == [["bots", "bots → replies"]]


def test_what_needs_a_row_of_others_goes_along_with_it(owned):
    bots = Service(name="bots", team=owned.bots)
    accounts = Table.objects.get(pk=owned.accounts.pk)
    steps = [
        Step(None, bots),
        Step(None, Access(table=accounts, service=bots, mode="read")),
        Step(None, TableGroup(name="New")),
    ]
    division = divide(plan_of(*steps), owned.ann)
    assert written(division) == ["New"]
    assert asked(division) == [["bots", "bots → accounts"]]


def test_who_may_write_everything_may_ask_other_teams_and_never_their_own(owned, settings):
    settings.RIGHTS_FOLLOW_OWNER = False
    steps = [changed(owned.accounts), changed(owned.replies), changed(owned.loose)]
    division = divide(plan_of(*steps), owned.ann)
    assert division.may_apply
    assert written(division) == ["accounts", "replies", "loose"]
    assert asked(division) == [["replies"], ["loose"]]
    send(division)
    division = divide(plan_of(*steps), owned.ann)
    assert written(division) == ["accounts"]
    assert not division.unsuggested
    # What somebody else suggested does not keep a lead from writing it.
    assert written(divide(plan_of(*steps), owned.ben)) == ["accounts", "replies", "loose"]


def test_a_viewer_writes_nothing_also_of_their_own_team(owned, viewer, settings):
    owned.money.memberships.create(user=viewer)
    for settings.RIGHTS_FOLLOW_OWNER in (True, False):
        division = divide(plan_of(changed(owned.accounts)), viewer)
        assert written(division) == []
        assert asked(division) == [["accounts"]]
        with pytest.raises(PermissionDenied):
            division.to_apply()


def test_what_waits_is_not_suggested_again_by_anybody_until_it_is_answered(owned, viewer):
    access = Access(table=Table.objects.get(pk=owned.replies.pk), service=owned.till, mode="read")
    steps = [
        changed(owned.replies, description="New", more_title="Handbook"),
        Step(None, access),
        Step(owned.used, None),
    ]
    [first] = send(divide(plan_of(*steps), viewer))
    # As read again, and only a part of what the first suggestion asks for.
    access = Access(table=Table.objects.get(pk=owned.replies.pk), service=owned.till, mode="read")
    steps = [changed(owned.replies, more_title="Handbook"), Step(None, access), steps[2]]
    division = divide(plan_of(*steps), owned.ann)
    assert not division.unsuggested
    assert asked(division) == []
    assert division.waiting == [
        ("replies", first),
        ("till → replies", first),
        ("wallet → replies", first),
    ]
    assert division.shown == []
    withdraw(first, user=viewer, reason="A slip", revision=current_head().revision)
    assert divide(plan_of(*steps), owned.ann).unsuggested


def test_another_value_or_another_act_is_not_the_same(owned, viewer):
    send(divide(plan_of(changed(owned.replies), changed(owned.used, mode="write")), viewer))
    others = [changed(owned.replies, description="Newer"), Step(owned.used, None)]
    for step in others:
        assert divide(plan_of(step), viewer).unsuggested


def test_what_waits_is_known_after_a_rename(owned, viewer):
    send(divide(plan_of(changed(owned.replies, owner=owned.till)), viewer))
    for row in (owned.till, owned.replies):
        row.name += "-new"
        row.save()
    step = changed(owned.replies, owner=Service.objects.get(pk=owned.till.pk))
    assert not divide(plan_of(step), viewer).unsuggested


def test_dividing_takes_as_many_queries_for_many_rows_as_for_few(owned):
    numbers = []
    owned.ann.has_perm("ownership.change_table")
    for size in (1, 10):
        tables = [make_table(owner=owned.bot) for _ in range(size)]
        steps = [changed(table) for table in [*tables, owned.accounts]]
        with CaptureQueriesContext(connection) as queries:
            asked(divide(plan_of(*steps), owned.ann))
        numbers.append(len(queries))
        send(divide(plan_of(*steps[:-1]), owned.ann))
    # Refusals 5; what waits; and what the user may hand over: teams and links.
    assert numbers == [8, 8]


def test_a_suggestion_of_less_of_a_row_is_not_the_same(owned, viewer):
    send(divide(plan_of(changed(owned.replies)), viewer))
    more = changed(owned.replies, description="New", more_title="Wiki")
    assert divide(plan_of(more), viewer).unsuggested == [more]
