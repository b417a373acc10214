"""Compares what the map declares with what a reader found. No files, no database: values in, values out.

``compare`` makes pairs of what is declared and what was found: one for each service and table, and one for each
table. What differs within a pair are its findings.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from ownership.drift.types import (
    DeclaredAccess,
    DeclaredMap,
    DeclaredService,
    Finding,
    FindingKind,
    GrantedAccess,
    Infrastructure,
    KeyAttribute,
    Keys,
    Location,
    Offer,
    ReadOrWrite,
    TableShape,
    Unchecked,
    WaiverTerms,
    combined_mode,
)

NOT_READ = "no permissions of the service were read"
MAY_BE_GRANTED = "something unresolved may grant the access"

Modes = frozenset[ReadOrWrite]
NO_MODES: Modes = frozenset()
# The findings that are waived, each with the waiver that covers it.
Waived = Mapping[Finding, WaiverTerms]


@dataclass(frozen=True)
class AccessPair:
    """One service and one table: how the service's declared access compares with its grants.

    A service may use what is granted to a service that it is part of. In turn, a grant to a service is
    justified by what is declared for the services that are part of it. So there are two sets on each side.
    """

    table: str
    service: str
    owner: str | None  # of the table
    is_registered: bool  # the table
    declared: Modes  # for this service
    justified: Modes  # declared for this service or for a part of it
    granted: Modes  # to this service
    effective: Modes  # granted to this service or to one that it is part of
    unknown: Modes = frozenset()  # declared, and nobody can say whether they are granted
    unknown_reason: str = ""
    holders: tuple[str, ...] = ()  # the services that hold the grants, this one first, then the nearest
    grants: Mapping[GrantedAccess, tuple[Location, ...]] = field(default_factory=dict)  # theirs, sorted
    deployed_at: tuple[Location, ...] = ()  # an unregistered table

    @property
    def excess(self) -> Modes:
        """Granted, but not declared."""
        return self.granted - self.justified

    @property
    def missing(self) -> Modes:
        """Declared, but not granted."""
        return self.declared - self.effective - self.unknown

    @property
    def through(self) -> str | None:
        """The service that holds the grant, where this one only has it as a part of that one."""
        if not self.holders or self.service in self.holders:
            return None
        return self.holders[0]

    @property
    def evidence(self) -> tuple[Location, ...]:
        """Where the effective access is granted."""
        return _distinct(self.grants.values())

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Where the two sides differ: the grant may be too wide and too narrow at once."""
        findings = []
        if self.excess:
            findings.append(self._excess_finding())
        if self.missing:
            findings.append(self._missing_finding())
        return tuple(findings)

    def _excess_finding(self) -> Finding:
        kind: FindingKind
        if not self.is_registered:
            kind = "unregistered_table"
        elif self.justified:
            kind = "wider_grant"
        else:
            kind = "undeclared_access"
        too_wide = []
        for grant, locations in self.grants.items():
            if grant.service == self.service and grant.mode in self.excess:
                too_wide.append(locations)
        return Finding(
            kind,
            self.table,
            self.service,
            declared=combined_mode(self.justified),
            granted=combined_mode(self.granted),
            owner=self.owner,
            evidence=_distinct(too_wide) + self.deployed_at,
        )

    def _missing_finding(self) -> Finding:
        return Finding(
            "narrower_grant" if self.effective else "access_not_granted",
            self.table,
            self.service,
            declared=combined_mode(self.declared - self.unknown),
            granted=combined_mode(self.effective),
            owner=self.owner,
            evidence=self.evidence,
        )


@dataclass(frozen=True)
class TablePair:
    """One table as the map states it and as it is deployed; None where it isn't on that side."""

    stated: TableShape | None
    deployed: TableShape | None
    owner: str | None = None
    is_granted: bool = False  # to some service; a finding about that service then names the table

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """A table that only one side has, or keys and indexes that differ."""
        if self.stated and self.deployed:
            return tuple(_shape_findings(self.stated, self.deployed, self.owner))
        if self.stated:
            return (
                Finding(
                    "table_not_deployed",
                    self.stated.name,
                    None,
                    declared=None,
                    granted=None,
                    owner=self.owner,
                ),
            )
        if self.deployed and not self.is_granted:
            return (
                Finding(
                    "unregistered_table",
                    self.deployed.name,
                    None,
                    declared=None,
                    granted=None,
                    owner=None,
                    evidence=self.deployed.locations,
                ),
            )
        return ()

    @property
    def offers(self) -> tuple[Offer, ...]:
        """Keys that are deployed and that the map leaves open."""
        if self.stated is None or self.deployed is None:
            return ()
        table, locations = self.stated.name, self.deployed.locations
        offers = []
        if self.deployed.key_schema and not self.stated.key_schema:
            offers.append(Offer(table, None, self.deployed.key_schema, locations))
        deployed = dict(self.deployed.indexes)
        for index, stated_keys in self.stated.indexes:
            deployed_keys = deployed.get(index)
            if deployed_keys and not stated_keys:
                offers.append(Offer(table, index, deployed_keys, locations))
        return tuple(offers)


