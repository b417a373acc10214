"""Undo: a change set, or one entry of it, reversed by a change set of its own.

History is never rewritten. Only the fields that the change set changed go back. A field
that a later change touched is a conflict: it is kept as it is unless it is chosen. All
values come from history, none from outside.

Rows are read, and written, five hundred at a time: a change set may contain the whole map.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import Max, OuterRef, Subquery

from ownership.audit.descriptions import FieldChange, describe_changes, label_in_words
from ownership.audit.timeline import DECISIONS_ON_TABLES, PARTS_OF_TABLES
from ownership.history.models import (
    CHANGED,
    CREATED,
    DELETED,
    ChangeSet,
    Entry,
    TrackedRow,
    current_head,
    entries_of,
    entry_model,
)
from ownership.history.row_states import (
    differences,
    fetch_rows,
    foreign_keys,
    in_batches,
    recorded_value,
)
from ownership.models import Membership, Table, Team
from ownership.plans.plan import Plan
from ownership.plans.steps import Conflict, Preview, Step, attname, copy_of, digest

# Deleted together with the row that they belong to.
DEPENDENTS: dict[type[TrackedRow], tuple[type[TrackedRow], ...]] = {
    Table: (*PARTS_OF_TABLES, *DECISIONS_ON_TABLES),
    Team: (Membership,),
}

# What undoing does to a row.
RESTORE, DELETE, REVERT, KEEP = "restore", "delete", "change", ""
KEPT_UNLESS_SELECTED = "kept unless selected"
UNDO_VERBS = {RESTORE: "restored", DELETE: "deleted", REVERT: "reverted", KEEP: "kept"}


@dataclass(frozen=True, eq=False)
class RowUndo:
    """What undoing does to one row: which fields change, or why nothing happens.

    ``conflicts`` are {key: conflict}. A key names a field of the row, or its deletion.
    """

    entry: Entry  # the row's last entry in the change set
    row: TrackedRow | None  # as it is now; None where it is gone
    previous: Entry | None  # the state to go back to; None where the row was created
    action: str = KEEP
    explanation: str = ""
    fields: dict[str, list] = field(default_factory=dict)  # {field: [now, after]}
    conflicts: dict[str, Conflict] = field(default_factory=dict)

    def happens(self, chosen: Collection[str]) -> bool:
        """Whether anything is done to the row if these conflicts are chosen."""
        if self.action == DELETE:
            return set(self.conflicts) <= set(chosen)
        if self.action == REVERT:
            return bool(self.reverted_fields(chosen))
        return self.action == RESTORE

    def reverted_fields(self, chosen: Collection[str]) -> list[str]:
        """The fields of a changed row that go back."""
        names = []
        for name in self.fields:
            key = _conflict_key(self.entry, name)
            if key not in self.conflicts or key in chosen:
                names.append(name)
        return names

    def step(self, chosen: Collection[str]) -> Step:
        """The step of a plan that does it."""
        after = None
        if self.row is None:
            after = self._restored_row()
        elif self.action == REVERT:
            after = self._reverted_row(self.row, chosen)
        return Step(self.row, after, label=self.entry.label, earlier=self.previous)

    def _restored_row(self) -> TrackedRow:
        """The row as it was before the change set, with the id that it had."""
        model = self.entry.instance_type
        values = {}
        for column in model._meta.fields:
            values[column.attname] = getattr(self.previous, column.attname)
        return model(**values)

    def _reverted_row(self, row: TrackedRow, chosen: Collection[str]) -> TrackedRow:
        after = copy_of(row)
        for name in self.reverted_fields(chosen):
            column = attname(type(row), name)
            setattr(after, column, getattr(self.previous, column))
        return after

    def preview(self, chosen: Collection[str]) -> Preview:
        """The row in words; fields that are empty now and afterwards are left out."""
        model = self.entry.instance_type
        changes = describe_changes(model, self.fields)
        verb = UNDO_VERBS[KEEP]
        if self.happens(chosen):
            verb = UNDO_VERBS[self.action]
        elif self.conflicts:
            verb = KEPT_UNLESS_SELECTED
        return Preview(
            kind=str(model._meta.verbose_name),
            label=label_in_words(model, self.entry.label),
            verb=verb,
            changes=[change for change in changes if change.old or change.new],
            undecided=self._undecided(chosen),
            explanation=self.explanation,
            conflicts=self.conflicts,
            removes=self.action == DELETE,
        )

    def _undecided(self, chosen: Collection[str]) -> frozenset[str]:
        """What people call the fields that are kept unless they are selected."""
        if self.action == DELETE:
            return frozenset()
        fields = [conflict.field for key, conflict in self.conflicts.items() if key not in chosen]
        return frozenset(fields)


class Undo:
    """What undoing a change set would do now, before anyone chooses between conflicts.

    With ``sequence``, just that entry is undone. The entry of a created or deleted table or
    team takes along the accesses, indexes or members that came or went with it.
    """

    def __init__(self, revision: int, sequence: int | None = None) -> None:
        self.revision = revision
        self.read_at = current_head().revision  # before the rows are
        self.rows = _rows_to_undo(revision, sequence)

    @cached_property
    def conflicts(self) -> dict[str, Conflict]:
        """All that must be chosen to be undone, by key."""
        conflicts = {}
        for row in self.rows:
            conflicts.update(row.conflicts)
        return conflicts

    def plan(self, chosen: Collection[str] = ()) -> Plan:
        """The steps to take if these conflicts are chosen; other conflicting fields are kept.

        Applied with the source RESTORE, and ``undoes`` the revision.
        """
        steps = [row.step(chosen) for row in self.rows if row.happens(chosen)]
        return Plan(steps, self.read_at)

    def fingerprint(self) -> str:
        """Identifies what undoing would do, whatever is chosen."""
        facts = []
        for row in self.rows:
            conflicts = {key: conflict.why for key, conflict in row.conflicts.items()}
            facts.append([row.entry.pk, row.action, row.explanation, row.fields, conflicts])
        return digest(facts)


def _rows_to_undo(revision: int, sequence: int | None) -> list[RowUndo]:
    """The rows in the order in which they are undone, the last entry first."""
    entries_by_row: dict[tuple[type[TrackedRow], int], list[Entry]] = {}
    for entry in reversed(_entries_to_undo(revision, sequence)):
        entries = entries_by_row.setdefault((entry.instance_type, entry.id), [])
        entries.insert(0, entry)  # of one row, in the order of the change set
    pks_by_model: dict[type[TrackedRow], list[int]] = {}
    for model, pk in entries_by_row:
        pks_by_model.setdefault(model, []).append(pk)
    states = {model: States(model, pks, revision) for model, pks in pks_by_model.items()}
    change_sets = later_change_sets(states.values())
    rows = []
    for (model, _), entries in entries_by_row.items():
        came_and_went = entries[0].history_type == CREATED and entries[-1].history_type == DELETED
        if not came_and_went:
            rows.append(_row_undo(entries, states[model], change_sets))
    return rows


def _entries_to_undo(revision: int, sequence: int | None) -> list[Entry]:
    entries = [entry for entry in entries_of([revision]) if entry.instance_type.can_be_undone]
    if sequence is None:
        return entries
    for chosen in entries:
        if chosen.sequence == sequence:
            along = [entry for entry in entries if _goes_with(entry, chosen)]
            return sorted([chosen, *along], key=lambda entry: entry.sequence)
    return []


def _goes_with(entry: Entry, parent: Entry) -> bool:
    """Whether the entry is about a row that was created or deleted together with the parent, a table or a team."""
    model = parent.instance_type
    if entry.instance_type not in DEPENDENTS.get(model, ()) or parent.history_type == CHANGED:
        return False
    together = entry.history_type == parent.history_type
    return together and getattr(entry, _parent_column(model)) == parent.id


def _parent_column(parent: type[TrackedRow]) -> str:
    """The column by which dependent rows refer to their parent: ``table_id``."""
    return f"{parent._meta.model_name}_id"


class States:
    """The rows of one model that a change set touched: as they are now, were before, and what happened since.

    A few queries for five hundred rows.
    """

    def __init__(self, model: type[TrackedRow], pks: list[int], revision: int) -> None:
        self.revision = revision
        self.rows = fetch_rows(model, pks)
        self.previous: dict[int, Entry] = {}  # {id: the last entry before the change set}
        self.last_change: dict[int, int] = {}  # {id: the last revision since}
        self.last_change_of: dict[tuple[int, str], int] = {}  # {(id, field): the same}
        # Of tables and teams: {id: (label of what came or changed later and hangs on it, revision)}
        self.later_dependents: dict[int, tuple[str, int]] = {}
        for part in in_batches(pks):
            self._read_previous(model, part)
            self._read_later(model, part)
            for dependent in DEPENDENTS.get(model, ()):
                self._read_dependents(dependent, _parent_column(model), part)

    def _read_previous(self, model: type[TrackedRow], pks: list[int]) -> None:
        entries = entry_model(model).objects
        before = entries.filter(id__in=pks, change_set__lt=self.revision).order_by()
        newest = before.values("id").annotate(newest=Max("history_id")).values("newest")
        for entry in entries.filter(history_id__in=newest):
            self.previous[entry.id] = entry

    def _read_later(self, model: type[TrackedRow], pks: list[int]) -> None:
        entries = entry_model(model).objects
        later = entries.filter(id__in=pks, change_set__gt=self.revision)
        columns = later.values_list("id", "change_set_id", "changes")
        # In commit order, so that the last one stays.
        for pk, revision, changes in columns.order_by("change_set_id").iterator():
            self.last_change[pk] = revision
            for name in changes:
                self.last_change_of[pk, name] = revision

    def _read_dependents(self, model: type[TrackedRow], column: str, parents: list[int]) -> None:
        entries = entry_model(model).objects
        later = entries.filter(id=OuterRef("pk"), change_set__gt=self.revision)
        last_change = Subquery(later.order_by("-change_set").values("change_set")[:1])
        rows = model.objects.filter(**{f"{column}__in": parents}).select_related(
            *foreign_keys(model)
        )
        rows = rows.annotate(last_change=last_change).filter(last_change__isnull=False)
        for row in rows.order_by("-pk"):
            label = f"{model._meta.verbose_name} {label_in_words(model, str(row))}"
            self.later_dependents.setdefault(getattr(row, column), (label, row.last_change))

    def later_revisions(self) -> set[int]:
        """The later revisions that conflicts name."""
        revisions = {*self.last_change.values(), *self.last_change_of.values()}
        for _, revision in self.later_dependents.values():
            revisions.add(revision)
        return revisions

    def deletion_conflict(self, pk: int, change_sets: Mapping[int, ChangeSet]) -> Conflict | None:
        """Why deleting a row would lose more than it was at the change set; None if it would not."""
        reasons = []
        revision = self.last_change.get(pk, 0)
        if revision:
            reasons.append(
                f"Revision {revision} has changed it since; that change would be lost too."
            )
        if pk in self.later_dependents:
            label, later = self.later_dependents[pk]
            reasons.append(f"The {label} was added or changed later and would be deleted too.")
            revision = revision or later
        if not reasons:
            return None
        return Conflict(" ".join(reasons), change_sets[revision])


def later_change_sets(all_states: Iterable[States]) -> dict[int, ChangeSet]:
    """The later change sets that conflicts name, by revision."""
    revisions: set[int] = set()
    for states in all_states:
        revisions |= states.later_revisions()
    change_sets: dict[int, ChangeSet] = {}
    for part in in_batches(revisions):
        change_sets.update(ChangeSet.objects.in_bulk(part))
    return change_sets


def _row_undo(entries: list[Entry], states: States, change_sets: dict[int, ChangeSet]) -> RowUndo:
    """What to do to one row, from its entries in the change set (mostly one)."""
    first, last = entries[0], entries[-1]
    row = states.rows.get(last.id)
    previous = None if first.history_type == CREATED else states.previous.get(last.id)
    if last.history_type == DELETED:
        if row is not None:
            return RowUndo(last, row, previous, explanation="It already exists again.")
        fields = {name: [None, old] for name, (old, _) in last.changes.items()}
        return RowUndo(last, row, previous, RESTORE, fields=fields)
    if row is None:
        cure = "; restore it first." if previous else "."
        return RowUndo(last, row, previous, explanation=f"It has since been deleted{cure}")
    if previous is None:
        conflict = states.deletion_conflict(last.id, change_sets)
        conflicts = {_conflict_key(last, DELETE): conflict} if conflict else {}
        return RowUndo(last, row, None, DELETE, fields=differences(row, None), conflicts=conflicts)
    return _revert(entries, row, previous, states, change_sets)


def _revert(
    entries: list[Entry],
    row: TrackedRow,
    previous: Entry,
    states: States,
    change_sets: dict[int, ChangeSet],
) -> RowUndo:
    """Bring back the fields that the entries changed, where they are not back already."""
    last = entries[-1]
    old_values = {}
    for entry in reversed(entries):  # so that the first entry's old value wins
        for name, (old, _) in entry.changes.items():
            old_values[name] = old
    fields = {}
    conflicts = {}
    for name, old in old_values.items():
        column = attname(type(row), name)
        if getattr(row, column) == getattr(previous, column):
            continue
        fields[name] = [recorded_value(row, name), old]
        revision = states.last_change_of.get((last.id, name))
        if revision:
            why = f"Revision {revision} has changed it since."
            words = _in_words(row, name, fields[name])
            key = _conflict_key(last, name)
            conflicts[key] = Conflict(why, change_sets[revision], words.field)
    if not fields:
        return RowUndo(last, row, previous, explanation="Already has its earlier value.")
    return RowUndo(last, row, previous, REVERT, fields=fields, conflicts=conflicts)


def _in_words(row: TrackedRow, name: str, values: list) -> FieldChange:
    [change] = describe_changes(type(row), {name: values})
    return change


def _conflict_key(entry: Entry, name: str) -> str:
    """Identifies a conflict in a form: model, row and field, never a value."""
    return f"{entry.instance_type._meta.model_name}:{entry.id}:{name}"
