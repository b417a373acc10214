"""The change feed: entries in commit order, page by page, for programs that follow the registry.

A cursor is a place in the feed: ``41`` (after all of revision 41) or ``41.2000`` (after its first 2,000 entries). A
``-`` and the beginning of revision 41's digest may follow: they tell this history from another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model, Q

from ownership.audit.timeline import DECISIONS_ON_TABLES, PARTS_OF_TABLES, Timeline
from ownership.history.models import (
    VERBS,
    ChangeSet,
    Entry,
    EntryFilter,
    Selection,
    any_of,
    both_of,
    entry_model,
    entry_models,
    read_entries,
)
from ownership.models import (
    Access,
    Confirmation,
    Endpoint,
    Environment,
    Membership,
    SecondaryIndex,
    Service,
    Suggestion,
    Table,
    TableGroup,
    Team,
    Waiver,
)
from ownership.models.tables import KEY_FIELDS

DIGEST_LENGTH = 12  # characters of it in a cursor
CURSOR = re.compile(r"(\d{1,18})(?:\.(\d{1,9}))?(?:-([0-9a-f]{12}))?", re.ASCII)
ABOVE_ALL_SEQUENCES = 10**9
FOREIGN_CURSOR = (
    "This cursor belongs to another history: read the map again, then follow it from there."
)


class BadCursor(ValueError):
    """The text is not a cursor."""


class ForeignCursor(ValueError):
    """The cursor is from another history, such as before a backup was restored. Start again from the map."""


class UnknownName(ValueError):
    """Nothing of that kind ever had the name."""


@dataclass(frozen=True)
class ChangeKind:
    """A kind of change: entries of some models, or only those that change some of their fields."""

    title: str
    models: tuple[type[Model], ...]
    fields: tuple[str, ...] = ()

    def filters(self) -> list[EntryFilter]:
        """Which entries are of this kind."""
        condition = Q(changes__has_any_keys=list(self.fields)) if self.fields else Q()
        return [(entry_model(model), condition) for model in self.models]


CHANGE_KINDS = {
    "ownership": ChangeKind("ownership", (Table,), ("owner",)),
    "access": ChangeKind("accesses", (Access,)),
    "key_schema": ChangeKind("key schema", (Table, SecondaryIndex), KEY_FIELDS),
    "table": ChangeKind("tables", (Table,)),
    "index": ChangeKind("indexes", (SecondaryIndex,)),
    "service": ChangeKind("services", (Service,)),
    "group": ChangeKind("groups", (TableGroup,)),
    "environment": ChangeKind("environments", (Environment,)),
    "team": ChangeKind("teams", (Team, Membership)),
    "waiver": ChangeKind("waivers of drift", (Waiver,)),
    "suggestion": ChangeKind("suggestions", (Suggestion,)),
    "confirmation": ChangeKind("confirmations", (Confirmation,)),
    "endpoint": ChangeKind("endpoints of news", (Endpoint,)),
}

# What programs call each model.
MODEL_NAMES = {
    "environment": "environment",
    "tablegroup": "group",
    "service": "service",
    "table": "table",
    "secondaryindex": "secondary_index",
    "access": "access",
    "team": "team",
    "membership": "membership",
    "waiver": "waiver",
    "suggestion": "suggestion",
    "confirmation": "confirmation",
    "endpoint": "endpoint",
}


def entry_for_programs(entry: Entry) -> dict[str, object]:
    """What happened to one row, with the names of that time, in the shape that programs read."""
    return {
        "revision": entry.change_set_id,
        "sequence": entry.sequence,
        "type": VERBS[entry.history_type],
        "model": MODEL_NAMES[str(entry.instance_type._meta.model_name)],
        "label": entry.label,
        "changes": entry.changes,
    }


@dataclass(frozen=True)
class Cursor:
    """A place in the feed: after ``sequence`` entries of ``revision``."""

    revision: int
    sequence: int
    digest: str

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises BadCursor for other text, ForeignCursor for a place that this history does not have."""
        match = CURSOR.fullmatch(text)
        if match is None:
            raise BadCursor("Takes a revision, or the `next` of an answer.")
        revision_text, sequence_text, digest_start = match.groups()
        revision = int(revision_text)
        sequence = int(sequence_text or ABOVE_ALL_SEQUENCES)
        change_set = ChangeSet.objects.filter(revision=revision).first()
        if change_set is None:
            if revision == 0:  # the beginning, before the first change set
                return cls(revision, sequence, "")
            raise ForeignCursor(FOREIGN_CURSOR)
        if digest_start and not change_set.digest.startswith(digest_start):
            raise ForeignCursor(FOREIGN_CURSOR)
        return cls(revision, sequence, change_set.digest[:DIGEST_LENGTH])

    @classmethod
    def after_all_of(cls, change_set: ChangeSet) -> Cursor:
        """The place after the change set's last entry."""
        return cls(change_set.revision, ABOVE_ALL_SEQUENCES, change_set.digest[:DIGEST_LENGTH])

    def __str__(self) -> str:
        if self.revision == 0:
            return "0"
        place = "" if self.sequence == ABOVE_ALL_SEQUENCES else f".{self.sequence}"
        return f"{self.revision}{place}-{self.digest}"


