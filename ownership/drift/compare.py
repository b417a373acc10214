"""Compares what the map declares with what a reader found and what code does. Values in, values out.

``compare`` makes pairs of what is declared and what was found: one for each service and table, and one for each
table. What differs within a pair are its findings.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple

from ownership.drift.code_findings import findings_with_code
from ownership.drift.code_side import ALL_MODES, NO_MODES, CodeSide, CodeSides, Modes
from ownership.drift.table_pairs import TablePair
from ownership.drift.types import (
    ActionOn,
    CodeUsage,
    DeclaredAccess,
    DeclaredMap,
    DeclaredService,
    Finding,
    FindingKind,
    GrantedAccess,
    Infrastructure,
    Location,
    Offer,
    Unchecked,
    WaiverTerms,
    combined_mode,
)

NOT_READ = "no permissions of the service were read"
MAY_BE_GRANTED = "something unresolved may grant the access"

# The findings that are waived, each with the waiver that covers it.
Waived = Mapping[Finding, WaiverTerms]


class Truth(NamedTuple):
    """Of the accesses that are declared or found: how many are known to be the same in map, IAM and code."""

    agreeing: int
    accesses: int
    unknown: int  # those of which nobody can say


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
    unknown: Modes = NO_MODES  # declared, and nobody can say whether they are granted
    unknown_reason: str = ""
    may_be_granted: Modes = NO_MODES  # by something unresolved
    # The services that hold the grants, this one first, then the nearest.
    holders: tuple[str, ...] = ()
    # The grants of these services, sorted.
    grants: Mapping[GrantedAccess, tuple[Location, ...]] = field(default_factory=dict)
    # What these grants permit.
    actions: Mapping[GrantedAccess, frozenset[ActionOn]] = field(default_factory=dict)
    deployed_at: tuple[Location, ...] = ()  # an unregistered table
    code: CodeSide | None = None  # None: no code was read

    @property
    def excess(self) -> Modes:
        """Granted, but not declared. What only the code of a part uses is a finding about that part."""
        excess = self.granted - self.justified
        if self.code is None:
            return excess
        return excess - (self.code.by_parts - self.code.own)

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

    @property
    def is_true(self) -> bool:
        """Whether declared, granted and in code are known to be the same."""
        if self.code is None or self.unknown or self.findings:
            return False
        return not self.code.unknown & (self.declared | self.effective)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Where the sides differ: the grant may be too wide and too narrow at once."""
        findings = []
        if self.excess:
            findings.append(self._excess_finding())
        if self.missing:
            findings.append(self._missing_finding())
        if self.code is None:
            return tuple(findings)
        return tuple(findings_with_code(self, self.code, findings))

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
            evidence=_distinct([*too_wide, self.deployed_at]),
            verdicts=tuple((mode, None) for mode in sorted(self.excess)),
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
            verdicts=tuple((mode, None) for mode in sorted(self.missing)),
        )


@dataclass(frozen=True)
class Comparison:
    """All pairs. Findings, offers, unchecked accesses and the agreement are views of them."""

    pairs: tuple[AccessPair, ...] = ()
    tables: tuple[TablePair, ...] = ()
    reads_permissions: bool = True  # a reader of tables alone checks no access
    reads_code: bool = False

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
        return tuple(
            Unchecked(pair.table, pair.service, pair.unknown_reason)
            for pair in self.pairs
            if pair.unknown
        )

    def agreement(self) -> tuple[int, int]:
        """How many of the pairs that were compared agree, and how many were compared.

        A declared access counts where the reader read permissions and could judge it.
        """
        agreeing = compared = 0
        for pair in self.pairs:
            is_judged = self.reads_permissions and not pair.unknown
            if pair.findings:
                compared += 1
            elif pair.granted or is_judged:
                compared += 1
                agreeing += 1
        for table in self.tables:
            if table.findings:
                compared += 1
            elif table.stated:
                compared += 1
                agreeing += 1
        return agreeing, compared

    def truth(self) -> Truth | None:
        """How much of the whole map is true; None if no code was read."""
        if not self.reads_code:
            return None
        return truth_of(self.pairs)

    def truth_by_table(self) -> dict[str, Truth]:
        """The same for each table with an access that is declared or found; empty if no code was read."""
        if not self.reads_code:
            return {}
        pairs: dict[str, list[AccessPair]] = defaultdict(list)
        for pair in self.pairs:
            pairs[pair.table].append(pair)
        return {table: truth_of(of_table) for table, of_table in pairs.items()}


