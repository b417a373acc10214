"""What endpoints are sent: one change set at a time, with those of its entries that pass the filters.

There is no queue beside the history: change sets are written in commit order, in one transaction with what they
change, and never deleted. So an endpoint's place is a revision, and what comes after that is still to be sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.db.models import Min, Q

from ownership.audit import feed
from ownership.audit.timeline import Timeline
from ownership.history.models import ChangeSet, Entry, Selection, read_entries
from ownership.models import Endpoint

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


def select_for(endpoint: Endpoint) -> Selection:
    """The entries that pass the endpoint's filters; raises UnusableFilter."""
    kind = endpoint.only_changes or None
    if kind is not None and kind not in feed.CHANGE_KINDS:
        raise UnusableFilter(f"“{kind}” is not a kind of change: choose another filter.")
    try:
        return feed.select(
            table=endpoint.only_table or None,
            service=endpoint.only_service or None,
            group=endpoint.only_group or None,
            kind=kind,
            user=endpoint.only_user or None,
            source=endpoint.only_source or None,
        )
    except feed.UnknownName as error:
        raise UnusableFilter(f"{error} Choose another filter.") from error


def next_event(endpoint: Endpoint, after: int, until: int) -> ChangeEvent | None:
    """The first event for the endpoint after a revision; None if there is none up to ``until``.

    Raises UnusableFilter.
    """
    if not has_filters(endpoint):
        # Every change set has entries, and revisions have no gaps.
        return whole_event(after + 1) if after < until else None
    selection = select_for(endpoint)
    if not Timeline(list(selection.items())).has_entries_after(after):
        return None
    place = Q(change_set__gt=after, change_set__lte=until)
    revisions = []
    for model, condition in selection.items():
        first = model.objects.filter(condition & place).aggregate(first=Min("change_set_id"))[
            "first"
        ]
        if first is not None:
            revisions.append(first)
    if not revisions:
        return None
    return event_of(selection, min(revisions))


def has_filters(endpoint: Endpoint) -> bool:
    """Whether it is sent only some of the changes."""
    return any(getattr(endpoint, name) for name in Endpoint.FILTERS)


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
