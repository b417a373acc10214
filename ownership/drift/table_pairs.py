"""One table: its keys and indexes as the map states them and as they are deployed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ownership.drift.types import Finding, KeyAttribute, Keys, Offer, TableShape


@dataclass(frozen=True)
class TablePair:
    """One table as the map states it and as it is deployed; None where it isn't on that side."""

    stated: TableShape | None
    deployed: TableShape | None
    owner: str | None = None
    is_used: bool = False  # granted to a service, or in its code; a finding about that service then names the table

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
        if self.deployed and not self.is_used:
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


def _shape_findings(
    stated: TableShape, deployed: TableShape, owner: str | None
) -> Iterable[Finding]:
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


def _indexes_agree(stated: Mapping[str, Keys | None], deployed: Mapping[str, Keys | None]) -> bool:
    if stated.keys() != deployed.keys():
        return False
    return all(_keys_agree(keys, deployed[name]) for name, keys in stated.items())


def _keys_agree(stated: Keys | None, deployed: Keys | None) -> bool:
    """Whether the deployed keys are the stated ones. What either side leaves open agrees."""
    if stated is None or deployed is None:
        return True
    return _attributes_agree(stated.partition, deployed.partition) and _attributes_agree(
        stated.sort, deployed.sort
    )


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
