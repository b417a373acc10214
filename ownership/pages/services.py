"""A service's page: what it owns, reads and writes, its parts, and whom to ask."""

from typing import Any

from ownership import granted
from ownership.models import READS, WRITES, Access, Mode, Service, Table
from ownership.pages.base import Page
from ownership.pages.history import lately
from ownership.pages.names import namesakes_of, renamed, row_named
from ownership.pages.picture import Neighbour, Picture, Side, picture
from ownership.timeline import Timeline

_ORDER = ("table__group__position", "table__position", "table__name")


class ServicePage(Page):
    """One service, by name."""

    template_name = "ownership/service.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the service, its tables and parts; its history for those who are signed in."""
        service = row_named(Service.objects.select_related("part_of"), kwargs["name"], self.request)
        accesses = list(service.accesses.select_related("table__owner").order_by(*_ORDER))
        parts = list(service.parts.all())
        of_parts = Access.objects.filter(service__in=parts).select_related("table__owner", "service")
        return super().get_context_data(**kwargs) | {
            "service": service,
            "owned": list(service.owned_tables.all()),
            "accesses": accesses,
            "parts": parts,
            "accesses_of_parts": list(of_parts.order_by("service__name", *_ORDER)),
            "picture": _picture(service, accesses),
            "renamed": renamed(service, self.request.GET.get("was", ""), self.request),
            "namesakes": namesakes_of(service) if self.request.user.is_authenticated else [],
            # Drift takes a sign-in, and the runs are of today's infrastructure.
            "granted": granted.of_service(service) if self.request.user.is_authenticated and not self.moment else [],
            "latest": lately(self, Timeline.of(Service, service.pk)),
        }


def _picture(service: Service, accesses: list[Access]) -> Picture:
    def column(modes: tuple[Mode, ...]) -> list[Neighbour]:
        found = [access for access in accesses if access.mode in modes]
        # What it both reads and writes comes first, its own before all: in the same row of both columns.
        found.sort(key=lambda a: (a.table.owner_id != service.pk, a.mode != Mode.READ_WRITE))
        return [_neighbour(service, access) for access in found]

    return picture(
        service.name,
        "service",
        Side("Reads", column(READS), "Reads no table"),
        Side("Writes", column(WRITES), "Writes no table"),
    )


def _neighbour(service: Service, access: Access) -> Neighbour:
    table: Table = access.table
    remarks = ["owned"] if table.owner_id == service.pk else []
    remarks += ["read and written"] if access.mode == Mode.READ_WRITE else []
    remarks += ["indirect"] if access.indirect else []
    path = access.notes if access.indirect else ""
    return Neighbour(table.name, table.get_absolute_url(), tuple(remarks), access.indirect, path)
