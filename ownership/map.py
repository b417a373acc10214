"""The whole map in one query per model, wired together: for those who read all of it, today's or another time's."""

from typing import Any

from ownership.models import Access, Environment, SecondaryIndex, Service, Table, TableGroup


def whole_map() -> dict[str, list[Any]]:
    """Environments, groups, services and tables in the map's order; tables with their accesses and indexes.

    Faster than ``prefetch_related`` over 10,000 tables, which makes a queryset per table and a service per access.
    A row that a change slips in between two of the queries is left to be fetched when asked for.
    """
    groups, services, tables = (
        list(TableGroup.objects.all()),
        list(Service.objects.order_by("pk")),
        list(Table.objects.all()),
    )
    _point(services, "part_of", services)
    _point(tables, "group", groups)
    _point(tables, "owner", services)
    for model, name in ((SecondaryIndex, "indexes"), (Access, "accesses")):
        parts: dict[int, list[Any]] = {table.pk: [] for table in tables}
        rows: list[Any] = list(model.objects.all())
        _point(rows, "table", tables)
        if model is Access:
            _point(rows, "service", services)
        for row in rows:
            parts.get(row.table_id, []).append(row)
        for table in tables:
            # Where prefetch_related keeps them: `table.accesses.all()` takes them from there.
            vars(table).setdefault("_prefetched_objects_cache", {})[name] = parts[table.pk]
    return {"environments": list(Environment.objects.all()), "groups": groups, "services": services, "tables": tables}


def _point(rows: list[Any], name: str, targets: list[Any]) -> None:
    """Fill the rows' foreign key with the very objects that it names."""
    found = {target.pk: target for target in targets}
    for row in rows:
        target = found.get(getattr(row, f"{name}_id"))
        if target is not None:
            row._state.fields_cache[name] = target
