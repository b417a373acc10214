"""How far a table's entries are confirmed: the one place that says so, in queries.

A confirmation is about the owner, the accesses, the keys and the indexes of a table (``CONFIRMED_FIELDS``). What
changed after it is read from history, so an edit lowers it without a write of its own.

The state of today depends on the day as well. Inside ``as_of()`` it does not: the past says what had been confirmed,
and what had changed since, whatever the day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextChoices,
    Value,
    When,
)
from django.db.models.fields import CharField
from django.db.models.functions import Coalesce
from django.utils.timezone import localdate

from ownership.history.head import Head
from ownership.history.time_travel import past_revision
from ownership.models import Confirmation, Table
from ownership.models.confirmations import confirmed_entries, table_column

# Before it ends, a confirmation is due for so long.
DUE_BEFORE_END = timedelta(days=14)


class ConfirmationState(TextChoices):
    """How far a table's entries are confirmed, the most urgent state first."""

    OVERDUE = "overdue", "Overdue"
    CHANGED = "changed_since", "Changed since"
    DUE = "due", "Due"
    NEVER = "never", "Never confirmed"
    CONFIRMED = "confirmed", "Confirmed"


MEANINGS = {
    ConfirmationState.OVERDUE: "The confirmation has ended.",
    ConfirmationState.CHANGED: "Owner, accesses, keys or indexes have changed since somebody confirmed them.",
    ConfirmationState.DUE: f"The confirmation ends within {DUE_BEFORE_END.days} days.",
    ConfirmationState.NEVER: "Nobody has confirmed these entries yet.",
    ConfirmationState.CONFIRMED: "Somebody has confirmed owner, accesses, keys and indexes.",
}
# Those that somebody should look at.
TO_CONFIRM = tuple(state for state in ConfirmationState if state != ConfirmationState.CONFIRMED)
# Those that the past can have.
STATES_OF_THE_PAST = (
    ConfirmationState.CHANGED,
    ConfirmationState.NEVER,
    ConfirmationState.CONFIRMED,
)


@dataclass(frozen=True)
class TableConfirmation:
    """The state of one table, and its confirmation if it has one."""

    state: ConfirmationState
    confirmation: Confirmation | None = None

    @property
    def meaning(self) -> str:
        """The state in a sentence."""
        return MEANINGS[self.state]

    @property
    def is_to_confirm(self) -> bool:
        """Whether somebody should look at the table."""
        return self.state in TO_CONFIRM


NEVER_CONFIRMED = TableConfirmation(ConfirmationState.NEVER)


def with_changes() -> QuerySet[Any]:
    """Confirmations with ``is_changed``: whether anything that they are about has changed since."""
    is_changed = Case(
        When(_has_changed(), then=Value(True)), default=Value(False), output_field=BooleanField()
    )
    return Confirmation.objects.annotate(is_changed=is_changed)


def with_states() -> QuerySet[Any]:
    """Confirmations with ``state``: a value of ConfirmationState."""
    if past_revision() is not None:
        whens = [When(_has_changed(), then=Value(ConfirmationState.CHANGED.value))]
    else:
        day = localdate()
        # In this order. So history is asked only about confirmations that have not ended.
        whens = [
            When(until__lt=day, then=Value(ConfirmationState.OVERDUE.value)),
            When(_has_changed(), then=Value(ConfirmationState.CHANGED.value)),
            When(until__lte=day + DUE_BEFORE_END, then=Value(ConfirmationState.DUE.value)),
        ]
    confirmed = Value(ConfirmationState.CONFIRMED.value)
    return Confirmation.objects.annotate(
        state=Case(*whens, default=confirmed, output_field=CharField())
    )


def _has_changed() -> Q:
    """The condition that something of the table has changed after the confirmation's revision."""
    until = past_revision()
    condition = Q()
    for model, is_confirmed in confirmed_entries().items():
        of_table = Q((table_column(model), OuterRef("table_id")))
        later = Q(change_set__gt=OuterRef("at_revision"))
        if until is not None:
            later &= Q(change_set__lte=until)
        condition |= Q(Exists(model.objects.filter(of_table, later, is_confirmed)))
    return condition


def tables_with_states(tables: QuerySet[Table]) -> QuerySet[Any]:
    """The tables with ``confirmation_state``, to filter and to order by."""
    states = with_states().filter(table=OuterRef("pk")).order_by().values("state")
    state = Coalesce(
        Subquery(states), Value(ConfirmationState.NEVER.value), output_field=CharField()
    )
    return tables.annotate(confirmation_state=state)


def tables_in_state(tables: QuerySet[Any], *states: str) -> QuerySet[Any]:
    """Those of the tables that are in one of the states."""
    return tables_with_states(tables).filter(confirmation_state__in=states)


def states_of(tables: Iterable[Table]) -> dict[int, TableConfirmation]:
    """The state of each table, by its id; one query, or one for all that are confirmed."""
    ids = [table.pk for table in tables]
    states = dict.fromkeys(ids, NEVER_CONFIRMED)
    for confirmation in with_states().filter(table__in=ids):
        states[confirmation.table_id] = TableConfirmation(
            ConfirmationState(confirmation.state), confirmation
        )
    return states


def ids_by_state(tables: QuerySet[Table]) -> dict[ConfirmationState, list[int]]:
    """Ids of the tables in each state, the most urgent state first, each in the order of the tables; one query."""
    ids: dict[ConfirmationState, list[int]] = {state: [] for state in ConfirmationState}
    for pk, state in tables_with_states(tables).values_list("pk", "confirmation_state"):
        ids[ConfirmationState(state)].append(pk)
    return ids


def numbers_by_state() -> dict[ConfirmationState, int]:
    """How many tables are in each state; one query."""
    numbers = dict.fromkeys(ConfirmationState, 0)
    with_state = tables_with_states(Table.objects.order_by())
    for state, number in with_state.values_list("confirmation_state").annotate(Count("pk")):
        numbers[ConfirmationState(state)] = number
    return numbers


@lru_cache(maxsize=2)
def numbers_of_head(head: Head, day: date) -> dict[ConfirmationState, int]:
    """The same for all tables of the current head on the current day, kept for those who ask often."""
    return numbers_by_state()


def due_tables(tables: QuerySet[Table]) -> list[Any]:
    """Those of the tables whose confirmation is due or overdue, the one that ended first in front; for reminders.

    ``tables`` are somebody's, such as those that the person's teams own. Each has ``confirmation_state``, and
    ``until``, the last day of its confirmation. One query.
    """
    due = tables_in_state(tables, ConfirmationState.DUE, ConfirmationState.OVERDUE)
    until = Confirmation.objects.filter(table=OuterRef("pk")).values("until")
    return list(
        due.select_related("owner").annotate(until=Subquery(until)).order_by("until", "name")
    )
