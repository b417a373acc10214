"""Rows written many at once, each with its entry as ``save()`` and ``delete()`` would leave it.

A row costs its share of a few statements for each batch, not five statements of its own. Where a rule stands
against a batch, the batch is tried again row by row, so that the error names the row.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, router, transaction
from django.db.models import ProtectedError, QuerySet
from django.db.models.deletion import Collector

from ownership.history.change_sets import joined_change_set
from ownership.history.row_states import changed_columns, fetch_all
from ownership.history.tracking import write_entries

BATCH = 500  # rows to a statement; the savings beyond are small
_BROKEN = (ValidationError, IntegrityError, DataError, ProtectedError)


class RowRefused(Exception):
    """A rule of the registry stands against ``row``; ``why`` says which."""

    def __init__(self, row: Any, error: Exception) -> None:
        self.row = row
        self.why = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        super().__init__(f"{row}: {self.why}")


def save_rows(rows: Iterable[Any], written: Callable[[int], None] = lambda number: None) -> None:
    """Save rows in their order, in one change set; those that nothing changes leave no trace.

    What a row refers to must have been saved before. ``written`` is told of each batch how many rows it had.
    Raises RowRefused, with nothing saved, where a rule stands against one.
    """
    with joined_change_set() as draft:
        for batch in _batches(rows):
            if len(batch) == BATCH:
                draft.announce()
            _or_name_the_row(_save, lambda row: row.save(), batch)
            written(len(batch))


def delete_rows(rows: Iterable[Any], written: Callable[[int], None] = lambda number: None) -> None:
    """Delete rows in their order, with what cascades from them; else as ``save_rows``."""
    with joined_change_set() as draft:
        for batch in _batches(rows):
            if len(batch) == BATCH:
                draft.announce()
            _or_name_the_row(delete_together, lambda row: row.delete(), batch)
            written(len(batch))


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """The rows in their order: those of one model that follow each other, at most BATCH to a list."""
    for _, of_model in groupby(rows, key=type):
        while batch := list(islice(of_model, BATCH)):
            yield batch


def _or_name_the_row(together: Callable[[list[Any]], Any], alone: Callable[[Any], Any], rows: list[Any]) -> None:
    unsaved = [row for row in rows if row.pk is None]
    try:
        with transaction.atomic():
            together(rows)
        return
    except _BROKEN:
        for row in unsaved:  # a part of the batch may have got ids, and lost its rows again
            row.pk, row._state.adding = None, True
    for row in rows:
        try:
            alone(row)
        except _BROKEN as error:
            raise RowRefused(row, error) from error


def _save(rows: list[Any]) -> None:
    model = type(rows[0])
    stored = fetch_all(model, [row.pk for row in rows if row.pk is not None])
    rows = [row for row in rows if row.pk not in stored or changed_columns(stored[row.pk], row)]
    new = [row for row in rows if row.pk not in stored]
    changed = [row for row in rows if row.pk in stored]
    # The registry's own managers refuse bulk writes.
    writer: QuerySet[Any] = QuerySet(model)
    writer.bulk_create(new)
    if changed:
        columns = {column for row in changed for column in changed_columns(stored[row.pk], row)}
        writer.bulk_create(changed, update_conflicts=True, unique_fields=["pk"], update_fields=sorted(columns))
    for row in rows:
        # After the writing: one row of the batch may only be wrong because of another.
        row._state_before = stored.get(row.pk)
        row.check_under_lock()
        row._state_before = None
    after = fetch_all(model, [row.pk for row in rows])
    write_entries([(stored.get(row.pk), after[row.pk]) for row in rows])


def delete_together(rows: Iterable[Any]) -> tuple[int, dict[str, int]]:
    """Delete rows of one model and what cascades from them; how many, in all and by model, as Django tells it."""
    with joined_change_set() as draft:
        rows = list(rows)
        if not rows:
            return 0, {}
        collector = Collector(using=router.db_for_write(type(rows[0])), origin=rows[0])
        collector.collect(rows)
        for model, doomed in collector.data.items():
            stored = fetch_all(model, [row.pk for row in doomed])
            row: Any
            for row in doomed:
                row._state_before = stored.get(row.pk)
        draft.deleted = []
        try:
            numbers = collector.delete()
            write_entries([(row, None) for row in draft.deleted])
        finally:
            draft.deleted = None
        return numbers
