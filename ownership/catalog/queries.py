"""Queries over the map, whole or its tables alone. Inside ``as_of()`` they see the map of that time."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Model, Prefetch, QuerySet

from ownership.catalog.confirmation import with_changes
from ownership.history.head import Head
from ownership.history.models import current_head
from ownership.models import Access, Environment, SecondaryIndex, Service, Table, TableGroup, Team

# Lists of environments, groups, teams, services and tables by that name, each in the map's order.
WholeMap = dict[str, list[Any]]


def whole_tables() -> QuerySet[Table]:
    """Return tables in the map's order with group, owner, indexes and accesses, ready to be filtered."""
    tables = Table.objects.select_related("group", "owner")
    return tables.prefetch_related("indexes", "accesses__service")


def confirmed_tables() -> QuerySet[Table]:
    """Return the same with confirmations, each with ``is_changed``. Call it for each request: the past has its own."""
    return whole_tables().prefetch_related(Prefetch("confirmations", with_changes()))


def confirmed_map() -> WholeMap:
    """Return the whole map with confirmations, each with ``is_changed``; one query more."""
    whole = whole_map()
    _attach(whole["tables"], "confirmations", list(with_changes()))
    return whole


def whole_map() -> WholeMap:
    """Return the map with one query per model; ``table.accesses.all()`` and the like then cost no query.

    The rows are linked here and not by ``prefetch_related``, which makes a queryset per table and a service per
    access: over 10,000 tables this is faster. A row that somebody adds between two of the queries is left unlinked,
    and fetched when it is read.
    """
    return {
        "environments": list(Environment.objects.all()),
        **map_around(list(Table.objects.all())),
    }


def map_around(tables: list[Table]) -> WholeMap:
    """Return those tables, all groups, teams and services, and link them like ``whole_map``; five queries.

    The tables must be all that there are: every access and index is fetched.
    """
    groups = list(TableGroup.objects.all())
    teams = list(Team.objects.all())
    services = list(Service.objects.all())
    _link(tables, "group", groups)
    _link(services, "team", teams)
    _link_uses(tables, services)
    return {"groups": groups, "teams": teams, "services": _by_id(services), "tables": tables}


def compared_map() -> WholeMap:
    """Return what drift compares: environments, services and tables, linked like ``whole_map``; five queries.

    Services have their teams. No groups are read, and no teams besides.
    """
    environments = list(Environment.objects.all())
    tables = list(Table.objects.all())
    services = list(Service.objects.select_related("team"))
    _link_uses(tables, services)
    return {"environments": environments, "services": _by_id(services), "tables": tables}


def current_map(read: Callable[[], WholeMap] = whole_map) -> tuple[Head, WholeMap]:
    """Return the map as ``read`` does, and the head (revision and digest) that all of its rows belong to.

    Read outside a transaction, so that nobody has to wait for it: where the head moved meanwhile, the map is read
    again.
    """
    while True:
        head = current_head()
        rows = read()
        if current_head() == head:
            return head, rows


def _link_uses(tables: list[Table], services: list[Service]) -> None:
    """Link all tables and services with each other, and with all indexes and accesses; two queries.

    The services come in the order of their names, as the accesses of a table do.
    """
    indexes = list(SecondaryIndex.objects.all())
    # Unordered: a database would sort half a million accesses, joined with their services, on disk.
    accesses = list(Access.objects.order_by())
    _link(services, "part_of", services)
    _link(tables, "owner", services)
    _link(indexes, "table", tables)
    _link(accesses, "table", tables)
    _link(accesses, "service", services)

    rank = {service.pk: number for number, service in enumerate(services)}
    last = len(rank)
    accesses.sort(key=lambda access: (access.position, rank.get(access.service_id, last)))
    _attach(tables, "indexes", indexes)
    _attach(tables, "accesses", accesses)


def _by_id(services: list[Service]) -> list[Service]:
    """The services in the order of the map."""
    return sorted(services, key=lambda service: service.pk)


def _link(rows: Sequence[Model], name: str, targets: Sequence[Model]) -> None:
    """Let each row's foreign key return the very object among ``targets`` that it refers to."""
    by_id = {target.pk: target for target in targets}
    for row in rows:
        target = by_id.get(getattr(row, f"{name}_id"))
        if target is not None:
            # Where the foreign key keeps what it has fetched. Assigning the attribute would check each value.
            row._state.fields_cache[name] = target


def _attach(tables: list[Table], name: str, rows: Sequence[Any]) -> None:
    """Let ``table.<name>.all()`` return the rows that belong to the table."""
    by_table: dict[int, list[Model]] = {table.pk: [] for table in tables}
    for row in rows:
        if row.table_id in by_table:
            by_table[row.table_id].append(row)
    for table in tables:
        # Where prefetch_related keeps its results; Django has no public way to put rows there.
        prefetched = vars(table).setdefault("_prefetched_objects_cache", {})
        prefetched[name] = by_table[table.pk]
