"""One row of a plan: as it is, as it would be, how a page shows the difference, and which rows it refers to."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from django.contrib.auth.models import AbstractUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import ForeignKey, QuerySet
from django.db.models.fields.reverse_related import ForeignObjectRel

from ownership.audit.descriptions import FieldChange, label_in_words, stated_changes
from ownership.history.models import VERBS, ChangeSet, Entry, TrackedRow, kind_of_change
from ownership.history.row_states import differences, in_batches, recorded_value
from ownership.models import Table
from ownership.models.rights import PERMISSIONS, has_permission
from ownership.models.tables import table_of

Row = TypeVar("Row", bound=TrackedRow)


@dataclass(eq=False)
class Step:
    """One row as it is and as it would be; None if it does not exist.

    Both have the rows that they refer to loaded, as ``fetch_rows`` gives them; otherwise
    each label costs a query. ``earlier`` is a state of the row that the registry accepted
    once: values that are the same there are not checked again. Two steps are never equal, so
    they may be members of sets.
    """

    before: TrackedRow | None
    after: TrackedRow | None
    label: str = ""  # what people call the row; by default its future label
    earlier: Entry | TrackedRow | None = None

    def __post_init__(self) -> None:
        if not self.label:
            self.label = str(self.row)

    @property
    def row(self) -> TrackedRow:
        """The row as it would be; as it is, if it would be deleted."""
        row = self.before if self.after is None else self.after
        if row is None:
            raise ValueError("A step needs a row: before, after or both.")
        return row

    @property
    def row_now(self) -> TrackedRow:
        """The row as it is; as it would be, if it is new."""
        return self.row if self.before is None else self.before

    @property
    def table(self) -> Table | None:
        """The table that the row is, as it is now, or that it belongs to."""
        if isinstance(self.row_now, Table):
            return self.row_now
        return table_of(self.row)

    @property
    def model(self) -> type[TrackedRow]:
        """The row's model."""
        return type(self.row)

    @property
    def pk(self) -> int | None:
        """The row's id; None for a new row."""
        return self.row.pk

    @property
    def history_type(self) -> str:
        """CREATED, CHANGED or DELETED."""
        return kind_of_change(self.before, self.after)

    def changes(self) -> dict[str, list]:
        """{field: [now, after]} in the words of history: names instead of ids."""
        changes = differences(self.before, self.after)
        if self.after is not None:
            # A reference to a new row has no id yet, and would look like no reference.
            for name in unsaved_references(self.after):
                now = recorded_value(self.before, name)
                changes[name] = [now, recorded_value(self.after, name)]
        return changes

    def preview(self) -> "Preview":
        """The step as a timeline would show it."""
        return Preview(
            kind=str(self.model._meta.verbose_name),
            label=label_in_words(self.model, self.label),
            verb=VERBS[self.history_type],
            changes=stated_changes(self.model, self.history_type, self.changes()),
            removes=self.after is None,
        )


@dataclass(frozen=True)
class Conflict:
    """Something to decide, because of a change set that came later; None if it is not known."""

    why: str
    by: ChangeSet | None
    field: str = ""  # in words; empty if the conflict is about the whole row


@dataclass(frozen=True)
class Preview:
    """What a plan does to one row, in words; shaped like an entry of a timeline.

    ``conflicts`` are choices: nothing happens to such a row, or field, unless chosen. ``undecided`` names
    the fields of which that is so.
    """

    kind: str
    label: str
    verb: str  # "created", "changed", "deleted"; an undo also says "restored", "kept"
    changes: list[FieldChange]
    explanation: str = ""
    conflicts: Mapping[str, Conflict] = field(default_factory=dict)
    undecided: frozenset[str] = frozenset()
    removes: bool = False  # the row; pages then fold the values, which would all become nothing
    key: str = ""  # names the row in a form, where it can be chosen as a whole


def digest(facts: list) -> str:
    """SHA-256 of some facts."""
    text = json.dumps(facts, sort_keys=True, cls=DjangoJSONEncoder)
    return hashlib.sha256(text.encode()).hexdigest()


