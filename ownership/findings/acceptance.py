"""Accepting findings: the map becomes what the infrastructure shows, in one change set that says where it shows."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Max, ProtectedError

from ownership.drift.report import difference, in_a_line
from ownership.drift.types import Finding, Identity, Keys, Offer, combined_mode
from ownership.findings.runs import ComparedRun
from ownership.findings.waiving import waivers_of
from ownership.models import Access, DriftRun, SecondaryIndex, Service, Table, TableGroup

OFFER = "key_schema_offered"
PLACES = 3  # of a finding, in the reason


class CanNotAccept(Exception):
    """What stands in the way, in a sentence; nothing was written."""


class Overtaken(Exception):
    """Some of what was chosen is not so any more."""

    def __init__(self, identities: Collection[Identity]) -> None:
        super().__init__(f"no longer so: {', '.join(map(str, identities))}")
        self.identities = identities


@dataclass(frozen=True)
class Place:
    """Where a table that the map doesn't have yet goes: its heading, and who answers for it."""

    group: TableGroup
    owner: Service


def offer_identity(offer: Offer) -> Identity:
    """Keys that are offered, named as findings are: the index stands in the service's place."""
    return Identity(OFFER, offer.table, offer.index)  # type: ignore[arg-type]


def chosen_from(shown: ComparedRun, identities: Collection[Identity]) -> list[Finding | Offer]:
    """The findings and offers of that identity, as they are now. Raises Overtaken where there is one no more."""
    there: dict[Identity, Finding | Offer] = {offer_identity(offer): offer for offer in shown.offers}
    there |= {finding.identity: finding for finding in shown.findings}
    if gone := [identity for identity in identities if identity not in there]:
        raise Overtaken(gone)
    return [there[identity] for identity in identities]


def new_tables(chosen: Iterable[Finding | Offer]) -> dict[str, list[str]]:
    """The tables that accepting adds, each with the services that may use it; these need a ``Place``."""
    tables: dict[str, list[str]] = defaultdict(list)
    for one in chosen:
        if isinstance(one, Finding) and one.kind == "unregistered_table":
            tables[one.table] += [one.service] if one.service else []
    return dict(tables)


def accept(shown: ComparedRun, chosen: Iterable[Finding | Offer], places: Mapping[str, Place]) -> None:
    """Write what the findings and offers say. Within a change set, under the lock. Raises CanNotAccept.

    The waivers of what is accepted end with it: should it be found again, that is another decision.
    """
    chosen = list(chosen)
    # First, for a table that goes takes its waivers along.
    findings = [one for one in chosen if isinstance(one, Finding)]
    for waiver in waivers_of(findings, shown.run.environment or None).values():
        waiver.delete()
    by_table: dict[str, list[Any]] = defaultdict(list)
    for one in chosen:
        by_table[one.table].append(one)
    obstacles = []
    for name, ones in by_table.items():
        try:
            _accept_table(shown, name, ones, places)
        except CanNotAccept as error:
            obstacles.append(str(error))
        except ValidationError as error:
            obstacles.append(f"{name}: {' '.join(error.messages)}")
        except ProtectedError as error:
            names = ", ".join(sorted(map(str, error.protected_objects)))
            obstacles.append(f"{name} is still used: {names}.")
    if obstacles:
        raise CanNotAccept("\n".join(dict.fromkeys(obstacles)))


def _accept_table(shown: ComparedRun, name: str, ones: list[Any], places: Mapping[str, Place]) -> None:
    table = Table.objects.filter(name=name).first() or _add_table(shown, name, places[name])
    kinds = {one.kind for one in ones if isinstance(one, Finding)}
    uses: dict[str, list[Finding]] = defaultdict(list)
    for one in ones:
        if isinstance(one, Offer):
            row = table if one.index is None else SecondaryIndex.objects.get(table=table, name=one.index)
            _state_keys(row, one.key_schema)
            _save(row)
        elif one.service:
            uses[one.service].append(one)
    for service, findings in uses.items():
        _accept_use(table, service, findings)
    if "key_schema_differs" in kinds:
        _state_keys(table, _deployed(shown, name).key_schema)
        _save(table)
    if "index_differs" in kinds:
        _accept_indexes(table, dict(_deployed(shown, name).indexes))
    if "table_not_deployed" in kinds:
        table.delete()


def _add_table(shown: ComparedRun, name: str, place: Place) -> Table:
    table = Table(name=name, group=place.group, owner=place.owner, position=_next(place.group.tables))
    shape = next((shape for shape in shown.found.tables if shape.name == name), None)
    if shape:
        _state_keys(table, shape.key_schema)
    _save(table)
    if shape:
        _accept_indexes(table, dict(shape.indexes))
    return table


def _accept_use(table: Table, name: str, findings: list[Finding]) -> None:
    """Declare what goes beyond the map, take back what nothing permits; an access without a mode goes."""
    service = Service.objects.filter(name=name).first()
    if service is None:
        raise CanNotAccept(
            f"The map has no service {name}: add it first, or, where the map knows it by another name, "
            f"add {name} to that one's aliases, by which the next run goes."
        )
    row = Access.objects.filter(table=table, service=service).first()
    modes = set(row.mode.split("_")) if row else set()
    for finding in findings:
        declared, granted = ({*(text or "").split("_")} - {""} for text in (finding.declared, finding.granted))
        if finding.kind in ("access_not_granted", "narrower_grant"):
            modes -= declared - granted
        else:
            modes |= granted - declared
    mode = combined_mode(modes)  # type: ignore[arg-type]
    if mode is None:
        if row:
            row.delete()
        return
    row = row or Access(table=table, service=service, position=_next(table.accesses))
    row.mode = mode
    _save(row)


def _accept_indexes(table: Table, deployed: dict[str, Keys | None]) -> None:
    for index in table.indexes.all():
        if index.name not in deployed:
            index.delete()
    for position, (name, keys) in enumerate(deployed.items()):
        row = table.indexes.filter(name=name).first() or SecondaryIndex(table=table, name=name, position=position)
        _state_keys(row, keys)
        _save(row)


def _deployed(shown: ComparedRun, name: str) -> Any:
    return next(shape for shape in shown.found.tables if shape.name == name)


def _state_keys(row: Any, keys: Keys | None) -> None:
    """State the keys; what the map knows of the same keys besides stays."""
    if keys is None:
        return
    for role, key in (("partition_key", keys.partition), ("sort_key", keys.sort)):
        same = key is not None and getattr(row, f"{role}_name") == key.name
        setattr(row, f"{role}_name", key.name if key else "")
        setattr(row, f"{role}_type", (key and key.type) or (getattr(row, f"{role}_type") if same else ""))
        setattr(row, f"{role}_format", getattr(row, f"{role}_format") if same else "")


def _save(row: Any) -> None:
    row.full_clean()
    row.save()


def _next(rows: Any) -> int:
    last = rows.aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


def evidence(run: DriftRun, chosen: Iterable[Finding | Offer]) -> str:
    """What the change set's reason says beside the person's own words: which run found what, and where."""
    lines = [f"Accepted from {run} of {run.time:%Y-%m-%d %H:%M} UTC:"]
    for one in chosen:
        if isinstance(one, Finding):
            said = ", ".join(filter(None, (in_a_line(one), difference(one))))
        else:
            said = f"keys of {one.table}{f' index {one.index}' if one.index else ''}: {one.key_schema}"
        shown = [str(place) for place in one.evidence[:PLACES]]
        more = len(one.evidence) - len(shown)
        lines.append(f"{said} ({', '.join(shown)}{f' and {more} more' if more else ''})" if shown else said)
    return "\n".join(lines)
