"""A service's page: what it owns, reads and writes, its parts, and whom to contact."""

from typing import Any

from django.core.paginator import Paginator

from ownership.audit.timeline import Timeline
from ownership.catalog.confirmation import states_of
from ownership.findings import side_by_side
from ownership.models import READS, WRITES, Access, Service, Suggestion
from ownership.models.answerable import teams_by_service
from ownership.models.rights import editable, has_role, may_edit
from ownership.pages import accesses as access_tables
from ownership.pages.base import Context, Page
from ownership.pages.data_flow import Neighbour, Picture, flow_neighbour, flow_side, picture
from ownership.pages.former_names import former_name, namesakes_of, row_named
from ownership.pages.history import latest_changes
from ownership.pages.suggestions import suggestions_waiting

ACCESSES_PER_PAGE = 100
OWNED_PER_PAGE = 100
# Accesses of its parts that are listed; the parts have pages of their own.
MAX_ACCESSES_OF_PARTS = 100
MAP_ORDER = ("table__group__position", "table__position", "table__name")


class ServicePage(Page):
    """One service, by name."""

    template_name = "ownership/service.html"

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: the service, its tables and parts; history for people with a role."""
        service = row_named(
            Service.objects.select_related("part_of", "team"), kwargs["name"], self.request
        )
        accesses = list(service.accesses.select_related("table").order_by(*MAP_ORDER))
        paginator = Paginator(service.owned_tables.all(), OWNED_PER_PAGE)
        owned = paginator.get_page(self.request.GET.get("owned"))
        owned_tables = list(owned.object_list)
        standings = states_of(owned_tables)
        parts = list(service.parts.all())
        of_parts = Access.objects.filter(service__in=parts).select_related("table", "service")
        accesses_of_parts = list(of_parts.order_by("service__name", *MAP_ORDER))
        reads_history = has_role(self.request.user)
        granted: list[side_by_side.SideBySide] = []
        # Drift needs a role, and its runs are about the infrastructure of today.
        if reads_history and not self.moment:
            granted = side_by_side.of_service(service)
        access_table = access_tables.of_service(accesses, granted)
        page = Paginator(access_table.lines, ACCESSES_PER_PAGE).get_page(
            self.request.GET.get("page")
        )
        return super().get_context_data(**kwargs) | {
            "service": service,
            "may_edit": may_edit(self.request.user, service),
            "team": service.team or teams_by_service().get(service.pk),
            "owned": owned,
            "owned_tables": [(table, standings[table.pk]) for table in owned_tables],
            # As in lists of tables: only once somebody has confirmed one.
            "shows_states": any(standing.confirmation for standing in standings.values()),
            "page": page,
            "editable": set() if self.moment else editable(self.request.user, accesses),
            "access_table": access_table,
            "lines": page.object_list,
            "findings": access_table.findings,
            "parts": parts,
            "accesses_of_parts": accesses_of_parts[:MAX_ACCESSES_OF_PARTS],
            "more_of_parts": len(accesses_of_parts) - MAX_ACCESSES_OF_PARTS,
            "picture": _picture(service, accesses),
            "renamed": former_name(service, self.request.GET.get("was", ""), self.request),
            "namesakes": namesakes_of(service) if reads_history else [],
            "suggestions": suggestions_waiting(self, Suggestion.objects.about_service(service.pk)),
            "latest": latest_changes(self, Timeline.about(Service, service.pk)),
        }


def _picture(service: Service, accesses: list[Access]) -> Picture:
    def neighbour(access: Access) -> Neighbour:
        return flow_neighbour(access.table, access, owned="owned", both="read and written")

    reads = [access for access in accesses if access.mode in READS]
    writes = [access for access in accesses if access.mode in WRITES]
    return picture(
        service.name,
        "service",
        flow_side("Reads", "Reads no table", reads, neighbour),
        flow_side("Writes", "Writes no table", writes, neighbour),
    )