@dataclass(frozen=True)
class Comparison:
    """All pairs. Findings, offers, unchecked accesses and the agreement are views of them."""

    pairs: tuple[AccessPair, ...] = ()
    tables: tuple[TablePair, ...] = ()
    reads_permissions: bool = True  # a reader of tables alone checks no access

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that differs, by table, service and kind."""
        findings: list[Finding] = []
        for pair in self.pairs:
            findings.extend(pair.findings)
        for table in self.tables:
            findings.extend(table.findings)
        return tuple(sorted(findings, key=_order))

    @cached_property
    def offers(self) -> tuple[Offer, ...]:
        """Keys that the map could take over."""
        offers: list[Offer] = []
        for table in self.tables:
            offers.extend(table.offers)
        return tuple(offers)

    @cached_property
    def unchecked(self) -> tuple[Unchecked, ...]:
        """Declared accesses that the reader could not judge, by table and service."""
        if not self.reads_permissions:
            return ()
        return tuple(Unchecked(pair.table, pair.service, pair.unknown_reason) for pair in self.pairs if pair.unknown)

    def agreement(self) -> tuple[int, int]:
        """How many of the pairs that were compared agree, and how many were compared.

        A declared access counts where the reader read permissions and could judge it.
        """
        agreeing = compared = 0
        for pair in self.pairs:
            is_judged = self.reads_permissions and not pair.unknown
            if pair.granted or pair.findings or is_judged:
                compared += 1
                agreeing += not pair.findings
        for table in self.tables:
            if table.stated or table.findings:
                compared += 1
                agreeing += not table.findings
        return agreeing, compared


def _shape_findings(stated: TableShape, deployed: TableShape, owner: str | None) -> Iterable[Finding]:
    """Where the keys or indexes of a registered table differ from what the map states."""
    if not _keys_agree(stated.key_schema, deployed.key_schema):
        yield Finding(
            "key_schema_differs",
            stated.name,
            None,
            declared=str(stated.key_schema),
            granted=str(deployed.key_schema),
            owner=owner,
            evidence=deployed.locations,
        )
    stated_indexes, deployed_indexes = dict(stated.indexes), dict(deployed.indexes)
    if not _indexes_agree(stated_indexes, deployed_indexes):
        yield Finding(
            "index_differs",
            stated.name,
            None,
            declared=_listed(stated_indexes),
            granted=_listed(deployed_indexes),
            owner=owner,
            evidence=deployed.locations,
        )


def _order(finding: Finding) -> tuple[str, str, str]:
    return finding.table, finding.service or "", finding.kind


def _distinct(groups: Iterable[tuple[Location, ...]]) -> tuple[Location, ...]:
    """All the locations once, in the order in which they come."""
    locations: dict[Location, None] = {}
    for group in groups:
        locations.update(dict.fromkeys(group))
    return tuple(locations)


def _indexes_agree(stated: Mapping[str, Keys | None], deployed: Mapping[str, Keys | None]) -> bool:
    if stated.keys() != deployed.keys():
        return False
    return all(_keys_agree(keys, deployed[name]) for name, keys in stated.items())


def _keys_agree(stated: Keys | None, deployed: Keys | None) -> bool:
    """Whether the deployed keys are the stated ones. What either side leaves open agrees."""
    if stated is None or deployed is None:
        return True
    return _attributes_agree(stated.partition, deployed.partition) and _attributes_agree(stated.sort, deployed.sort)


def _attributes_agree(stated: KeyAttribute | None, deployed: KeyAttribute | None) -> bool:
    if stated is None or deployed is None:
        return stated is deployed
    if stated.name != deployed.name:
        return False
    return not stated.type or not deployed.type or stated.type == deployed.type


def _listed(indexes: Mapping[str, Keys | None]) -> str:
    texts = []
    for name, keys in sorted(indexes.items()):
        texts.append(f"{name} ({keys})" if keys else name)
    return ", ".join(texts) or "none"


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
        own_declared = declared_modes.get((table, service), NO_MODES)
        effective = _union(granted_modes, table, service_and_wholes)

        missing = own_declared - effective
        unknown, reason = _unknown(missing, service_and_wholes, found, unresolved_modes)

        yield AccessPair(
            table=table,
            service=service,
            owner=declared.owners.get(table),
            is_registered=table in registered,
            declared=own_declared,
            justified=_union(declared_modes, table, service_and_parts),
            granted=granted_modes.get((table, service), NO_MODES),
            effective=effective,
            unknown=unknown,
            unknown_reason=reason if unknown else "",
            holders=tuple(holder for holder in service_and_wholes if (table, holder) in granted_modes),
            grants=_grants_of(table, service_and_wholes, granted_modes, found),
            deployed_at=() if table in registered else deployed_at.get(table, ()),
        )


def _table_pairs(declared: DeclaredMap, found: Infrastructure) -> Iterable[TablePair]:
    """A pair for each table that was found. If the reader saw all tables, also one for each that it did not find."""
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


def _unknown(
    missing: Modes,
    service_and_wholes: tuple[str, ...],
    found: Infrastructure,
    unresolved_modes: Mapping[str | None, Modes],
) -> tuple[Modes, str]:
    """Those of the missing modes that may be granted after all, and why nobody can say."""
    if not _permissions_were_read(service_and_wholes, found):
        return missing, NOT_READ
    may_be_granted = unresolved_modes.get(None, NO_MODES)
    for service in service_and_wholes:
        may_be_granted |= unresolved_modes.get(service, NO_MODES)
    return missing & may_be_granted, MAY_BE_GRANTED


def _permissions_were_read(service_and_wholes: tuple[str, ...], found: Infrastructure) -> bool:
    """Whether a grant that is not there can be called missing.

    A part without a project of its own runs in its whole's. So the outermost whole must have been read, and
    everything on the way to it must have been readable.
    """
    outermost = service_and_wholes[-1]
    return outermost in found.services and found.unread.isdisjoint(service_and_wholes)


def _modes_by_pair(
    accesses: Iterable[DeclaredAccess | GrantedAccess],
) -> dict[tuple[str, str], Modes]:
    """The modes of each (table, service)."""
    modes: dict[tuple[str, str], Modes] = defaultdict(frozenset)
    for access in accesses:
        modes[access.table, access.service] |= {access.mode}
    return dict(modes)


def _unresolved_modes(found: Infrastructure) -> dict[str | None, Modes]:
    """For each service, the modes that something unresolved may grant it; under None, those for any service."""
    modes: dict[str | None, Modes] = defaultdict(frozenset)
    for unresolved in found.unresolved:
        modes[unresolved.service] |= unresolved.modes
    return dict(modes)


def _union(modes: Mapping[tuple[str, str], Modes], table: str, services: Iterable[str]) -> Modes:
    """The modes that any of the services has for the table."""
    union = NO_MODES
    for service in services:
        union |= modes.get((table, service), NO_MODES)
    return union


def _grants_of(
    table: str,
    services: Iterable[str],
    modes: Mapping[tuple[str, str], Modes],
    found: Infrastructure,
) -> dict[GrantedAccess, tuple[Location, ...]]:
    """The services' grants for the table, sorted, with their locations."""
    grants = {}
    for service in sorted(services):
        for mode in sorted(modes.get((table, service), NO_MODES)):
            grant = GrantedAccess(service, table, mode)
            grants[grant] = found.grants[grant]
    return grants


def waived(
    findings: Iterable[Finding],
    waivers: Iterable[WaiverTerms],
    environment: str | None,
    today: date,
) -> dict[Finding, WaiverTerms]:
    """The findings that a waiver covers: the same finding and grant, in the same environment, up to its day."""
    in_force = {}
    for waiver in waivers:
        if waiver.environment == environment and today <= waiver.until:
            in_force[waiver.identity, waiver.granted] = waiver
    covered = {}
    for finding in findings:
        if (finding.identity, finding.granted) in in_force:
            covered[finding] = in_force[finding.identity, finding.granted]
    return covered
