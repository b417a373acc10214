"""Two revisions compared: what became of each row."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db.models import Q, QuerySet

from ownership.history.models import (
    Selection,
    TrackedRow,
    entry_model,
    kind_of_change,
    registry_models,
)
from ownership.history.row_states import Changes, differences, foreign_keys
from ownership.history.time_travel import as_of
from ownership.models import Confirmation, Membership, Suggestion
from ownership.models.tables import table_of

# Models of which a comparison of two maps says nothing.
NOT_OF_THE_MAP = (Confirmation, Suggestion)

RowsByModel = dict[type[TrackedRow], dict[int, TrackedRow]]


@dataclass(frozen=True)
class Difference:
    """What became of one row between two revisions: ``type`` as in an entry, ``changes`` {field: [old, new]}.

    Names are those of the two revisions. ``table`` is the name of the table that the row is, or belongs to; empty
    where there is none.
    """

    model: type[TrackedRow]
    type: str
    label: str
    changes: Changes
    table_id: int | None = None
    table: str = ""


def compare_revisions(before: int, after: int, about: Selection | None = None) -> list[Difference]:
    """What differs between two revisions, the earlier one first. What was changed and changed back does not.

    Confirmations and suggestions are left out: they change nothing of the map.
    With ``about``, only rows with such entries between the two are compared.
    """
    old_rows = _touched_rows(before, before, after, about)
    new_rows = _touched_rows(after, before, after, about)
    found = []
    for model in _compared_models():
        for pk in sorted(old_rows[model].keys() | new_rows[model].keys()):
            old = old_rows[model].get(pk)
            new = new_rows[model].get(pk)
            changes = differences(old, new)
            if changes:
                found.append(_difference(model, old, new, changes))
    return found


def _compared_models() -> list[type[TrackedRow]]:
    return [model for model in registry_models() if model not in NOT_OF_THE_MAP]


def _difference(
    model: type[TrackedRow], old: TrackedRow | None, new: TrackedRow | None, changes: Changes
) -> Difference:
    row = old if new is None else new
    difference = Difference(model, kind_of_change(old, new), str(row), changes)
    table = table_of(row)
    if table is None:
        return difference
    return replace(difference, table_id=table.pk, table=table.name)


def _touched_rows(revision: int, before: int, after: int, about: Selection | None) -> RowsByModel:
    """{model: {id: row}} as of a revision, of rows with entries between the two; with the rows that they name."""
    found: RowsByModel = {}
    with as_of(revision):
        for model in _compared_models():
            found[model] = {}
            condition = Q(change_set__gt=before, change_set__lte=after)
            if about is not None:
                if entry_model(model) not in about:
                    continue
                condition &= about[entry_model(model)]
            entries = entry_model(model).objects.filter(condition)
            rows = _with_what_they_name(model.objects.filter(pk__in=entries.values("id")))
            found[model] = {row.pk: row for row in rows}
    return found


def _with_what_they_name(rows: QuerySet) -> Iterable[TrackedRow]:
    if rows.model is Membership:
        # Accounts have no past: one may have been deleted since.
        return rows.with_accounts()  # type: ignore[attr-defined]
    return rows.select_related(*foreign_keys(rows.model))
