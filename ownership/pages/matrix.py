"""The matrix of tables and services; for a large map an overview of groups and services, whose numbers open parts.

A *family* is a root service, which is part of no other, with all its parts. Its *home* is the group in which it owns
most tables.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page as PageOfRows
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from ownership.catalog.confirmation import ConfirmationState, states_of
from ownership.models import (
    READS,
    WRITES,
    Access,
    CodeUse,
    Confirmation,
    DriftRun,
    Grant,
    Mode,
    Service,
    Table,
    TableGroup,
)
from ownership.models.rights import has_role
from ownership.pages.base import BadAddress, Context, Page
from ownership.pages.former_names import Moved, rows_once_named
from ownership.pages.matrix_layers import (
    CONFIRMATION,
    DECLARED,
    DRIFT,
    LAYERS,
    LAYERS_OF_DRIFT,
    TOTALS,
    Marks,
    MatrixCell,
    MatrixRow,
    declared_marks,
    marks_of_runs,
)

# Cells on one page. Where a matrix has more, the rows continue on another page, and without a filter the page shows
# the overview.
MAX_CELLS = 8000
MIN_ROWS = 20
# An overview with more families than this shows their homes instead: more columns are nothing to look at.
MAX_FAMILIES = 40
# Columns of an overview. Those with the fewest accesses share one more.
MAX_COLUMNS = 60
NO_HOME, ALL_OTHERS = "no group", "all others"
MODE_FILTERS = {
    "read": "reads",
    "write": "writes",
    "read_write": "reads and writes",
    "indirect": "is indirect",
}
_MODE_CONDITIONS = {
    "": Q(),
    "read": Q(mode__in=READS),
    "write": Q(mode__in=WRITES),
    "read_write": Q(mode=Mode.READ_WRITE),
    "indirect": Q(indirect=True),
}
# Columns of services that only share a table with those that a filter asks for.
MAX_SHARERS = 60


class Families:
    """All services, by name, and the family of each."""

    def __init__(self, services: list[Service]) -> None:
        self.services = services
        # By the service's id: its root, the names from itself up to the root, and its family's home.
        self.roots: dict[int, Service] = {}
        self.paths: dict[int, list[str]] = {}
        self.homes: dict[int, str] = {}
        by_id = {service.pk: service for service in services}
        for service in services:
            root, path = service, [service.name]
            # In the past a service can be part of one that is not there.
            while root.part_of_id in by_id and by_id[root.part_of_id].name not in path:
                root = by_id[root.part_of_id]
                path.append(root.name)
            self.roots[service.pk] = root
            self.paths[service.pk] = path

    def find_homes(self, groups: list[TableGroup]) -> None:
        """Fill ``homes``; one query."""
        group_names = {group.pk: group.name for group in groups}
        tables_by_group: dict[int, Counter[str]] = defaultdict(Counter)
        rows = Table.objects.order_by().values_list("owner", "group").annotate(Count("pk"))
        for owner, group, count in sorted(rows):
            if owner in self.roots and group in group_names:
                tables_by_group[self.roots[owner].pk][group_names[group]] += count
        for service in self.services:
            counts = tables_by_group[self.roots[service.pk].pk]
            self.homes[service.pk] = max(counts, key=counts.__getitem__, default=NO_HOME)


@dataclass(frozen=True)
class Filters:
    """What the address asks for; empty texts ask for nothing."""

    group: str  # a group's name
    service: str  # a service's name; with its parts
    home: str  # a group's name: services whose family has its home there
    mode: str  # a key of MODE_FILTERS
    layer: str  # a key of LAYERS
    mine: bool = False  # services that the reader's teams are answerable for

    def any(self) -> bool:
        """Whether any is set."""
        return bool(self.group or self.home or self.mode) or self.of_services

    @property
    def of_services(self) -> bool:
        """Whether some services are asked for: those that share a table with them are shown, too."""
        return bool(self.service) or self.mine

    @property
    def is_of_drift(self) -> bool:
        """Whether the cells show what drift found."""
        return self.layer in LAYERS_OF_DRIFT

    def narrows_map(self) -> bool:
        """Whether one is set that makes a part of a large map small enough to show."""
        return bool(self.group or self.home) or self.of_services


class MatrixPage(Page):
    """`?group=`, `?service=`, `?home=`, `?mode=` and `?mine=true` narrow it; `?layer=` is a key of LAYERS.

    A service's columns come first, then those of the owners of its tables, then of all others that share them.
    """

    template_name = "ownership/matrix.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Require a role where a layer shows what drift found."""
        self.needs_role = request.GET.get("layer") in LAYERS_OF_DRIFT
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: rows of cells, or an overview of counts where those would be too many."""
        groups = list(TableGroup.objects.all())
        families = Families(list(Service.objects.order_by("name")))
        filters = self._filters(groups, families)
        if filters.home:
            families.find_homes(groups)
        services = _chosen_services(families, filters)
        if filters.mine:
            mine = set(self.mine().service_ids)
            services = [service for service in services if service.pk in mine]
        context = super().get_context_data(**kwargs) | {
            "groups": groups,
            "families": families.services,
            "modes": MODE_FILTERS,
            "asked": filters,
            "filtered": filters.any(),
        }
        if not filters.narrows_map() and Table.objects.count() * len(services) > MAX_CELLS:
            return context | self._overview(groups, families, filters.mode)
        context["layers"] = self._layers()
        return context | self._cells(services, families, filters)

    def _layers(self) -> dict[str, str]:
        """Return the layers to choose from; none where there is nothing to show but what is declared.

        What drift found is about today, and for people with a role.
        """
        hidden = []
        if not Confirmation.objects.exists():
            hidden.append(CONFIRMATION)
        if self.moment or not has_role(self.request.user) or not DriftRun.objects.exists():
            hidden += LAYERS_OF_DRIFT
        layers = {name: label for name, label in LAYERS.items() if name not in hidden}
        return layers if len(layers) > 1 else {}

    def _filters(self, groups: list[TableGroup], families: Families) -> Filters:
        """Return the filters of the address; BadAddress for a value that names nothing."""
        group_names = [group.name for group in groups]
        known_values: dict[str, Iterable[str]] = {
            "group": group_names,
            "home": [*group_names, NO_HOME],
            "service": [service.name for service in families.services],
            "mode": MODE_FILTERS,
            "layer": LAYERS,
        }
        values = {}
        for name, known in known_values.items():
            values[name] = value = self.request.GET.get(name, "")
            if value and value not in known:
                if name == "service":
                    self._follow_former_name(value)
                cure = f"There is no such {name}."
                if name in ("mode", "layer"):
                    cure = f"It takes {', '.join(known)}."
                raise BadAddress(f"{name}={value[:100]}: {cure}")
        values["layer"] = values["layer"] or DECLARED
        if values["layer"] in LAYERS_OF_DRIFT and (values["mode"] or self.moment):
            raise BadAddress(
                "layer: What drift found is about today, and mode narrows declared accesses alone."
            )
        return Filters(**values, mine=self.asks_for_mine())

    def _follow_former_name(self, name: str) -> None:
        """Raise Moved to the matrix of the one service that used to have the name, if there is one."""
        services = rows_once_named(Service, name)
        if len(services) == 1:
            query = self.request.GET.copy()
            query["service"] = services[0].name
            raise Moved(f"{self.request.path}?{query.urlencode()}")

    def _page(self, rows: Any, columns: int) -> PageOfRows:
        """Return the page of rows that the address asks for; as many rows as fit, given so many columns."""
        rows_per_page = max(MIN_ROWS, MAX_CELLS // max(1, columns))
        return Paginator(rows, rows_per_page).get_page(self.request.GET.get("page"))

    def _cells(self, services: list[Service], families: Families, filters: Filters) -> Context:
        tables, accesses = _filtered(services, filters)
        if filters.any():
            services = _used_services(services, tables, accesses, filters)
        sharers = MAX_SHARERS if filters.of_services else 0
        page = self._page(tables, len(services) + sharers)
        tables_on_page = list(page.object_list)
        marks = _marks(tables_on_page, services, families, filters)
        columns = _columns(services, tables_on_page, marks, families, filters)

        chosen = {service.pk for service in services}
        shows_owners = filters.layer != DRIFT
        standings = states_of(tables_on_page) if filters.layer == CONFIRMATION else {}
        rows = []
        totals = TOTALS[filters.layer]
        column_totals = [[0] * len(columns) for _ in totals]
        for table in tables_on_page:
            cells: list[MatrixCell | None] = []
            row_totals = [0] * len(totals)
            for number, service in enumerate(columns):
                is_chosen = service.pk in chosen
                mark = marks.get((table.pk, service.pk))
                # A filter by mode asks for accesses, and being the owner is none; but of others the owner stays.
                is_owner = (
                    table.owner_id == service.pk
                    and shows_owners
                    and not (filters.mode and is_chosen and not mark)
                )
                if mark is None and not is_owner:
                    cells.append(None)
                    continue
                cells.append(MatrixCell(table, service, mark, is_owner, dimmed=not is_chosen))
                for kind, count in enumerate(mark.counts if mark else ()):
                    row_totals[kind] += count
                    column_totals[kind][number] += count
            rows.append(MatrixRow(table, cells, row_totals, standings.get(table.pk)))
        return {
            "page": page,
            "rows": rows,
            "columns": columns,
            "chosen": chosen,
            "totals": totals,
            "states": ConfirmationState,
            "width": 1 + len(columns) + len(totals),
            "column_totals": list(zip(totals, column_totals, strict=True)),
        }

    def _overview(self, groups: list[TableGroup], families: Families, mode: str) -> Context:
        """Count accesses by group and family; by group and home where there are too many families."""
        by_home = len({root.pk for root in families.roots.values()}) > MAX_FAMILIES
        if by_home:
            families.find_homes(groups)
            # The column of each service, and all columns in order.
            column_of = families.homes
            all_columns = [*(group.name for group in groups), NO_HOME]
        else:
            column_of = {pk: root.name for pk, root in families.roots.items()}
            all_columns = sorted(set(column_of.values()))
        accesses = Access.objects.filter(_MODE_CONDITIONS[mode]).order_by()
        columns = _largest_columns(accesses, column_of, all_columns)

        page = self._page(groups, len(columns))
        counts: Counter[tuple[int, str]] = Counter()
        on_page = accesses.filter(table__group__in=[group.pk for group in page])
        by_group = on_page.values_list("table__group", "service").annotate(Count("pk"))
        for group_id, service_id, count in by_group:
            column = column_of.get(service_id, NO_HOME)
            if column not in columns:
                column = ALL_OTHERS
            counts[group_id, column] += count
        most = max(counts.values(), default=1)
        rows = []
        for group in page:
            cells = []
            for column in columns:
                count = counts[group.pk, column]
                # From 1 to 3: how dark the cell is.
                level = 1 + 3 * count // (most + 1)
                cells.append({"name": column, "count": count, "level": level})
            rows.append({"group": group, "cells": cells})
        return {
            "overview": rows,
            "columns": columns,
            "by": "home" if by_home else "service",
            "others": ALL_OTHERS,
            "page": page,
        }


def _chosen_services(families: Families, filters: Filters) -> list[Service]:
    """Return the services that the filters leave: those of the home, and the service with its parts."""
    chosen = []
    for service in families.services:
        if filters.home and families.homes[service.pk] != filters.home:
            continue
        if filters.service and filters.service not in families.paths[service.pk]:
            continue
        chosen.append(service)
    return chosen


def _filtered(
    services: list[Service], filters: Filters
) -> tuple[QuerySet[Table], QuerySet[Access]]:
    """Return the tables and accesses that the filters leave for those services."""
    tables = Table.objects.select_related("group", "owner")
    accesses = Access.objects.filter(_MODE_CONDITIONS[filters.mode], service__in=services)
    if filters.group:
        tables = tables.filter(group__name=filters.group)
        accesses = accesses.filter(table__group__name=filters.group)
    if filters.of_services or filters.home or filters.mode:
        used = Q(pk__in=accesses.values("table"))
        if not filters.mode:
            used |= Q(owner__in=services)
        if filters.is_of_drift:
            runs = DriftRun.objects.latest_of_each().order_by().values("pk")
            names = [service.name for service in services]
            for found in (Grant, CodeUse):
                rows = found.objects.filter(run__in=runs, service__in=names)
                used |= Q(name__in=rows.values("table"))
        tables = tables.filter(used)
    return tables, accesses


def _used_services(
    services: list[Service], tables: QuerySet[Table], accesses: QuerySet[Access], filters: Filters
) -> list[Service]:
    """Return those of the services that have a cell; with a layer of drift, also those that a run may give one."""
    if filters.is_of_drift and filters.of_services:
        return services
    used = set(accesses.order_by().values_list("service", flat=True).distinct())
    if not filters.mode:
        used.update(tables.order_by().values_list("owner", flat=True).distinct())
    return [service for service in services if service.pk in used]


def _marks(
    tables: list[Table], services: list[Service], families: Families, filters: Filters
) -> Marks:
    """Return the marks of the tables on the page, also of services that share them with those a filter asks for."""
    accesses = Access.objects.filter(table__in=[table.pk for table in tables]).select_related(
        "table", "service"
    )
    if filters.is_of_drift:
        marks = marks_of_runs(filters.layer, tables, families.services, accesses)
        if filters.home:
            chosen = {service.pk for service in services}
            marks = {pair: mark for pair, mark in marks.items() if pair[1] in chosen}
        return marks
    asked_for = Q(_MODE_CONDITIONS[filters.mode], service__in=services)
    if filters.of_services:
        asked_for |= ~Q(service__in=services)
    return declared_marks(accesses.filter(asked_for))


def _columns(
    services: list[Service], tables: list[Table], marks: Marks, families: Families, filters: Filters
) -> list[Service]:
    """Return the services that have a column.

    Families stand together. All stand in the order in which they were registered, so that a matrix of the past has
    the columns where today's has them. A filter by service puts that service first, then owners, then others.
    """
    chosen = {service.pk for service in services}
    owners = {table.owner_id for table in tables}
    use_counts = Counter(service_id for _, service_id in marks)
    if filters.of_services:
        sharers = (use_counts.keys() | owners) - chosen
    else:
        # A run may name services that have no access on the map.
        sharers = use_counts.keys() - chosen
    most_used = sorted(sharers, key=lambda pk: (pk not in owners, -use_counts[pk], pk))
    kept = chosen | set(most_used[:MAX_SHARERS])

    def order(service: Service) -> tuple[int, int, bool, int]:
        root = families.roots[service.pk]
        rank = 0
        if filters.of_services and service.pk not in chosen:
            rank = 1 if service.pk in owners else 2
        return rank, root.pk, service.pk != root.pk, service.pk

    return sorted((service for service in families.services if service.pk in kept), key=order)


def _largest_columns(
    accesses: QuerySet[Access], column_of: dict[int, str], all_columns: list[str]
) -> list[str]:
    """Return the columns with the most accesses, in order, and one for all others where there are others."""
    totals: Counter[str] = Counter()
    for service_id, count in accesses.values_list("service").annotate(Count("pk")):
        totals[column_of.get(service_id, NO_HOME)] += count
    largest = dict(totals.most_common(MAX_COLUMNS))
    columns = [column for column in all_columns if column in largest]
    if len(totals) > MAX_COLUMNS:
        columns.append(ALL_OTHERS)
    return columns
