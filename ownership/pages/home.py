"""The home page, the groups' pages and the list of services."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from ownership.audit.recent import latest_edits, tables_changed_since
from ownership.catalog.confirmation import TO_CONFIRM, tables_in_state
from ownership.catalog.queries import WholeMap, map_around, whole_tables
from ownership.findings.latest_runs import compare_latest
from ownership.findings.runs import declared_map
from ownership.history.models import ChangeSet
from ownership.models import Access, Service, Suggestion, Table, TableGroup
from ownership.models.answerable import teams_by_service
from ownership.models.rights import has_role
from ownership.pages.base import BadAddress, Context, Page
from ownership.pages.former_names import NothingNamed
from ownership.pages.table_list import ListedTable, any_confirmed, listed

# The home page of a map with more tables lists the groups alone.
MAX_TABLES_AT_HOME = 150
TABLES_PER_PAGE = 25
SERVICES_PER_PAGE = 50
LATEST_CHANGE_SETS = 6
THIS_WEEK = timedelta(days=7)
# What `?show=` takes, with the words on the page.
CHANGED, ATTENTION, CONFIRM = "changed", "attention", "confirm"
CHOICES = {
    "": "All",
    CHANGED: "Changed this week",
    ATTENTION: "Needs attention",
    CONFIRM: "To confirm",
}


class HomePage(Page):
    """Search, the map, and the latest changes.

    `?show=` takes a key of CHOICES, and `?mine=true` leaves what is the reader's; both from people with a role.
    """

    template_name = "ownership/home.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Require a role where part of the list is asked for: which part that is, history and drift say."""
        self.needs_role = bool(request.GET.get("show"))
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: all tables of a small map, otherwise groups with their sizes; and the latest changes."""
        tables = list(Table.objects.all()[: MAX_TABLES_AT_HOME + 1])
        is_large = len(tables) > MAX_TABLES_AT_HOME
        content = self._groups() if is_large else self._tables(tables)
        return (
            super().get_context_data(**kwargs)
            | content
            | {
                "latest": self._latest(),
                "suggestions": self._suggestions(),
                "to_confirm": self._to_confirm(is_large),
            }
        )

    def _to_confirm(self, is_large: bool) -> int:
        """Return how many tables wait for the reader to confirm them: those of the teams, or all of a small map."""
        if self.moment or not self.request.user.has_perm("ownership.change_table"):
            return 0
        tables = Table.objects.all()
        if self.team_ids:
            tables = tables.filter(self.mine().tables)
        elif is_large:
            return 0
        return tables_in_state(tables, *TO_CONFIRM).count()

    def _suggestions(self) -> int:
        """Return how many suggestions wait for the reader."""
        if self.moment:
            return 0
        return Suggestion.objects.waiting_for(self.request.user).count()

    def _groups(self) -> Context:
        """Return the groups, each with its size, and how much there is in all."""
        if self.request.GET.get("show"):
            raise BadAddress("show: The map is too large for it.")
        if self.asks_for_mine():
            raise BadAddress(
                "mine: The map is too large for it. What is yours has a page of its own, Mine."
            )
        groups = list(TableGroup.objects.all())
        # A query of its own: the past stands in the table's place as a subquery, and PostgreSQL cannot group a
        # subquery by its key alone.
        sizes = dict(Table.objects.order_by().values_list("group").annotate(Count("pk")))
        for group in groups:
            group.size = sizes.get(group.pk, 0)  # type: ignore[attr-defined]
        return {"groups": groups, "total": sum(sizes.values()), "services": Service.objects.count()}

    def _tables(self, tables: list[Table]) -> Context:
        """Return the tables to list, in the map's order, and the choices of which to list."""
        rows = map_around(tables)
        total = len(tables)
        if self.asks_for_mine():
            mine = frozenset(self.mine().service_ids)
            tables = [table for table in tables if table.owner_id in mine]
        # What changed lately and what drifts is about today.
        if self.moment is None and has_role(self.request.user):
            content = self._choices(rows, tables)
        elif self.request.GET.get("show"):
            raise BadAddress("show: It takes no revision and no as_of.")
        else:
            rows_of_tables = listed(tables, teams_by_service(rows["services"]))
            content = {"tables": rows_of_tables, "shows_states": any_confirmed(rows_of_tables)}
        return content | {
            "groups": rows["groups"],
            "total": total,
            "services": len(rows["services"]),
        }

    def _choices(self, rows: WholeMap, tables: list[Table]) -> Context:
        """Return those of the tables that `?show=` leaves, how many each choice has, and what needs attention."""
        findings: Counter[str] = Counter()
        elsewhere = 0
        truths = []
        names = {table.name for table in rows["tables"]}
        declared = declared_map(0, {**rows, "environments": []})
        for latest in compare_latest(declared):
            truth = latest.comparison.truth()
            if truth is not None:
                truths.append((latest.run, truth))
            for finding in latest.open_findings():
                if finding.table in names:
                    findings[finding.table] += 1
                else:
                    elsewhere += 1
        shown = listed(tables, teams_by_service(rows["services"]), findings)
        changed = tables_changed_since(timezone.now() - THIS_WEEK)
        conditions: dict[str, Callable[[ListedTable], bool]] = {
            "": lambda row: True,
            CHANGED: lambda row: row.table.pk in changed,
            ATTENTION: lambda row: row.needs_attention,
            CONFIRM: lambda row: row.standing.is_to_confirm,
        }
        show = self.request.GET.get("show", "")
        if show not in CHOICES:
            raise BadAddress(f"show takes {CHANGED}, {ATTENTION} or {CONFIRM}, not “{show[:100]}”.")
        shows_states = any_confirmed(shown)
        choices = []
        for name, label in CHOICES.items():
            if name == CONFIRM and not shows_states:
                continue
            count = sum(map(conditions[name], shown))
            choices.append({"name": name, "label": label, "count": count, "chosen": name == show})
        return {
            "tables": list(filter(conditions[show], shown)),
            "shows_states": shows_states,
            "choices": choices,
            "findings": findings.total(),
            "findings_elsewhere": elsewhere,
            "truths": truths,
            "warned": sum(1 for row in shown if row.warnings),
        }

    def _latest(self) -> list[ChangeSet] | None:
        """Return the latest change sets up to the page's moment; None for people without a role."""
        if not has_role(self.request.user):
            return None
        return latest_edits(LATEST_CHANGE_SETS, self.moment.revision if self.moment else None)


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
        tables = listed(page.object_list, teams_by_service())
        return super().get_context_data(**kwargs) | {
            "group": group,
            "page": page,
            "tables": tables,
            "shows_states": any_confirmed(tables),
        }


class ServicesPage(Page):
    """All services by name, a page at a time."""

    template_name = "ownership/services.html"

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: the services of the page asked for, and how many tables each owns and uses."""
        found = Service.objects.select_related("part_of")
        if self.asks_for_mine():
            found = found.filter(self.mine().services)
        paginator = Paginator(found, SERVICES_PER_PAGE)
        page = paginator.get_page(self.request.GET.get("page"))
        services: list[Any] = list(page.object_list)
        teams = teams_by_service()
        # Two queries: joined into one, each owned table would be counted once per used one.
        owned = Table.objects.filter(owner__in=services).order_by()
        owned_counts = dict(owned.values_list("owner").annotate(Count("pk")))
        used = Access.objects.filter(service__in=services).order_by()
        used_counts = dict(used.values_list("service").annotate(Count("pk")))
        for service in services:
            service.owns = owned_counts.get(service.pk, 0)
            service.uses = used_counts.get(service.pk, 0)
            service.answerable = teams.get(service.pk)
        return super().get_context_data(**kwargs) | {
            "page": page,
            "services": services,
            "has_teams": bool(teams),
        }
