"""A plan is cut by owner: by team, or by service while no team is answerable for it."""

import pytest

from ownership.history.models import current_head
from ownership.models import Access, Service, Table, TableGroup, Waiver
from ownership.plans.division import OwnerPart, parts_by_owner
from ownership.plans.steps import Step, copy_of
from ownership.plans.suggestion_review import Review
from ownership.plans.suggestions import suggest, take
from tests.support.factories import make_access, make_service, make_table, make_team, make_waiver
from tests.support.owned_map import OwnedMap

pytestmark = pytest.mark.django_db


def renamed(row) -> Step:
    before = type(row).objects.get(pk=row.pk)
    after = copy_of(before)
    after.description = "New"
    return Step(before, after)


def labels(parts: list[OwnerPart]) -> list[list[str]]:
    return [[step.label for step in part.steps] for part in parts]


def test_rows_of_a_table_go_to_its_owner_and_a_service_to_itself(viewer):
    orders = make_table("orders", owner=make_service("payments"))
    users = make_table("users", owner=make_service("members"))
    access = make_access(orders, users.owner)
    steps = [
        renamed(users),
        Step(Access.objects.get(), None),
        renamed(orders),
        renamed(orders.owner),
    ]
    assert labels(parts_by_owner(steps, viewer)) == [["users"], [str(access), "orders", "payments"]]


def test_services_of_one_team_and_their_parts_get_one(viewer):
    team = make_team()
    payments = make_service("payments", team=team)
    tables = [
        make_table("orders", owner=payments),
        make_table("bills", owner=make_service("bills", part_of=payments)),
    ]
    parts = parts_by_owner([renamed(table) for table in tables], viewer)
    assert labels(parts) == [["orders", "bills"]]


def test_what_several_owners_need_is_in_each_part_and_added_once(viewer, lead):
    """An import adds a service and its accesses to tables of two owners, and a group."""
    orders, users = make_table("orders"), make_table("users")
    bots = Service(name="bots")
    steps = [
        Step(None, bots),
        Step(None, TableGroup(name="New")),
        Step(None, Access(table=Table.objects.get(pk=orders.pk), service=bots, mode="read")),
        Step(None, Access(table=Table.objects.get(pk=users.pk), service=bots, mode="write")),
    ]
    parts = parts_by_owner(steps, viewer)
    assert labels(parts) == [["New"], ["bots", "bots → orders"], ["bots", "bots → users"]]
    suggestions = suggest(parts, user=viewer, reason="So it is", revision=current_head().revision)
    for suggestion in suggestions:
        review = Review(suggestion)
        take(review, review.unasked, user=lead, reason="Yes")
    assert Service.objects.filter(name="bots").count() == 1
    assert sorted(access.mode for access in Access.objects.all()) == ["read", "write"]


def test_a_waiver_that_ends_goes_with_the_table_that_is_added(viewer):
    orders = make_table("orders")
    waiver = make_waiver(kind="unregistered_table", table_name="bills")
    new = Table(name="bills", group=orders.group, owner=orders.owner)
    [part] = parts_by_owner(
        [Step(Waiver.objects.get(pk=waiver.pk), None), Step(None, new), renamed(orders)], viewer
    )
    assert len(part.steps) == 3


def test_nothing_is_cut_into_nothing(viewer):
    assert parts_by_owner([], viewer) == []


def test_what_a_stranger_would_hand_over_is_a_part_for_itself(viewer, settings):
    """So the owner's team passes it on, and the rest still waits."""
    settings.RIGHTS_FOLLOW_OWNER = True
    owned = OwnedMap()
    given = renamed(owned.accounts)
    given.after.owner = owned.bot
    moved = renamed(owned.till)
    moved.after.team = owned.bots
    within = renamed(owned.receipts)
    within.after.owner = owned.wallet
    steps = [given, within, moved]
    assert labels(parts_by_owner(steps, viewer)) == [["accounts", "till"], ["receipts"]]
    settings.RIGHTS_FOLLOW_OWNER = False
    assert labels(parts_by_owner(steps, viewer)) == [["accounts", "receipts", "till"]]
