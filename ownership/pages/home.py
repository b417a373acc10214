"""The first page and the groups' pages: the map in the document's order, and what changed lately."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count

from ownership.catalog.queries import whole_tables
from ownership.history.models import ChangeSet
from ownership.models import Access, Service, Table, TableGroup
from ownership.pages.base import Page
from ownership.pages.former_names import NothingNamed

# Of a larger map the first page shows the groups alone.
WHOLE = 150
TABLES_A_PAGE = 25
SERVICES_A_PAGE = 50
LATELY = 6


class HomePage(Page):
    """Search, the map, and the latest changes."""

    template_name = "ownership/home.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With groups and their sizes; with all tables as long as they fit; change sets for who is signed in."""
        groups: list[Any] = list(TableGroup.objects.all())
        # Apart: PostgreSQL can't group what stands in a table's place as of then by the key alone.
        sizes = dict(Table.objects.order_by().values_list("group").annotate(Count("pk")))
        for group in groups:
            group.size = sizes.get(group.pk, 0)
        total = sum(sizes.values())
        until = {"revision__lte": self.moment["revision"]} if self.moment else {}
        signed_in = self.request.user.is_authenticated
        return super().get_context_data(**kwargs) | {
            "groups": groups,
            "total": total,
            "services": Service.objects.count(),
            "tables": whole_tables() if total <= WHOLE else None,
            "latest": ChangeSet.objects.filter(**until)[:LATELY] if signed_in else None,
        }


class GroupPage(Page):
    """The tables of one group, by its name, a page at a time."""

    template_name = "ownership/group.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With some of its tables."""
        group = TableGroup.objects.filter(name=kwargs["name"]).first()
        if group is None:
            raise NothingNamed("group", kwargs["name"])
        page = Paginator(whole_tables().filter(group=group), TABLES_A_PAGE).get_page(self.request.GET.get("page"))
        return super().get_context_data(**kwargs) | {
            "group": group,
            "page": page,
            "tables": page.object_list,
        }


class ServicesPage(Page):
    """All services by name, a page at a time."""

    template_name = "ownership/services.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With how many tables each owns and uses."""
        page = Paginator(Service.objects.select_related("part_of"), SERVICES_A_PAGE).get_page(
            self.request.GET.get("page")
        )
        services: list[Any] = list(page.object_list)
        # Two queries: joined into one, each owned table would meet each used one.
        for name, model, column in (("owns", Table, "owner"), ("uses", Access, "service")):
            rows = model.objects.filter(**{f"{column}__in": services}).order_by()
            counts = dict(rows.values_list(column).annotate(Count("pk")))
            for service in services:
                setattr(service, name, counts.get(service.pk, 0))
        return super().get_context_data(**kwargs) | {"page": page, "services": services}