def copy_of(row: Row) -> Row:
    """A copy to change, so that the row stays as it was read. Rows that it refers to stay loaded."""
    model = type(row)
    columns = [column.attname for column in model._meta.concrete_fields]
    copy = model.from_db(row._state.db, columns, [getattr(row, column) for column in columns])
    for foreign_key in foreign_key_fields(model):
        if foreign_key.is_cached(row):
            foreign_key.set_cached_value(copy, foreign_key.get_cached_value(row))
    return copy


def role_allows(user: AbstractUser, step: Step) -> bool:
    """Whether the user's role allows the step. Whether their team does, ``Plan.refused_to`` says."""
    return has_permission(user, step.row, PERMISSIONS[step.history_type])


def steps_by_model(steps: Iterable[Step]) -> dict[type[TrackedRow], list[Step]]:
    """The steps in their order, by model."""
    by_model: dict[type[TrackedRow], list[Step]] = {}
    for step in steps:
        by_model.setdefault(step.model, []).append(step)
    return by_model


def ids_of(steps: Iterable[Step]) -> list[int]:
    """The ids of the steps' rows; new rows have none."""
    return [step.pk for step in steps if step.pk is not None]


def filtered(rows: QuerySet, column: str, values: Iterable) -> Iterator:
    """The rows with one of the values in a column; one query for 500 values."""
    for batch in in_batches(values):
        yield from rows.filter(**{f"{column}__in": batch})


def unsaved_references(row: TrackedRow) -> dict[str, TrackedRow]:
    """The unsaved rows that this row refers to, by field."""
    targets: dict[str, TrackedRow] = {}
    for column in foreign_key_fields(type(row)):
        target: TrackedRow | None = column.get_cached_value(row, default=None)  # type: ignore[assignment]
        if target is not None and target.pk is None:
            targets[column.name] = target
    return targets


def steps_adding(steps: Iterable[Step]) -> dict[int, Step]:
    """{identity of a new row: the step that adds it}. A row without an id can't be a key itself."""
    return {id(step.after): step for step in steps if step.before is None}


def steps_needed(chosen: Iterable[Step], adding: Mapping[int, Step]) -> set[Step]:
    """The steps that add what the chosen ones refer to, and what those refer to; ``adding`` as above."""
    needed: set[Step] = set()
    waiting = list(chosen)
    while waiting:
        row = waiting.pop().after
        if row is None:
            continue
        for target in unsaved_references(row).values():
            step = adding[id(target)]
            if step not in needed:
                needed.add(step)
                waiting.append(step)
    return needed


def take_ids_of_references(row: TrackedRow) -> None:
    """Copy the ids of rows that were unsaved when this row was made to refer to them."""
    for column in foreign_key_fields(type(row)):
        target = column.get_cached_value(row, default=None)
        if target is not None:
            # Django copies an id when the reference is assigned, not when the other row is saved.
            setattr(row, column.attname, target.pk)


def foreign_key_fields(model: type[TrackedRow]) -> list[ForeignKey]:
    """The foreign keys of a model."""
    return [column for column in model._meta.fields if isinstance(column, ForeignKey)]


def tracked_relations(
    model: type[TrackedRow],
    on_delete: Callable,
) -> list[ForeignObjectRel]:
    """The relations from models with history to this model, with that on_delete rule."""
    relations = []
    for relation in model._meta.related_objects:
        tracked = hasattr(relation.related_model, "history")
        if tracked and relation.on_delete is on_delete:
            relations.append(relation)
    return relations


def target_model(column: ForeignKey) -> type[TrackedRow]:
    """The model that a foreign key refers to; all but that of accounts have history."""
    return column.related_model  # type: ignore[return-value]


def attname(model: type[TrackedRow], name: str) -> str:
    """The attribute that holds a field's own value: ``owner_id`` for ``owner``."""
    return model._meta.get_field(name).attname  # type: ignore[union-attr]
