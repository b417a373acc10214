"""Undo: a change set, or one entry of it, reversed by a change set of its own. History is never rewritten.

Only the fields that the change set changed go back. Where a later change touched one of them, that is a
conflict: it stays as it is unless it is chosen. No value comes from outside: all are history's.
"""

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import ProtectedError

from ownership.history import CREATED, DELETED, entries_of, fetch
from ownership.models import Access, SecondaryIndex, Table, Waiver
from ownership.timeline import Change, Said, changes_in_words, said


class CanNotUndo(Exception):
    """What stands in the way, in a sentence; nothing was changed."""


@dataclass(frozen=True)
class Step:
    """What undoing does to one row: which fields change from what they are now, or why nothing happens."""

    entry: Any  # the row's last entry in the change set
    said: Said
    previous: Any  # the entry whose columns hold the values to go back to; None where the row was created
    action: str = ""  # "restore", "delete", "change", or "" where there is nothing to do
    explanation: str = ""
    fields: dict[str, list] = field(default_factory=dict)  # {field: [now, after]}, as history says values
    conflicts: dict[str, str] = field(default_factory=dict)  # {what to choose: why it must be chosen}

    def changes(self) -> list[Change]:
        """The fields in words."""
        return changes_in_words(self.entry.instance_type, self.fields)


def plan(revision: int, sequence: int | None = None) -> list[Step]:
    """What undoing a change set (or one entry of it) would do now, in the order in which it would be done.

    A deleted table's entry takes its accesses and indexes along, that were deleted with it.
    """
    entries = entries_of([revision])
    if sequence is not None:
        chosen = [entry for entry in entries if entry.sequence == sequence]
        entries = [entry for entry in entries if entry in chosen or any(_hangs_on(entry, one) for one in chosen)]
    rows: dict[tuple[Any, int], list[Any]] = {}
    for entry in reversed(entries):
        rows.setdefault((entry.instance_type, entry.id), []).insert(0, entry)
    return [
        _step(of_row) for of_row in rows.values() if (of_row[0].history_type, of_row[-1].history_type) != ("+", "-")
    ]


def fingerprint(steps: list[Step]) -> str:
    """Names what the steps would do, so that nothing is undone but what somebody looked at."""
    told = [[step.entry.pk, step.action, step.explanation, step.fields, step.conflicts] for step in steps]
    return hashlib.sha256(json.dumps(told, sort_keys=True, cls=DjangoJSONEncoder).encode()).hexdigest()


def _hangs_on(entry: Any, other: Any) -> bool:
    """Whether the entry is of an access, index or waiver that was deleted together with the other entry's table."""
    return (
        other.instance_type is Table
        and other.history_type == entry.history_type == DELETED
        and entry.instance_type in (Access, SecondaryIndex, Waiver)
        and entry.table_id == other.id
    )


def _step(entries: list[Any]) -> Step:
    """The step for one row, from its entries in the change set (mostly one)."""
    first, last = entries[0], entries[-1]
    model = last.instance_type
    history = model.history.filter(id=last.id).order_by("history_id")
    previous = history.filter(history_id__lt=first.history_id).last() if first.history_type != CREATED else None
    row = fetch(model, last.id)
    later = list(history.filter(change_set__gt=last.change_set_id))
    step = partial(Step, last, said(last), previous)
    if last.history_type == DELETED:
        if row is not None:
            return step(explanation="It is there again already.")
        return step("restore", fields={name: [None, old] for name, (old, _) in last.changes.items()})
    if row is None:
        return step(explanation="It was deleted since." + (" Restore it first." if previous else ""))
    if previous is None:
        return step(
            "delete",
            fields={name: [new, None] for name, (_, new) in first.changes.items()},
            conflicts={_key(last, "delete"): " ".join(reasons)}
            if (reasons := list(_lost_with(row, last, later)))
            else {},
        )
    changed = {name: pair[0] for entry in reversed(entries) for name, pair in entry.changes.items()}
    fields, conflicts = {}, {}
    for name, old in changed.items():
        attname = model._meta.get_field(name).attname
        if getattr(row, attname) == getattr(previous, attname):
            continue
        fields[name] = [_now(row, name), old]
        if touched := [entry for entry in later if name in entry.changes]:
            conflicts[_key(last, name)] = f"Revision {touched[-1].change_set_id} changed it since."
    if not fields:
        return step(explanation="It is as it was before already.")
    return step("change", fields=fields, conflicts=conflicts)


def _key(entry: Any, name: str) -> str:
    """Names a conflict in a form: model, row and field, never a value."""
    return f"{entry.instance_type._meta.model_name}:{entry.id}:{name}"


def _now(row: Any, name: str) -> Any:
    value = getattr(row, name)
    return str(value) if row._meta.get_field(name).is_relation and value is not None else value


def _lost_with(row: Any, entry: Any, later: list[Any]) -> Iterator[str]:
    """Why deleting a row that the change set created would lose more than the change set made."""
    if later:
        yield f"Revision {later[-1].change_set_id} changed it since; that would be gone too."
    if isinstance(row, Table):
        for model in (Access, SecondaryIndex, Waiver):
            ours = model.history.filter(table_id=row.pk, change_set=entry.change_set_id).values("id")
            for hanging in model.objects.filter(table=row).exclude(pk__in=ours).select_related("table")[:1]:
                yield f"{hanging} came later and would be gone too."


def apply(steps: list[Step], chosen: Collection[str]) -> None:
    """Carry the steps out, those with an unchosen conflict left out. Within a change set, under the lock.

    Raises CanNotUndo with the row and the rule that stands in the way.
    """
    for step in steps:
        try:
            _apply(step, chosen)
        except ValidationError as error:
            raise CanNotUndo(f"{step.said.label}: {' '.join(error.messages)}") from error
        except ProtectedError as error:
            names = ", ".join(sorted(map(str, error.protected_objects)))
            raise CanNotUndo(f"{step.said.label} is still used: {names}. Change or delete these first.") from error


def _apply(step: Step, chosen: Collection[str]) -> None:
    model = step.entry.instance_type
    if step.action == "restore":
        row = model(**{column.attname: getattr(step.previous, column.attname) for column in model._meta.fields})
        _check_references(row, step)
        row.full_clean()
        row.save(force_insert=True)
    elif step.action == "delete":
        if set(step.conflicts) <= set(chosen):
            model.objects.get(pk=step.entry.id).delete()
    elif step.action == "change":
        row = model.objects.get(pk=step.entry.id)
        for name in step.fields:
            key = _key(step.entry, name)
            if key not in step.conflicts or key in chosen:
                attname = model._meta.get_field(name).attname
                setattr(row, attname, getattr(step.previous, attname))
        _check_references(row, step)
        row.full_clean()
        row.save()


def _check_references(row: Any, step: Step) -> None:
    """Name the row that a foreign key would point to and that is gone, by what it was called then."""
    for column in row._meta.fields:
        if column.is_relation:
            try:
                getattr(row, column.name)
            except ObjectDoesNotExist:
                name = step.fields.get(column.name, ["", ""])[1]
                raise CanNotUndo(
                    f"{step.said.label}: its {column.verbose_name} {name} was deleted since; restore that first."
                ) from None
