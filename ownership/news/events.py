"""What endpoints are sent: one change set at a time, with those of its entries that pass the filters.

There is no queue beside the history: change sets are written in commit order, in one transaction with what they
change, and never deleted. So an endpoint's place is a revision, and what comes after that is still to be sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db.models import Min, Q

from ownership.audit import feed
from ownership.audit.timeline import Timeline
from ownership.history.models import ChangeSet, Entry, Selection, read_entries
from ownership.models import Endpoint

# Filters of endpoints, and the feed's parameters that they become.
FILTERS = {
    "only_table": "table",
    "only_service": "service",
    "only_group": "group",
    "only_changes": "kind",
    "only_user": "user",
    "only_source": "source",
}
# Entries of one change set that are sent; the others are at the link.
MOST_ENTRIES = 100


class UnusableFilter(ValueError):
    """One of the endpoint's filters asks for something that does not exist. The message says which."""


@dataclass(frozen=True)
class ChangeEvent:
    """A change set, its first entries for the endpoint, and how many more there are."""

    change_set: ChangeSet
    entries: list[Entry]
    left_out: int

    @property
    def id(self) -> str:
        """The same every time the event is sent; different in another history."""
        return str(feed.Cursor.after_all_of(self.change_set))


def filters_of(endpoint: Endpoint) -> dict[str, Any]:
    """The endpoint's filters as the feed's parameters; empty if it is sent all changes."""
    filters = {}
    for field, parameter in FILTERS.items():
        value = getattr(endpoint, field)
        if value:
            filters[parameter] = value
    return filters


def select_for(filters: dict[str, Any]) -> Selection:
    """The entries that pass an endpoint's filters; raises UnusableFilter."""
    kind = filters.get("kind")
    if kind is not None and kind not in feed.CHANGE_KINDS:
        raise UnusableFilter(f"“{kind}” is not a kind of change: choose another filter.")
    try:
        return feed.select(**filters)
    except feed.UnknownName as error:
        raise UnusableFilter(f"{error} Choose another filter.") from error


def next_event(endpoint: Endpoint, after: int, until: int) -> ChangeEvent | None:
    """The first event for the endpoint after a revision; None if there is none up to ``until``.

    Raises UnusableFilter.
    """
    filters = filters_of(endpoint)
    if not filters:
        # Every change set has entries, and revisions have no gaps.
        return whole_event(after + 1) if after < until else None
    selection = select_for(filters)
    if not Timeline(list(selection.items())).has_entries_after(after):
        return None
    place = Q(change_set__gt=after, change_set__lte=until)
    revisions = []
    for model, condition in selection.items():
        entries = model.objects.filter(condition & place)
        revisions.append(entries.aggregate(first=Min("change_set_id"))["first"])
    first = min(filter(None, revisions), default=None)
    return event_of(selection, first) if first else None


def whole_event(revision: int) -> ChangeEvent:
    """A change set with all its entries. The latest are cached: many endpoints get them at once."""
    change_set = ChangeSet.objects.get(revision=revision)
    return _kept_event(revision, change_set.digest)


@lru_cache(maxsize=32)
def _kept_event(revision: int, digest: str) -> ChangeEvent:
    # The digest is part of the key, because another history may have the same revision.
    return event_of(feed.select(), revision)


def event_of(selection: Selection, revision: int) -> ChangeEvent:
    """That change set, with the entries that are selected."""
    filters = []
    for model, condition in selection.items():
        filters.append((model, condition & Q(change_set=revision)))
    entries = read_entries(filters, limit=MOST_ENTRIES + 1)
    left_out = 0
    if len(entries) > MOST_ENTRIES:
        number = sum(model.objects.filter(condition).count() for model, condition in filters)
        left_out = number - MOST_ENTRIES
    change_set = ChangeSet.objects.get(revision=revision)
    return ChangeEvent(change_set, entries[:MOST_ENTRIES], left_out)
