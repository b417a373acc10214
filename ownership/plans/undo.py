"""Undo: a change set, or one entry of it, reversed by a change set of its own. History is never rewritten.

Only the fields that the change set changed go back. Where a later change touched one of them, that is a
conflict: it stays as it is unless it is chosen. No value comes from outside: all are history's.

Rows are looked at, and written, five hundred at a time: a change set may hold the whole map.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Max, OuterRef, ProtectedError, Subquery

from ownership.audit.descriptions import Change, Said, changes_in_words, said
from ownership.history.bulk import RowRefused, delete_rows, save_rows
from ownership.history.entries import entries_of, entry_model
from ownership.history.models import CREATED, DELETED, ChangeSet
from ownership.history.row_states import fetch_all, foreign_keys, in_parts, stated
from ownership.models import Access, SecondaryIndex, Table, Waiver
from ownership.plans.blockers import Obstacle, Outcome, find_obstacles, still_used

HANGING = (Access, SecondaryIndex, Waiver)  # what goes with its table


class CanNotUndo(Exception):
    """What stands in the way, in a sentence; nothing was changed."""


@dataclass(frozen=True)
class Conflict:
    """Why something must be chosen, and the later change set that is the reason."""

    why: str
    by: ChangeSet
    field: str = ""  # in words, where it is about one


@dataclass(frozen=True)
class Step:
    """What undoing does to one row: which fields change from what they are now, or why nothing happens."""

    entry: Any  # the row's last entry in the change set
    row: Any  # as it is now; None where it is gone
    previous: Any  # the entry whose columns hold the values to go back to; None where the row was created
    action: str = ""  # "restore", "delete", "change", or "" where there is nothing to do
    explanation: str = ""
    fields: dict[str, list] = field(default_factory=dict)  # {field: [now, after]}, as history says values
    conflicts: dict[str, Conflict] = field(default_factory=dict)  # {what to choose: why it must be chosen}

    @property
    def said(self) -> Said:
        """The entry in words."""
        return said(self.entry)

    def changes(self) -> list[Change]:
        """The fields in words, those left out that are empty now and after."""
        return [one for one in changes_in_words(self.entry.instance_type, self.fields) if one.old or one.new]

    def chosen(self, chosen: Collection[str]) -> bool:
        """Whether anything is done at all, of what must be chosen just this being so."""
        if self.action == "delete":
            return set(self.conflicts) <= set(chosen)
        return self.action == "restore" or bool(self.going_back(chosen))

    def going_back(self, chosen: Collection[str]) -> list[str]:
        """The fields of a changed row that go back."""
        keys = {name: _key(self.entry, name) for name in self.fields}
        return [name for name, key in keys.items() if key not in self.conflicts or key in chosen]

    def after(self, chosen: Collection[str]) -> Any:
        """The row as undoing would leave it, not saved; None where it deletes it."""
        model = self.entry.instance_type
        if self.action == "delete":
            return None
        values = {column.attname: getattr(self.row or self.previous, column.attname) for column in model._meta.fields}
        if self.action == "change":
            for name in self.going_back(chosen):
                attname = model._meta.get_field(name).attname
                values[attname] = getattr(self.previous, attname)
        after = model(**values)
        after._state.adding = self.row is None
        return after


def plan(revision: int, sequence: int | None = None) -> list[Step]:
    """What undoing a change set (or one entry of it) would do now, in the order in which it would be done.

    A deleted or created table's entry takes its accesses and indexes along, that came or went with it.
    """
    entries = entries_of([revision])
    if sequence is not None:
        chosen = [entry for entry in entries if entry.sequence == sequence]
        entries = [entry for entry in entries if entry in chosen or any(_hangs_on(entry, one) for one in chosen)]
    rows: dict[tuple[Any, int], list[Any]] = {}
    for entry in reversed(entries):
        rows.setdefault((entry.instance_type, entry.id), []).insert(0, entry)
    found = {
        model: _Found(model, [pk for of, pk in rows if of is model], revision) for model in {model for model, _ in rows}
    }
    sets = _change_sets({touched for one in found.values() for touched in one.revisions()})
    return [
        _step(of_row, found[model], sets)
        for (model, _), of_row in rows.items()
        if (of_row[0].history_type, of_row[-1].history_type) != (CREATED, DELETED)
    ]


def fingerprint(steps: list[Step]) -> str:
    """Names what the steps would do, so that nothing is undone but what somebody looked at."""
    told = [
        [one.entry.pk, one.action, one.explanation, one.fields, {key: why.why for key, why in one.conflicts.items()}]
        for one in steps
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True, cls=DjangoJSONEncoder).encode()).hexdigest()


def obstacles(steps: list[Step], chosen: Collection[str]) -> list[Obstacle]:
    """What stands in the way of carrying the steps out, in sentences that say what to do; mostly nothing."""
    outcomes = [
        Outcome(step, step.entry.label, step.entry.instance_type, step.entry.id, step.row, step.after(chosen))
        for step in steps
        if step.action and step.chosen(chosen)
    ]
    return find_obstacles(outcomes)


def without_obstacles(steps: list[Step], chosen: Collection[str]) -> list[Step]:
    """The steps that can be carried out; one that another needs takes that one along."""
    while found := {id(obstacle.step) for obstacle in obstacles(steps, chosen)}:
        steps = [step for step in steps if id(step) not in found]
    return steps


def apply(steps: list[Step], chosen: Collection[str]) -> None:
    """Carry the steps out, those with an unchosen conflict left out. Within a change set, under the lock.

    Raises CanNotUndo with the row and the rule that stands in the way.
    """
    for obstacle in obstacles(steps, chosen):
        raise CanNotUndo(str(obstacle))
    doing = [step for step in steps if step.action and step.chosen(chosen)]
    try:
        for deleting, some in groupby(doing, key=lambda step: step.action == "delete"):
            if deleting:
                delete_rows(step.row for step in some)
            else:
                save_rows(step.after(chosen) for step in some)
    except RowRefused as refused:
        raise CanNotUndo(_sentence(refused)) from refused


def _sentence(refused: RowRefused) -> str:
    """What a rule says that only the database, or the row's own check, knew of."""
    if isinstance(refused.__cause__, ProtectedError):
        users = sorted(map(str, refused.__cause__.protected_objects))
        return f"{refused.row}: {still_used(users, len(users))}"
    try:
        refused.row.full_clean()
    except ValidationError as error:
        return f"{refused.row}: {' '.join(error.messages)}"
    return str(refused)


