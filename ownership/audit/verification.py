"""Verification: replays all history, and says where it is inconsistent or differs from the live rows.

Whoever owns the database can drop the triggers and write anything. An edit, a gap or a stray row shows in the chain
of digests and in the replay. A tail that was cut off, or a history that was written anew as a whole, shows only
against a head that somebody kept elsewhere.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db import DatabaseError, connection, models, transaction

from ownership.audit.stored_forms import last_number_given, unreadable_rows
from ownership.history.change_sets import chain_digest, entry_content
from ownership.history.head import Head
from ownership.history.models import (
    CHANGED,
    CREATED,
    DELETED,
    VERBS,
    ChangeSet,
    Entry,
    TrackedRow,
    entry_model,
    entry_models,
    registry_models,
)
from ownership.history.row_states import as_json

# What reading a row raises that somebody made unreadable, in the database, in Django or in Python's JSON.
UNREADABLE = (DatabaseError, ValueError, TypeError, OverflowError, RecursionError, AttributeError)

TrackedModel = type[TrackedRow]
Values = dict[str, object]  # {field: value}, ids of related rows


@dataclass(frozen=True)
class Inconsistency:
    """Something that the registry itself never writes: where it is, and what is wrong."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class RowState:
    """A row as its last entry left it."""

    label: str
    values: Values
    service_id: int | None  # of the service that the row adds something to


# In place of a state, before a row was created and after it was deleted.
NO_ROW = RowState(label="", values={}, service_id=None)


