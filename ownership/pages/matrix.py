"""The matrix of tables and services; for a large map an overview of groups and services, whose numbers open parts.

A *family* is a root service, which is part of no other, with all its parts. Its *home* is the group in which it owns
most tables.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page as PageOfRows
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet

from ownership.models import READS, WRITES, Access, Mode, Service, Table, TableGroup
from ownership.pages.base import BadAddress, Context, Page

# Cells on one page. Where a matrix has more, the rows continue on another page, and without a filter the page shows
# the overview.
MAX_CELLS = 8000
MIN_ROWS = 20
# An overview with more families than this shows their homes instead: more columns are nothing to look at.
MAX_FAMILIES = 40
# Columns of an overview. Those with the fewest accesses share one more.
MAX_COLUMNS = 60
NO_HOME, ALL_OTHERS = "no group", "all others"
MODE_LABELS = {
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
_LETTERS = {Mode.READ: "R", Mode.WRITE: "W", Mode.READ_WRITE: "RW"}
_VERBS = {Mode.READ: "reads", Mode.WRITE: "writes", Mode.READ_WRITE: "reads and writes"}


@dataclass(frozen=True)
class Cell:
    """How one service uses one table. No access where the service only owns the table."""

    table: Table
    service: Service
    access: Access | None

    @property
    def owner(self) -> bool:
        """Whether the service owns the table."""
        return self.table.owner_id == self.service.pk

    @property
    def letters(self) -> str:
        """R, W or RW; in brackets where the access is indirect; after a dot for the owner."""
        letters = ""
        if self.access:
            letters = _LETTERS[Mode(self.access.mode)]
            if self.access.indirect:
                letters = f"({letters})"
        return f"●{letters}" if self.owner else letters

    @property
    def words(self) -> str:
        """The same as a sentence."""
        service, table = self.service.name, self.table.name
        if self.access is None:
            return f"{service} owns {table}, without an access of its own"
        sentence = f"{service} {_VERBS[Mode(self.access.mode)]} {table}"
        if self.access.indirect:
            sentence += ", indirectly"
        if self.owner:
            sentence += ", and owns it"
        return sentence


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
        tables_by_group: dict[int, dict[str, int]] = {}
        rows = Table.objects.order_by().values_list("owner", "group").annotate(Count("pk"))
        for owner, group, count in sorted(rows):
            if owner in self.roots and group in group_names:
                counts = tables_by_group.setdefault(self.roots[owner].pk, {})
                name = group_names[group]
                counts[name] = counts.get(name, 0) + count
        for service in self.services:
            counts = tables_by_group.get(self.roots[service.pk].pk, {})
            self.homes[service.pk] = max(counts, key=counts.__getitem__) if counts else NO_HOME


@dataclass(frozen=True)
class Filters:
    """What the address asks for; empty texts ask for nothing."""

    group: str  # a group's name
    service: str  # a service's name; with its parts
    home: str  # a group's name: services whose family has its home there
    mode: str  # a key of MODE_LABELS

    def any(self) -> bool:
        """Whether any is set."""
        return bool(self.group or self.service or self.home or self.mode)

    def narrows_map(self) -> bool:
        """Whether one is set that makes a part of a large map small enough to show."""
        return bool(self.group or self.service or self.home)


class MatrixPage(Page):
    """`?group=`, `?service=`, `?home=` and `?mode=` narrow it."""

    template_name = "ownership/matrix.html"

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: rows of cells, or an overview of counts where those would be too many."""
        groups = list(TableGroup.objects.all())
        families = Families(list(Service.objects.order_by("name")))
        filters = self._filters(groups, families)
        if filters.home:
            families.find_homes(groups)
        services = _chosen_services(families, filters)
        context = super().get_context_data(**kwargs) | {
            "groups": groups,
            "families": families.services,
            "modes": MODE_LABELS,
            "asked": filters,
            "filtered": filters.any(),
        }
        if not filters.narrows_map() and Table.objects.count() * len(services) > MAX_CELLS:
            return context | self._overview(groups, families, filters.mode)
        return context | self._cells(services, families, filters)

    def _filters(self, groups: list[TableGroup], families: Families) -> Filters:
        """Return the filters of the address; BadAddress for a value that names nothing."""
        group_names = [group.name for group in groups]
        known_values: dict[str, Iterable[str]] = {
            "group": group_names,
            "home": [*group_names, NO_HOME],
            "service": [service.name for service in families.services],
            "mode": MODE_LABELS,
        }
        values = {}
        for name, known in known_values.items():
            values[name] = value = self.request.GET.get(name, "")
            if value and value not in known:
                cure = f"There is no such {name}."
                if name == "mode":
                    cure = f"It takes {', '.join(MODE_LABELS)}."
                raise BadAddress(f"{name}={value[:100]}: {cure}")
        return Filters(**values)

    def _page(self, rows: Any, columns: int) -> PageOfRows:
        """Return the page of rows that the address asks for; as many rows as fit, given so many columns."""
        rows_per_page = max(MIN_ROWS, MAX_CELLS // max(1, columns))
        return Paginator(rows, rows_per_page).get_page(self.request.GET.get("page"))

    def _cells(self, services: list[Service], families: Families, filters: Filters) -> Context:
        tables, accesses = _filtered(services, filters)
        if filters.any():
            services = _used_services(services, tables, accesses, filters)
        page = self._page(tables, len(services))
        tables_on_page = list(page.object_list)
        accesses_on_page = {}
        for access in accesses.filter(table__in=[table.pk for table in tables_on_page]):
            accesses_on_page[access.table_id, access.service_id] = access
        columns = _in_order(services, tables_on_page, accesses_on_page, families)
        rows = []
        for table in tables_on_page:
            cells = []
            for service in columns:
                used_by = accesses_on_page.get((table.pk, service.pk))
                owned_by = table.owner_id == service.pk and not filters.mode
                cell = Cell(table, service, used_by) if used_by or owned_by else None
                cells.append(cell)
            rows.append({"table": table, "cells": cells})
        return {"page": page, "rows": rows, "columns": columns}

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
        counts: dict[tuple[int, str], int] = {}
        on_page = accesses.filter(table__group__in=[group.pk for group in page])
        by_group = on_page.values_list("table__group", "service").annotate(Count("pk"))
        for group_id, service_id, count in by_group:
            column = column_of.get(service_id, NO_HOME)
            if column not in columns:
                column = ALL_OTHERS
            counts[group_id, column] = counts.get((group_id, column), 0) + count
        most = max(counts.values(), default=1)
        rows = []
        for group in page:
            cells = []
            for column in columns:
                count = counts.get((group.pk, column), 0)
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


def _filtered(services: list[Service], filters: Filters) -> tuple[QuerySet[Table], QuerySet[Access]]:
    """Return the tables and accesses that the filters leave for those services."""
    tables = Table.objects.select_related("group", "owner")
    accesses = Access.objects.filter(_MODE_CONDITIONS[filters.mode], service__in=services)
    if filters.group:
        tables = tables.filter(group__name=filters.group)
        accesses = accesses.filter(table__group__name=filters.group)
    if filters.service or filters.home or filters.mode:
        used = Q(pk__in=accesses.values("table"))
        if not filters.mode:
            used |= Q(owner__in=services)
        tables = tables.filter(used)
    return tables, accesses


def _used_services(
    services: list[Service], tables: QuerySet[Table], accesses: QuerySet[Access], filters: Filters
) -> list[Service]:
    """Return those of the services that have a cell."""
    used = set(accesses.order_by().values_list("service", flat=True).distinct())
    if not filters.mode:
        used.update(tables.order_by().values_list("owner", flat=True).distinct())
    return [service for service in services if service.pk in used]


def _largest_columns(accesses: QuerySet[Access], column_of: dict[int, str], all_columns: list[str]) -> list[str]:
    """Return the columns with the most accesses, in order, and one for all others where there are others."""
    totals: dict[str, int] = {}
    for service_id, count in accesses.values_list("service").annotate(Count("pk")):
        column = column_of.get(service_id, NO_HOME)
        totals[column] = totals.get(column, 0) + count
    by_size = sorted(totals, key=lambda column: -totals[column])
    largest = set(by_size[:MAX_COLUMNS])
    columns = [column for column in all_columns if column in largest]
    if len(totals) > MAX_COLUMNS:
        columns.append(ALL_OTHERS)
    return columns


def _in_order(
    services: list[Service],
    tables: list[Table],
    accesses: dict[tuple[int, int], Access],
    families: Families,
) -> list[Service]:
    """Return services in the order in which they first own, or else use, a table on the page; families together."""
    row_of = {table.pk: number for number, table in enumerate(tables)}
    # By the service's id: 0 for owners and 1 for users, and the first row.
    first: dict[int, tuple[int, int]] = {}
    for table in tables:
        first.setdefault(table.owner_id, (0, row_of[table.pk]))
    for table_id, service_id in sorted(accesses, key=lambda pair: row_of[pair[0]]):
        first.setdefault(service_id, (1, row_of[table_id]))
    unused = (2, 0)
    family_first: dict[int, tuple[int, int]] = {}
    for service in services:
        root = families.roots[service.pk]
        own = first.get(service.pk, unused)
        family_first[root.pk] = min(family_first.get(root.pk, unused), own)

    def order(service: Service) -> tuple[tuple[int, int], str, bool, tuple[int, int], str]:
        root = families.roots[service.pk]
        is_part = service.pk != root.pk
        return family_first[root.pk], root.name, is_part, first.get(service.pk, unused), service.name

    return sorted(services, key=order)
