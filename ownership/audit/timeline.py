"""Timelines: who changed one thing, when and why. Its entries, grouped by change set, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from django.db.models import Model, OuterRef, Q, Subquery
from django.utils.timezone import localdate

from ownership.audit.descriptions import EntryDescription, describe
from ownership.history.models import (
    DELETED,
    ChangeSet,
    Entry,
    EntryFilter,
    Selection,
    TrackedRow,
    entry_model,
    entry_models,
    read_entries,
    whole_number,
)
from ownership.history.row_states import in_batches
from ownership.models import (
    Access,
    Confirmation,
    Membership,
    SecondaryIndex,
    Service,
    Table,
    Team,
    Waiver,
)

PAGE = 20  # change sets
FOLD = 20  # entries of one change set that are shown between others
ENTRIES_PAGE = 200  # entries of one large change set
ABOVE_ALL_REVISIONS = 10**18

# The rows that belong to a table: those that its form edits, and those that say what was decided about it.
PARTS_OF_TABLES: tuple[type[TrackedRow], ...] = (Access, SecondaryIndex)
DECISIONS_ON_TABLES: tuple[type[TrackedRow], ...] = (Waiver, Confirmation)


@dataclass(frozen=True)
class TimelineGroup:
    """A change set with some of its entries, in words.

    ``folded`` counts its other entries about the same thing, ``elsewhere`` those about other things.
    """

    change_set: ChangeSet
    entries: list[EntryDescription]
    folded: int = 0
    elsewhere: int = 0

    @property
    def day(self) -> date:
        """The day of the change set, in UTC."""
        return localdate(self.change_set.time)

    def after(self) -> int:
        """The sequence of the last entry listed: the folded ones come after it."""
        return self.entries[-1].entry.sequence


@dataclass(frozen=True)
class TimelinePage:
    """Some change sets, newest first; ``next`` is the revision to ask for earlier ones, None at the end.

    Or, ``within`` one large change set, more of its entries. ``counted`` is how many change sets there are, up to the
    number that was asked for.
    """

    groups: list[TimelineGroup]
    next: int | None
    within: bool = False
    counted: int = 0

    @property
    def last_edit(self) -> ChangeSet | None:
        """The newest of these change sets that edited something: no confirmation."""
        for group in self.groups:
            if group.change_set.source != ChangeSet.Source.CONFIRM:
                return group.change_set
        return None


class EntryPlace(NamedTuple):
    """Where an entry is: its place in the change set, and its id in its historical model."""

    sequence: int
    model: type[Entry]
    entry_id: int


class Timeline:
    """The change sets that touched one thing: its own entries, and those of what belongs to it.

    ``filters`` say which entries these are. The first one selects the thing's own.
    """

    def __init__(self, filters: list[EntryFilter]) -> None:
        self.filters = filters

    @property
    def models(self) -> list[type[Model]]:
        """The models whose rows' entries it can have."""
        return list(dict.fromkeys(entry.instance_type for entry, _ in self.filters))

    @classmethod
    def about(cls, model: type[Model], *pks: object) -> Timeline:
        """Everything about some rows, which may be deleted.

        About a table: its accesses, indexes, waivers and confirmations, too. About a service: its accesses and
        waivers, and what it gained and lost.
        """
        ids = _as_ids(pks)
        timeline = cls.of_forms(model, *ids)
        if model is Table:
            timeline.filters.extend(_of_tables(DECISIONS_ON_TABLES, ids))
        elif model is Service:
            timeline.filters.extend(_of_services(ids))
        return timeline

    @classmethod
    def of_forms(cls, model: type[Model], *pks: object) -> Timeline:
        """What the forms of the rows can change: the rows, the accesses and indexes of tables, the members of teams."""
        ids = _as_ids(pks)
        filters = [(entry_model(model), Q(id__in=ids))]
        if model is Table:
            filters.extend(_of_tables(PARTS_OF_TABLES, ids))
        elif model is Team:
            filters.append((entry_model(Membership), Q(team_id__in=ids)))
        return cls(filters)

    def narrowed(self, selection: Selection) -> Timeline:
        """The timeline of those entries that are also selected."""
        filters = []
        for model, condition in self.filters:
            if model in selection:
                filters.append((model, condition & selection[model]))
        return Timeline(filters)

    def exists(self) -> bool:
        """Whether there is any entry."""
        return any(model.objects.filter(condition).exists() for model, condition in self.filters)

    def has_entries_after(self, revision: int) -> bool:
        """Whether there is any entry after that revision."""
        # One query for all models, because saves ask this while they hold the lock.
        queries = []
        for model, condition in self.filters:
            queries.append(model.objects.filter(condition, change_set__gt=revision).order_by())
        return queries[0].union(*queries[1:], all=True).exists()

    def last(self, until: int | None = None) -> EntryDescription | None:
        """What happened last to the thing itself, up to that revision."""
        model, condition = self.filters[0]
        if until is not None:
            condition = condition & Q(change_set__lte=until)
        entry = model.objects.filter(condition).order_by("-history_id").first()
        return describe(entry) if entry else None

    def label(self) -> str:
        """What the thing was called last."""
        last = self.last()
        return last.label if last else ""

    def since(self, revision: int) -> list[TimelineGroup]:
        """The change sets after that revision, oldest first, with all their entries about the thing."""
        later = Q(change_set__gt=revision)
        entries = read_entries((model, condition & later) for model, condition in self.filters)
        return _groups(_by_revision(entries))

    def page_for(self, query: Mapping[str, str], until: int | None = None) -> TimelinePage:
        """The page that an address asks for; nothing after the revision ``until``.

        ``before`` is a revision. With ``within`` a revision and ``after`` a sequence: more of that one's entries.
        """
        latest = ABOVE_ALL_REVISIONS if until is None else until
        revision = whole_number(query.get("within"))
        if revision is not None and revision <= latest:
            after = whole_number(query.get("after")) or 0
            group = self.within(revision, after)
            if group is not None:
                return TimelinePage([group], None, within=True)
        before = whole_number(query.get("before")) or ABOVE_ALL_REVISIONS
        return self.page(min(before, latest + 1))

    def page(
        self,
        before: int | None = None,
        size: int = PAGE,
        fold: int | None = FOLD,
        count_to: int = 0,
    ) -> TimelinePage:
        """The newest ``size`` change sets before that revision; a constant number of queries.

        Of a change set with more than ``fold`` entries, the first ones are read; ``within`` gives the others.
        """
        revisions = self._newest_revisions(before, max(size + 1, count_to))
        shown = revisions[:size]
        places = self._places(shown)
        first_places = []
        for revision in shown:
            first_places.extend(places[revision][:fold])
        groups = _groups(
            _by_revision(read_places(first_places), shown),
            totals={revision: len(places[revision]) for revision in shown},
        )
        next_before = shown[-1] if len(revisions) > size else None
        return TimelinePage(groups, next_before, counted=len(revisions))

    def within(
        self, revision: int, after: int = 0, size: int = ENTRIES_PAGE
    ) -> TimelineGroup | None:
        """Some of the entries in one change set, after that sequence; None where it has none there."""
        places = [place for place in self._places([revision])[revision] if place.sequence > after]
        if not places:
            return None
        entries = read_places(places[:size])
        [group] = _groups({revision: entries}, totals={revision: len(places)})
        return group

    def _newest_revisions(self, before: int | None, number: int) -> list[int]:
        revisions: set[int] = set()
        for model, condition in self.filters:
            entries = model.objects.filter(condition)
            if before is not None:
                entries = entries.filter(change_set__lt=before)
            newest = (
                entries.order_by("-change_set_id")
                .values_list("change_set_id", flat=True)
                .distinct()
            )
            revisions.update(newest[:number])
        return sorted(revisions, reverse=True)[:number]

    def _places(self, revisions: list[int]) -> dict[int, list[EntryPlace]]:
        """Where the entries in these change sets are, in order.

        This is read before the entries themselves: a change set may have tens of thousands of them. An entry that
        passes two filters (what a service lost was its own before) is listed once.
        """
        places: dict[int, set[EntryPlace]] = {revision: set() for revision in revisions}
        for model, condition in self.filters:
            entries = model.objects.filter(condition, change_set__in=revisions).order_by()
            for revision, sequence, entry_id in entries.values_list(
                "change_set_id", "sequence", "pk"
            ):
                places[revision].add(EntryPlace(sequence, model, entry_id))
        in_order = {}
        for revision in revisions:
            in_order[revision] = sorted(places[revision], key=attrgetter("sequence"))
        return in_order