class Verification:
    """One run over all of history.

    It goes through change sets and entries in commit order. In memory it keeps a state per live row, and the entries
    of one change set.
    """

    def __init__(self, kept: Iterable[Head] = ()) -> None:
        # {revision: digest} of the heads that somebody kept.
        self.kept = dict(kept)
        self.head = Head(0, "")  # of what was read so far
        self.entries = 0
        self._time: datetime | None = None
        self._rows: dict[tuple[TrackedModel, int], RowState] = {}
        # The history_id of each model's last entry. The past is read by these numbers.
        self._last_numbers: dict[TrackedModel, int] = {}
        self._fields: dict[TrackedModel, dict[str, models.Field]] = {}
        # The fields that entries of a model have recorded so far. One added to the model later is not among them.
        self._recorded_fields: dict[TrackedModel, set[str]] = {}
        for model in registry_models():
            self._fields[model] = {
                field.name: field for field in model._meta.fields if not field.primary_key
            }
            self._recorded_fields[model] = set()

    def run(self) -> Iterator[Inconsistency]:
        """What is wrong, as it is found; nothing if all is as the registry wrote it. Writes nothing.

        Where values are stored in a form that the registry never writes, only these are listed: what a value says
        does not count before it can be read.
        """
        with unchanging_view():
            is_readable = True
            try:
                for where, what in unreadable_rows():
                    is_readable = False
                    yield Inconsistency(where, what)
                if is_readable:
                    yield from self._replay()
                    yield from self._check_last_numbers()
                    yield from self._check_live_rows()
            except UNREADABLE as error:
                where = f"after revision {self.head.revision}"
                yield Inconsistency(where, f"a row can't be read: {_short(str(error))}")

    def _replay(self) -> Iterator[Inconsistency]:
        for revision, rows in groupby(_history_in_order(), key=_revision_of):
            change_set, entries = _split(list(rows))
            for what in self._check_change_set(revision, change_set, entries):
                yield Inconsistency(f"revision {revision}", what)
            for entry in entries:
                where = f"revision {revision}, entry {entry.sequence} ({_row_name(entry.instance_type, entry)})"
                for what in self._check_entry(entry, change_set):
                    yield Inconsistency(where, what)
        for revision in sorted(self.kept):
            if revision > self.head.revision:
                yield Inconsistency(
                    f"revision {revision}",
                    "the kept head is missing: the end of the history was cut off.",
                )
                return

    # The chain

    def _check_change_set(
        self,
        revision: int,
        change_set: ChangeSet | None,
        entries: list[Entry],
    ) -> Iterator[str]:
        """The change set follows the one before, and its digest is that of its content."""
        if revision != self.head.revision + 1:
            yield f"it follows revision {self.head.revision}: the revisions between them are missing."
        sequences = [entry.sequence for entry in entries]
        if sequences != list(range(1, len(entries) + 1)):
            yield f"its entries are not numbered 1 to {len(entries)}: {_short(sequences)}."
        if change_set is None:
            yield "its entries have no change set."
            self.head = Head(revision, "")
            return
        if not entries:
            yield "it has no entries."
        if self._time is not None and change_set.time < self._time:
            yield f"its time {change_set.time} is earlier than that of the revision before, {self._time}."
        contents = [entry_content(entry) for entry in entries]
        if change_set.digest != chain_digest(self.head.digest, change_set, contents):
            yield "its digest does not match its content and the digest before: one of them was changed."
        if self.kept.get(revision, change_set.digest) != change_set.digest:
            yield f"its digest {change_set.digest} differs from the kept head: history was rewritten."
        self.head = Head(revision, change_set.digest)
        self._time = change_set.time

    # The replay

    def _check_entry(self, entry: Entry, change_set: ChangeSet | None) -> Iterator[str]:
        """The entry fits the row's entry before; afterwards, the row's state is what this entry says."""
        key = (entry.instance_type, entry.id)
        before = self._rows.pop(key, NO_ROW)
        stored = self._stored_state(entry)
        after = NO_ROW
        if entry.history_type != DELETED:
            after = self._rows[key] = stored
        self.entries += 1

        if change_set is not None and entry.history_date != change_set.time:
            yield f"its date {entry.history_date} is not its change set's, {change_set.time}."
        last_number = self._last_numbers.get(entry.instance_type, 0)
        if entry.history_id <= last_number:
            yield (
                f"its history_id is {entry.history_id}, "
                f"and that of the entry before it in the same table is {last_number}."
            )
        self._last_numbers[entry.instance_type] = entry.history_id
        if entry.history_type not in VERBS:
            yield f"{entry.history_type!r} is not a kind of entry."
            return
        if entry.history_type != CREATED and before is NO_ROW:
            yield "no earlier entry created the row."
            return
        if entry.history_type == CREATED and before is not NO_ROW:
            yield "it creates a row that already exists."
            before = NO_ROW
        yield from self._check_changes(entry, before, after)
        yield from self._check_label(entry, stored)
        yield from _check_services(entry, before, after)
        if entry.history_type == DELETED and stored.values != before.values:
            yield "its columns differ from the entry before."

    def _stored_state(self, entry: Entry) -> RowState:
        """The row as the entry's columns hold it."""
        model = entry.instance_type
        values = {
            name: getattr(entry, field.attname) for name, field in self._fields[model].items()
        }
        # An entry has the row's columns, and this method of the model reads nothing else.
        service_id = model.service_reference_id(entry)  # type: ignore[arg-type]
        return RowState(entry.label, values, service_id)

    def _check_changes(self, entry: Entry, before: RowState, after: RowState) -> Iterator[str]:
        """``changes`` says what the columns of this entry and of the one before say, with names of that time."""
        if not isinstance(entry.changes, dict):
            yield f"its changes are {_short(entry.changes)}; expected {{field: [old, new]}}."
            return
        fields = self._fields[entry.instance_type]
        # A field that the model no longer has can't be compared. The digest still covers its values.
        recorded = {name: pair for name, pair in entry.changes.items() if name in fields}
        self._recorded_fields[entry.instance_type].update(recorded)
        expected = self._expected_changes(entry, before, after)
        if not expected:
            yield "it changes nothing."
        for name in sorted(expected.keys() | recorded.keys()):
            if recorded.get(name) != expected.get(name):
                yield (
                    f"its changes say {name}: {_short(recorded.get(name))}; "
                    f"its columns and those of the entry before say {_short(expected.get(name))}."
                )

    def _expected_changes(self, entry: Entry, before: RowState, after: RowState) -> dict[str, list]:
        """{field: [old, new]} as the columns say it."""
        model = entry.instance_type
        names = self._recorded_fields[model]
        if entry.history_type == CHANGED:
            names = {name for name in before.values if before.values[name] != after.values[name]}
        expected = {}
        for name in names:
            if self._names_an_account(model, name):
                # The account's name of that time is nowhere else; the digest covers it.
                expected[name] = entry.changes.get(name)
                continue
            old = self._recorded_value(model, name, before.values.get(name))
            new = self._recorded_value(model, name, after.values.get(name))
            expected[name] = [old, new]
        return as_json(expected)

    def _names_an_account(self, model: TrackedModel, name: str) -> bool:
        """Whether the field refers to a row without history: an account."""
        target = self._fields[model][name].related_model
        return target is not None and target not in self._fields

    def _recorded_value(self, model: TrackedModel, name: str, value: object) -> object:
        """A column's value as ``changes`` records it: the label of that time instead of an id."""
        target = self._fields[model][name].related_model
        if target is None or value is None:
            return value
        row = self._rows.get((target, value))  # type: ignore[arg-type]
        return row.label if row else f"(no {target._meta.verbose_name} {value})"

    def _check_label(self, entry: Entry, stored: RowState) -> Iterator[str]:
        """The label holds every part of the row's natural key."""
        model = entry.instance_type
        for lookup in model.natural_key_lookups:
            field = lookup.partition("__")[0]
            if self._names_an_account(model, field):
                continue
            name = self._recorded_value(model, field, stored.values[field])
            if name is not None and str(name) not in entry.label:
                yield f"its label is {_short(entry.label)}, without {_short(name)}."

    def _check_last_numbers(self) -> Iterator[Inconsistency]:
        """The last entry of a table has a number that the database gave out; so the next one gets a greater."""
        for model, number in self._last_numbers.items():
            table = entry_model(model)._meta.db_table
            given = last_number_given(table)
            if number > given:
                what = f"its history_id is above {given}, the last one that was given out."
                yield Inconsistency(f"{table}, history_id {number}", what)

    # The live rows

    def _check_live_rows(self) -> Iterator[Inconsistency]:
        """The live rows are those that history leaves."""
        for model in registry_models():
            for row in model._base_manager.order_by("pk").iterator():
                where = _row_name(model, row)
                state = self._rows.pop((model, row.pk), None)
                if state is None:
                    yield Inconsistency(where, "the row exists, but its history does not say so.")
                    continue
                for what in self._check_live_row(model, row, state):
                    yield Inconsistency(where, what)
        for (model, pk), state in self._rows.items():
            where = f"{model._meta.verbose_name} {state.label}, id {pk}"
            yield Inconsistency(where, "the row is gone, and no entry deletes it.")

    def _check_live_row(
        self, model: TrackedModel, row: models.Model, state: RowState
    ) -> Iterator[str]:
        for name, field in self._fields[model].items():
            value = getattr(row, field.attname)
            if value != state.values[name]:
                yield f"its {name} is {_short(value)}; its last entry says {_short(state.values[name])}."


