"""Who changed what, when and why: entries of one thing, or of the whole registry, grouped by change set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model, OuterRef, Q, Subquery

from ownership.audit.descriptions import EntryDescription, describe
from ownership.history.models import DELETED, ChangeSet, entry_model, entry_models
from ownership.history.parsing import whole_number
from ownership.history.row_states import in_batches
from ownership.models import Access, Environment, KeySchema, SecondaryIndex, Service, Table, TableGroup, Waiver

PAGE = 20
FOLD = 25  # entries of a change set that are shown among others'
_ENDLESS = 10**18  # greater than any revision


@dataclass(frozen=True)
class TimelineGroup:
    """A change set with those of its entries that are asked about, or the first of them."""

    change_set: ChangeSet
    entries: list[EntryDescription] = field(default_factory=list)
    folded: int = 0  # entries that are asked about, too, and left out
    elsewhere: int = 0  # entries about other things

    def after(self) -> int:
        """The place after which the folded ones come."""
        return self.entries[-1].entry.sequence


@dataclass(frozen=True)
class TimelinePage:
    """Some change sets, newest first; ``next`` is the revision to ask for those before, None at the end.

    Or, ``within`` a large change set, more of its entries.
    """

    groups: list[TimelineGroup]
    next: int | None
    within: bool = False


@dataclass(frozen=True)
class ChangeKind:
    """A kind of change that people ask for: entries of a model, or just those that touch some of its fields."""

    title: str
    models: tuple[Any, ...]
    fields: tuple[str, ...] = ()

    def parts(self) -> list[tuple[Any, Q]]:
        """(historical model, which of its rows are of this kind)."""
        which = Q(changes__has_any_keys=list(self.fields)) if self.fields else Q()
        return [(entry_model(model), which) for model in self.models]


_KEYS = tuple(f.name for f in KeySchema._meta.fields)
CHANGE_KINDS = {
    "ownership": ChangeKind("ownership", (Table,), ("owner",)),
    "access": ChangeKind("accesses", (Access,)),
    "key_schema": ChangeKind("key schema", (Table, SecondaryIndex), _KEYS),
    "table": ChangeKind("tables", (Table,)),
    "index": ChangeKind("indexes", (SecondaryIndex,)),
    "service": ChangeKind("services", (Service,)),
    "group": ChangeKind("groups", (TableGroup,)),
    "environment": ChangeKind("environments", (Environment,)),
    "waiver": ChangeKind("waivers of drift", (Waiver,)),
}


class Timeline:
    """The change sets that touched one thing: its own entries, and those of what hangs on it."""

    def __init__(self, pk: Any, parts: list[tuple[Any, Q]]) -> None:
        self.pk = pk
        # (historical model, which of its rows belong here)
        self.parts = parts

    @classmethod
    def of(cls, model: type[Model], pk: Any) -> "Timeline":
        """A table's with all that hangs on it; a service's with what it gained and lost; else the row's own."""
        timeline = cls.of_row(model, pk)
        if model is Table:
            timeline.parts.append((entry_model(Waiver), Q(table_id=timeline.pk)))
        if model is Service:
            # Apart, not as one condition with OR, which would have databases sort all of the service's entries.
            gained, lost = Q(gained_by=timeline.pk), Q(lost_by=timeline.pk)
            timeline.parts += [(entry_model(Service), gained), (entry_model(Service), lost)]
            timeline.parts += [(entry_model(Access), Q(service_id=timeline.pk)), (entry_model(Access), lost)]
            timeline.parts += [(entry_model(Table), gained), (entry_model(Table), lost)]
            timeline.parts.append((entry_model(Waiver), Q(service_id=timeline.pk)))
        return timeline

    @classmethod
    def of_row(cls, model: type[Model], pk: Any) -> "Timeline":
        """What the row's own form can change: the row, and a table's accesses and indexes."""
        return cls.of_rows(model, [pk])

    @classmethod
    def of_rows(cls, model: type[Model], pks: list[Any]) -> "Timeline":
        """The same of several rows at once."""
        # What is no number is no row's id, and neither is 0.
        found = [whole_number(str(pk)) or 0 for pk in pks]
        parts: list[tuple[Any, Q]] = [(entry_model(model), Q(id__in=found))]
        if model is Table:
            parts += [(entry_model(part), Q(table_id__in=found)) for part in (Access, SecondaryIndex)]
        return cls(found[0] if found else 0, parts)

    def exists(self) -> bool:
        """Whether there is any entry."""
        return any(model.objects.filter(which).exists() for model, which in self.parts)

    def has_entries_after(self, revision: int) -> bool:
        """Whether there is any entry after that revision: one query, for saves ask this under the lock."""
        first, *others = (
            model.objects.filter(which, change_set__gt=revision).order_by() for model, which in self.parts
        )
        return first.union(*others, all=True).exists()

    def last(self) -> EntryDescription | None:
        """What happened last to the thing itself."""
        model, which = self.parts[0]
        last = model.objects.filter(which).order_by("-history_id").first()
        return describe(last) if last else None

    def label(self) -> str:
        """What the thing was called last."""
        last = self.last()
        return last.label if last else ""

    def since(self, revision: int) -> list[TimelineGroup]:
        """The change sets after that revision, oldest first."""
        entries = [
            entry for model, which in self.parts for entry in model.objects.filter(which, change_set__gt=revision)
        ]
        return _grouped(sorted({entry.change_set_id for entry in entries}), entries)

    def page_for(self, query: Mapping[str, str], until: int | None = None) -> TimelinePage:
        """The page that an address asks for: ``?before=`` a revision, or more of ``?within=`` one, ``&after=`` a place.

        Nothing after the revision ``until``.
        """
        revision, after, before = (whole_number(query.get(name)) for name in ("within", "after", "before"))
        latest = _ENDLESS if until is None else until
        if revision is not None and revision <= latest and (group := self.within(revision, after or 0)):
            return TimelinePage([group], None, within=True)
        return self.page(min(before or _ENDLESS, latest + 1))

    def page(self, before: int | None = None, size: int = PAGE, fold: int | None = FOLD) -> TimelinePage:
        """The newest ``size`` change sets before that revision; a constant number of queries.

        Of a change set with more than ``fold`` entries the first are read; ``within`` gives the others.
        """
        revisions: set[int] = set()
        for model, which in self.parts:
            rows = model.objects.filter(which)
            if before is not None:
                rows = rows.filter(change_set__lt=before)
            revisions.update(
                rows.order_by("-change_set_id").values_list("change_set_id", flat=True).distinct()[: size + 1]
            )
        newest = sorted(revisions, reverse=True)
        shown = newest[:size]
        places = self._places(shown)
        wanted = [place for of_one in places.values() for place in of_one[:fold]]
        groups = _grouped(shown, _read(wanted), {revision: len(of_one) for revision, of_one in places.items()})
        return TimelinePage(groups, shown[-1] if len(newest) > size else None)

    def within(self, revision: int, after: int = 0, size: int = PAGE * 10) -> TimelineGroup | None:
        """Some of its entries in one change set, from the place after that one; None where it has none there."""
        places = [one for one in self._places([revision])[revision] if one[0] > after]
        if not places:
            return None
        [group] = _grouped([revision], _read(places[:size]), {revision: len(places)})
        return group

    def _places(self, revisions: list[int]) -> dict[int, list[tuple[int, Any, int]]]:
        """Where the entries stand, by change set, in order: (sequence, historical model, its key).

        Once each: what a service lost was its own, too.
        """
        found = {
            (revision, sequence, model, pk)
            for model, which in self.parts
            for revision, sequence, pk in model.objects.filter(which, change_set__in=revisions)
            .order_by()
            .values_list("change_set_id", "sequence", "pk")
        }
        places: dict[int, list[tuple[int, Any, int]]] = {revision: [] for revision in revisions}
        for revision, *place in sorted(found, key=lambda one: one[:2]):
            places[revision].append(tuple(place))
        return places


