"""Tracing the data: from a table or a service, access by access, hop by hop.

Downstream, a table's data goes to the services that read it, and a service's data to the tables that it writes.
Upstream, a table's data comes from the services that write it, and a service's data from the tables that it reads.
A service that reads one table and writes another need not copy data between them: a trace shows what may be affected.

A trace that starts from a service also starts from its parts, because whoever asks what a broken ``interactions``
affects means all of it. Where a trace reaches ``interactions`` on its way, it continues by the accesses of
``interactions`` alone: the map has accesses of its own for each part.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.db.models import Model, QuerySet

from ownership.models import READS, WRITES, Access, Service, Table

DEFAULT_DEPTH = 4
MAX_DEPTH = 10
# Accesses and parts in one trace: nobody reads more, and no query of a hop names more ids.
MAX_ROWS = 500

# The map's order of tables, for their accesses.
TABLE_ORDER = [f"table__{name}" for name in Table._meta.ordering or ()]

Row = TypeVar("Row", bound=Model)


@dataclass
class TraceStop:
    """A table or service in one hop, with the accesses that lead to it from the hop before.

    The start and its parts have no accesses. ``first`` is the hop that reached the row first. The trace
    continues from there alone, so that it also ends where data goes in a circle.
    """

    row: Table | Service
    hop: int
    first: int
    accesses: list[Access] = field(default_factory=list)

    @property
    def direct(self) -> list[Access]:
        """The accesses by the service's own code."""
        return [access for access in self.accesses if not access.indirect]

    @property
    def indirect(self) -> list[Access]:
        """The accesses through another service's code."""
        return [access for access in self.accesses if access.indirect]

    @property
    def again(self) -> bool:
        """Whether an earlier hop reached the row already."""
        return self.first < self.hop


@dataclass
class Trace:
    """Hop 0 is the start with its parts; then tables and services take turns, at most ``depth`` hops.

    Each access is followed once, so that one that reads and writes does not lead back over itself. A trace that is
    not ``complete`` is cut off in its last hop, because it has more than ``MAX_ROWS`` rows.
    """

    start: Table | Service
    downstream: bool
    depth: int
    hops: list[list[TraceStop]] = field(default_factory=list)
    complete: bool = True


def trace(start: Table | Service, *, downstream: bool, depth: int) -> Trace:
    """Follow the data from a saved row. One query per hop, and for a service one per level of its parts."""
    return _Tracer(Trace(start, downstream, depth)).run()


class _Tracer:
    """A trace in the making: which hop reached a row first, the accesses followed, and how many rows may follow."""

    def __init__(self, result: Trace) -> None:
        self.result = result
        self.first_hops: dict[tuple[type, int], int] = {}
        self.followed: list[int] = []
        self.rows_left = MAX_ROWS

    def run(self) -> Trace:
        """Add hops until the depth or the bound is reached, or a hop leads nowhere new."""
        hops = self.result.hops
        stops = [self._stop(row, 0) for row in self._start_rows()]
        while stops:
            hops.append(stops)
            new_rows = [stop.row for stop in stops if not stop.again]
            is_last = len(hops) > self.result.depth or not self.result.complete
            if is_last or not new_rows:
                break
            stops = self._next_hop(new_rows, len(hops))
        return self.result

    def _start_rows(self) -> Sequence[Table | Service]:
        """Return the start, and where that is a service also its parts, and theirs."""
        start = self.result.start
        if isinstance(start, Table):
            return [start]
        services = level = [start]
        while level:
            parts = Service.objects.filter(part_of__in=level)
            parts = parts.exclude(pk__in=[service.pk for service in services])
            level = self._as_many_as_fit(parts.select_related("part_of"))
            services = services + level
        return services

    def _stop(self, row: Table | Service, hop: int) -> TraceStop:
        first_hop = self.first_hops.setdefault((type(row), row.pk), hop)
        return TraceStop(row, hop, first_hop)

    def _next_hop(self, rows: Sequence[Table | Service], hop: int) -> list[TraceStop]:
        """Return the other ends of the rows' accesses, each once, in the map's order; services by name."""
        to_services = isinstance(rows[0], Table)
        accesses = Access.objects.select_related("table__owner", "service__part_of")
        accesses = accesses.exclude(pk__in=self.followed)
        # Downstream, data leaves a table by reading and a service by writing; upstream it is the other way round.
        modes = READS if to_services == self.result.downstream else WRITES
        accesses = accesses.filter(mode__in=modes)
        row_ids = [row.pk for row in rows]
        if to_services:
            accesses = accesses.filter(table__in=row_ids)
            accesses = accesses.order_by("service__name", *TABLE_ORDER, "position")
        else:
            accesses = accesses.filter(service__in=row_ids)
            accesses = accesses.order_by(*TABLE_ORDER, "position", "service__name")

        stops: dict[int, TraceStop] = {}
        for access in self._as_many_as_fit(accesses):
            row = access.service if to_services else access.table
            if row.pk not in stops:
                stops[row.pk] = self._stop(row, hop)
            stops[row.pk].accesses.append(access)
            self.followed.append(access.pk)
        return list(stops.values())

    def _as_many_as_fit(self, rows: QuerySet[Row]) -> list[Row]:
        """Return as many rows as the bound leaves room for; where there are more, the trace is not complete."""
        fetched = list(rows[: self.rows_left + 1])
        if len(fetched) > self.rows_left:
            self.result.complete = False
            fetched.pop()
        self.rows_left -= len(fetched)
        return fetched
