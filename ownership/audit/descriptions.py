"""History in words: an entry, and its fields with their old and new values, as people read them."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.urls import reverse

from ownership.audit.text_diff import Pieces, marked, shortened
from ownership.history.models import CHANGED, CREATED, VERBS, TrackedRow


@dataclass(frozen=True)
class FieldChange:
    """One field of an entry, in words: old and new value as people read them ("Read + Write", "not stated")."""

    field: str
    old: str | None
    new: str | None

    def marked(self) -> tuple[Pieces, Pieces]:
        """Old and new text as (differs, words) pieces."""
        return marked(self.old or "—", self.new or "—")

    def shown(self) -> tuple[Pieces, Pieces]:
        """The pieces, of long texts just those that differ and some words around them."""
        old, new = self.marked()
        return shortened(old), shortened(new)

    def is_cut(self) -> tuple[bool, bool]:
        """Whether there is more to see of the old and of the new text than is shown."""
        (old, new), (old_shown, new_shown) = self.marked(), self.shown()
        return old != old_shown, new != new_shown


@dataclass(frozen=True)
class EntryDescription:
    """An entry as people read it: what kind of thing, its label of that time, what happened, and the fields."""

    entry: Any
    kind: str
    label: str
    verb: str
    changes: list[FieldChange]

    def history_url(self) -> str:
        """Where the row's timeline is, also when the row is deleted."""
        return history_url(self.entry.instance_type, self.entry.id)

    def undo_url(self) -> str:
        """Where it is undone: what was deleted, restored."""
        return reverse("admin:ownership_undo_entry", args=[self.entry.change_set_id, self.entry.sequence])


def history_url(model: Any, pk: int) -> str:
    """Where a row's timeline is, also when the row is deleted."""
    return reverse(f"admin:ownership_{model._meta.model_name}_history", args=[pk])


def describe(entry: Any) -> EntryDescription:
    """The entry in words."""
    model = entry.instance_type
    return EntryDescription(
        entry=entry,
        kind=str(model._meta.verbose_name),
        label=entry.label,
        verb=VERBS[entry.history_type],
        changes=stated_changes(model, entry.history_type, entry.changes),
    )


def stated_changes(model: type[TrackedRow], history_type: str, changes: dict[str, list]) -> list[FieldChange]:
    """A row's changed fields in words; of created and deleted rows what is stated and the label does not say."""
    if history_type != CHANGED:
        said_now = 1 if history_type == CREATED else 0
        in_label = {lookup.split("__")[0] for lookup in model.natural_key_lookups} | {"position"}
        changes = {
            name: pair
            for name, pair in changes.items()
            if pair[said_now] not in ("", None, []) and name not in in_label
        }
    return describe_changes(model, changes)


def describe_changes(model: type[Model], changes: dict[str, list]) -> list[FieldChange]:
    """{field: [old, new]} in words, in the model's order, keys last (a database may order JSON its own way)."""
    order = {field.name: place for place, field in enumerate(model._meta.fields)}
    return [
        FieldChange(_field_name(model, name), describe_value(model, name, old), describe_value(model, name, new))
        for name, (old, new) in sorted(
            changes.items(), key=lambda item: (_is_key(item[0]), order.get(item[0], len(order)))
        )
    ]


def _is_key(name: str) -> bool:
    return name.startswith(("partition_key", "sort_key"))


def _field_name(model: type[Model], name: str) -> str:
    """The field as people call it; a field that is no more keeps its name."""
    names = {f.name: str(f.verbose_name) for f in model._meta.fields}
    if name.endswith(("_key_type", "_key_format")):
        key, part = name.rsplit("_", 1)
        return f"{key.replace('_', ' ')} {part}"
    return names.get(name, name)


def describe_value(model: type[Model], name: str, value: Any) -> str | None:
    """A stored value as people read it; None where there is none."""
    if value is None or value == "" or value == []:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    choices = {f.name: dict(f.flatchoices) for f in model._meta.fields}.get(name, {})
    return str(choices.get(value, value))
