"""Where data goes, and where it comes from: from a table or a service, access by access, hop by hop.

Downstream, a table's data goes to the services that read it, and a service's to the tables that it writes; upstream
it comes from the services that write the table, and from the tables that the service reads. That a service reads one
table and writes another does not prove that the one flows into the other: a trace is what may be affected.

A service's parts come along with it wherever it is reached, also as the start: an access of ``interactions`` is one of
some code in it, and who asks what a broken ``interactions`` affects means all of it. A part stands for itself alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ownership.models import Access, Mode, Service, Table

DEEPEST = 10
MOST = 500  # accesses and parts in one trace: nobody reads more, and a hop's query names no more ids than that

_READS = (Mode.READ, Mode.READ_WRITE)
_WRITES = (Mode.WRITE, Mode.READ_WRITE)


@dataclass
class Place:
    """A table or service as one hop mentions it, with the accesses that lead to it from the hop before.

    A part that comes along with its whole, and the start, have none. ``first`` is the hop that reached the place
    first; the trace goes on from that mention alone, so that it ends also where data goes in a circle.
    """

    row: Table | Service
    hop: int
    first: int
    accesses: list[Access] = field(default_factory=list)

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
    """Follow the data from a saved row. One query per hop, and one per level of parts where it comes to services."""
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
        start, hop = self.result.start, 0
        places = self._with_parts([self._place(start, 0)])
        while places:
            self.result.hops.append(places)
            new = [place.row for place in places if not place.again]
            hop += 1
            if not new or hop > self.result.depth or not self.result.complete:
                break
            places = self._next(new, hop)
        return self.result

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
                mode__in=_READS if to_services == self.result.downstream else _WRITES,
            )
            .exclude(pk__in=self.crossed)
            .select_related("table__owner", "service__part_of")
            .order_by(*order, "table__group__position", "table__position", "table__name", "position", "service__name")
        )
        places: dict[int, Place] = {}
        for access in self._fitting(accesses):
            row = getattr(access, target)
            place = places.get(row.pk) or places.setdefault(row.pk, self._place(row, hop))
            place.accesses.append(access)
            self.crossed.append(access.pk)
        return self._with_parts(list(places.values()))

    def _with_parts(self, places: list[Place]) -> list[Place]:
        """The places, and after them the parts of those services that are new, and the parts of these."""
        found = list(places)
        wholes = [place.row for place in places if isinstance(place.row, Service) and not place.again]
        while wholes:
            parts = Service.objects.filter(part_of__in=[row.pk for row in wholes]).select_related("part_of")
            mentioned = [place.row.pk for place in found]
            wholes = [row for row in self._fitting(parts.exclude(pk__in=mentioned)) if (Service, row.pk) not in self.first]
            found += [self._place(row, found[0].hop) for row in wholes]
        return found

    def _fitting(self, rows: Iterable) -> list:
        """As many of them as there is room for."""
        found = list(rows[: self.room + 1])  # type: ignore[index]
        if len(found) > self.room:
            self.result.complete = False
        found = found[: self.room]
        self.room -= len(found)
        return found
