"""Two people with the same form open: the second is told what changed meanwhile, and keeps what they typed.

Each form carries the revision it shows. A POST is checked against it before all else, and again under the registry's
lock; where an entry of the row, or of its inline rows, is newer, nothing is saved and the page comes back merged:
fields that the second person touched as they typed them, all others as they are now.
"""

from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest, QueryDict

from ownership.audit.timeline import Timeline, TimelineGroup
from ownership.history.models import DELETED, current_head
from ownership.history.parsing import whole_number

FIELD = "revision"
# More inline rows than any table has; a POST that claims more is nonsense.
MOST_ROWS = 1_000


@dataclass(frozen=True)
class Conflict:
    """Why a form is not saved: what changed since it was opened; nothing listed where it does not say when that was.

    ``head`` is the registry's revision before any row was read for the page that tells of it: what changes later is a
    conflict of that page. ``both`` are the fields that were changed here and there, with what they hold now: {name:
    text}. ``rows`` are the inline rows with such a field.
    """

    sentence: str
    groups: list[TimelineGroup]
    head: int
    both: dict[str, str] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)


def find_conflict(request: HttpRequest, timeline: Timeline) -> tuple[Conflict | None, int]:
    """(the conflict or None, the revision that the form shows). It stays true for as long as the lock is held."""
    shown, head = whole_number(request.POST.get(FIELD)), current_head()[0]
    if shown is None or shown > head:
        sentence = (
            "Nothing was changed: this page does not say which revision of the map it shows. Check it, and try again."
        )
        return Conflict(sentence, [], head), head
    groups = timeline.since(shown) if shown < head and timeline.has_entries_after(shown) else []
    if not groups:
        return None, shown
    names = ", ".join(dict.fromkeys(group.change_set.user_name for group in groups))
    return Conflict(
        f"Nothing was changed yet: while you had this page open, it was changed by {names}. What you typed is still "
        "here, everything else is as it is now. Check it, then go on.",
        groups,
        head,
    ), shown


def merged(post: QueryDict, revision: int, row: Model, form: Any, formsets: list[Any], conflict: Conflict) -> QueryDict:
    """The posted form brought up to date; ``revision`` is what it was opened at, ``formsets`` the inlines' classes.

    What both changed is noted in the conflict.
    """
    result = post.copy()
    values, base = _read(post, "", form), _as_of(type(row), row.pk, revision)
    _write(result, "", _merge(values, form, base, row))
    conflict.both.update(_both(values, form, base, row))
    for formset in formsets:
        _merge_rows(result, formset, row, revision, conflict)
    return result


def _merge_rows(post: QueryDict, formset: Any, parent: Model, revision: int, conflict: Conflict) -> None:
    """Bring an inline's rows up to date: gone ones go unless edited here, new ones come."""
    prefix, model, form = formset.get_default_prefix(), formset.model, formset.form
    total = whole_number(post.get(f"{prefix}-TOTAL_FORMS")) or 0
    current = {str(row.pk): row for row in model.objects.filter(**{formset.fk.name: parent})}
    existing, added = [], []
    for number in range(min(total, MOST_ROWS)):
        values = _read(post, f"{prefix}-{number}-", form)
        pk = "".join(values.get("id", []))
        row, base = current.pop(pk, None), _as_of(model, pk, revision)
        if row is not None:
            existing.append(_merge(values, form, base, row))
            if _both(values, form, base, row):
                conflict.rows.append(str(row))
        elif base is None:
            added.append(values)
        elif "DELETE" not in values and _touched(values, form, base):
            added.append(values | {"id": [""]})
    existing += [_values(form(instance=row)) | {"id": [str(pk)]} for pk, row in current.items()]
    for key in [key for key in post if key.startswith(f"{prefix}-") and not key.endswith("_FORMS")]:
        del post[key]
    for number, values in enumerate(existing + added):
        _write(post, f"{prefix}-{number}-", values | {formset.fk.name: [str(parent.pk)]})
    post[f"{prefix}-INITIAL_FORMS"] = str(len(existing))
    post[f"{prefix}-TOTAL_FORMS"] = str(len(existing) + len(added))


def _merge(values: dict[str, list[str]], form: Any, base: Model | None, current: Model) -> dict[str, list[str]]:
    """The posted values where they differ from what the form showed, else what holds now."""
    now = _values(form(instance=current))
    touched = _touched(values, form, base) if base is not None else set(now)
    kept = {name: value for name, value in values.items() if name in touched or name not in form.base_fields}
    return {name: value for name, value in now.items() if name not in touched} | kept


def _both(values: dict[str, list[str]], form: Any, base: Model | None, current: Model) -> dict[str, str]:
    """The fields that the posted values and the row as it is now changed in two ways, with what the row holds."""
    if base is None:
        return {}
    shown, now = _values(form(instance=base)), _values(form(instance=current))
    touched = {
        name
        for name in _touched(values, form, base)
        if _flat(now.get(name)) not in (_flat(shown.get(name)), _flat(values.get(name)))
    }
    return {name: _in_words(current, name) for name in form.base_fields if name in touched}


def _in_words(row: Model, name: str) -> str:
    """A field's value as a person reads it."""
    chosen = getattr(row, f"get_{name}_display", None)
    return str((chosen() if chosen else getattr(row, name, None)) or "nothing")


def _touched(values: dict[str, list[str]], form: Any, base: Model) -> set[str]:
    """The fields whose posted value is not the one that the form showed."""
    shown = _values(form(instance=base))
    return {
        name
        for name, field in form.base_fields.items()
        if name in shown | values and _flat(values.get(name)) != _flat(shown.get(name)) and not field.disabled
    }


def _flat(values: list[str] | None) -> str:
    """A posted value to compare: browsers end lines with CR LF, an unticked box is absent."""
    return "".join(values or []).replace("\r\n", "\n").strip()


def _values(form: forms.ModelForm) -> dict[str, list[str]]:
    """What a browser would post from this form, as it stands on the page."""
    values = {}
    for name in form.fields:
        value = form[name].value()
        if value is True:
            values[name] = ["on"]
        elif value is not False:
            values[name] = ["" if value is None else str(value)]
    return values


def _read(post: QueryDict, prefix: str, form: Any) -> dict[str, list[str]]:
    names = [*form.base_fields, "id", "DELETE"] if prefix else form.base_fields
    return {name: post.getlist(prefix + name) for name in names if prefix + name in post}


def _write(post: QueryDict, prefix: str, values: dict[str, list[str]]) -> None:
    if not prefix:
        for name in [name for name in values if name in post]:
            del post[name]
    for name, value in values.items():
        post.setlist(prefix + name, value)


def _as_of(model: Any, pk: Any, revision: int) -> Any:
    """The row as it was at the revision, or None where it was not there yet."""
    number = whole_number(str(pk))
    if number is None:
        return None
    entry = model.history.filter(id=number, change_set__lte=revision).order_by("-history_id").first()
    return entry.instance if entry is not None and entry.history_type != DELETED else None
