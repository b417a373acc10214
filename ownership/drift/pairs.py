"""What a comparison consists of: pairs of what is declared and what was found, and the findings they give."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ownership.drift.types import (
    Finding,
    FindingKind,
    GrantedAccess,
    KeyAttribute,
    Keys,
    Location,
    Offer,
    ReadOrWrite,
    TableShape,
    Unchecked,
    combined_mode,
)

Modes = frozenset[ReadOrWrite]


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
    is_granted: bool = False  # to some service, whose findings then speak of the table

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """A table that only one side has, or keys and indexes that differ."""
        if self.stated and self.deployed:
            return tuple(_shape_findings(self.stated, self.deployed, self.owner))
        if self.stated:
            return (
                Finding("table_not_deployed", self.stated.name, None, declared=None, granted=None, owner=self.owner),
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