def _check_services(entry: Entry, before: RowState, after: RowState) -> Iterator[str]:
    """``lost_by`` and ``gained_by`` are the services that the row belonged and belongs to; None if it is the same."""
    expected = (before.service_id, after.service_id)
    if before.service_id == after.service_id:
        expected = (None, None)
    if (entry.lost_by, entry.gained_by) != expected:
        yield (
            f"lost_by and gained_by are {entry.lost_by}, {entry.gained_by}; "
            f"its columns say {before.service_id}, {after.service_id}."
        )


def _history_in_order() -> Iterator[ChangeSet | Entry]:
    """All change sets and entries by revision: each change set, then its entries."""
    streams: list[Iterator] = [ChangeSet.objects.order_by("revision").iterator()]
    for model in entry_models():
        streams.append(model.objects.order_by("change_set_id", "sequence").iterator())
    # Each stream is in order, so merging them holds one row of each in memory.
    return heapq.merge(*streams, key=_place)


def _place(row: ChangeSet | Entry) -> tuple[int, int]:
    if isinstance(row, ChangeSet):
        return row.revision, -1
    return row.change_set_id, row.sequence


def _revision_of(row: ChangeSet | Entry) -> int:
    return _place(row)[0]


def _split(rows: list) -> tuple[ChangeSet | None, list[Entry]]:
    """The change set, if it is there, and its entries."""
    if isinstance(rows[0], ChangeSet):
        return rows[0], rows[1:]
    return None, rows


@contextmanager
def unchanging_view() -> Iterator[None]:
    """Let everything inside see the database as it is now, without holding up those who write.

    Inside a transaction already, that one's view is taken.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        with _deferred_transactions(), transaction.atomic():
            yield


@contextmanager
def _deferred_transactions() -> Iterator[None]:
    # A reader under WAL keeps its snapshot. IMMEDIATE, as our writers begin, would take the write lock.
    connection.ensure_connection()  # which sets the mode
    mode = connection.transaction_mode  # type: ignore[attr-defined]
    connection.transaction_mode = "DEFERRED"  # type: ignore[attr-defined]
    try:
        yield
    finally:
        connection.transaction_mode = mode  # type: ignore[attr-defined]


def _row_name(model: TrackedModel, row: models.Model | Entry) -> str:
    """The row as findings call it: an entry by its label, a live row by its name, if it has one."""
    label = getattr(row, "label", "") or getattr(row, "name", "")
    words = [str(model._meta.verbose_name), label]
    return f"{' '.join(word for word in words if word)}, id {row.id}"  # type: ignore[union-attr]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
