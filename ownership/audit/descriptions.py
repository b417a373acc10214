"""Entries in words: what happened to a row, and its fields with their old and new values, as people read them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Model

from ownership.audit.text_diff import Pieces, marked, shortened
from ownership.history.models import CHANGED, CREATED, VERBS, Entry, TrackedRow
from ownership.history.row_states import Changes, describe_field, describe_value


@dataclass(frozen=True)
class FieldChange:
    """One field of an entry: its name, its old and its new value in words; None for no value."""

    field: str
    old: str | None
    new: str | None

    def marked(self) -> tuple[Pieces, Pieces]:
        """Old and new text as (differs, words) pieces."""
        return marked(self.old or "—", self.new or "—")

    def shown(self) -> tuple[Pieces, Pieces]:
        """The pieces; of long texts only those that differ, with some words around them."""
        old, new = self.marked()
        return shortened(old), shortened(new)

    def is_cut(self) -> tuple[bool, bool]:
        """Whether ``shown`` leaves out some of the old text, and some of the new."""
        old, new = self.marked()
        old_shown, new_shown = self.shown()
        return old != old_shown, new != new_shown


# An entry with at most so many values, of so many characters in all, is said in one line.
SHORT_VALUES = 3
SHORT_TEXT = 100


@dataclass(frozen=True)
class EntryDescription:
    """An entry as people read it: the kind of thing, its label at that time, what happened, and the fields."""

    entry: Entry
    kind: str
    label: str
    verb: str
    changes: list[FieldChange]

    def is_short(self) -> bool:
        """Whether all values fit in one line."""
        return fit_one_line(self.changes)


def fit_one_line(changes: list[FieldChange]) -> bool:
    """Whether these values are few and short."""
    text = ""
    for change in changes:
        text += (change.old or "") + (change.new or "")
    return len(changes) <= SHORT_VALUES and len(text) <= SHORT_TEXT and "\n" not in text


def describe(entry: Entry) -> EntryDescription:
    """The entry in words."""
    model = entry.instance_type
    return EntryDescription(
        entry=entry,
        kind=str(model._meta.verbose_name),
        label=entry.label,
        verb=VERBS[entry.history_type],
        changes=stated_changes(model, entry.history_type, entry.changes),
    )


def stated_changes(model: type[TrackedRow], history_type: str, changes: Changes) -> list[FieldChange]:
    """A row's changed fields in words. Of created and deleted rows: those with a value that the label does not hold."""
    if history_type == CHANGED:
        return describe_changes(model, changes)
    in_label = {lookup.split("__")[0] for lookup in model.natural_key_lookups}
    stated = {}
    for name, (old, new) in changes.items():
        value = new if history_type == CREATED else old
        has_value = value not in ("", None, [])
        if has_value and name not in in_label and name != "position":
            stated[name] = [old, new]
    return describe_changes(model, stated)


def describe_changes(model: type[Model], changes: Changes) -> list[FieldChange]:
    """{field: [old, new]} in words, in the model's order, with keys last."""
    # JSON from a database comes in an order of its own.
    order = {field.name: number for number, field in enumerate(model._meta.fields)}

    def place(name: str) -> tuple[bool, int]:
        is_key = name.startswith(("partition_key", "sort_key"))
        return is_key, order.get(name, len(order))

    described = []
    for name in sorted(changes, key=place):
        old, new = changes[name]
        described.append(
            FieldChange(
                field=describe_field(model, name),
                old=describe_value(model, name, old),
                new=describe_value(model, name, new),
            )
        )
    return described
