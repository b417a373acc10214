"""What is near a name that nothing has."""

from functools import lru_cache
from typing import Any

from rapidfuzz import fuzz, process

from ownership.history import time_travel
from ownership.models import Service, Table, TableGroup

NEAR = 5
SIMILAR = 55  # per cent of the letters of both that stand in both in the same order


def near(name: str) -> list[tuple[str, Any]]:
    """What is called like this, most alike first, as (kind, row): tables, services, groups; at most four queries."""
    known = _names() if time_travel.looks_back() else _names_at(time_travel.head())
    # No name is longer than 255.
    lower = [other.lower() for other, _ in known]
    alike = process.extract(name[:255].lower(), lower, scorer=fuzz.ratio, score_cutoff=SIMILAR, limit=NEAR)
    # An address is made of the name alone: the rows need not be fetched.
    return [(str(model._meta.verbose_name), model(name=other)) for other, model in (known[at] for _, _, at in alike)]


@lru_cache(maxsize=1)
def _names_at(head: time_travel.Head) -> list[tuple[str, Any]]:
    """Those of the latest revision, read once for it."""
    return _names()


def _names() -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for model in (Table, Service, TableGroup):
        found += [(name, model) for name in model.objects.order_by().values_list("name", flat=True)]
    return found
