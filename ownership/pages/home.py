"""The home page, the groups' pages and the list of services."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count

from ownership.catalog.queries import whole_tables
from ownership.history.models import ChangeSet
from ownership.models import Access, Service, Table, TableGroup
from ownership.pages.base import Context, Page
from ownership.pages.former_names import NothingNamed

# The home page of a map with more tables lists the groups alone.
MAX_TABLES_AT_HOME = 150
TABLES_PER_PAGE = 25
SERVICES_PER_PAGE = 50
LATEST_CHANGE_SETS = 6


class HomePage(Page):
    """Search, the map, and the latest changes."""

    template_name = "ownership/home.html"

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: groups with their sizes, all tables of a small map, and the latest change sets."""
        groups = list(TableGroup.objects.all())
        # A query of its own: the past stands in the table's place as a subquery, and PostgreSQL cannot group a
        # subquery by its key alone.
        sizes = dict(Table.objects.order_by().values_list("group").annotate(Count("pk")))
        for group in groups:
            group.size = sizes.get(group.pk, 0)  # type: ignore[attr-defined]
        number_of_tables = sum(sizes.values())
        tables = None
        if number_of_tables <= MAX_TABLES_AT_HOME:
            tables = whole_tables()
        return super().get_context_data(**kwargs) | {
            "groups": groups,
            "total": number_of_tables,
            "services": Service.objects.count(),
            "tables": tables,
            "latest": self._latest(),
        }

    def _latest(self) -> list[ChangeSet] | None:
        """Return the latest change sets up to the page's moment; None for people who are not signed in."""
        if not self.request.user.is_authenticated:
            return None
        change_sets = ChangeSet.objects.all()
        if self.moment:
            change_sets = change_sets.filter(revision__lte=self.moment.revision)
        return list(change_sets[:LATEST_CHANGE_SETS])


class GroupPage(Page):
    """The tables of one group, a page at a time."""

    template_name = "ownership/group.html"

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context, with the tables of the page asked for."""
        group = TableGroup.objects.filter(name=kwargs["name"]).first()
        if group is None:
            raise NothingNamed("group", kwargs["name"])
        paginator = Paginator(whole_tables().filter(group=group), TABLES_PER_PAGE)
        page = paginator.get_page(self.request.GET.get("page"))
        return super().get_context_data(**kwargs) | {
            "group": group,
            "page": page,
            "tables": page.object_list,
        }


class ServicesPage(Page):
    """All services by name, a page at a time."""

    template_name = "ownership/services.html"

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: the services of the page asked for, and how many tables each owns and uses."""
        paginator = Paginator(Service.objects.select_related("part_of"), SERVICES_PER_PAGE)
        page = paginator.get_page(self.request.GET.get("page"))
        services: list[Any] = list(page.object_list)
        # Two queries: joined into one, each owned table would be counted once per used one.
        owned = Table.objects.filter(owner__in=services).order_by()
        owned_counts = dict(owned.values_list("owner").annotate(Count("pk")))
        used = Access.objects.filter(service__in=services).order_by()
        used_counts = dict(used.values_list("service").annotate(Count("pk")))
        for service in services:
            service.owns = owned_counts.get(service.pk, 0)
            service.uses = used_counts.get(service.pk, 0)
        return super().get_context_data(**kwargs) | {"page": page, "services": services}
