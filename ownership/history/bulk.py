"""Many rows written together, each with the entry that ``save()`` or ``delete()`` would leave.

A batch costs a few statements, however many rows it has. Where a rule refuses a batch, its rows are tried one by
one, so that the error names the row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby, islice
from operator import methodcaller

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, router, transaction
from django.db.models import ProtectedError, QuerySet
from django.db.models.deletion import Collector

from ownership.history.change_sets import ChangeSetDraft, joined_change_set
from ownership.history.models import TrackedRow
from ownership.history.row_states import BATCH, changed_fields, fetch_rows

_REFUSALS = (ValidationError, IntegrityError, DataError, ProtectedError)

Progress = Callable[[int], None]


class RowRefused(Exception):
    """A rule of the registry refuses ``row``; ``why`` says which."""

    def __init__(self, row: TrackedRow, error: Exception) -> None:
        self.row = row
        self.why = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        super().__init__(f"{row}: {self.why}")


def no_progress(rows: int) -> None:
    """Report nothing."""


def save_rows(rows: Iterable[TrackedRow], report: Progress = no_progress) -> None:
    """Save rows in their order, in one change set; rows that are stored as they are leave no entry.

    The rows that a row refers to must be saved before it. ``report`` is called after each batch with its number of
    rows. Raises RowRefused, with nothing saved, if a rule refuses one of them.
    """
    with joined_change_set() as draft, transaction.atomic():
        for batch in _batches(rows):
            _announce_if_long(draft, batch)
            _save_batch(draft, batch)
            report(len(batch))


def delete_rows(rows: Iterable[TrackedRow], report: Progress = no_progress) -> None:
    """Delete rows in their order, with what cascades from them; otherwise like ``save_rows``."""
    with joined_change_set() as draft, transaction.atomic():
        for batch in _batches(rows):
            _announce_if_long(draft, batch)
            _write_batch(batch, delete_together, methodcaller("delete"))
            report(len(batch))


def _batches(rows: Iterable[TrackedRow]) -> Iterator[list[TrackedRow]]:
    """The rows in their order, in lists of one model and of at most BATCH rows."""
    for _, rows_of_model in groupby(rows, key=type):
        while batch := list(islice(rows_of_model, BATCH)):
            yield batch


def _announce_if_long(draft: ChangeSetDraft, batch: list[TrackedRow]) -> None:
    if len(batch) == BATCH:
        draft.announce()


def _save_batch(draft: ChangeSetDraft, rows: list[TrackedRow]) -> None:
    new_rows = [row for row in rows if row.pk is None]
    try:
        _write_batch(rows, partial(_save_together, draft), methodcaller("save"))
    except RowRefused:
        # New again before the rollback, after which other rows may get their ids.
        for row in new_rows:
            row.pk = None
            row._state.adding = True
        raise


def _write_batch(
    rows: list[TrackedRow],
    write_together: Callable[[list[TrackedRow]], object],
    write_one: Callable[[TrackedRow], object],
) -> None:
    """Write the rows together or, where a rule refuses that, one by one, to find out which of them it refuses."""
    try:
        write_together(rows)
        return
    except _REFUSALS:
        pass
    for row in rows:
        try:
            write_one(row)
        except _REFUSALS as error:
            raise RowRefused(row, error) from error


@transaction.atomic
def _save_together(draft: ChangeSetDraft, rows: list[TrackedRow]) -> None:
    model = type(rows[0])
    stored = fetch_rows(model, [row.pk for row in rows if row.pk is not None])
    new: list[TrackedRow] = []
    changed: list[TrackedRow] = []
    written: list[TrackedRow] = []
    columns: set[str] = set()
    for row in rows:
        if row.pk not in stored:
            new.append(row)
            written.append(row)
            continue
        names = changed_fields(stored[row.pk], row)
        if names:
            changed.append(row)
            written.append(row)
            columns.update(names)

    # Django's own query set: the registry's refuses to write many rows without history.
    writer: QuerySet = QuerySet(model)
    writer.bulk_create(new)
    if changed:
        writer.bulk_create(
            changed, update_conflicts=True, unique_fields=["pk"], update_fields=sorted(columns)
        )

    # Only now: one row of the batch may be wrong because of another.
    for row in written:
        row.row_before = stored.get(row.pk)
        row.check_under_lock()
        row.row_before = None
    after = fetch_rows(model, [row.pk for row in written])
    draft.write_entries((stored.get(row.pk), after[row.pk]) for row in written)


def delete_together(rows: Iterable[TrackedRow]) -> tuple[int, dict[str, int]]:
    """Delete rows of one model and what cascades from them: how many in all, and by model, as Django counts them."""
    with joined_change_set() as draft, transaction.atomic():
        rows = list(rows)
        if not rows:
            return 0, {}
        collector = Collector(using=router.db_for_write(type(rows[0])), origin=rows[0])
        collector.collect(rows)
        # All rows are read before the first one is deleted, because their labels name each other.
        for model, collected in collector.data.items():
            stored = fetch_rows(model, [row.pk for row in collected])
            for row in collected:
                row.row_before = stored.get(row.pk)  # type: ignore[attr-defined]
        draft.deleted_rows = []
        try:
            counts = collector.delete()  # post_delete notes each row, in the order of the deletions
            draft.write_entries((row, None) for row in draft.deleted_rows)
        finally:
            draft.deleted_rows = None
        return counts
