"""Confirming tables: bound to what was shown, in one change set, and no edit of anything."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localdate

from ownership.audit.descriptions import describe
from ownership.audit.timeline import Timeline
from ownership.history.models import ChangeSet, current_head, entries_of
from ownership.models import Confirmation, Table, TableGroup
from ownership.plans.confirming import changes_since, confirm
from ownership.plans.undo import Undo
from tests.support.factories import make_access, make_service, make_table
from tests.support.pages import day_text

pytestmark = pytest.mark.django_db


def ids(*tables: Table) -> list[int]:
    return [table.pk for table in tables]


def test_a_confirmation_says_who_when_until_and_what_was_shown(lead):
    table = make_table("orders")
    shown_at = current_head().revision
    make_table("elsewhere")
    outcome = confirm(
        ids(table), shown_at, user=lead, drift={table.pk: "Run 7: 3 of 3 accesses agree."}
    )
    row = Confirmation.objects.get()
    assert (row.table, row.confirmed_by, row.at_revision) == (table, "lead", shown_at)
    assert (row.confirmed_on, row.until) == (localdate(), localdate() + timedelta(days=180))
    assert row.drift == "Run 7: 3 of 3 accesses agree."
    change = ChangeSet.objects.get(revision=outcome.revision)
    assert (change.source, change.reason, change.user_name) == (
        "confirm",
        "Owner, accesses and keys are right.",
        "lead",
    )


def test_the_period_is_the_groups_or_else_that_of_the_setting(settings):
    settings.CONFIRMATION_DAYS = 30
    table = make_table(group=TableGroup.objects.create(name="Payments", confirmation_days=10))
    other = make_table(group=TableGroup.objects.create(name="Others"))
    confirm(ids(table, other), current_head().revision, user=None)
    periods = {row.table: row.until - row.confirmed_on for row in Confirmation.objects.all()}
    assert periods == {table: timedelta(days=10), other: timedelta(days=30)}


def test_many_are_one_change_set_without_those_that_changed_after_they_were_shown(lead):
    tables = [make_table(f"table-{number}") for number in range(3)]
    shown_at = current_head().revision
    make_access(tables[1], make_service("newcomer"))
    tables[2].description = "This is no part of it"
    tables[2].save()
    gone = make_table("gone")
    gone_id = gone.pk
    gone.delete()
    outcome = confirm([*ids(*tables), gone_id], shown_at, user=lead, reason="As every spring")
    assert outcome.left_out == [tables[1]]
    assert outcome.tables == [tables[0], tables[2]]
    assert {entry.label for entry in entries_of([outcome.revision])} == {"table-0", "table-2"}
    [change] = changes_since(ids(*outcome.left_out), shown_at)
    assert [entry.label for entry in change.entries] == ["newcomer → table-1"]


def test_nothing_is_written_if_all_have_changed():
    table = make_table()
    shown_at = current_head().revision
    make_access(table)
    head = current_head()
    outcome = confirm(ids(table), shown_at, user=None)
    assert (outcome.revision, outcome.tables, outcome.left_out) == (None, [], [table])
    assert current_head() == head


def test_confirming_again_changes_the_one_row_and_counts_from_the_new_day():
    table = make_table()
    confirm(ids(table), current_head().revision, user=None)
    first = Confirmation.objects.get()
    confirm(ids(table), current_head().revision, user=None)
    again = Confirmation.objects.get()
    assert again.pk == first.pk
    assert again.at_revision > first.at_revision


def test_a_confirmation_is_in_the_tables_timeline_and_makes_no_open_form_stale():
    table = make_table("orders")
    shown_at = current_head().revision
    confirm(ids(table), shown_at, user=None)
    entry = Timeline.about(Table, table.pk).page().groups[0].entries[0]
    until = localdate() + timedelta(days=180)
    assert (entry.kind, entry.label, entry.verb) == ("confirmation", "orders", "confirmed")
    assert [(change.field, change.new) for change in entry.changes] == [("until", day_text(until))]
    assert not Timeline.of_forms(Table, table.pk).has_entries_after(shown_at)


@pytest.mark.slow
def test_confirming_many_takes_as_many_queries_as_confirming_two():
    def count(tables: list[Table]) -> int:
        shown_at = current_head().revision
        with CaptureQueriesContext(connection) as queries:
            confirm(ids(*tables), shown_at, user=None)
        return len(queries)

    two = count([make_table() for _ in range(2)])
    assert count([make_table() for _ in range(50)]) == two


def test_an_undone_confirmation_is_not_called_confirmed_again():
    table = make_table("orders")
    confirm(ids(table), current_head().revision, user=None)
    confirmed = confirm(ids(table), current_head().revision, user=None)
    Undo(confirmed.revision).plan().apply(user=None, reason="Too soon", source="restore")
    entries = [describe(entry) for entry in Confirmation.history.order_by("history_id")]
    assert [entry.verb for entry in entries] == ["confirmed", "confirmed", "changed"]
