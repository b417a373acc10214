"""What is near a name that nothing has."""

from difflib import SequenceMatcher
from heapq import nsmallest
from operator import itemgetter
from typing import Any

from ownership.models import Service, Table

NEAR = 5
# How many names are compared letter by letter, after pairs of letters told which are worth it.
_COMPARED = 30
_SIMILAR = 0.55


def near(name: str) -> list[tuple[str, Any]]:
    """Tables and services whose names are like this one, most alike first, as (kind, row); two queries."""
    low = name[:255].lower()  # no name is longer
    pairs = [low[n : n + 2] for n in range(len(low) - 1)] or [low]
    known = []
    for model in (Table, Service):
        for other in model.objects.order_by().values_list("name", flat=True):
            lower = other.lower()
            if shared := sum(map(lower.__contains__, pairs)):
                known.append((-shared / (len(low) + len(lower)), other, model))
    closest = nsmallest(_COMPARED, known, key=itemgetter(0, 1))
    ratios = [(-SequenceMatcher(None, low, other.lower()).ratio(), other, model) for _, other, model in closest]
    best = [one for one in sorted(ratios, key=itemgetter(0, 1)) if -one[0] >= _SIMILAR][:NEAR]
    # An address is made of the name alone: the rows need not be fetched.
    return [(str(model._meta.verbose_name), model(name=other)) for _, other, model in best]