def in_short(revisions: list[int], size: int = 3) -> dict[int, TimelineGroup]:
    """Some entries of each of these change sets, and how many others it has; a constant number of queries.

    They are its first ones; or, where it ends in a deletion, its last ones backwards: what hung on a row went first.
    """
    sets = _change_sets(revisions)
    which = Q(change_set__in=revisions, sequence__lte=size)
    for revision, (_, number) in sets.items():
        if number > size:
            which |= Q(change_set=revision, sequence__gt=number - size)
    entries: dict[int, list[Any]] = {revision: [] for revision in revisions}
    for entry in sorted((one for model in entry_models() for one in model.objects.filter(which)), key=_place):
        entries[entry.change_set_id].append(entry)
    groups = {}
    for revision, some in entries.items():
        change, number = sets[revision]
        ends_in_deletion = number > size and some[-1].history_type == DELETED
        told = some[: -size - 1 : -1] if ends_in_deletion else some[:size]
        groups[revision] = TimelineGroup(change, [describe(one) for one in told], elsewhere=number - len(told))
    return groups


def change_set_entries(revision: int, after: int = 0, size: int = 200) -> tuple[list[EntryDescription], int | None]:
    """Some entries of a change set in order, from the place after that one; and where to go on, None at the end."""
    entries: list[Any] = []
    for model in entry_models():
        entries += model.objects.filter(change_set=revision, sequence__gt=after).order_by("sequence")[: size + 1]
    entries.sort(key=_place)
    return [describe(entry) for entry in entries[:size]], entries[size - 1].sequence if len(entries) > size else None


def _read(places: list[tuple[int, Any, int]]) -> list[Any]:
    """The entries of these places; a query per historical model, or for five hundred of one."""
    by_model: dict[Any, list[int]] = {}
    for _, model, pk in places:
        by_model.setdefault(model, []).append(pk)
    return [
        entry
        for model, pks in by_model.items()
        for part in in_batches(pks)
        for entry in model.objects.filter(pk__in=part)
    ]


def _grouped(revisions: list[int], entries: list[Any], numbers: dict[int, int] | None = None) -> list[TimelineGroup]:
    """Change sets with these entries; ``numbers`` says how many each has that are asked about, if not just these."""
    sets = _change_sets(revisions)
    by_revision: dict[int, list[Any]] = {revision: [] for revision in revisions}
    for entry in sorted(entries, key=_place):
        by_revision[entry.change_set_id].append(entry)
    groups = []
    for revision, some in by_revision.items():
        asked = numbers[revision] if numbers else len(some)
        change, all_of_it = sets[revision]
        groups.append(TimelineGroup(change, [describe(one) for one in some], asked - len(some), all_of_it - asked))
    return groups


def _change_sets(revisions: list[int]) -> dict[int, tuple[ChangeSet, int]]:
    """The change sets, with what undid them; and how many entries each has."""
    last = {
        str(model._meta.model_name): Subquery(
            model.objects.filter(change_set=OuterRef("pk")).order_by("-sequence").values("sequence")[:1]
        )
        for model in entry_models()
    }
    sets = ChangeSet.objects.prefetch_related("undone_by").annotate(**last).in_bulk(revisions)
    return {pk: (change, max(getattr(change, name) or 0 for name in last)) for pk, change in sets.items()}


def _place(entry: Any) -> int:
    return entry.sequence
