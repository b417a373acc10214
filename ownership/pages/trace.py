"""Where the data of a table or service goes, and where it comes from: a column per hop."""

from typing import Any
from urllib.parse import urlencode

from ownership.catalog.trace import DEFAULT_DEPTH, MAX_DEPTH, MAX_ROWS, Trace, trace
from ownership.models import Service, Table
from ownership.models.answerable import teams_by_service
from ownership.pages.base import BadAddress, Context, Page
from ownership.pages.former_names import row_named

DOWNSTREAM = "downstream"
DIRECTIONS = (DOWNSTREAM, "upstream")
# What the rows of a hop are to those of the hop before, by direction and kind.
_HEADINGS = {
    (True, Table): "Tables written",
    (True, Service): "Services that read them",
    (False, Table): "Tables read",
    (False, Service): "Services that write them",
}


class TracePage(Page):
    """The trace of `?direction=`, at most `?depth=` hops."""

    template_name = "ownership/trace.html"
    model: type[Table] | type[Service]
    related = ""

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: the trace, and its addresses in the other direction and at other depths."""
        direction = self.request.GET.get("direction", DOWNSTREAM)
        if direction not in DIRECTIONS:
            raise BadAddress(f"direction takes {' or '.join(DIRECTIONS)}, not “{direction}”.")
        depth = _depth(self.request.GET.get("depth", str(DEFAULT_DEPTH)))
        start = row_named(
            self.model.objects.select_related(self.related), kwargs["name"], self.request
        )
        result = trace(start, downstream=direction == DOWNSTREAM, depth=depth)
        directions = []
        for other in DIRECTIONS:
            directions.append((other, other == direction, self._address(other, depth)))
        depths = []
        for number in range(1, min(depth + 1, MAX_DEPTH) + 1):
            depths.append((number, number == depth, self._address(direction, number)))
        return super().get_context_data(**kwargs) | {
            "start": start,
            "teams": teams_by_service(),
            "kind": self.model._meta.verbose_name,
            "downstream": result.downstream,
            "trace": result,
            "hops": _hops(result),
            "reached": _reached(result),
            "most": MAX_ROWS,
            "directions": directions,
            "depths": depths,
        }

    def _address(self, direction: str, depth: int) -> str:
        parameters: dict[str, str | int] = {"direction": direction, "depth": depth}
        if self.moment:
            parameters["revision"] = self.moment.revision
        return f"?{urlencode(parameters)}"


def _depth(text: str) -> int:
    depths = {str(number): number for number in range(1, MAX_DEPTH + 1)}
    if text not in depths:
        raise BadAddress(f"depth takes a whole number from 1 to {MAX_DEPTH}, not “{text}”.")
    return depths[text]


def _hops(result: Trace) -> list[Context]:
    """Return each hop after the start: its heading, the rows new there, and those that an earlier hop reached."""
    hops = []
    for number, stops in enumerate(result.hops[1:], 1):
        accesses = []
        for stop in stops:
            accesses += stop.accesses
        hop = {
            "number": number,
            "heading": _heading(result, number),
            "tables": isinstance(stops[0].row, Table),
            "new": [stop for stop in stops if not stop.again],
            "again": [stop for stop in stops if stop.again],
            "accesses": accesses,
        }
        hops.append(hop)
    return hops


def _heading(result: Trace, number: int) -> str:
    kind = type(result.hops[number][0].row)
    heading = _HEADINGS[result.downstream, kind]
    if len(result.hops[number - 1]) == 1:
        heading = heading.replace("them", "it")
    return heading


def _reached(result: Trace) -> dict[str, int]:
    """Return how many services and tables the trace reaches beyond its start."""
    counts = {"services": 0, "tables": 0}
    for stops in result.hops[1:]:
        for stop in stops:
            if not stop.again:
                counts["services" if isinstance(stop.row, Service) else "tables"] += 1
    return counts


class TableTracePage(TracePage):
    """The trace from a table."""

    model = Table
    related = "owner"


class ServiceTracePage(TracePage):
    """The trace from a service and its parts."""

    model = Service
    related = "part_of"
