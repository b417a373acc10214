"""The steps of a plan as a suggestion stores them: in names, with ids beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.core.serializers.json import DjangoJSONEncoder

from ownership.audit.descriptions import FieldChange, label_in_words, stated_changes
from ownership.history.models import CREATED, DELETED, VERBS, registry_model_named
from ownership.models import Service, SuggestedStep, Suggestion, SuggestionSubject, Table
from ownership.plans.blockers import in_short
from ownership.plans.steps import Preview, Step, foreign_key_fields, unsaved_references

LONGEST_ABOUT = 300
# Where a row comes among others: nobody minds where one is that somebody else has added.
ORDER = "position"
_NOT_STATED = object()
HISTORY_TYPES = {verb: history_type for history_type, verb in VERBS.items()}


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


def already_suggested(steps: Sequence[Step], chosen: Sequence[Step]) -> dict[int, Suggestion]:
    """{identity of a step: the first suggestion that waits and asks for the same, or for more of the same row}.

    Of the ``chosen`` among the steps. At most one query.
    """
    if not chosen:
        return {}
    by_row: dict[tuple[str, str, int | str], list[tuple[SuggestedStep, Suggestion]]] = {}
    for suggestion in Suggestion.objects.waiting().order_by("number"):
        for stored in suggestion.steps:
            by_row.setdefault(row_key(stored), []).append((stored, suggestion))
    if not by_row:
        return {}
    found: dict[int, Suggestion] = {}
    ids = {id(step) for step in chosen}
    for step, wanted in zip(steps, stored_steps(steps), strict=True):
        if id(step) not in ids:
            continue
        for stored, suggestion in by_row.get(row_key(wanted), ()):
            if _asks_for(stored, wanted):
                found[id(step)] = suggestion
                break
    return found


def row_key(step: SuggestedStep) -> tuple[str, str, int | str]:
    """Which row, and what is done to it; of a new row by its name."""
    return (step["model"], step["what"], step["label"] if step["id"] is None else step["id"])


def _asks_for(stored: SuggestedStep, wanted: SuggestedStep) -> bool:
    """Whether a stored step sets all that is wanted of its row. Where a row comes among others does not count."""
    if wanted["what"] == VERBS[DELETED]:
        return True
    for name, (_, new) in wanted["changes"].items():
        if name == ORDER and wanted["what"] == VERBS[CREATED]:
            continue
        ids = stored["ids"].get(name), wanted["ids"].get(name)
        is_same_row = None not in ids and ids[0][1] is not None and ids[0][1] == ids[1][1]  # type: ignore[index]
        if not is_same_row and stored["changes"].get(name, [None, _NOT_STATED])[1] != new:
            return False
    return True


def title_of(steps: Sequence[Step]) -> str:
    """What the steps are about, for lists: the names of their tables, or else of their rows."""
    names = dict.fromkeys(_title_of_step(step) for step in steps)
    return in_short(list(names), len(names))[:LONGEST_ABOUT]


def _title_of_step(step: Step) -> str:
    table = table_of(step)
    return step.label if table is None else table.name


def table_of(step: Step) -> Table | None:
    """The table that the step's row is, or belongs to."""
    row = step.row_now
    return row if isinstance(row, Table) else getattr(step.row, "table", None)


def subjects_of(
    steps: Sequence[Step], kind: str, team_id: int | None = None
) -> list[SuggestionSubject]:
    """The tables and services whose teams are asked, not saved yet and without their suggestion.

    Of a new table that is the service that would own it; of a hand-over, the service that the table goes to, too.
    ``team_id`` is the team that a service goes to.
    """
    tables: dict[int, None] = {}
    services: dict[int, None] = {}
    for step in steps:
        table = table_of(step)
        if table is not None and table.pk is not None:
            tables[table.pk] = None
        if isinstance(step.row, Service) and step.pk is not None:
            services[step.pk] = None
        asks_new_owner = kind == Suggestion.Kind.HAND_OVER or step.before is None
        if isinstance(step.after, Table) and step.after.owner_id is not None and asks_new_owner:
            services[step.after.owner_id] = None
    subjects = [SuggestionSubject(table_id=pk) for pk in tables]
    subjects += [SuggestionSubject(service_id=pk) for pk in services]
    if team_id is not None:
        subjects.append(SuggestionSubject(team_id=team_id))
    return subjects


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
                removes=step["what"] == VERBS[DELETED],
            )
        )
    return previews