def truth_of(pairs: Iterable[AccessPair]) -> Truth:
    """How many of the accesses are known to be the same on all sides."""
    agreeing = accesses = unknown = 0
    for pair in pairs:
        accesses += 1
        if pair.is_true:
            agreeing += 1
        elif not pair.findings:
            unknown += 1
    return Truth(agreeing, accesses, unknown)


def _order(finding: Finding) -> tuple[str, str, str]:
    return finding.table, finding.service or "", finding.kind


def compare(
    declared: DeclaredMap, found: Infrastructure, usage: CodeUsage | None = None
) -> Comparison:
    """Pair every declared access and table with what was found, and the other way round.

    Without ``usage``, no code was read, and nobody can say which side of a finding is wrong.
    """
    wholes = wholes_of(declared.services)
    parts = _parts_of(wholes)
    code = None if usage is None else CodeSides(usage, wholes, parts)
    return Comparison(
        pairs=tuple(_access_pairs(declared, found, code, wholes, parts)),
        tables=tuple(_table_pairs(declared, found, code)),
        reads_permissions=not found.all_tables,
        reads_code=usage is not None,
    )


def _access_pairs(
    declared: DeclaredMap,
    found: Infrastructure,
    code: CodeSides | None,
    wholes: Mapping[str, list[str]],
    parts: Mapping[str, list[str]],
) -> Iterable[AccessPair]:
    """A pair for each table and service with a declared access, a grant or a use in code, sorted."""
    declared_modes = _modes_by_pair(declared.accesses)
    granted_modes = _modes_by_pair(found.grants)
    registered = {table.name for table in declared.tables}
    deployed_at = {table.name: table.locations for table in found.tables}
    unresolved_modes = _unresolved_modes(found)
    keys = declared_modes.keys() | granted_modes.keys()
    if code is not None:
        keys |= code.accesses.keys()

    for table, service in sorted(keys):
        service_and_wholes = (service, *wholes.get(service, ()))
        service_and_parts = (service, *parts.get(service, ()))
        own_declared = declared_modes.get((table, service), NO_MODES)
        effective = _union(granted_modes, table, service_and_wholes)

        may_be_granted, reason = _may_be_granted(service_and_wholes, found, unresolved_modes)
        unknown = (own_declared - effective) & may_be_granted
        grants = _grants_of(table, service_and_wholes, granted_modes, found)

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
            may_be_granted=may_be_granted,
            holders=tuple(
                holder for holder in service_and_wholes if (table, holder) in granted_modes
            ),
            grants=grants,
            actions={grant: found.actions[grant] for grant in grants if grant in found.actions},
            deployed_at=() if table in registered else deployed_at.get(table, ()),
            code=None if code is None else code.of(table, service),
        )


def _table_pairs(
    declared: DeclaredMap, found: Infrastructure, code: CodeSides | None
) -> Iterable[TablePair]:
    """A pair for each table that was found. If the reader saw all tables, also one for each that it did not find."""
    registered = {table.name: table for table in declared.tables}
    used = {access.table for access in found.grants}
    if code is not None:
        used |= code.tables
    for table in found.tables:
        yield TablePair(
            stated=registered.get(table.name),
            deployed=table,
            owner=declared.owners.get(table.name),
            is_used=table.name in used,
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


def _may_be_granted(
    service_and_wholes: tuple[str, ...],
    found: Infrastructure,
    unresolved_modes: Mapping[str | None, Modes],
) -> tuple[Modes, str]:
    """The modes that may be granted although no grant was found, and why nobody can say."""
    if not _permissions_were_read(service_and_wholes, found):
        return ALL_MODES, NOT_READ
    may_be_granted = unresolved_modes.get(None, NO_MODES)
    for service in service_and_wholes:
        may_be_granted |= unresolved_modes.get(service, NO_MODES)
    return may_be_granted, MAY_BE_GRANTED


def _permissions_were_read(service_and_wholes: tuple[str, ...], found: Infrastructure) -> bool:
    """Whether a grant that is not there can be called missing.

    A part without a project of its own runs in its whole's. So the outermost whole must have been read, and
    everything on the way to it must have been readable.
    """
    outermost = service_and_wholes[-1]
    return outermost in found.services and found.unread.isdisjoint(service_and_wholes)


def _distinct(groups: Iterable[tuple[Location, ...]]) -> tuple[Location, ...]:
    """All the locations once, in the order in which they come."""
    locations: dict[Location, None] = {}
    for group in groups:
        locations.update(dict.fromkeys(group))
    return tuple(locations)


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
