"""Names similar to one that nothing on the map has."""

from functools import lru_cache

from rapidfuzz import fuzz, process

from ownership.catalog.past_names import NAMED_MODELS, Named
from ownership.history import time_travel
from ownership.history.head import Head
from ownership.history.models import current_head
from ownership.models import Service, Table, TableGroup

MAX_SIMILAR = 5
# Per cent of the letters of both names that they have in common, in the same order.
MIN_SIMILARITY = 55
LONGEST_NAME = 255


def similar_names(name: str) -> list[tuple[str, Table | Service | TableGroup]]:
    """Return tables, services and groups with similar names as (kind, row), the most similar first.

    The rows are not fetched: they hold a name and nothing else, which is enough to make an address. At most four
    queries.
    """
    known = _names() if time_travel.looks_back() else _names_at(current_head())
    matches = process.extract(
        name[:LONGEST_NAME].lower(),
        [other.lower() for other, _ in known],
        scorer=fuzz.ratio,
        score_cutoff=MIN_SIMILARITY,
        limit=MAX_SIMILAR,
    )
    similar = []
    for _, _, number in matches:
        other, model = known[number]
        similar.append((str(model._meta.verbose_name), model(name=other)))
    return similar


@lru_cache(maxsize=1)
def _names_at(head: Head) -> list[tuple[str, Named]]:
    """Return all names of the latest revision, read once per revision."""
    return _names()


def _names() -> list[tuple[str, Named]]:
    names: list[tuple[str, Named]] = []
    for model in NAMED_MODELS:
        for name in model.objects.order_by().values_list("name", flat=True):
            names.append((name, model))
    return names
