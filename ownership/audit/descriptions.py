"""Entries in words: what happened to a row, and its fields with their old and new values, as people read them.

Old and new texts are compared word by word, for a page to mark what differs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.db.models import Model

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

# Texts that differ, in pieces: (differs from the other text, words).
Pieces = list[tuple[bool, str]]
LONG = 20  # characters; in shorter texts a difference is seen at a glance
CONTEXT = 80  # characters kept on either side of a difference
LONGEST_DIFFERENCE = 600  # characters of one difference
MOST_COMPARED = 1_000_000  # pairs of words; comparing more takes longer than reading
# A word, a sign, or space: so "tier;" and "tier" differ in the sign alone.
WORD_OR_SIGN = re.compile(r"\w+|[^\w\s]|\s+")


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
    """The steps of a suggestion, a line each: ``table orders: owner: users → payments``."""
    return "\n".join(_step_in_words(step) for step in steps or ())


def _step_in_words(step: SuggestedStep) -> str:
    model = registry_model_named(step["model"])
    if model is None:  # of a later or earlier release
        return f"{step['model']} {step['label']} {step['what']}"
    row = f"{model._meta.verbose_name} {step['label']}"
    values: list[str] = []
    if step["what"] == VERBS[CHANGED]:
        for change in describe_changes(model, step["changes"]):
            values.append(f"{change.field}: {change.old or '—'} → {change.new or '—'}")
    else:
        row = f"{row} {step['what']}"
    if step["what"] == VERBS[CREATED]:
        for change in stated_changes(model, CREATED, step["changes"]):
            values.append(f"{change.field}: {change.new}")
    return f"{row}: {', '.join(values)}" if values else row


def in_order(model: type[Model], names: Iterable[str]) -> list[str]:
    """Field names in the model's order, with keys last. JSON from a database comes in an order of its own."""
    order = [field.name for field in model._meta.fields]

    def place(name: str) -> tuple[bool, int]:
        is_key = name.startswith(("partition_key", "sort_key"))
        # A field that the model no longer has comes after the others.
        return is_key, order.index(name) if name in order else len(order)

    return sorted(names, key=place)


# Two texts, word by word


def marked_differences(old: str, new: str) -> tuple[Pieces, Pieces]:
    """Old and new text in pieces; one piece each where a text is short."""
    if len(old) < LONG or len(new) < LONG:
        return [(False, old)], [(False, new)]
    old_words = WORD_OR_SIGN.findall(old)
    new_words = WORD_OR_SIGN.findall(new)

    # What both begin and end with is set aside first: comparing takes time by the square of the number of words.
    head = _common_words(old_words, new_words)
    tail = _common_words(old_words[head:][::-1], new_words[head:][::-1])
    old_end = len(old_words) - tail
    beginning = "".join(old_words[:head])
    ending = "".join(old_words[old_end:])
    old_middle = old_words[head:old_end]
    new_middle = new_words[head : len(new_words) - tail]

    old_pieces: Pieces = [(False, beginning)]
    new_pieces: Pieces = [(False, beginning)]
    for tag, old_start, old_end, new_start, new_end in _comparison(old_middle, new_middle):
        differs = tag != "equal"
        old_pieces.append((differs, "".join(old_middle[old_start:old_end])))
        new_pieces.append((differs, "".join(new_middle[new_start:new_end])))
    old_pieces.append((False, ending))
    new_pieces.append((False, ending))
    return _joined(old_pieces), _joined(new_pieces)


def near_differences(pieces: Pieces) -> Pieces:
    """The pieces with "…" for what is far from any difference; unchanged where that saves little."""
    last = len(pieces) - 1
    short = []
    for number, (differs, text) in enumerate(pieces):
        if differs or last == 0:
            head, tail = LONGEST_DIFFERENCE, 0
        else:
            # Nothing differs before the first piece, or after the last one.
            head = CONTEXT if number > 0 else 0
            tail = CONTEXT if number < last else 0
        if len(text) > head + tail + CONTEXT:
            text = f"{text[:head]}…{text[len(text) - tail :]}"
        short.append((differs, text))
    return short


def _comparison(old: list[str], new: list[str]) -> list[tuple[str, int, int, int, int]]:
    """difflib's (tag, start and end in old, start and end in new); all replaced where comparing would take long."""
    if len(old) * len(new) > MOST_COMPARED:
        return [("replace", 0, len(old), 0, len(new))]
    return list(SequenceMatcher(None, old, new, autojunk=False).get_opcodes())


def _common_words(left: list[str], right: list[str]) -> int:
    """How many words both begin with."""
    number = 0
    for left_word, right_word in zip(left, right, strict=False):
        if left_word != right_word:
            break
        number += 1
    return number


def _joined(pieces: Pieces) -> Pieces:
    """The pieces without empty ones. Space beside what differs counts as differing: it is no place to begin anew."""
    filled = [(differs, text) for differs, text in pieces if text]
    joined: Pieces = []
    for number, (differs, text) in enumerate(filled):
        beside = filled[max(number - 1, 0) : number + 2]
        if text.isspace() and any(other_differs for other_differs, _ in beside):
            differs = True
        # Two equal pieces stay apart: between them is the place of an addition to the other text.
        if differs and joined and joined[-1][0]:
            text = joined.pop()[1] + text
        joined.append((differs, text))
    return joined
