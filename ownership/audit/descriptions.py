"""Entries in words: what happened to a row, and its fields with their old and new values, as people read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Model

from ownership.audit.text_differences import Pieces, marked_differences, near_differences
from ownership.drift.types import label_of, label_of_kind
from ownership.history.models import (
    CHANGED,
    CREATED,
    VERBS,
    Entry,
    TrackedRow,
    registry_model_named,
)
from ownership.history.row_states import NO_VALUES, Changes, describe_field, describe_value
from ownership.models import Confirmation, SuggestedStep, Suggestion, Waiver

# What entries in words leave out of new suggestions: the change set says who, when and why.
UNSTATED_OF_SUGGESTIONS = {
    "about",
    "kind",
    "made",
    "reason",
    "revision",
    "state",
    "until",
    "user_id",
    "user_name",
}

CONFIRMED = "confirmed"  # the verb of a confirmation's entry

# An entry with at most so many values, of so many characters in all, is said in one line.
SHORT_VALUES = 3
SHORT_TEXT = 100


@dataclass(frozen=True)
class FieldChange:
    """One field of an entry: its name, its old and its new value in words; None for no value."""

    field: str
    old: str | None
    new: str | None

    def in_one_line(self) -> str:
        """``mode Read + Write → Read``."""
        return f"{self.field} {self.old or '—'} → {self.new or '—'}"

    def marked(self) -> tuple[Pieces, Pieces]:
        """Old and new text as (differs, words) pieces."""
        return marked_differences(self.old or "—", self.new or "—")

    def shown(self) -> tuple[Pieces, Pieces]:
        """The pieces; of long texts only those that differ, with some words around them."""
        old, new = self.marked()
        return near_differences(old), near_differences(new)

    def is_cut(self) -> tuple[bool, bool]:
        """Whether ``shown`` leaves out some of the old text, and some of the new."""
        old, new = self.marked()
        old_shown, new_shown = self.shown()
        return old != old_shown, new != new_shown


@dataclass(frozen=True)
class EntryDescription:
    """An entry as people read it: the kind of thing, its label at that time, what happened, and the fields."""

    entry: Entry
    kind: str
    label: str
    verb: str
    changes: list[FieldChange]

    @property
    def can_be_undone(self) -> bool:
        """Whether undoing brings the row back."""
        return self.entry.instance_type.can_be_undone

    def is_short(self) -> bool:
        """Whether all values fit in one line."""
        return fit_one_line(self.changes)


def fit_one_line(changes: list[FieldChange]) -> bool:
    """Whether these values are few and short."""
    text = ""
    for change in changes:
        text += (change.old or "") + (change.new or "")
    return len(changes) <= SHORT_VALUES and len(text) <= SHORT_TEXT and "\n" not in text


def label_in_words(model: type[Model], label: str) -> str:
    """A row's label as people read it: a waiver's begins with its kind of finding, which is stored as a code."""
    if model is not Waiver:
        return label
    kind, colon, finding = label.partition(": ")
    return f"{label_of_kind(kind)}{colon}{finding}"


def describe(entry: Entry) -> EntryDescription:
    """The entry in words."""
    model = entry.instance_type
    verb = VERBS[entry.history_type]
    changes = stated_changes(model, entry.history_type, entry.changes)
    if model is Confirmation and _confirms(entry):
        verb = CONFIRMED
        changes = _terms(entry)
    return EntryDescription(
        entry=entry,
        kind=str(model._meta.verbose_name),
        label=label_in_words(model, entry.label),
        verb=verb,
        changes=changes,
    )


def _confirms(entry: Entry) -> bool:
    """Whether a table was confirmed. An undo may also take a confirmation away, or bring an earlier one back."""
    if entry.history_type == CHANGED:
        before, after = entry.changes.get("at_revision", (0, 0))
        return bool(after > before)
    return entry.history_type == CREATED


def _terms(entry: Entry) -> list[FieldChange]:
    """Until when a table was confirmed, and what drift said. By whom and when, the change set says."""
    terms = {}
    for name in ("until", "drift"):
        _, new = entry.changes.get(name, (None, None))
        if new:
            terms[name] = [None, new]
    return describe_changes(Confirmation, terms)


def in_one_line(words: EntryDescription) -> str:
    """An entry in one line: access payments → biztechUsers changed: mode Read + Write → Read."""
    line = f"{words.kind} {words.label} {words.verb}"
    if words.entry.history_type == CHANGED:
        changes = [change.in_one_line() for change in words.changes]
        line += f": {'; '.join(changes)}"
    return line


def stated_changes(
    model: type[TrackedRow], history_type: str, changes: Changes
) -> list[FieldChange]:
    """A row's changed fields in words.

    Of created and deleted rows: those with a value that the label does not hold, without flags that are not set.
    """
    if history_type == CHANGED:
        return describe_changes(model, changes)
    left_out = {lookup.split("__")[0] for lookup in model.natural_key_lookups}
    left_out.add("position")
    if model is Suggestion:
        left_out |= UNSTATED_OF_SUGGESTIONS
    stated = {}
    for name, (old, new) in changes.items():
        value = new if history_type == CREATED else old
        is_stated = value not in NO_VALUES and value is not False
        if is_stated and name not in left_out:
            stated[name] = [old, new]
    return describe_changes(model, stated)


def describe_changes(model: type[Model], changes: Changes) -> list[FieldChange]:
    """{field: [old, new]} in words, in the model's order, with keys last."""
    described = []
    for name in in_order(model, changes):
        old, new = changes[name]
        if model is Suggestion and name == "steps":
            old, new = steps_in_words(old), steps_in_words(new)
        elif model is Waiver and name == "granted":
            # A mode as its code, or a key schema. Empty is nothing, which no page states.
            old, new = (value and label_of(value) for value in (old, new))
        described.append(
            FieldChange(
                field=describe_field(model, name),
                old=describe_value(model, name, old),
                new=describe_value(model, name, new),
            )
        )
    return described


def steps_in_words(steps: list[SuggestedStep] | None) -> str:
    """The steps of a suggestion, a line each: ``table orders: owner users → payments``."""
    return "\n".join(_step_in_words(step) for step in steps or ())


def _step_in_words(step: SuggestedStep) -> str:
    model = registry_model_named(step["model"])
    if model is None:  # of a later or earlier release
        return f"{step['model']} {step['label']} {step['what']}"
    row = f"{model._meta.verbose_name} {step['label']}"
    values: list[str] = []
    if step["what"] == VERBS[CHANGED]:
        changes = describe_changes(model, step["changes"])
        values = [change.in_one_line() for change in changes]
    else:
        row = f"{row} {step['what']}"
    if step["what"] == VERBS[CREATED]:
        changes = stated_changes(model, CREATED, step["changes"])
        values = [f"{change.field} {change.new}" for change in changes]
    return f"{row}: {', '.join(values)}" if values else row


def in_order(model: type[Model], names: Iterable[str]) -> list[str]:
    """Field names in the model's order, with keys last. JSON from a database comes in an order of its own."""
    order = [field.name for field in model._meta.fields]

    def place(name: str) -> tuple[bool, int]:
        is_key = name.startswith(("partition_key", "sort_key"))
        # A field that the model no longer has comes after the others.
        return is_key, order.index(name) if name in order else len(order)

    return sorted(names, key=place)
