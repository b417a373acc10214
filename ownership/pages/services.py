"""A service's page: what it owns, reads and writes, its parts, and whom to ask."""

from functools import partial
from typing import Any

from django.core.paginator import Paginator

from ownership.audit.timeline import Timeline
from ownership.findings import declared_vs_granted
from ownership.models import READS, WRITES, Access, Mode, Service, Table
from ownership.pages.base import Page
from ownership.pages.data_flow import Neighbour, Picture, Side, picture, side_of
from ownership.pages.former_names import namesakes_of, renamed, row_named
from ownership.pages.history import lately

ACCESSES_A_PAGE = 100
OWNED_A_PAGE = 100
OF_PARTS = 100  # accesses of its parts; these have pages of their own
_ORDER = ("table__group__position", "table__position", "table__name")


class ServicePage(Page):
    """One service, by name."""

    template_name = "ownership/service.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the service, its tables and parts; its history for those who are signed in."""
        service = row_named(Service.objects.select_related("part_of"), kwargs["name"], self.request)
        accesses = list(service.accesses.select_related("table").order_by(*_ORDER))
        page = Paginator(accesses, ACCESSES_A_PAGE).get_page(self.request.GET.get("page"))
        owned = Paginator(service.owned_tables.all(), OWNED_A_PAGE).get_page(self.request.GET.get("owned"))
        parts = list(service.parts.all())
        rows = Access.objects.filter(service__in=parts).select_related("table", "service")
        of_parts = list(rows.order_by("service__name", *_ORDER))
        return super().get_context_data(**kwargs) | {
            "service": service,
            "owned": owned,
            "page": page,
            "accesses": page.object_list,
            "parts": parts,
            "accesses_of_parts": of_parts[:OF_PARTS],
            "more_of_parts": len(of_parts) - OF_PARTS,
            "picture": _picture(service, accesses),
            "renamed": renamed(service, self.request.GET.get("was", ""), self.request),
            "namesakes": namesakes_of(service) if self.request.user.is_authenticated else [],
            # Drift takes a sign-in, and the runs are of today's infrastructure.
            "granted": declared_vs_granted.of_service(service)
            if self.request.user.is_authenticated and not self.moment
            else [],
            "latest": lately(self, Timeline.of(Service, service.pk)),
        }


def _picture(service: Service, accesses: list[Access]) -> Picture:
    def column(heading: str, modes: tuple[Mode, ...], nobody: str) -> Side:
        found = [access for access in accesses if access.mode in modes]
        # What it both reads and writes comes first, its own before all: in the same row of both columns.
        found.sort(key=lambda a: (a.table.owner_id != service.pk, a.mode != Mode.READ_WRITE))
        return side_of(heading, found, partial(_neighbour, service), nobody)

    return picture(
        service.name,
        "service",
        column("Reads", READS, "Reads no table"),
        column("Writes", WRITES, "Writes no table"),
    )


def _neighbour(service: Service, access: Access) -> Neighbour:
    table: Table = access.table
    remarks = ["owned"] if table.owner_id == service.pk else []
    remarks += ["read and written"] if access.mode == Mode.READ_WRITE else []
    remarks += ["indirect"] if access.indirect else []
    path = access.notes if access.indirect else ""
    return Neighbour(table.name, table.get_absolute_url(), tuple(remarks), access.indirect, path)
