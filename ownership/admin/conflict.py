"""Two people edit the same row: what the second one sees instead of overwriting the first one's changes.

Each form carries the revision that it shows. If the row, or one of its inline rows, has changed since, nothing is
saved. The page comes back merged: fields that the second person edited hold what they entered, all others hold what
is stored now.

A form's values are a dict of field name to text, as a browser posts them: an unticked box is absent. The three sides
of a merge are called ``mine`` (what was entered), ``base`` (what the page showed) and ``theirs`` (what is stored now).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

from django import forms
from django.db.models import Field, ForeignKey, Model
from django.http import QueryDict

from ownership.audit.timeline import Timeline, TimelineGroup
from ownership.history.models import DELETED, entry_model, whole_number
from ownership.history.row_states import describe_value
from ownership.models import Access, Membership, SecondaryIndex, Team

# The name of the form's hidden field.
REVISION_FIELD = "revision"
# More inline rows than any table has; a POST that claims more was not made by the form.
MAX_INLINE_ROWS = 1_000
NO_REVISION = "Not saved: the form does not say which revision of the map it shows. Review it, then try again."

FormValues = dict[str, str]


@dataclass(frozen=True)
class FormConflict:
    """Why a form was not saved.

    ``shown`` is the revision that the form was opened at, ``head`` the latest one before any row was read for the
    page that reports the conflict. ``groups`` are the change sets since the form was opened; none if the form has no
    revision. ``fields`` maps each field that both people changed to a sentence about it, and ``rows`` are the inline
    rows with such a field.
    """

    sentence: str
    head: int
    shown: int
    groups: list[TimelineGroup] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)


def conflict_since(timeline: Timeline, shown: int, head: int) -> FormConflict:
    """The conflict of a form that shows the revision ``shown`` with what the timeline says happened since."""
    groups = timeline.since(shown)
    sentence = (
        f"Not saved: {_people(groups)} changed this while you had the page open. "
        "Your entries are kept; everything else is up to date. Review, then try again."
    )
    return FormConflict(sentence, head, shown, groups)


def _people(groups: Iterable[TimelineGroup]) -> str:
    """Who made these change sets: "ann", "ann and ben"."""
    names = dict.fromkeys(group.change_set.user_name for group in groups)
    return " and ".join(names)


def merge_posted(
    post: QueryDict,
    row: Model,
    form: type[forms.ModelForm],
    formsets: list[type[forms.BaseInlineFormSet]],
    conflict: FormConflict,
) -> QueryDict:
    """The posted form merged with what is stored now. Notes in the conflict what both people changed."""
    posted = post.copy()
    mine = _read(posted, "", form)
    base = _values_at(conflict.shown, type(row), row.pk, form)
    theirs = _form_values(form(instance=row))
    for name in form.base_fields:
        posted.pop(name, None)
    posted.update(_merge(mine, base, theirs))
    for name in _edited_by_both(mine, base, theirs):
        conflict.fields[name] = _field_sentence(conflict, row, name)
    for formset in formsets:
        _merge_inline_rows(posted, formset, row, conflict)
    return posted


def _field_sentence(conflict: FormConflict, row: Model, name: str) -> str:
    """Who else changed the field, and what it holds now."""
    groups = []
    value = None
    for group in conflict.groups:
        for description in group.entries:
            entry = description.entry
            if entry.instance_type is type(row) and name in entry.changes:
                groups.append(group)
                value = describe_value(type(row), name, entry.changes[name][1])
    current = "It is empty now."
    if value:
        end = "" if value.endswith(".") else "."
        current = f"Current value: “{value}”{end}"
    return f"{_people(groups)} also changed this. {current} Saving replaces it with yours."


def _merge_inline_rows(
    posted: QueryDict, formset: type[forms.BaseInlineFormSet], parent: Model, conflict: FormConflict
) -> None:
    """Write the inline's rows as they are stored now into the posted form, merged with what was entered.

    Rows that someone else deleted are left out, unless they were edited here: those are offered as new rows.
    """
    prefix = formset.get_default_prefix()
    parent_key = cast(ForeignKey, formset.fk)
    model, form = parent_key.model, formset.form
    rows_now = model._default_manager.filter(**{parent_key.name: parent})
    not_posted = {str(row.pk): row for row in rows_now}
    stored: list[FormValues] = []
    added: list[FormValues] = []
    total = whole_number(posted.get(f"{prefix}-TOTAL_FORMS")) or 0
    for number in range(min(total, MAX_INLINE_ROWS)):
        mine = _read(posted, f"{prefix}-{number}-", form, "id", "DELETE")
        pk = mine.get("id", "")
        base = _values_at(conflict.shown, model, pk, form)
        row = not_posted.pop(pk, None)
        if row is not None:
            theirs = _form_values(form(instance=row))
            stored.append(_merge(mine, base, theirs))
            if _edited_by_both(mine, base, theirs):
                conflict.rows.append(str(row))
        elif not base:
            # Added here.
            added.append(mine)
        elif "DELETE" not in mine and _edited(mine, base):
            # Deleted by someone else.
            added.append(mine | {"id": ""})
    for pk, row in not_posted.items():
        # Added by someone else.
        stored.append(_form_values(form(instance=row)) | {"id": pk})
    rows = [values | {parent_key.name: str(parent.pk)} for values in stored + added]
    _write_inline_rows(posted, prefix, rows, len(stored))


def _write_inline_rows(
    posted: QueryDict,
    prefix: str,
    rows: list[FormValues],
    stored: int,
) -> None:
    """Replace an inline's rows in the posted form; so many of them, the first ones, are stored."""
    for key in list(posted):
        if key.startswith(f"{prefix}-") and not key.endswith("_FORMS"):
            del posted[key]
    for number, values in enumerate(rows):
        for name, value in values.items():
            posted[f"{prefix}-{number}-{name}"] = value
    posted[f"{prefix}-INITIAL_FORMS"] = str(stored)
    posted[f"{prefix}-TOTAL_FORMS"] = str(len(rows))


