"""The steps of a plan as a suggestion stores them: in names, with ids beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.core.serializers.json import DjangoJSONEncoder

from ownership.audit.descriptions import FieldChange, label_in_words, stated_changes
from ownership.history.models import CHANGED, CREATED, DELETED, VERBS, registry_model_named
from ownership.models import Service, SuggestedStep, Suggestion, SuggestionSubject, Table
from ownership.plans.blockers import in_short
from ownership.plans.steps import Preview, Step, foreign_key_fields, unsaved_references

LONGEST_ABOUT = 300
# What a stored step does to its row.
CREATE, CHANGE, DELETE = VERBS[CREATED], VERBS[CHANGED], VERBS[DELETED]
HISTORY_TYPES = {verb: history_type for history_type, verb in VERBS.items()}
# Where a row comes among others: nobody minds where one is that somebody else has added.
ORDER = "position"
RowKey = tuple[str, str, int | str]


def stored_steps(steps: Sequence[Step]) -> list[SuggestedStep]:
    """The steps as JSON holds them. What a step refers to and does not exist yet must be among the steps before it."""
    places: dict[int, int] = {}  # of new rows, by the identity of the row
    stored: list[SuggestedStep] = []
    for place, step in enumerate(steps):
        changes = step.changes()
        stored.append(
            SuggestedStep(
                model=str(step.model._meta.model_name),
                id=step.pk,
                label=step.label,
                what=VERBS[step.history_type],
                changes=changes,
                ids=_ids(step, changes),
                new=_new_references(step, places),
            )
        )
        if step.before is None:
            places[id(step.after)] = place
    # As it comes back from the database: times and dates as texts.
    return json.loads(json.dumps(stored, cls=DjangoJSONEncoder))


def _ids(step: Step, changes: dict[str, list]) -> dict[str, list[int | None]]:
    ids = {}
    for column in foreign_key_fields(step.model):
        if column.name in changes:
            old = getattr(step.before, column.attname, None)
            new = getattr(step.after, column.attname, None)
            ids[column.name] = [old, new]
    return ids


def _new_references(step: Step, places: dict[int, int]) -> dict[str, int]:
    if step.after is None:
        return {}
    return {name: places[id(row)] for name, row in unsaved_references(step.after).items()}


def already_suggested(steps: Sequence[Step], chosen: Sequence[Step]) -> dict[Step, Suggestion]:
    """{step: the first suggestion that waits and asks for the same, or for more of the same row}.

    Of the ``chosen`` among the steps. At most one query.
    """
    if not chosen:
        return {}
    waiting = _waiting_steps()
    if not waiting:
        return {}
    suggested: dict[Step, Suggestion] = {}
    # A stored step names new rows by their place, so all steps are needed to store one.
    stored_by_step = dict(zip(steps, stored_steps(steps), strict=True))
    for step in chosen:
        wanted = stored_by_step[step]
        for stored, suggestion in waiting.get(row_key(wanted), ()):
            if _asks_for(stored, wanted):
                suggested[step] = suggestion
                break
    return suggested


def _waiting_steps() -> dict[RowKey, list[tuple[SuggestedStep, Suggestion]]]:
    """What the suggestions that wait ask for, the first one first, by row."""
    by_row: dict[RowKey, list[tuple[SuggestedStep, Suggestion]]] = {}
    for suggestion in Suggestion.objects.waiting().order_by("number"):
        for stored in suggestion.steps:
            by_row.setdefault(row_key(stored), []).append((stored, suggestion))
    return by_row


def row_key(step: SuggestedStep) -> RowKey:
    """Which row, and what is done to it; of a new row by its name."""
    return (step["model"], step["what"], step["label"] if step["id"] is None else step["id"])


def _asks_for(stored: SuggestedStep, wanted: SuggestedStep) -> bool:
    """Whether a stored step sets all that is wanted of its row. Where a new row comes among others does not count."""
    if wanted["what"] == DELETE:
        return True
    names = set(wanted["changes"])
    if wanted["what"] == CREATE:
        names.discard(ORDER)
    return all(_set_the_same(name, stored, wanted) for name in names)


def _set_the_same(name: str, stored: SuggestedStep, wanted: SuggestedStep) -> bool:
    """Whether both steps set the field to the same value; of a reference, to the same row, whatever it is called."""
    if name not in stored["changes"]:
        return False
    _, stored_id = stored["ids"].get(name, (None, None))
    _, wanted_id = wanted["ids"].get(name, (None, None))
    if stored_id is not None and stored_id == wanted_id:
        return True
    return bool(stored["changes"][name][1] == wanted["changes"][name][1])


def title_of(steps: Sequence[Step]) -> str:
    """What the steps are about, for lists: the names of their tables, or else of their rows."""
    names = []
    for step in steps:
        names.append(step.label if step.table is None else step.table.name)
    distinct = list(dict.fromkeys(names))
    return in_short(distinct, len(distinct))[:LONGEST_ABOUT]


def subjects_of(steps: Sequence[Step], kind: str, team_id: int | None) -> list[SuggestionSubject]:
    """The tables and services whose teams are asked, not saved yet and without their suggestion.

    Of a new table that is the service that would own it; of a hand-over, the service that the table goes to, too.
    ``team_id`` is the team that a service goes to.
    """
    table_ids: list[int | None] = []
    service_ids: list[int | None] = []
    for step in steps:
        if step.table is not None:
            table_ids.append(step.table.pk)
        if isinstance(step.row, Service):
            service_ids.append(step.pk)
        asks_new_owner = kind == Suggestion.Kind.HAND_OVER or step.before is None
        if isinstance(step.after, Table) and asks_new_owner:
            service_ids.append(step.after.owner_id)
    subjects = [SuggestionSubject(table_id=pk) for pk in _each_once(table_ids)]
    subjects += [SuggestionSubject(service_id=pk) for pk in _each_once(service_ids)]
    if team_id is not None:
        subjects.append(SuggestionSubject(team_id=team_id))
    return subjects


def _each_once(ids: Sequence[int | None]) -> list[int]:
    """The ids in their order, without those of new rows, which have none yet."""
    return [pk for pk in dict.fromkeys(ids) if pk is not None]


def stored_previews(suggestion: Suggestion) -> list[Preview]:
    """What was suggested, in words: each field then and as suggested."""
    previews = []
    for step in suggestion.steps:
        model = registry_model_named(step["model"])
        kind, label = step["model"], step["label"]
        changes: list[FieldChange] = []
        if model is not None:
            kind, label = str(model._meta.verbose_name), label_in_words(model, label)
            changes = stated_changes(model, HISTORY_TYPES[step["what"]], step["changes"])
        previews.append(
            Preview(
                kind=kind,
                label=label,
                verb=step["what"],
                changes=changes,
                removes=step["what"] == DELETE,
            )
        )
    return previews
