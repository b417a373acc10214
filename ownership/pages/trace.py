"""Where the data of a table or service goes, and where it comes from: a column per hop."""

from typing import Any
from urllib.parse import urlencode

from ownership.catalog.trace import DEFAULT_DEPTH, MAX_DEPTH, MAX_ROWS, Trace, trace
from ownership.models import Service, Table
from ownership.pages.base import BadAddress, Page
from ownership.pages.former_names import row_named

DIRECTIONS = ("downstream", "upstream")
# What the places of a hop are to those of the hop before, by direction and kind.
_HEADINGS = {
    (True, Table): "Tables written",
    (True, Service): "Services that read them",
    (False, Table): "Tables read",
    (False, Service): "Services that write them",
}


class _TracePage(Page):
    template_name = "ownership/trace.html"
    model: Any = None
    related = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the trace, hop by hop, and addresses of it in the other direction and at other depths."""
        direction, depth = (
            self.request.GET.get("direction", DIRECTIONS[0]),
            self.request.GET.get("depth", str(DEFAULT_DEPTH)),
        )
        if direction not in DIRECTIONS:
            raise BadAddress(f"direction takes {' or '.join(DIRECTIONS)}, not {direction!r}.")
        if depth not in map(str, range(1, MAX_DEPTH + 1)):
            raise BadAddress(f"depth takes a whole number from 1 to {MAX_DEPTH}, not {depth!r}.")
        start = row_named(self.model.objects.select_related(self.related), kwargs["name"], self.request)
        found = trace(start, downstream=direction == DIRECTIONS[0], depth=int(depth))
        return super().get_context_data(**kwargs) | {
            "start": start,
            "kind": self.model._meta.verbose_name,
            "downstream": found.downstream,
            "trace": found,
            "hops": _hops(found),
            "reached": _reached(found),
            "most": MAX_ROWS,
            "directions": [(one, one == direction, self._address(one, depth)) for one in DIRECTIONS],
            "depths": [
                (number, str(number) == depth, self._address(direction, number))
                for number in range(1, min(int(depth) + 1, MAX_DEPTH) + 1)
            ],
        }

    def _address(self, direction: str, depth: int | str) -> str:
        moment = {"revision": self.moment["revision"]} if self.moment else {}
        return f"?{urlencode({'direction': direction, 'depth': depth, **moment})}"


def _hops(found: Trace) -> list[dict[str, Any]]:
    """Each hop after the start: its heading, the places that are new there, and those that an earlier hop had."""
    return [
        {
            "number": number,
            "heading": _heading(found, number),
            "tables": isinstance(places[0].row, Table),
            "new": [place for place in places if not place.again],
            "again": [place for place in places if place.again],
            "accesses": [access for place in places for access in place.accesses],
        }
        for number, places in enumerate(found.hops)
        if number
    ]


def _heading(found: Trace, number: int) -> str:
    words = _HEADINGS[(found.downstream, type(found.hops[number][0].row))]
    return words.replace("them", "it") if len(found.hops[number - 1]) == 1 else words


def _reached(found: Trace) -> dict[str, int]:
    """How many places beyond the start the trace comes to, by kind."""
    places = [place.row for hop in found.hops[1:] for place in hop if not place.again]
    return {
        "services": sum(isinstance(row, Service) for row in places),
        "tables": sum(isinstance(row, Table) for row in places),
    }


class TableTracePage(_TracePage):
    """From a table."""

    model = Table
    related = "owner"


class ServiceTracePage(_TracePage):
    """From a service and its parts."""

    model = Service
    related = "part_of"
