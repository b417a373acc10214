"""Confirming: somebody says that owner, accesses and keys of some tables are right, as a page showed them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.contrib.auth.models import AbstractBaseUser

from ownership.audit.timeline import Timeline, TimelineGroup
from ownership.history.bulk import save_rows
from ownership.history.change_sets import ChangeSetDraft, change_set
from ownership.history.models import ChangeSet
from ownership.models import Confirmation, Table
from ownership.models.confirmations import confirmed_entries, table_column
from ownership.plans.steps import filtered

# The reason of the change set, if whoever confirms adds none.
USUAL_REASON = "Owner, accesses and keys are right."


@dataclass(frozen=True)
class Confirmed:
    """What came of it: the tables that are confirmed now, and those that were left out, as they had changed.

    ``revision`` is None if no table was confirmed.
    """

    revision: int | None
    tables: list[Table] = field(default_factory=list)
    left_out: list[Table] = field(default_factory=list)


def confirm(
    tables: Collection[int],
    shown_at: int,
    *,
    user: AbstractBaseUser | None,
    reason: str = "",
    drift: Mapping[int, str] | None = None,
) -> Confirmed:
    """Confirm the tables with these ids as the revision ``shown_at`` shows them, in one change set.

    A table of which something that a confirmation is about has changed after that revision is left out. Tables that
    are gone are, too, without a word. ``drift`` is what the page said of drift, by the table's id. Raises
    RegistryBusy.
    """
    texts = drift or {}
    with change_set(
        user=user, reason=reason or USUAL_REASON, source=ChangeSet.Source.CONFIRM
    ) as draft:
        # The lock is held now, so nothing changes between looking and writing.
        changed = _changed_after(tables, shown_at)
        stored = list(filtered(Table.objects.select_related("group"), "pk", tables))
        unchanged = [table for table in stored if table.pk not in changed]
        rows = _rows_to_save(unchanged, shown_at, draft, texts)
        save_rows(rows)
    left_out = [table for table in stored if table.pk in changed]
    return Confirmed(draft.revision, unchanged, left_out)


def changes_since(tables: Collection[int], revision: int) -> list[TimelineGroup]:
    """The change sets after that revision that changed what a confirmation of the tables is about, oldest first."""
    return Timeline.of_forms(Table, *tables).narrowed(confirmed_entries()).since(revision)


def _changed_after(tables: Collection[int], revision: int) -> set[int]:
    """The ids of those of the tables that changed after that revision; three queries for 500 tables."""
    changed: set[int] = set()
    for model, is_confirmed in confirmed_entries().items():
        column = table_column(model)
        later = model.objects.filter(is_confirmed, change_set__gt=revision).order_by()
        changed.update(filtered(later.values_list(column, flat=True), column, tables))
    return changed


def _rows_to_save(
    tables: list[Table],
    shown_at: int,
    draft: ChangeSetDraft,
    drift: Mapping[int, str],
) -> list[Confirmation]:
    """The confirmation of each table: the one that it has, changed, or a new one."""
    earlier = {}
    for row in filtered(
        Confirmation.objects.select_related("table"), "table", [table.pk for table in tables]
    ):
        earlier[row.table_id] = row
    day = draft.time.date()
    rows = []
    for table in tables:
        row = earlier.get(table.pk) or Confirmation(table=table)
        row.at_revision = shown_at
        row.confirmed_by = draft.user_name
        row.confirmed_on = day
        row.until = day + table.group.confirmation_period()
        row.drift = drift.get(table.pk, "")
        rows.append(row)
    return rows
