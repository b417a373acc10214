"""The log: the change sets of the whole registry, newest first, narrowed by filters and a search.

The same filters narrow the timeline of one table or service.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from operator import itemgetter

from django.db.models import Model, Q, QuerySet

from ownership.audit import feed, log_search
from ownership.audit.descriptions import EntryDescription, describe
from ownership.audit.timeline import (
    ABOVE_ALL_REVISIONS,
    PAGE,
    Timeline,
    TimelineGroup,
    TimelinePage,
    read_places,
    summarize,
)
from ownership.history.models import ChangeSet, Entry, EntryFilter, Selection
from ownership.history.row_states import describe_field

# Matching entries of one change set that a search shows.
MATCHES_SHOWN = 5
# Entries of one change set that are shown where no filter chooses among them.
SUMMARY = 5
CSV_BATCH = 500


@dataclass(frozen=True)
class LogFilters:
    """Which changes to read; an empty text, and None, ask for nothing.

    ``table``, ``service`` and ``group`` are names, also former ones. ``kind`` is a key of ``feed.CHANGE_KINDS``,
    ``field`` the name of a model's field. Of the filters in ``about``, an entry must pass any. Both days are included,
    in UTC. ``text`` is looked for by ``log_search``.
    """

    table: str = ""
    service: str = ""
    group: str = ""
    kind: str = ""
    field: str = ""
    about: Sequence[EntryFilter] | None = None
    user: str = ""
    source: str = ""
    first_day: date | None = None
    last_day: date | None = None
    text: str = ""
    until: int | None = None  # no later revision is read

    def any(self) -> bool:
        """Whether any filter is set."""
        return self != LogFilters(until=self.until)

    def _of_entries(self) -> bool:
        """Whether any filter chooses among the entries of a change set."""
        names = self.table or self.service or self.group
        return bool(names or self.kind or self.field) or self.about is not None

    @cached_property
    def matches(self) -> log_search.Matches | None:
        """Where the text was found; None where there is none."""
        return log_search.find(self.text) if self.text else None

    @property
    def is_cut(self) -> bool:
        """Whether the search may have older matches than those that it read."""
        return self.matches is not None and self.matches.cut

    def selection(self) -> Selection:
        """The entries that pass; raises feed.UnknownName for a name that nothing ever had."""
        selection = feed.select(
            table=self.table or None,
            service=self.service or None,
            group=self.group or None,
            kind=self.kind or None,
            field=self.field or None,
            user=self.user or None,
            source=self.source or None,
            about=self.about,
        )
        condition = self._revisions("change_set")
        if self.until is not None:
            condition &= Q(change_set__lte=self.until)
        return {model: entries & condition for model, entries in selection.items()}

    def _revisions(self, column: str) -> Q:
        """The condition that a column holds a revision of the days in question, at which the text was found.

        Later revisions have later times, so the days are two places in their order.
        """
        condition = Q()
        if self.first_day:
            first = _first_revision_from(self.first_day)
            condition &= Q((f"{column}__gte", first))
        if self.last_day:
            end = _first_revision_from(self.last_day + timedelta(days=1))
            condition &= Q((f"{column}__lt", end))
        if self.matches is not None:
            condition &= Q((f"{column}__in", list(self.matches.places)))
        return condition

    def page(self, before: int | None = None, size: int = PAGE) -> TimelinePage:
        """The newest change sets before that revision; a fixed number of queries."""
        end = ABOVE_ALL_REVISIONS if before is None else before
        if self.until is not None:
            end = min(end, self.until + 1)
        if self._of_entries():
            return Timeline(list(self.selection().items())).page(end, size)
        change_sets = self._change_sets().filter(revision__lt=end).order_by("-revision")
        revisions = list(change_sets.values_list("revision", flat=True)[: size + 1])
        shown = revisions[:size]
        next_before = shown[-1] if len(revisions) > size else None
        return TimelinePage(self._summaries(shown), next_before)

    def _change_sets(self) -> QuerySet[ChangeSet]:
        condition = self._revisions("revision")
        if self.user:
            condition &= Q(user_name=self.user) | Q(suggested_by_name=self.user)
        if self.source:
            condition &= Q(source=self.source)
        return ChangeSet.objects.filter(condition)

    def _summaries(self, revisions: list[int]) -> list[TimelineGroup]:
        """These change sets, each with the entries that the text was found in, or else with its first ones."""
        summaries = summarize(revisions, SUMMARY)
        matching = self._matching_entries(revisions)
        groups = []
        for revision in revisions:
            summary = summaries[revision]
            total = len(summary.entries) + summary.elsewhere
            entries = matching.get(revision, summary.entries)
            groups.append(
                TimelineGroup(summary.change_set, entries, elsewhere=total - len(entries))
            )
        return groups

    def _matching_entries(self, revisions: list[int]) -> dict[int, list[EntryDescription]]:
        """The first entries of each of these change sets that the text was found in."""
        matching: dict[int, list[EntryDescription]] = {}
        if self.matches is None:
            return matching
        places = []
        for revision in revisions:
            places.extend(self.matches.places[revision][:MATCHES_SHOWN])
        for entry in read_places(places):
            matching.setdefault(entry.change_set_id, []).append(describe(entry))
        return matching

    def entries(self) -> Iterator[tuple[ChangeSet, list[Entry]]]:
        """All change sets with the entries that pass, in commit order, read batch by batch.

        Where only its reason or its author was looked for, a change set comes with all of its entries.
        """
        selection = self.selection()
        place = feed.Cursor(0, 0, "")
        while True:
            page = feed.read(place, CSV_BATCH, selection)
            yield from page.changes
            if not page.has_more:
                return
            place = page.next


def fields_of_rows(models: Iterable[type[Model]]) -> list[tuple[str, str]]:
    """The models' fields that a filter can name, with what people call them, in alphabetical order."""
    names: dict[str, str] = {}
    for model in models:
        for field in model._meta.fields:
            names.setdefault(field.name, describe_field(model, field.name))
    for inner_name in ("id", "position"):
        names.pop(inner_name, None)
    return sorted(names.items(), key=itemgetter(1))


def _first_revision_from(day: date) -> int:
    """The first revision of that day in UTC or later; above all revisions where there is none."""
    start = datetime.combine(day, time.min, UTC)
    later = ChangeSet.objects.filter(time__gte=start).order_by("time", "revision")
    first = later.values_list("revision", flat=True).first()
    return ABOVE_ALL_REVISIONS if first is None else first
