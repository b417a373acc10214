"""How far a table's entries are confirmed: never, confirmed, changed since, due, overdue."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localdate

from ownership.catalog.confirmation import (
    ConfirmationState,
    due_tables,
    numbers_by_state,
    states_of,
    tables_in_state,
)
from ownership.history.change_sets import change_set
from ownership.history.models import current_head
from ownership.history.time_travel import as_of
from ownership.models import Confirmation, SecondaryIndex, Service, Table
from ownership.plans.confirming import confirm
from ownership.plans.undo import Undo
from tests.support.factories import make_access, make_service, make_table

pytestmark = pytest.mark.django_db


@pytest.fixture
def table() -> Table:
    """A table with an access and an index, confirmed today."""
    table = make_table("orders", owner=make_service("payments"))
    make_access(table, make_service("reports"))
    SecondaryIndex.objects.create(table=table, name="by-day")
    confirm_now(table)
    return table


def confirm_now(*tables: Table) -> None:
    confirm([table.pk for table in tables], current_head().revision, user=None)


def ends_in(table: Table, days: int) -> None:
    """Let the table's confirmation end in so many days."""
    row = Confirmation.objects.get(table=table)
    row.until = localdate() + timedelta(days=days)
    row.confirmed_on = row.until - timedelta(days=180)
    row.save()


def state_of(table: Table) -> str:
    [state] = {states_of([table])[table.pk].state}
    assert tables_in_state(Table.objects.all(), state).filter(pk=table.pk).exists()
    assert numbers_by_state()[state] >= 1
    return state


def edit(row, **fields) -> None:
    row = type(row).objects.get(pk=row.pk)
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()


def test_a_table_is_never_confirmed_until_somebody_confirms_it(table):
    assert state_of(make_table()) == "never"
    assert state_of(table) == "confirmed"


@pytest.mark.parametrize(
    ("days", "expected"),
    [(15, "confirmed"), (14, "due"), (0, "due"), (-1, "overdue")],
)
def test_a_confirmation_is_due_for_two_weeks_and_then_overdue(table, days, expected):
    ends_in(table, days)
    assert state_of(table) == expected


CHANGES = {
    "owner": lambda table: edit(table, owner=make_service()),
    "name": lambda table: edit(table, name="purchases"),
    "key": lambda table: edit(table, partition_key_name="id"),
    "mode": lambda table: edit(table.accesses.get(), mode="write"),
    "indirect": lambda table: edit(table.accesses.get(), indirect=True),
    "another access": make_access,
    "an access less": lambda table: table.accesses.get().delete(),
    "another service": lambda table: edit(table.accesses.get(), service=make_service()),
    "key of an index": lambda table: edit(
        table.indexes.get(), sort_key_name="day", partition_key_name="id"
    ),
    "another index": lambda table: SecondaryIndex.objects.create(table=table, name="by-user"),
    "an index less": lambda table: table.indexes.get().delete(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_edit_of_what_is_confirmed_lowers_it_at_once_and_writes_nothing_more(table, change):
    row_before = Confirmation.objects.values().get(table=table)
    change(table)
    assert state_of(table) == "changed_since"
    ends_in(table, 3)
    assert state_of(table) == "changed_since"
    ends_in(table, -1)
    assert state_of(table) == "overdue"
    assert Confirmation.objects.values("at_revision").get() == {
        "at_revision": row_before["at_revision"]
    }
    confirm_now(table)
    assert state_of(table) == "confirmed"


OTHER_CHANGES = {
    "description": lambda table: edit(table, description="Orders of a day"),
    "link": lambda table: edit(table, more_title="Orders", more_url="https://example.org/"),
    "place in the order": lambda table: edit(table, position=7),
    "group": lambda table: edit(table.group, name="Other tables"),
    "notes": lambda table: edit(table.accesses.get(), notes="Once a night"),
    "place of an access": lambda table: edit(table.accesses.get(), position=7),
    "name of a service": lambda table: edit(Service.objects.get(name="reports"), name="reporting"),
    "another table": lambda table: make_access(make_table()),
}


@pytest.mark.parametrize("change", OTHER_CHANGES.values(), ids=OTHER_CHANGES)
def test_other_edits_leave_it_confirmed(table, change):
    change(table)
    assert state_of(table) == "confirmed"


def test_the_past_says_what_had_been_confirmed_and_changed_whatever_the_day(table):
    before, confirmed = current_head().revision - 1, current_head().revision
    edit(table, owner=make_service())
    ends_in(table, -1)
    expected = {before: "never", confirmed: "confirmed", current_head().revision: "changed_since"}
    for revision, state in expected.items():
        with as_of(revision):
            assert state_of(table) == state


def test_undoing_a_confirmation_brings_back_the_state_before(table):
    first = current_head().revision
    edit(table, owner=make_service())
    confirm_now(table)
    for revision, expected in ((current_head().revision, "changed_since"), (first, "never")):
        undo = Undo(revision)
        plan = undo.plan(undo.conflicts)
        plan.apply(user=None, reason="By mistake", source="restore", undoes=revision)
        assert state_of(table) == expected


def test_a_deleted_table_comes_back_with_its_confirmation_and_counts_as_changed(table):
    with change_set(reason="Not needed") as draft:
        table.delete()
    Undo(draft.revision).plan().apply(
        user=None, reason="It was", source="restore", undoes=draft.revision
    )
    assert state_of(Table.objects.get()) == "changed_since"


def test_reminders_get_what_is_due_or_overdue_in_the_order_of_its_end(table):
    rows = [table, *[make_table(f"table-{days}") for days in (-2, 9, 60)]]
    confirm_now(*rows)
    for row, days in zip(rows, (3, -2, 9, 60), strict=True):
        ends_in(row, days)
    due = due_tables(Table.objects.exclude(name="table-9"))
    assert [(row.name, row.confirmation_state) for row in due] == [
        ("table--2", "overdue"),
        ("orders", "due"),
    ]
    assert due[0].until == localdate() - timedelta(days=2)


@pytest.mark.slow
def test_the_states_of_many_tables_take_as_many_queries_as_those_of_one(table):
    def count() -> list[int]:
        found = []
        tables = list(Table.objects.all())
        for question in (
            lambda: states_of(tables),
            numbers_by_state,
            lambda: due_tables(Table.objects.all()),
            lambda: list(tables_in_state(Table.objects.all(), ConfirmationState.CHANGED)),
        ):
            with CaptureQueriesContext(connection) as queries:
                question()
            found.append(len(queries))
        return found

    assert count() == [1, 1, 1, 1]
    tables = [make_table() for _ in range(20)]
    confirm_now(*tables[:15])
    for changed in tables[:10]:
        make_access(changed)
    assert count() == [1, 1, 1, 1]
