"""Verification: replays all history, and says where it does not hold together or differs from the live rows.

Whoever owns the database can drop the triggers and write what they like. An edit, a gap or a stray row shows in
the chain of digests and in the replay; a tail cut off, or all of history written anew, shows only against a head
that somebody kept elsewhere.
"""

import heapq
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction

from ownership.history.change_sets import chain_digest, entry_content
from ownership.history.models import CHANGED, CREATED, DELETED, ChangeSet, Head, entry_models, registry_models


@dataclass(frozen=True)
class Inconsistency:
    """Something that the registry itself never writes: where it stands, and what is wrong."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class _State:
    """A row as its last entry left it."""

    history_id: int
    label: str
    values: dict[str, Any]
    reference: int | None


class Verification:
    """One run over all of history. It holds a state per live row and the entries of one change set, no more."""

    def __init__(self, kept: Head | None = None) -> None:
        self.kept = kept
        self.head = Head(0, "")
        self.entries = 0
        self._time: Any = None
        self._rows: dict[tuple[type[models.Model], int], _State] = {}
        # The fields that entries of a model have spoken of so far; one added to the model later is not among them.
        self._spoken: dict[type[models.Model], set[str]] = {model: set() for model in registry_models()}
        self._fields = {
            model: {field.name: field for field in model._meta.fields if not field.primary_key}
            for model in registry_models()
        }

    def run(self) -> Iterator[Inconsistency]:
        """What is wrong, as it is found; nothing where all is as the registry wrote it. Writes nothing."""
        with unchanging_view():
            streams: list[Iterator[Any]] = [ChangeSet.objects.order_by("revision").iterator()]
            streams += [model.objects.order_by("change_set_id", "sequence").iterator() for model in entry_models()]
            for revision, rows in groupby(heapq.merge(*streams, key=_place), key=lambda row: _place(row)[0]):
                entries: list[Any] = list(rows)
                change = entries.pop(0) if isinstance(entries[0], ChangeSet) else None
                yield from (
                    Inconsistency(f"revision {revision}", what) for what in self._chain(revision, change, entries)
                )
                for entry in entries:
                    where = f"revision {revision}, entry {entry.sequence} ({_row_name(entry.instance_type, entry)})"
                    yield from (Inconsistency(where, what) for what in self._entry(entry, change))
            if self.kept is not None and self.kept.revision > self.head.revision:
                yield Inconsistency(
                    f"revision {self.kept.revision}", "the head that was kept is missing: history was cut."
                )
            yield from self._live_rows()

    def _chain(self, revision: int, change: ChangeSet | None, entries: list[Any]) -> Iterator[str]:
        """The change set in its place: after the one before, and with the digest of what it holds."""
        if revision != self.head.revision + 1:
            yield f"it follows revision {self.head.revision}: what was between is missing."
        sequences = [entry.sequence for entry in entries]
        if sequences != list(range(1, len(entries) + 1)):
            yield f"its entries are not numbered 1 to {len(entries)}: {_short(sequences)}."
        if change is None:
            yield "its entries have no change set."
            self.head = Head(revision, "")
            return
        if not entries:
            yield "it has no entries."
        if self._time is not None and change.time < self._time:
            yield f"its time {change.time} is earlier than that of the revision before, {self._time}."
        if change.digest != chain_digest(self.head.digest, change, [entry_content(entry) for entry in entries]):
            yield "its digest is not that of its content and of the digest before: one of them was changed."
        if self.kept is not None and self.kept.revision == revision and self.kept.digest != change.digest:
            yield f"its digest {change.digest} is not that of the head that was kept: history was rewritten."
        self.head, self._time = Head(revision, change.digest), change.time

    def _entry(self, entry: Any, change: ChangeSet | None) -> Iterator[str]:
        """The entry against the entry before of the same row; then the row's state is what this one says."""
        model, kind, key = entry.instance_type, entry.history_type, (entry.instance_type, entry.id)
        before = self._rows.pop(key, None)
        after = _State(
            entry.history_id,
            entry.label,
            {name: getattr(entry, field.attname) for name, field in self._fields[model].items()},
            model.service_reference_id(entry),
        )
        self.entries += 1
        if kind != DELETED:
            self._rows[key] = after

        if change is not None and entry.history_date != change.time:
            yield f"its date {entry.history_date} is not its change set's, {change.time}."
        if before is not None and entry.history_id <= before.history_id:
            yield "it was written before the row's entry that it follows."
        if kind == CREATED and before is not None:
            yield "it creates a row that is there already."
        elif kind in (CHANGED, DELETED) and before is None:
            yield "it has no entry before that created the row."
            return
        elif kind not in (CREATED, CHANGED, DELETED):
            yield f"{kind!r} is no kind of entry."
            return
        yield from self._said(entry, before.values if before else {}, after.values)
        yield from self._names(entry, after.values)
        lost = before.reference if before and kind != CREATED else None
        gained = after.reference if kind != DELETED else None
        if (entry.lost_by, entry.gained_by) != ((lost, gained) if lost != gained else (None, None)):
            yield f"lost_by and gained_by are {entry.lost_by}, {entry.gained_by}; its columns say {lost}, {gained}."

    def _said(self, entry: Any, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
        """``changes`` against the columns of both entries, names of that time for ids."""
        model, kind = entry.instance_type, entry.history_type
        if not isinstance(entry.changes, dict):
            yield f"its changes are {_short(entry.changes)}; expected {{field: [old, new]}}."
            return
        # A field that the model has no longer can't be compared; the digest still covers what was said of it.
        stated = {name: value for name, value in entry.changes.items() if name in after}
        spoken = self._spoken[model]
        spoken.update(stated)
        differing = {name for name in before if before[name] != after[name]}
        names = differing if kind == CHANGED else spoken
        expected = _as_json(
            {
                name: [
                    self._in_words(model, name, before[name]) if kind != CREATED else None,
                    self._in_words(model, name, after[name]) if kind != DELETED else None,
                ]
                for name in names
            }
        )
        if kind == CHANGED and not expected:
            yield "it changes nothing."
        for name in sorted(expected.keys() | stated.keys()):
            if stated.get(name) != expected.get(name):
                yield (
                    f"it says of {name} {_short(stated.get(name))}; "
                    f"its columns and those of the entry before say {_short(expected.get(name))}."
                )
        if kind == DELETED and differing:
            yield f"its columns differ from the entry before: {', '.join(sorted(differing))}."

    def _names(self, entry: Any, values: dict[str, Any]) -> Iterator[str]:
        """The label holds every name that the row goes by."""
        model = entry.instance_type
        for lookup in model.natural_key_lookups:
            field = lookup.partition("__")[0]
            name = self._in_words(model, field, values[field])
            if name is not None and str(name) not in entry.label:
                yield f"its label is {_short(entry.label)}, without {_short(name)}."

    def _in_words(self, model: Any, name: str, value: Any) -> Any:
        """A column's value as ``changes`` says it: the label of that time for an id."""
        target = self._fields[model][name].related_model
        if target is None or value is None:
            return value
        row = self._rows.get((target, value))
        return row.label if row else f"(no {target._meta.verbose_name} {value})"

    def _live_rows(self) -> Iterator[Inconsistency]:
        """The live rows against the states that history leaves."""
        for model in registry_models():
            for row in model._base_manager.order_by("pk").iterator():
                where, state = _row_name(model, row), self._rows.pop((model, row.pk), None)
                if state is None:
                    yield Inconsistency(where, "the row is there, but by its history it is not.")
                    continue
                for name, field in self._fields[model].items():
                    value = getattr(row, field.attname)
                    if value != state.values[name]:
                        yield Inconsistency(
                            where,
                            f"its {name} is {_short(value)}; its last entry says {_short(state.values[name])}.",
                        )
        for (gone, pk), state in self._rows.items():
            yield Inconsistency(
                f"{gone._meta.verbose_name} {state.label}, id {pk}", "the row is gone, and no entry deletes it."
            )


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
        # A reader under WAL keeps its snapshot; IMMEDIATE, as our writers begin, would take the write lock.
        connection.ensure_connection()  # which sets the mode
        mode, connection.transaction_mode = connection.transaction_mode, "DEFERRED"  # type: ignore[attr-defined]
        try:
            with transaction.atomic():
                yield
        finally:
            connection.transaction_mode = mode  # type: ignore[attr-defined]


def _place(row: Any) -> tuple[int, int]:
    """Where the row stands in history: a change set right before its entries."""
    return (row.revision, -1) if isinstance(row, ChangeSet) else (row.change_set_id, row.sequence)


def _row_name(model: Any, row: Any) -> str:
    """The row as findings call it; a live row by its names that stand in its own columns."""
    label = row.label if hasattr(row, "label") else getattr(row, "name", "")
    return f"{model._meta.verbose_name} {label}, id {row.id}".replace("  ", " ").replace(" ,", ",")


def _as_json(value: Any) -> Any:
    """The value as it comes back from a JSON column."""
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
