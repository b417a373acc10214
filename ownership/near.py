"""What is near a name that nothing has."""

from typing import Any

from rapidfuzz import fuzz, process

from ownership.models import Service, Table

NEAR = 5
SIMILAR = 55  # per cent of the letters of both that stand in both in the same order


def near(name: str) -> list[tuple[str, Any]]:
    """Tables and services whose names are like this one, most alike first, as (kind, row); two queries."""
    known: list[tuple[str, Any]] = []
    for model in (Table, Service):
        known += [(other, model) for other in model.objects.order_by().values_list("name", flat=True)]
    names = [other.lower() for other, _ in known]
    # No name is longer than 255.
    alike = process.extract(name[:255].lower(), names, scorer=fuzz.ratio, score_cutoff=SIMILAR, limit=NEAR)
    # An address is made of the name alone: the rows need not be fetched.
    return [(str(model._meta.verbose_name), model(name=other)) for other, model in (known[at] for _, _, at in alike)]