def _merge(mine: FormValues, base: FormValues, theirs: FormValues) -> FormValues:
    """``mine`` in the fields that were edited here, ``theirs`` in all others."""
    edited = _edited(mine, base)
    merged = {}
    for name, value in theirs.items():
        if name not in edited:
            merged[name] = value
    for name, value in mine.items():
        # What is no field of the row, its id and the box that deletes it, is only ever mine.
        if name in edited or name not in base | theirs:
            merged[name] = value
    return merged


def _edited_by_both(mine: FormValues, base: FormValues, theirs: FormValues) -> list[str]:
    """The fields that both people changed, to different values."""
    edited_here = _edited(mine, base)
    edited_there = _edited(theirs, base)
    return sorted(edited_here & edited_there & _edited(mine, theirs))


def _edited(values: FormValues, base: FormValues) -> set[str]:
    """The fields with another value than in ``base``."""
    names = (values.keys() | base.keys()) - {"id", "DELETE"}
    return {name for name in names if _comparable(values, name) != _comparable(base, name)}


def _comparable(values: FormValues, name: str) -> str:
    """A value to compare: browsers end lines with CR LF, and an unticked box is absent."""
    return values.get(name, "").replace("\r\n", "\n").strip()


def _form_values(form: forms.ModelForm) -> FormValues:
    """What a browser would post from this form as it was opened."""
    values = {}
    for name in form.fields:
        value = form[name].value()
        if value is True:
            values[name] = "on"
        elif value is None:
            values[name] = ""
        elif value is not False:
            values[name] = str(value)
    return values


def _values_at(
    revision: int,
    model: type[Model],
    pk: object,
    form: type[forms.ModelForm],
) -> FormValues:
    """The values of a row's form at that revision; none if the row did not exist then."""
    entries = entry_model(model).objects.filter(id=whole_number(str(pk)), change_set__lte=revision)
    entry = entries.order_by("-history_id").first()
    if entry is None or entry.history_type == DELETED:
        return {}
    return _form_values(form(instance=entry.instance))


def _read(
    posted: QueryDict,
    prefix: str,
    form: type[forms.ModelForm],
    *others: str,
) -> FormValues:
    """The posted values of the form's fields, and of some others."""
    values = {}
    for name in (*form.base_fields, *others):
        if prefix + name in posted:
            values[name] = str(posted[prefix + name])
    return values


def posted_in_words(model: type[Model], posted: QueryDict) -> dict[str, str]:
    """What a form held, for someone to copy from: {"description": "Orders.", "accesses 1, mode": "Read"}."""
    fields: dict[str, Field] = {}
    parts = [Membership] if model is Team else [SecondaryIndex, Access]
    for part in (*parts, model):
        fields.update({field.name: field for field in part._meta.fields})
    for name in ("id", "table", "position"):
        fields.pop(name, None)
    typed = {}
    for key, value in posted.items():
        *inline, name = key.split("-")
        is_field = name == "reason" or name in fields
        if not (is_field and value) or "__prefix__" in inline:
            continue
        label = name.replace("_", " ")
        number = whole_number(inline[-1]) if inline else None
        if number is not None:
            # accesses-0-mode is "accesses 1, mode"
            label = f"{inline[0]} {number + 1}, {label}"
        typed[label] = _posted_text(fields.get(name), str(value))
    return typed


def _posted_text(model_field: Field | None, value: str) -> str:
    """A posted value in words: the row's name for an id, the label for a choice."""
    if model_field is None:
        return value
    if isinstance(model_field, ForeignKey):
        row = model_field.related_model._default_manager.filter(pk=whole_number(value)).first()
        return str(row or value)
    return str(dict(model_field.flatchoices).get(value, value))
