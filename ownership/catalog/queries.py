"""Reading the map, with a fixed number of queries: all of it, or some of its tables; today's or another time's."""

from typing import Any

from django.db.models import QuerySet

from ownership.history import time_travel
from ownership.models import Access, Environment, SecondaryIndex, Service, Table, TableGroup


def whole_tables() -> QuerySet[Table]:
    """Tables in the map's order with all that hangs on them, to narrow down."""
    return Table.objects.select_related("group", "owner").prefetch_related("indexes", "accesses__service")


def whole_map() -> dict[str, list[Any]]:
    """Environments, groups, services and tables in the map's order; tables with their accesses and indexes.

    One query per model, wired together here: over 10,000 tables faster than ``prefetch_related``, which makes a
    queryset per table and a service per access. Accesses are put in order here: a database sorts half a million of
    them, joined with their services, on disk. A row that a change slips in between two of the queries is left to be
    fetched when asked for.
    """
    groups, by_name = list(TableGroup.objects.all()), list(Service.objects.all())
    services = sorted(by_name, key=lambda service: service.pk)
    place = {service.pk: number for number, service in enumerate(by_name)}
    tables = list(Table.objects.all())
    _point(services, "part_of", services)
    _point(tables, "group", groups)
    _point(tables, "owner", services)
    for model, name in ((SecondaryIndex, "indexes"), (Access, "accesses")):
        parts: dict[int, list[Any]] = {table.pk: [] for table in tables}
        rows: list[Any] = list(model.objects.all() if model is SecondaryIndex else model.objects.order_by())
        _point(rows, "table", tables)
        if model is Access:
            _point(rows, "service", services)
            rows.sort(key=lambda access: (access.position, place.get(access.service_id, len(place))))
        for row in rows:
            parts.get(row.table_id, []).append(row)
        for table in tables:
            # Where prefetch_related keeps them: `table.accesses.all()` takes them from there.
            vars(table).setdefault("_prefetched_objects_cache", {})[name] = parts[table.pk]
    return {"environments": list(Environment.objects.all()), "groups": groups, "services": services, "tables": tables}


def whole_map_of_now() -> tuple[time_travel.Head, dict[str, list[Any]]]:
    """The whole map, and the revision and digest that all of its rows are of."""
    while True:
        head, rows = time_travel.head(), whole_map()
        if head == time_travel.head():
            return head, rows


def _point(rows: list[Any], name: str, targets: list[Any]) -> None:
    """Fill the rows' foreign key with the very objects that it names."""
    found = {target.pk: target for target in targets}
    for row in rows:
        target = found.get(getattr(row, f"{name}_id"))
        if target is not None:
            row._state.fields_cache[name] = target
