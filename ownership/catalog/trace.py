"""Where data goes, and where it comes from: from a table or a service, access by access, hop by hop.

Downstream, a table's data goes to the services that read it, and a service's to the tables that it writes; upstream
it comes from the services that write the table, and from the tables that the service reads. That a service reads one
table and writes another does not prove that the one flows into the other: a trace is what may be affected.

A trace that starts from a service starts from its parts, too: who asks what a broken ``interactions`` affects means
all of it. Where a trace comes to ``interactions`` on its way, it goes on by the accesses of ``interactions`` alone: the
map says of each part what that reads and writes, and a hop stands on accesses.
"""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from ownership.models import READS, WRITES, Access, Service, Table

USUAL, DEEPEST = 4, 10
MOST = 500  # accesses and parts in one trace: nobody reads more, and a hop's query names no more ids than that


@dataclass
class Place:
    """A table or service as one hop mentions it, with the accesses that lead to it from the hop before.

    The start and its parts have none. ``first`` is the hop that reached the place
    first; the trace goes on from that mention alone, so that it ends also where data goes in a circle.
    """

    row: Table | Service
    hop: int
    first: int
    accesses: list[Access] = field(default_factory=list)

    @property
    def direct(self) -> list[Access]:
        """Those of its accesses that are the service's own."""
        return [access for access in self.accesses if not access.indirect]

    @property
    def indirect(self) -> list[Access]:
        """Those that go by way of another service's code."""
        return [access for access in self.accesses if access.indirect]

    @property
    def again(self) -> bool:
        """Whether an earlier hop was here already."""
        return self.first < self.hop


@dataclass
class Trace:
    """Hop 0 is the start with its parts; then tables and services by turns, as many hops as there are, or ``depth``.

    Each access is crossed once: one that reads and writes does not lead back over itself. Not ``complete`` means that
    the last hop is cut off, for there are more than ``MOST`` accesses.
    """

    start: Table | Service
    downstream: bool
    depth: int
    hops: list[list[Place]] = field(default_factory=list)
    complete: bool = True


def trace(start: Table | Service, *, downstream: bool, depth: int) -> Trace:
    """Follow the data from a saved row. One query per hop, and for a service one per level of its parts."""
    return _Tracer(Trace(start, downstream, depth)).run()


class _Tracer:
    """One trace being made: which hop reached what first, which accesses were crossed, and how much room is left."""

    def __init__(self, result: Trace) -> None:
        self.result = result
        self.first: dict[tuple[type, int], int] = {}
        self.crossed: list[int] = []
        self.room = MOST

    def run(self) -> Trace:
        """Hop by hop until the depth, the bound, or a hop that comes to nothing new."""
        hops = self.result.hops
        hops.append([self._place(row, 0) for row in self._start()])
        while len(hops) <= self.result.depth and self.result.complete:
            new = [place.row for place in hops[-1] if not place.again]
            places = self._next(new, len(hops)) if new else []
            if not places:
                break
            hops.append(places)
        return self.result

    def _start(self) -> list[Table | Service]:
        """The row that was asked for; of a service its parts, too, and the parts of these."""
        found = level = [self.result.start]
        while level and isinstance(self.result.start, Service):
            known = [row.pk for row in found]
            parts = Service.objects.filter(part_of__in=[row.pk for row in level]).exclude(pk__in=known)
            level = self._fitting(parts.select_related("part_of"))
            found = found + level
        return found

    def _place(self, row: Table | Service, hop: int) -> Place:
        return Place(row, hop, self.first.setdefault((type(row), row.pk), hop))

    def _next(self, rows: list[Table | Service], hop: int) -> list[Place]:
        """The other ends of the rows' accesses, each once, in the map's order; services by name."""
        to_services = isinstance(rows[0], Table)
        source, target = ("table", "service") if to_services else ("service", "table")
        order = ["service__name"] if to_services else []
        accesses = (
            Access.objects.filter(
                **{f"{source}__in": [row.pk for row in rows]},
                mode__in=READS if to_services == self.result.downstream else WRITES,
            )
            .exclude(pk__in=self.crossed)
            .select_related("table__owner", "service__part_of")
            .order_by(*order, *(f"table__{name}" for name in Table._meta.ordering or ()), "position", "service__name")
        )
        places: dict[int, Place] = {}
        for access in self._fitting(accesses):
            row = getattr(access, target)
            place = places.get(row.pk) or places.setdefault(row.pk, self._place(row, hop))
            place.accesses.append(access)
            self.crossed.append(access.pk)
        return list(places.values())

    def _fitting(self, rows: QuerySet) -> list[Any]:
        """As many of them as there is room for."""
        found = list(rows[: self.room + 1])
        if len(found) > self.room:
            self.result.complete = False
        found = found[: self.room]
        self.room -= len(found)
        return found
