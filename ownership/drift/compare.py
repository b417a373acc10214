"""Compares what the map declares with what a reader found. No files, no database: values in, values out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ownership.drift.pairs import AccessPair, Comparison, Modes, TablePair
from ownership.drift.types import (
    DeclaredAccess,
    DeclaredMap,
    DeclaredService,
    GrantedAccess,
    Infrastructure,
    Location,
)

NOT_READ = "no permissions of the service were read"
MAY_BE_GRANTED = "something unresolved may grant the access"

NOTHING: Modes = frozenset()


def compare(declared: DeclaredMap, found: Infrastructure) -> Comparison:
    """Pair every declared access and table with what was found, and the other way round."""
    return Comparison(
        pairs=tuple(_access_pairs(declared, found)),
        tables=tuple(_table_pairs(declared, found)),
        reads_permissions=bool(found.services),
    )


def _access_pairs(declared: DeclaredMap, found: Infrastructure) -> Iterable[AccessPair]:
    """A pair for each table and service with a declared access or a grant, sorted."""
    declared_modes = _modes_by_pair(declared.accesses)
    granted_modes = _modes_by_pair(found.grants)
    wholes = wholes_of(declared.services)
    parts = _parts_of(wholes)
    registered = {table.name for table in declared.tables}
    deployed_at = {table.name: table.locations for table in found.tables}
    unresolved_modes = _unresolved_modes(found)

    for table, service in sorted(declared_modes.keys() | granted_modes.keys()):
        service_and_wholes = (service, *wholes.get(service, ()))
        service_and_parts = (service, *parts.get(service, ()))
        own_declared = declared_modes.get((table, service), NOTHING)
        effective = _union(granted_modes, table, service_and_wholes)

        unknown, reason = own_declared - effective, NOT_READ
        if _permissions_were_read(service_and_wholes, found):
            may_be_granted = NOTHING.union(*(unresolved_modes.get(holder, NOTHING) for holder in service_and_wholes))
            unknown, reason = unknown & may_be_granted, MAY_BE_GRANTED

        yield AccessPair(
            table=table,
            service=service,
            owner=declared.owners.get(table),
            is_registered=table in registered,
            declared=own_declared,
            justified=_union(declared_modes, table, service_and_parts),
            granted=granted_modes.get((table, service), NOTHING),
            effective=effective,
            unknown=unknown,
            unknown_reason=reason if unknown else "",
            holders=tuple(holder for holder in service_and_wholes if (table, holder) in granted_modes),
            grants=_grants_of(table, service_and_wholes, granted_modes, found),
            deployed_at=() if table in registered else deployed_at.get(table, ()),
        )


def _table_pairs(declared: DeclaredMap, found: Infrastructure) -> Iterable[TablePair]:
    """A pair for each table that was found; where the reader saw every table there is, also for the other ones."""
    registered = {table.name: table for table in declared.tables}
    granted = {access.table for access in found.grants}
    for table in found.tables:
        yield TablePair(
            stated=registered.get(table.name),
            deployed=table,
            owner=declared.owners.get(table.name),
            is_granted=table.name in granted,
        )
    if found.all_tables:
        deployed = {table.name for table in found.tables}
        for name in sorted(registered.keys() - deployed):
            yield TablePair(stated=registered[name], deployed=None, owner=declared.owners.get(name))


def wholes_of(services: Iterable[DeclaredService]) -> dict[str, list[str]]:
    """For each service that is part of others, those others, nearest first."""
    parents = {service.name: service.part_of for service in services}
    wholes = {}
    for name, parent in parents.items():
        chain: list[str] = []
        # A file may hold a circle: stop where it closes.
        while parent and parent != name and parent not in chain:
            chain.append(parent)
            parent = parents.get(parent)
        if chain:
            wholes[name] = chain
    return wholes


def _parts_of(wholes: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """For each service, those that are part of it, directly or not."""
    parts = defaultdict(list)
    for part, chain in wholes.items():
        for whole in chain:
            parts[whole].append(part)
    return parts


def _permissions_were_read(service_and_wholes: tuple[str, ...], found: Infrastructure) -> bool:
    """Whether a grant that is not there can be called missing.

    A part without a project of its own runs in its whole's. So the outermost whole must have been read, and
    everything on the way to it must have been readable.
    """
    outermost = service_and_wholes[-1]
    return outermost in found.services and found.unread.isdisjoint(service_and_wholes)


def _modes_by_pair(accesses: Iterable[DeclaredAccess | GrantedAccess]) -> dict[tuple[str, str], Modes]:
    """The modes of each (table, service)."""
    modes: dict[tuple[str, str], Modes] = defaultdict(frozenset)
    for access in accesses:
        modes[access.table, access.service] |= {access.mode}
    return dict(modes)


def _unresolved_modes(found: Infrastructure) -> dict[str, Modes]:
    """For each service, the modes that something unresolved may grant it."""
    modes: dict[str, Modes] = defaultdict(frozenset)
    for unresolved in found.unresolved:
        if unresolved.service:
            modes[unresolved.service] |= unresolved.modes
    return dict(modes)


def _union(modes: Mapping[tuple[str, str], Modes], table: str, services: Iterable[str]) -> Modes:
    """The modes that any of the services has for the table."""
    union = NOTHING
    for service in services:
        union |= modes.get((table, service), NOTHING)
    return union


def _grants_of(
    table: str, services: Iterable[str], modes: Mapping[tuple[str, str], Modes], found: Infrastructure
) -> dict[GrantedAccess, tuple[Location, ...]]:
    """The services' grants for the table, sorted, with their locations."""
    grants = {}
    for service in sorted(services):
        for mode in sorted(modes.get((table, service), NOTHING)):
            grant = GrantedAccess(service, table, mode)
            grants[grant] = found.grants[grant]
    return grants