def _as_ids(pks: Iterable[object]) -> list[int]:
    """The ids as numbers. They may be text from an address; what is not a number becomes 0, which no row has."""
    return [whole_number(str(pk)) or 0 for pk in pks]


def _of_tables(models: Iterable[type[Model]], ids: list[int]) -> list[EntryFilter]:
    return [(entry_model(model), Q(table_id__in=ids)) for model in models]


def _of_services(ids: list[int]) -> list[EntryFilter]:
    # Separate filters, not conditions with OR: with OR, databases sort all of a service's entries.
    gained = Q(gained_by__in=ids)
    lost = Q(lost_by__in=ids)
    own = Q(service_id__in=ids)
    return [
        (entry_model(Service), gained),
        (entry_model(Service), lost),
        (entry_model(Access), own),
        (entry_model(Access), lost),
        (entry_model(Table), gained),
        (entry_model(Table), lost),
        (entry_model(Waiver), own),
    ]


def summarize(revisions: list[int], size: int) -> dict[int, TimelineGroup]:
    """Some entries of each of these change sets, and how many others it has; a constant number of queries.

    They are its first entries. Of a change set that ends in a deletion they are the last ones, backwards: what
    belongs to a row is deleted before it.
    """
    change_sets = _change_sets(revisions)
    condition = Q(change_set__in=revisions, sequence__lte=size)
    for revision, (_, total) in change_sets.items():
        if total > size:
            condition |= Q(change_set=revision, sequence__gt=total - size)
    entries = _by_revision(read_entries((model, condition) for model in entry_models()), revisions)
    groups = {}
    for revision in revisions:
        change_set, total = change_sets[revision]
        some = entries[revision]
        if total > size and some[-1].history_type == DELETED:
            some = some[::-1]
        described = [describe(entry) for entry in some[:size]]
        groups[revision] = TimelineGroup(change_set, described, elsewhere=total - len(described))
    return groups


