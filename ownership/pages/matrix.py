"""The matrix: tables × services, and of a large map groups × families of services, from which parts open."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Q

from ownership.models import READS, WRITES, Access, Mode, Service, Table, TableGroup
from ownership.pages.base import BadAddress, Page

# As many cells as a page holds; of more, the rows go on another page, and without a filter groups stand for tables.
CELLS = 8000
# More families than that are no columns to look at: then services stand together by the group they own tables in.
FAMILIES = 40
MODES = {
    "read": ("reads", Q(mode__in=READS)),
    "write": ("writes", Q(mode__in=WRITES)),
    "read_write": ("reads and writes", Q(mode=Mode.READ_WRITE)),
    "indirect": ("is indirect", Q(indirect=True)),
}
# As many columns as an overview has; what has fewer accesses stands together in one more.
COLUMNS = 60
NOWHERE, OTHERS = "no group", "all others"


@dataclass(frozen=True)
class Cell:
    """What one service has to do with one table; no access where it only owns it."""

    table: Table
    service: Service
    access: Access | None

    @property
    def owner(self) -> bool:
        return self.table.owner_id == self.service.pk

    @property
    def letters(self) -> str:
        """R, W or RW; in brackets where it is indirect; a dot before it for the owner."""
        letters = (
            {Mode.READ: "R", Mode.WRITE: "W", Mode.READ_WRITE: "RW"}[Mode(self.access.mode)] if self.access else ""
        )
        return ("●" if self.owner else "") + (f"({letters})" if self.access and self.access.indirect else letters)

    @property
    def words(self) -> str:
        """The same as a sentence."""
        if self.access is None:
            return f"{self.service.name} owns {self.table.name}, without an access of its own"
        verb = {Mode.READ: "reads", Mode.WRITE: "writes", Mode.READ_WRITE: "reads and writes"}[Mode(self.access.mode)]
        return f"{self.service.name} {verb} {self.table.name}" + (
            (", indirectly" if self.access.indirect else "") + (", and owns it" if self.owner else "")
        )


@dataclass
class Families:
    """Services by family: a service that is part of no other, with all its parts; and where families are at home.

    ``chain`` names each service and what it is part of, up to its ``top``. A family is at ``home`` in the group in
    which it owns most tables.
    """

    services: list[Service]
    top: dict[int, Service] = field(default_factory=dict)
    chain: dict[int, list[str]] = field(default_factory=dict)
    home: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {service.pk: service for service in self.services}
        for service in self.services:
            head, names = service, [service.name]
            while head.part_of_id in known and known[head.part_of_id].name not in names:
                head = known[head.part_of_id]
                names.append(head.name)
            self.top[service.pk], self.chain[service.pk] = head, names

    def find_homes(self, groups: list[TableGroup]) -> None:
        """Fill ``home``; one query."""
        names = {group.pk: group.name for group in groups}
        owned: dict[int, dict[str, int]] = {}
        rows = Table.objects.order_by().values_list("owner", "group").annotate(Count("pk"))
        for owner, group, count in sorted(rows):
            if owner in self.top and group in names:
                counts = owned.setdefault(self.top[owner].pk, {})
                counts[names[group]] = counts.get(names[group], 0) + count
        for service in self.services:
            counts = owned.get(self.top[service.pk].pk, {})
            self.home[service.pk] = max(counts, key=lambda name: counts[name]) if counts else NOWHERE


class MatrixPage(Page):
    """`?group=`, `?service=` (with its parts), `?home=` (a group's services) and `?mode=` narrow it."""

    template_name = "ownership/matrix.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With rows of cells, or an overview of counts where there would be too many."""
        groups = list(TableGroup.objects.all())
        families = Families(list(Service.objects.order_by("name")))
        asked = {name: self.request.GET.get(name, "") for name in ("group", "service", "home", "mode")}
        self._refuse_unknown(asked, groups, families)
        if asked["home"]:
            families.find_homes(groups)
        chosen = [s for s in families.services if self._is_chosen(s, families, asked)]
        tables = Table.objects.select_related("group", "owner")
        context = super().get_context_data(**kwargs) | {
            "groups": groups,
            "families": families.services,
            "modes": {name: label for name, (label, _) in MODES.items()},
            "asked": asked,
            "filtered": any(asked.values()),
        }
        if not (asked["group"] or asked["service"] or asked["home"]) and tables.count() * len(chosen) > CELLS:
            return context | self._overview(groups, families, asked["mode"])
        accesses = Access.objects.filter(MODES[asked["mode"]][1] if asked["mode"] else Q(), service__in=chosen)
        if asked["group"]:
            tables, accesses = (
                tables.filter(group__name=asked["group"]),
                accesses.filter(table__group__name=asked["group"]),
            )
        if asked["service"] or asked["home"] or asked["mode"]:
            owned = Q() if asked["mode"] else Q(owner__in=chosen)
            tables = tables.filter(
                Q(pk__in=accesses.values("table")) | owned if owned else Q(pk__in=accesses.values("table"))
            )
        if any(asked.values()):
            used = set(accesses.order_by().values_list("service", flat=True).distinct())
            if not asked["mode"]:
                used |= set(tables.order_by().values_list("owner", flat=True).distinct())
            chosen = [service for service in chosen if service.pk in used]
        page = Paginator(tables, max(20, CELLS // max(1, len(chosen)))).get_page(self.request.GET.get("page"))
        return context | self._cells(page, chosen, families, accesses, asked["mode"])

    def _refuse_unknown(self, asked: dict[str, str], groups: list[TableGroup], families: Families) -> None:
        takes: dict[str, Iterable[str]] = {
            "group": [group.name for group in groups],
            "home": [*(group.name for group in groups), NOWHERE],
            "service": [service.name for service in families.services],
            "mode": MODES,
        }
        for name, value in asked.items():
            if value and value not in takes[name]:
                known = f"It takes {', '.join(MODES)}." if name == "mode" else f"There is no such {name}."
                raise BadAddress(f"{name}={value[:100]}: {known}")

    def _is_chosen(self, service: Service, families: Families, asked: dict[str, str]) -> bool:
        if asked["home"] and families.home[service.pk] != asked["home"]:
            return False
        return not asked["service"] or asked["service"] in families.chain[service.pk]

    def _cells(self, page: Any, chosen: list[Service], families: Families, accesses: Any, mode: str) -> dict[str, Any]:
        tables = list(page.object_list)
        found = {(a.table_id, a.service_id): a for a in accesses.filter(table__in=[table.pk for table in tables])}
        columns = _in_order(chosen, tables, found, families)
        rows = []
        for table in tables:
            cells = []
            for service in columns:
                access = found.get((table.pk, service.pk))
                owns = table.owner_id == service.pk and not mode
                cells.append(Cell(table, service, access) if access or owns else None)
            rows.append({"table": table, "cells": cells})
        return {"page": page, "rows": rows, "columns": columns}

    def _overview(self, groups: list[TableGroup], families: Families, mode: str) -> dict[str, Any]:
        """Counts of accesses by group and family; by group and home where families are too many."""
        tops = {top.pk for top in families.top.values()}
        by_home = len(tops) > FAMILIES
        if by_home:
            families.find_homes(groups)
        key = families.home if by_home else {pk: top.name for pk, top in families.top.items()}
        accesses = Access.objects.filter(MODES[mode][1] if mode else Q()).order_by()
        totals: dict[str, int] = {}
        for service, count in accesses.values_list("service").annotate(Count("pk")):
            name = key.get(service, NOWHERE)
            totals[name] = totals.get(name, 0) + count
        names = [group.name for group in groups] + [NOWHERE] if by_home else sorted(set(key.values()))
        shown = set(sorted(totals, key=lambda name: -totals[name])[:COLUMNS])
        columns = [name for name in names if name in shown] + [OTHERS] * (len(totals) > COLUMNS)
        page = Paginator(groups, max(20, CELLS // max(1, len(columns)))).get_page(self.request.GET.get("page"))
        counts: dict[tuple[int, str], int] = {}
        counted = accesses.filter(table__group__in=[group.pk for group in page]).values_list("table__group", "service")
        for group, service, count in counted.annotate(Count("pk")):
            name = key.get(service, NOWHERE)
            place = group, name if name in shown else OTHERS
            counts[place] = counts.get(place, 0) + count
        most = max(counts.values(), default=1)
        rows = [
            {
                "group": group,
                "cells": [
                    {"name": name, "count": count, "level": 1 + 3 * count // (most + 1)} if count else {"name": name}
                    for name in columns
                    for count in [counts.get((group.pk, name), 0)]
                ],
            }
            for group in page
        ]
        by = "home" if by_home else "service"
        return {"overview": rows, "columns": columns, "by": by, "others": OTHERS, "page": page}


def _in_order(services: list[Service], tables: list[Table], found: dict[Any, Any], families: Families) -> list[Service]:
    """Services in the order in which they first own, or else use, a table that is shown; a family's together."""
    first: dict[int, tuple[int, int]] = {}
    place = {table.pk: number for number, table in enumerate(tables)}
    for table in tables:
        first.setdefault(table.owner_id, (0, place[table.pk]))
    for table_id, service_id in sorted(found, key=lambda pair: place.get(pair[0], 0)):
        first.setdefault(service_id, (1, place.get(table_id, 0)))
    last = (2, 0)
    best: dict[int, tuple[int, int]] = {}
    for service in services:
        top = families.top[service.pk].pk
        best[top] = min(best.get(top, last), first.get(service.pk, last))

    def key(service: Service) -> Any:
        top = families.top[service.pk]
        return best[top.pk], top.name, service.pk != top.pk, first.get(service.pk, last), service.name

    return sorted(services, key=key)