def _hangs_on(entry: Any, other: Any) -> bool:
    """Whether the entry is of an access, index or waiver that came or went together with the other entry's table."""
    return (
        other.instance_type is Table
        and other.history_type == entry.history_type
        and entry.history_type in (CREATED, DELETED)
        and entry.instance_type in HANGING
        and entry.table_id == other.id
    )


class _Found:
    """What steps are made of, of all rows of a model that a change set touched: a few queries for five hundred."""

    def __init__(self, model: Any, pks: list[int], revision: int) -> None:
        self.rows = fetch_all(model, pks)
        self.previous: dict[int, Any] = {}  # the last entry before the change set
        self.last: dict[int, int] = {}  # the last revision since that touched the row
        self.touched: dict[tuple[int, str], int] = {}  # and a field of it
        self.lost: dict[int, tuple[str, int]] = {}  # of a table, what hangs on it by a later revision
        history = entry_model(model).objects
        for part in in_parts(pks):
            newest = history.filter(id__in=part, change_set__lt=revision).order_by().values("id")
            newest = newest.annotate(newest=Max("history_id")).values("newest")
            self.previous |= {entry.id: entry for entry in history.filter(history_id__in=newest)}
            later = history.filter(id__in=part, change_set__gt=revision).order_by()
            for pk, since, changes in later.values_list("id", "change_set_id", "changes").iterator():
                self.last[pk] = max(since, self.last.get(pk, 0))
                for name in changes:
                    self.touched[pk, name] = max(since, self.touched.get((pk, name), 0))
            for hanging in HANGING if model is Table else ():
                self._look_for_lost(hanging, part, revision)

    def _look_for_lost(self, model: Any, tables: list[int], revision: int) -> None:
        since = entry_model(model).objects.filter(id=OuterRef("pk"), change_set__gt=revision).order_by("-change_set")
        rows = model.objects.filter(table__in=tables).select_related(*foreign_keys(model))
        rows = rows.annotate(since=Subquery(since.values("change_set")[:1])).filter(since__isnull=False)
        for row in rows.order_by("-pk"):
            self.lost.setdefault(row.table_id, (str(row), row.since))

    def revisions(self) -> set[int]:
        """The later revisions that conflicts name."""
        return {*self.last.values(), *self.touched.values(), *(since for _, since in self.lost.values())}


def _change_sets(revisions: Collection[int]) -> dict[int, ChangeSet]:
    return {pk: change for part in in_parts(revisions) for pk, change in ChangeSet.objects.in_bulk(part).items()}


def _step(entries: list[Any], found: _Found, sets: dict[int, ChangeSet]) -> Step:
    """The step for one row, from its entries in the change set (mostly one)."""
    first, last = entries[0], entries[-1]
    model, row = last.instance_type, found.rows.get(last.id)
    previous = found.previous.get(last.id) if first.history_type != CREATED else None
    if last.history_type == DELETED:
        if row is not None:
            return Step(last, row, previous, explanation="It is there again already.")
        return Step(
            last, row, previous, "restore", fields={name: [None, old] for name, (old, _) in last.changes.items()}
        )
    if row is None:
        return Step(
            last, row, previous, explanation="It was deleted since." + (" Restore it first." if previous else "")
        )
    if previous is None:
        gone = {name: [new, None] for name, (_, new) in first.changes.items()}
        lost = _lost_with(last, found, sets)
        return Step(last, row, None, "delete", fields=gone, conflicts={_key(last, "delete"): lost} if lost else {})
    changed = {name: pair[0] for entry in reversed(entries) for name, pair in entry.changes.items()}
    fields, conflicts = {}, {}
    for name, old in changed.items():
        attname = model._meta.get_field(name).attname
        if getattr(row, attname) == getattr(previous, attname):
            continue
        fields[name] = [stated(row, name), old]
        if since := found.touched.get((last.id, name)):
            [change] = changes_in_words(model, {name: fields[name]})
            conflicts[_key(last, name)] = Conflict(f"Revision {since} changed it since.", sets[since], change.field)
    if not fields:
        return Step(last, row, previous, explanation="It is as it was before already.")
    return Step(last, row, previous, "change", fields=fields, conflicts=conflicts)


def _key(entry: Any, name: str) -> str:
    """Names a conflict in a form: model, row and field, never a value."""
    return f"{entry.instance_type._meta.model_name}:{entry.id}:{name}"


def _lost_with(entry: Any, found: _Found, sets: dict[int, ChangeSet]) -> Conflict | None:
    """Why deleting a row that the change set created would lose more than the change set made."""
    reasons, since = [], found.last.get(entry.id, 0)
    if since:
        reasons.append(f"Revision {since} changed it since; that would be gone too.")
    if entry.instance_type is Table and entry.id in found.lost:
        label, hanging = found.lost[entry.id]
        reasons.append(f"{label} came or changed later and would be gone too.")
        since = since or hanging
    return Conflict(" ".join(reasons), sets[since]) if reasons else None