def change_set_entries(
    revision: int, models: Iterable[type[Entry]], after: int = 0
) -> tuple[list[EntryDescription], int | None]:
    """Entries of these kinds in a change set, after that sequence; and the one to go on after, None at the end."""
    condition = Q(change_set=revision, sequence__gt=after)
    entries = read_entries([(model, condition) for model in models], limit=ENTRIES_PAGE + 1)
    some = entries[:ENTRIES_PAGE]
    next_after = some[-1].sequence if len(entries) > ENTRIES_PAGE else None
    return [describe(entry) for entry in some], next_after


def numbers_of_entries(revision: int) -> dict[type[Entry], int]:
    """How many entries of each kind a change set has; kinds without any are left out."""
    numbers = {}
    for model in entry_models():
        number = model.objects.filter(change_set=revision).count()
        if number:
            numbers[model] = number
    return numbers


def read_places(places: list[EntryPlace]) -> list[Entry]:
    """The entries at these places; one query per historical model and 500 entries."""
    ids: dict[type[Entry], list[int]] = {}
    for place in places:
        ids.setdefault(place.model, []).append(place.entry_id)
    filters = []
    for model, entry_ids in ids.items():
        for batch in in_batches(entry_ids):
            filters.append((model, Q(pk__in=batch)))
    return read_entries(filters)


def _by_revision(entries: list[Entry], revisions: Iterable[int] = ()) -> dict[int, list[Entry]]:
    """The entries of each change set; those of ``revisions`` come first."""
    by_revision: dict[int, list[Entry]] = {revision: [] for revision in revisions}
    for entry in entries:
        by_revision.setdefault(entry.change_set_id, []).append(entry)
    return by_revision


def _groups(
    entries: dict[int, list[Entry]],
    totals: Mapping[int, int] | None = None,
) -> list[TimelineGroup]:
    """Change sets with these entries. ``totals`` says how many entries each has about the thing, if not just these."""
    change_sets = _change_sets(entries)
    groups = []
    for revision, some in entries.items():
        change_set, size = change_sets[revision]
        total = totals[revision] if totals else len(some)
        described = [describe(entry) for entry in some]
        groups.append(
            TimelineGroup(change_set, described, folded=total - len(some), elsewhere=size - total)
        )
    return groups


def _change_sets(revisions: Iterable[int]) -> dict[int, tuple[ChangeSet, int]]:
    """The change sets, with what undid them, and how many entries each has: the sequence of its last one."""
    last_sequences = {}
    for model in entry_models():
        of_change_set = model.objects.filter(change_set=OuterRef("pk")).order_by("-sequence")
        # Sequences have no gaps, so the last one is the number of entries. Counting them would take longer.
        last_sequences[str(model._meta.model_name)] = Subquery(of_change_set.values("sequence")[:1])
    rows = (
        ChangeSet.objects.prefetch_related("undone_by")
        .annotate(**last_sequences)
        .in_bulk(list(revisions))
    )
    change_sets = {}
    for revision, change_set in rows.items():
        sequences = [getattr(change_set, name) or 0 for name in last_sequences]
        change_sets[revision] = (change_set, max(sequences))
    return change_sets
