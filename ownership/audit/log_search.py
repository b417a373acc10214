"""Searching the log: names that things have or had, changed values, reasons and people.

Names, reasons and people are found however old they are, by the database's own index for parts of texts. Values are
looked for among the latest ``VALUES_SEARCHED`` entries of each kind, because an index over all of them would be
larger than the history itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.db.models import F, Q, Subquery

from ownership.audit.text_index import TextsInside, contained, newest_with
from ownership.audit.timeline import EntryPlace
from ownership.history.models import ChangeSet, Entry, entry_models

MAX_WORDS = 6
LONGEST_SEARCH = 120
# Matches of each kind that are read, the newest first.
MAX_MATCHES = 2_000
VALUES_SEARCHED = 20_000
CHANGE_SET_TEXTS = ("reason", "user_name")
ENTRY_TEXTS = ("label",)


@dataclass(frozen=True)
class Matches:
    """The change sets that a text was found in: {revision: the entries that contain it, none where it is the reason
    or the person}. ``cut`` where there may be older ones.
    """

    places: dict[int, list[EntryPlace]]
    cut: bool


def indexed_history_texts() -> dict[type[models.Model], tuple[str, ...]]:
    """The texts of history that have an index."""
    texts: dict[type[models.Model], tuple[str, ...]] = {ChangeSet: CHANGE_SET_TEXTS}
    for model in entry_models():
        texts[model] = ENTRY_TEXTS
    return texts


def find(text: str) -> Matches:
    """The change sets in which every word of the text occurs in one entry, or in the reason and the person's name.

    A fixed number of queries.
    """
    words = text[:LONGEST_SEARCH].split()[:MAX_WORDS]
    places: dict[int, set[EntryPlace]] = {}
    change_sets = list(
        newest_with(ChangeSet, CHANGE_SET_TEXTS, words, MAX_MATCHES).values_list("pk", flat=True)
    )
    for revision in change_sets:
        places[revision] = set()
    cut = len(change_sets) == MAX_MATCHES
    for model in entry_models():
        named = list(_rows(newest_with(model, ENTRY_TEXTS, words, MAX_MATCHES)))
        valued = list(_rows(_newest_with_values(model, words)))
        cut = cut or MAX_MATCHES in (len(named), len(valued))
        for revision, sequence, pk in named + valued:
            places.setdefault(revision, set()).add(EntryPlace(sequence, model, pk))
    in_order = {}
    for revision, some in places.items():
        in_order[revision] = sorted(some, key=lambda place: place.sequence)
    return Matches(in_order, cut)


def _rows(entries: models.QuerySet) -> models.QuerySet:
    return entries.values_list("change_set_id", "sequence", "pk")


def _newest_with_values(model: type[Entry], words: list[str]) -> models.QuerySet:
    """The latest entries whose label or values contain every word."""
    newest = model.objects.order_by("-pk").values("pk")[:1]
    condition = Q(pk__gt=Subquery(newest) - VALUES_SEARCHED)
    for word in words:
        condition &= contained(("label", "values_text"), word)
    entries = model.objects.annotate(values_text=TextsInside(F("changes")))
    return entries.filter(condition).order_by("-pk")[:MAX_MATCHES]
