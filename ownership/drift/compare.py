"""Declared and granted, compared as sets. No files, no database: values in, values out."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping

from ownership.drift.types import (
    Comparison,
    DeclaredMap,
    DeclaredService,
    Finding,
    GrantedAccess,
    Infrastructure,
    KeyAttribute,
    Keys,
    Location,
    Offer,
    ReadOrWrite,
    TableShape,
    Unchecked,
    combined_mode,
)

NOT_READ = "no permissions of the service were read"
MAY_BE_GRANTED = "something unresolved may grant the access"


def compare(declared: DeclaredMap, found: Infrastructure) -> Comparison:
    """All differences between the map and what a reader found.

    A grant to a service covers what is declared for its parts, and a part's declared access is met by a grant
    to what it is part of. What the reader can't know gives no finding: those declared accesses are listed
    as unchecked.
    """
    registered = {table.name: table for table in declared.tables}
    wholes = wholes_of(declared.services)
    granted = set(found.grants)

    justified = declared.accesses | {
        GrantedAccess(whole, a.table, a.mode) for a in declared.accesses for whole in wholes.get(a.service, ())
    }
    met = granted | {
        GrantedAccess(part, a.table, a.mode) for part, chain in wholes.items() for a in granted if a.service in chain
    }
    excess = {a for a in granted - justified if a.table in registered}
    missing = declared.accesses - met
    possible = {(u.service, mode) for u in found.unresolved for mode in u.modes}
    unknown = {a: reason for a in missing if (reason := _unknown(a, found, possible, wholes))}

    findings = list(_unregistered(found, registered))
    findings += _accesses("wider", excess, justified, granted, declared, found, wholes)
    checked = declared.accesses - unknown.keys()
    findings += _accesses("narrower", checked & missing, checked, met, declared, found, wholes)
    offers: list[Offer] = []
    for table in found.tables:
        if table.name in registered:
            findings += _shape(registered[table.name], table, declared.owners.get(table.name))
            offers += _offers(registered[table.name], table)
    if found.all_tables:
        absent = registered.keys() - {table.name for table in found.tables}
        findings += [
            Finding("table_not_deployed", name, None, None, None, declared.owners.get(name)) for name in absent
        ]
    # A reader of tables alone checks no access at all; to list them all would say nothing.
    unchecked = {Unchecked(a.table, a.service, reason) for a, reason in unknown.items() if found.services}
    return Comparison(
        tuple(sorted(findings, key=lambda f: (f.table, f.service or "", f.kind))),
        tuple(offers),
        tuple(sorted(unchecked, key=lambda u: (u.table, u.service, u.reason))),
    )


def agreement(declared: DeclaredMap, found: Infrastructure, result: Comparison) -> tuple[int, int]:
    """(how many agree, of how many) of all that was compared: pairs of table and service, and the shapes of tables.

    What could not be checked counts as neither.
    """
    unchecked = {(u.table, u.service) for u in result.unchecked}
    compared: set[tuple[str, str | None]] = {(a.table, a.service) for a in found.grants}
    if found.services:
        compared |= {(a.table, a.service) for a in declared.accesses} - unchecked
    deployed, registered = {table.name for table in found.tables}, {table.name for table in declared.tables}
    compared |= {(name, None) for name in (registered if found.all_tables else registered & deployed)}
    differing = {(f.table, f.service) for f in result.findings}
    compared |= differing
    return len(compared - differing), len(compared)


def wholes_of(services: Iterable[DeclaredService]) -> dict[str, list[str]]:
    """For each service that is part of others, those others, nearest first."""
    parent = {s.name: s.part_of for s in services}
    wholes = {}
    for name, at in parent.items():
        chain: list[str] = []
        while at and at != name and at not in chain:
            chain.append(at)
            at = parent.get(at)
        if chain:
            wholes[name] = chain
    return wholes


def _unknown(
    access: GrantedAccess,
    found: Infrastructure,
    possible: Container[tuple[str | None, ReadOrWrite]],
    wholes: Mapping[str, list[str]],
) -> str | None:
    """Why nobody can say that a missing access is not granted; None where it isn't.

    A part without a project of its own runs in its whole's; where the whole was not read, it might grant the access.
    """
    chain = [access.service, *wholes.get(access.service, ())]
    services = set(chain)
    if chain[-1] not in found.services or services & found.unread:
        return NOT_READ
    if any((service, access.mode) in possible for service in services):
        return MAY_BE_GRANTED
    return None


def modes_by_use(accesses: Iterable[GrantedAccess]) -> dict[tuple[str, str], set[ReadOrWrite]]:
    """The modes of each (table, service)."""
    modes: dict[tuple[str, str], set[ReadOrWrite]] = defaultdict(set)
    for access in accesses:
        modes[access.table, access.service].add(access.mode)
    return modes


def _places(found: Infrastructure, accesses: Iterable[GrantedAccess]) -> tuple[Location, ...]:
    return tuple(dict.fromkeys(place for a in sorted(accesses) for place in found.grants.get(a, ())))


def _accesses(
    direction: str,
    differing: Iterable[GrantedAccess],
    said: Iterable[GrantedAccess],
    given: Iterable[GrantedAccess],
    declared: DeclaredMap,
    found: Infrastructure,
    wholes: Mapping[str, list[str]],
) -> Iterator[Finding]:
    """A finding for each table and service whose grants are ``wider`` or ``narrower`` than what is said.

    Evidence: what goes too far; or, where something is missing, what is there.
    """
    said_modes, given_modes = modes_by_use(said), modes_by_use(given)
    for (table, service), modes in modes_by_use(differing).items():
        says, gives = said_modes.get((table, service), set()), given_modes.get((table, service), set())
        if direction == "wider":
            kind = "wider_grant" if says else "undeclared_access"
            places = _places(found, {GrantedAccess(service, table, mode) for mode in modes})
        else:
            kind = "narrower_grant" if gives else "access_not_granted"
            holders = [service, *wholes.get(service, ())]
            places = _places(found, {GrantedAccess(holder, table, mode) for holder in holders for mode in gives})
        owner = declared.owners.get(table)
        yield Finding(kind, table, service, combined_mode(says), combined_mode(gives), owner, places)  # type: ignore[arg-type]


def _unregistered(found: Infrastructure, registered: Mapping[str, TableShape]) -> Iterator[Finding]:
    """A finding for each service that may use an unregistered table, or one for the table where none may."""
    modes = modes_by_use(a for a in found.grants if a.table not in registered)
    deployed = {table.name: table.locations for table in found.tables if table.name not in registered}
    for (table, service), own in modes.items():
        places = _places(found, {GrantedAccess(service, table, mode) for mode in own}) + deployed.get(table, ())
        yield Finding("unregistered_table", table, service, None, combined_mode(own), None, places)
    for table in deployed.keys() - {table for table, _ in modes}:
        yield Finding("unregistered_table", table, None, None, None, None, deployed[table])


def _shape(stated: TableShape, deployed: TableShape, owner: str | None) -> Iterator[Finding]:
    """Where the keys or indexes of a registered table are others than the map states."""
    if not _agree(stated.key_schema, deployed.key_schema):
        texts = str(stated.key_schema), str(deployed.key_schema)
        yield Finding("key_schema_differs", stated.name, None, *texts, owner, deployed.locations)
    ours, theirs = dict(stated.indexes), dict(deployed.indexes)
    if ours.keys() != theirs.keys() or not all(_agree(ours[name], theirs[name]) for name in ours):
        yield Finding("index_differs", stated.name, None, _listed(ours), _listed(theirs), owner, deployed.locations)


def _offers(stated: TableShape, deployed: TableShape) -> Iterator[Offer]:
    """What the map leaves open and the infrastructure knows."""
    if deployed.key_schema and not stated.key_schema:
        yield Offer(stated.name, None, deployed.key_schema, deployed.locations)
    theirs = dict(deployed.indexes)
    for name, schema in stated.indexes:
        if schema is None and (known := theirs.get(name)):
            yield Offer(stated.name, name, known, deployed.locations)


def _agree(stated: Keys | None, deployed: Keys | None) -> bool:
    """Whether the deployed keys are what the map states of them; what either leaves open agrees."""
    if stated is None or deployed is None:
        return True
    return _same(stated.partition, deployed.partition) and _same(stated.sort, deployed.sort)


def _same(stated: KeyAttribute | None, deployed: KeyAttribute | None) -> bool:
    if stated is None or deployed is None:
        return stated is deployed
    return stated.name == deployed.name and (not stated.type or not deployed.type or stated.type == deployed.type)


def _listed(indexes: Mapping[str, Keys | None]) -> str:
    return ", ".join(f"{name} ({keys})" if keys else name for name, keys in sorted(indexes.items())) or "none"
