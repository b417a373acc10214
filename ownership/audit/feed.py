"""The change feed: entries in commit order, page by page, for whoever follows the registry.

A cursor names the place after an entry: ``41`` (all of revision 41), ``41.2000`` (its first 2,000 entries),
and with ``-`` and the beginning of revision 41's digest, which tells our history from another's.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from ownership.audit.timeline import CHANGE_KINDS
from ownership.history.models import ChangeSet, entry_model, entry_models
from ownership.models import Access, SecondaryIndex, Service, Table, TableGroup, Waiver

DIGEST_SHOWN = 12
_CURSOR = re.compile(r"(\d{1,18})(?:\.(\d{1,9}))?(?:-([0-9a-f]{12}))?", re.ASCII)
# Greater than any place in a change set.
_ALL = 10**9

Parts = dict[Any, Q]


class BadCursor(ValueError):
    """The text is no cursor."""


class ForeignCursor(ValueError):
    """The cursor comes from a history that is not this one any more; start again from the map."""


class UnknownName(ValueError):
    """Nothing of that kind ever had the name."""


@dataclass(frozen=True)
class Cursor:
    """The place after which to go on: a revision, and how many of its entries are known."""

    revision: int
    sequence: int
    digest: str

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Raises BadCursor for text that is none, ForeignCursor for a place that this history does not have."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise BadCursor("Takes a revision, or the `next` of an answer.")
        revision = int(match[1])
        known = ChangeSet.objects.filter(revision=revision).values_list("digest", flat=True).first()
        if revision and (known is None or (match[3] and not known.startswith(match[3]))):
            raise ForeignCursor("This cursor is not of this history any more: read the map anew, then follow it.")
        return cls(revision, int(match[2]) if match[2] else _ALL, (known or "")[:DIGEST_SHOWN])

    def __str__(self) -> str:
        place = "" if self.sequence == _ALL else f".{self.sequence}"
        return f"{self.revision}{place}-{self.digest}" if self.revision else "0"


@dataclass(frozen=True)
class FeedPage:
    """Change sets with (some of) their entries, in commit order; ``next`` goes on after them."""

    changes: list[tuple[ChangeSet, list[Any]]]
    next: Cursor
    has_more: bool


def read(after: Cursor, limit: int, parts: Parts) -> FeedPage:
    """The first ``limit`` entries after the cursor: one query per part, one for the change sets, one for the head.

    Nothing that commits later can come before what this returns, for revisions are given in commit order.
    """
    head = ChangeSet.objects.order_by("-revision").first()
    if head is None:
        return FeedPage([], after, False)
    place = Q(change_set__gte=after.revision, change_set__lte=head.revision) & (
        Q(change_set__gt=after.revision) | Q(sequence__gt=after.sequence)
    )
    found = [
        entry
        for model, which in parts.items()
        for entry in model.objects.filter(which, place).order_by("change_set_id", "sequence")[: limit + 1]
    ]
    found.sort(key=lambda entry: (entry.change_set_id, entry.sequence))
    shown = found[:limit]
    sets = ChangeSet.objects.in_bulk({entry.change_set_id for entry in shown})
    changes: list[tuple[ChangeSet, list[Any]]] = []
    for entry in shown:
        if not changes or changes[-1][0].revision != entry.change_set_id:
            changes.append((sets[entry.change_set_id], []))
        changes[-1][1].append(entry)
    if len(found) <= limit:
        return FeedPage(changes, Cursor(head.revision, _ALL, head.digest[:DIGEST_SHOWN]), False)
    last = shown[-1]
    return FeedPage(changes, Cursor(last.change_set_id, last.sequence, changes[-1][0].digest[:DIGEST_SHOWN]), True)


def select(
    *,
    table: str | None = None,
    service: str | None = None,
    group: str | None = None,
    kind: str | None = None,
    user: str | None = None,
    source: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Parts:
    """Which entries of which historical models are asked for; all of them without a filter.

    Names may be those that a thing once had. Raises UnknownName for one that nothing ever had.
    """
    every = Q()
    if user is not None:
        every &= Q(change_set__user_name=user)
    if source is not None:
        every &= Q(change_set__source=source)
    if since is not None:
        every &= Q(change_set__time__gte=since)
    if until is not None:
        every &= Q(change_set__time__lt=until)
    parts: Parts = dict.fromkeys(entry_models(), every)
    narrower = []
    if table is not None:
        narrower.append(_hanging_on(_ids(Table, table)))
    if service is not None:
        ids = _ids(Service, service)
        given = Q(gained_by__in=ids) | Q(lost_by__in=ids)
        narrower.append(
            {
                entry_model(Service): Q(id__in=ids) | given,
                entry_model(Access): Q(service_id__in=ids) | given,
                entry_model(Table): given,
                entry_model(Waiver): Q(service_id__in=ids),
            }
        )
    if group is not None:
        ids = _ids(TableGroup, group)
        tables = entry_model(Table).objects.filter(group_id__in=ids).values("id")
        narrower.append(
            _hanging_on(tables) | {entry_model(TableGroup): Q(id__in=ids), entry_model(Table): Q(group_id__in=ids)}
        )
    if kind is not None:
        narrower.append(dict(CHANGE_KINDS[kind].parts()))
    for narrow in narrower:
        parts = {model: which & narrow[model] for model, which in parts.items() if model in narrow}
    return parts


def _hanging_on(table_ids: Any) -> Parts:
    """Entries of tables, and of their accesses, indexes and waivers."""
    return {
        entry_model(Table): Q(id__in=table_ids),
        entry_model(Access): Q(table_id__in=table_ids),
        entry_model(SecondaryIndex): Q(table_id__in=table_ids),
        entry_model(Waiver): Q(table_id__in=table_ids),
    }


def id_named(model: Any, name: str) -> int | None:
    """Id of the row that has the name, or else had it last; None where none ever had."""
    live = model.objects.filter(name=name).values_list("pk", flat=True).first()
    return live or entry_model(model).objects.filter(name=name).values_list("id", flat=True).first()


def _ids(model: Any, name: str) -> list[int]:
    ids = list(entry_model(model).objects.filter(name=name).order_by("id").values_list("id", flat=True).distinct())
    if not ids:
        raise UnknownName(f"No {model._meta.verbose_name} has, or ever had, this name.")
    return ids