@dataclass(frozen=True)
class FeedPage:
    """Change sets with (some of) their entries, in commit order; ``next`` continues after them."""

    changes: list[tuple[ChangeSet, list[Entry]]]
    next: Cursor
    has_more: bool


def read(after: Cursor, limit: int, selection: Selection) -> FeedPage:
    """The first ``limit`` entries after the cursor: one query per model, one for the change sets, one for the head.

    What commits later comes after what this returns, because revisions are given in commit order.
    """
    # Read first: entries beyond it are left for the next page, so that the cursor never passes one by.
    head = ChangeSet.objects.order_by("-revision").first()
    if head is None:
        return FeedPage([], after, False)
    is_after = Q(change_set__gt=after.revision) | Q(sequence__gt=after.sequence)
    place = Q(change_set__gte=after.revision, change_set__lte=head.revision) & is_after
    filters = [(model, condition & place) for model, condition in selection.items()]
    entries = read_entries(filters, limit=limit + 1)

    shown = entries[:limit]
    change_sets = ChangeSet.objects.in_bulk({entry.change_set_id for entry in shown})
    changes: list[tuple[ChangeSet, list[Entry]]] = []
    for entry in shown:
        if not changes or changes[-1][0].revision != entry.change_set_id:
            changes.append((change_sets[entry.change_set_id], []))
        changes[-1][1].append(entry)

    if len(entries) <= limit:
        return FeedPage(changes, Cursor.after_all_of(head), False)
    last_change_set, last_entries = changes[-1]
    digest = last_change_set.digest[:DIGEST_LENGTH]
    return FeedPage(
        changes, Cursor(last_change_set.revision, last_entries[-1].sequence, digest), True
    )


def select(
    *,
    table: str | None = None,
    service: str | None = None,
    group: str | None = None,
    kind: str | None = None,
    field: str | None = None,
    user: str | None = None,
    source: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    about: Iterable[EntryFilter] | None = None,
) -> Selection:
    """The entries that meet all of the filters; without any, all entries.

    ``about`` are filters of which an entry must pass any. A name may be one that the thing had once. Raises
    UnknownName for one that nothing ever had.
    """
    condition = Q()
    if user is not None:
        condition &= Q(change_set__user_name=user) | Q(change_set__suggested_by_name=user)
    if source is not None:
        condition &= Q(change_set__source=source)
    if since is not None:
        condition &= Q(change_set__time__gte=since)
    if until is not None:
        condition &= Q(change_set__time__lt=until)
    # Of each of these, an entry must pass one.
    choices: list[Iterable[EntryFilter]] = []
    if table is not None:
        choices.append(Timeline.about(Table, *_ids_named(Table, table)).filters)
    if service is not None:
        choices.append(Timeline.about(Service, *_ids_named(Service, service)).filters)
    if group is not None:
        choices.append(about_groups(_ids_named(TableGroup, group)))
    if kind is not None:
        choices.append(CHANGE_KINDS[kind].filters())
    if field is not None:
        choices.append(_with_field(field))
    if about is not None:
        choices.append(about)
    selection: Selection = dict.fromkeys(entry_models(), condition)
    for filters in choices:
        selection = both_of(selection, any_of(filters))
    return selection


def _with_field(name: str) -> list[EntryFilter]:
    """The entries that give the field a value, or change it."""
    filters = []
    for model in entry_models():
        if name in {field.name for field in model.instance_type._meta.fields}:
            filters.append((model, Q(changes__has_key=name)))
    return filters


def about_groups(ids: list[int]) -> list[EntryFilter]:
    """The entries of groups, and of the tables that are or were in them, with what belongs to those."""
    in_groups = Q(group_id__in=ids)
    table_ids = entry_model(Table).objects.filter(in_groups).values("id")
    filters = [(entry_model(TableGroup), Q(id__in=ids)), (entry_model(Table), in_groups)]
    for model in (*PARTS_OF_TABLES, *DECISIONS_ON_TABLES):
        filters.append((entry_model(model), Q(table_id__in=table_ids)))
    return filters


def id_named(model: type[Model], name: str) -> int | None:
    """Id of the row that has the name, or had it last; None where none ever had."""
    entries = entry_model(model).objects.filter(name=name)
    live = model._default_manager.filter(name=name).values_list("pk", flat=True).first()
    return live or entries.values_list("id", flat=True).first()


def _ids_named(model: type[Model], name: str) -> list[int]:
    entries = entry_model(model).objects.filter(name=name)
    ids = list(entries.order_by("id").values_list("id", flat=True).distinct())
    if not ids:
        raise UnknownName(f"No {model._meta.verbose_name} has, or ever had, this name.")
    return ids
