"""A suggestion's rows compared with the map: each field as it was then, as suggested, and as it is now."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Field, ForeignKey

from ownership.audit.descriptions import (
    FieldChange,
    describe_changes,
    in_order,
    label_in_words,
    stated_changes,
)
from ownership.history.models import CREATED, DELETED, TrackedRow, registry_model_named
from ownership.history.row_states import (
    as_json,
    describe_field,
    describe_value,
    differences,
    recorded_value,
)
from ownership.models import SuggestedStep, Suggestion
from ownership.plans.blockers import RowKey, fetch_by_key, namesakes, natural_columns, natural_key
from ownership.plans.steps import Conflict, Preview, copy_of, foreign_key_fields, target_model
from ownership.plans.suggested_steps import CHANGE, CREATE, DELETE, ORDER
from ownership.plans.undo import KEPT_UNLESS_SELECTED, States, later_change_sets

NOTHING = ""  # is done to a row by taking the suggestion
# What is done to a row as a whole, and the kind of entry that it becomes.
WHOLE = {CREATE: CREATED, DELETE: DELETED}
ALREADY_SO = "Already as suggested."
GONE = "It has since been deleted, so this can’t be taken."
UNKNOWN = "This version of the registry has no rows of this kind, so this can’t be taken."
NOT_SELECTED = "not selected"
NOT_TAKEN = "not taken"


@dataclass(frozen=True)
class ChosenChange(FieldChange):
    """A field in words that can be chosen; ``key`` names it in a form."""

    key: str = ""


@dataclass(frozen=True)
class SuggestedField:
    """One field of a row: its value as suggested and as it is now, as history records them.

    ``key`` names it in a form. ``value`` is for its column: an id, where it refers to another row; None, where that
    row is yet to be added.
    """

    name: str
    key: str
    suggested: object
    now: object
    value: object
    conflict: Conflict | None = None


@dataclass(frozen=True, eq=False)
class SuggestedRow:
    """What taking the suggestion does to one row: the fields that differ, or why nothing happens.

    ``row`` is the row as it is now; None, where there is none. ``conflict`` is about deleting it.
    """

    place: int  # among the suggestion's steps
    stored: SuggestedStep
    model: type[TrackedRow] | None
    row: TrackedRow | None = None
    action: str = NOTHING
    explanation: str = ""
    fields: list[SuggestedField] = field(default_factory=list)
    conflict: Conflict | None = None

    @property
    def key(self) -> str:
        """Names the row in a form, where it is added or deleted as a whole."""
        return str(self.place)

    @property
    def is_whole(self) -> bool:
        """Whether the row is chosen as a whole, to be added or deleted, and not field by field."""
        return self.action in WHOLE

    @property
    def kind(self) -> str:
        """What people call the rows of this kind."""
        return self.stored["model"] if self.model is None else str(self.model._meta.verbose_name)

    @property
    def label(self) -> str:
        """What the row is called now; as it was called then, if it is gone or yet to be added."""
        label = self.stored["label"] if self.row is None else str(self.row)
        return label if self.model is None else label_in_words(self.model, label)

    @property
    def choices(self) -> dict[str, Conflict | None]:
        """All that can be chosen here: {key: conflict}."""
        if self.is_whole:
            return {self.key: self.conflict}
        return {suggested_field.key: suggested_field.conflict for suggested_field in self.fields}

    def happens(self, chosen: Collection[str]) -> bool:
        """Whether anything is done to the row if these keys are chosen."""
        return any(key in chosen for key in self.choices)

    def written_fields(self, chosen: Collection[str]) -> list[SuggestedField]:
        """The fields that are written: those chosen, or all of a row that is added."""
        if self.action == CREATE:
            return self.fields
        return [suggested_field for suggested_field in self.fields if suggested_field.key in chosen]

    def preview(self, chosen: Collection[str]) -> Preview:
        """The row in words."""
        conflicts = {
            key: conflict for key, conflict in self.choices.items() if conflict is not None
        }
        undecided = [conflict.field for key, conflict in conflicts.items() if key not in chosen]
        verb = self.action
        if self.action and not self.happens(chosen):
            verb = KEPT_UNLESS_SELECTED if conflicts else NOT_SELECTED
        return Preview(
            kind=self.kind,
            label=self.label,
            verb=verb,
            changes=self._described(),
            explanation=self.explanation,
            conflicts=conflicts,
            undecided=frozenset(undecided),
            removes=self.action == DELETE,
            key=self.key if self.is_whole and not conflicts else "",
        )

    def preview_of_what_was_left(self) -> Preview:
        """The row in words, once nothing of it can be chosen any more."""
        changes = []
        for change in self._described():
            changes.append(FieldChange(change.field, change.old, change.new))
        return Preview(
            kind=self.kind,
            label=self.label,
            verb=NOT_TAKEN,
            changes=changes,
            explanation=self.explanation,
            removes=self.action == DELETE,
        )

    def _described(self) -> list[FieldChange]:
        if self.model is None:
            return []
        fields = {}
        changes = {}
        for suggested_field in self.fields:
            fields[suggested_field.name] = suggested_field
            changes[suggested_field.name] = [suggested_field.now, suggested_field.suggested]
        if self.is_whole:
            return stated_changes(self.model, WHOLE[self.action], changes)
        described: list[FieldChange] = []
        for name in in_order(self.model, fields):
            [change] = describe_changes(self.model, {name: changes[name]})
            key = fields[name].key if fields[name].conflict is None else ""
            described.append(ChosenChange(change.field, change.old, change.new, key))
        return described


class CurrentRows:
    """The rows of a suggestion as they are now, what they would refer to, and what happened since it was made."""

    def __init__(self, suggestion: Suggestion) -> None:
        self.revision = suggestion.revision
        self.steps: list[SuggestedStep] = suggestion.steps
        self.models = [registry_model_named(step["model"]) for step in self.steps]
        # By model and id: the rows that fields would refer to.
        self.targets = self._read_targets()
        # By place: the live rows that have the names of rows to be added.
        self.namesakes = self._read_namesakes()
        self.states = self._read_states()
        self.change_sets = later_change_sets(self.states.values())

    def _known_steps(self) -> Iterator[tuple[int, SuggestedStep, type[TrackedRow]]]:
        for place, (step, model) in enumerate(zip(self.steps, self.models, strict=True)):
            if model is not None:
                yield place, step, model

    def _read_targets(self) -> dict[RowKey, TrackedRow]:
        pks: dict[type[TrackedRow], set[int]] = {}
        for _, step, model in self._known_steps():
            for column in foreign_key_fields(model):
                _, new = step["ids"].get(column.name, (None, None))
                if new is not None:
                    pks.setdefault(target_model(column), set()).add(new)
        return fetch_by_key(pks)

    def _read_namesakes(self) -> dict[int, TrackedRow]:
        places: dict[type[TrackedRow], list[int]] = {}
        for place, step, model in self._known_steps():
            if step["what"] == CREATE:
                places.setdefault(model, []).append(place)
        existing: dict[int, TrackedRow] = {}
        # What a row refers to comes before it, so the namesakes of that are known by then.
        for model, of_model in places.items():
            rows = {place: self._named(place, model, existing) for place in of_model}
            live = namesakes(model, rows.values())
            for place, row in rows.items():
                if natural_key(row) in live:
                    existing[place] = live[natural_key(row)]
        return existing

    def _named(
        self,
        place: int,
        model: type[TrackedRow],
        existing: Mapping[int, TrackedRow],
    ) -> TrackedRow:
        """A row with the name of the one to be added, and nothing else."""
        step = self.steps[place]
        row = model()
        names = natural_columns(model)
        for column in model._meta.fields:
            if column.attname in names and column.name in step["changes"]:
                value = _value(step, column, existing)
                setattr(row, column.attname, value)
        return row

    def _read_states(self) -> dict[type[TrackedRow], States]:
        pks: dict[type[TrackedRow], list[int]] = {}
        for place, step, model in self._known_steps():
            namesake = self.namesakes.get(place)
            pk = step["id"] if namesake is None else namesake.pk
            if pk is not None:
                pks.setdefault(model, []).append(pk)
        return {model: States(model, of_model, self.revision) for model, of_model in pks.items()}

    def compare(self, place: int) -> SuggestedRow:
        """What would be done to one row."""
        step, model = self.steps[place], self.models[place]
        if model is None:
            return SuggestedRow(place, step, None, explanation=UNKNOWN)
        row = self._row_now(place, model)
        if step["what"] == DELETE:
            return self._compare_deleted(place, model, row)
        if row is None and step["what"] == CHANGE:
            return SuggestedRow(place, step, model, explanation=GONE)
        fields = [self._field(place, column, row) for column in self._columns(step, model, row)]
        if row is None:
            return SuggestedRow(place, step, model, action=CREATE, fields=fields)
        if not fields:
            return SuggestedRow(place, step, model, row, explanation=ALREADY_SO)
        return SuggestedRow(place, step, model, row, action=CHANGE, fields=fields)

    def _row_now(self, place: int, model: type[TrackedRow]) -> TrackedRow | None:
        """The row that a step is about; where it is to be added, the one that has its name already."""
        step = self.steps[place]
        if step["what"] == CREATE:
            return self.namesakes.get(place)
        return self.states[model].rows.get(step["id"])

    def _compare_deleted(
        self,
        place: int,
        model: type[TrackedRow],
        row: TrackedRow | None,
    ) -> SuggestedRow:
        step = self.steps[place]
        if row is None:
            return SuggestedRow(place, step, model, explanation=ALREADY_SO)
        fields = []
        for name, (now, _) in differences(row, None).items():
            fields.append(SuggestedField(name, f"{place}.{name}", None, as_json(now), None))
        conflict = self.states[model].deletion_conflict(row.pk, self.change_sets)
        return SuggestedRow(
            place, step, model, row, action=DELETE, fields=fields, conflict=conflict
        )

    def _columns(
        self, step: SuggestedStep, model: type[TrackedRow], row: TrackedRow | None
    ) -> list[Field]:
        """The columns that a step sets; without those that are as suggested in the row, if one is given."""
        columns = []
        for column in model._meta.fields:
            if column.name not in step["changes"]:
                continue
            if row is None or not self._is_as_suggested(step, column, row):
                columns.append(column)
        return columns

    def _is_as_suggested(self, step: SuggestedStep, column: Field, row: TrackedRow) -> bool:
        if step["what"] == CREATE and column.name == ORDER:
            return True
        place = step["new"].get(column.name)
        if place is not None and place not in self.namesakes:
            return False  # it would refer to a row that is yet to be added
        return getattr(row, column.attname) == _value(step, column, self.namesakes)

    def _field(self, place: int, column: Field, row: TrackedRow | None) -> SuggestedField:
        step = self.steps[place]
        value = _value(step, column, self.namesakes)
        suggested = step["changes"][column.name][1]
        if isinstance(column, ForeignKey):
            target = self.targets.get((target_model(column), value))
            if target is not None:
                suggested = str(target)  # what it is called now: it may have been renamed
        return SuggestedField(
            name=column.name,
            key=f"{place}.{column.name}",
            suggested=suggested,
            now=as_json(recorded_value(row, column.name)),
            value=value,
            conflict=None if row is None else self._conflict(step, column, row),
        )

    def _conflict(self, step: SuggestedStep, column: Field, row: TrackedRow) -> Conflict | None:
        """Who has changed the field since the suggestion was made; None if nobody did."""
        then = step["changes"][column.name][0]
        if isinstance(column, ForeignKey):
            is_as_then = getattr(row, column.attname) == step["ids"][column.name][0]
        else:
            is_as_then = as_json(getattr(row, column.attname)) == then
        if is_as_then:
            return None
        states = self.states[type(row)]
        revision = states.last_change_of.get((row.pk, column.name), 0)
        words = describe_value(type(row), column.name, then) or "empty"
        why = f"It was “{words}” when this was suggested; revision {revision} has changed it since."
        if step["what"] == CREATE:
            why = f"Revision {revision} has added {row} meanwhile, with another value."
        return Conflict(why, self.change_sets.get(revision), describe_field(type(row), column.name))

    def row_as_suggested(self, row: SuggestedRow, chosen: Collection[str]) -> TrackedRow:
        """The row with the fields that are chosen; without references to rows that are yet to be added."""
        if row.model is None:
            raise LookupError(f"This version of the registry has no {row.stored['model']}.")
        after = row.model() if row.row is None else copy_of(row.row)
        columns = {column.name: column for column in row.model._meta.fields}
        for suggested_field in row.written_fields(chosen):
            column = columns[suggested_field.name]
            setattr(after, column.attname, suggested_field.value)
            if isinstance(column, ForeignKey):
                target = self.targets.get((target_model(column), suggested_field.value))  # type: ignore[arg-type]
                if target is not None:
                    column.set_cached_value(after, target)
        return after


def _value(step: SuggestedStep, column: Field, namesakes_by_place: Mapping[int, TrackedRow]) -> Any:
    """What the column would hold: of a reference the id; None if that row is yet to be added."""
    if not isinstance(column, ForeignKey):
        return column.to_python(step["changes"][column.name][1])
    place = step["new"].get(column.name)
    if place is None:
        return step["ids"][column.name][1]
    return namesakes_by_place[place].pk if place in namesakes_by_place else None
