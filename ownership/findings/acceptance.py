"""Accepting findings: a plan by which the map comes to say what the infrastructure shows."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from django.core.exceptions import ValidationError

from ownership.drift.report import difference, evidence_in_a_line, in_a_line, offer_in_a_line
from ownership.drift.types import (
    MODE_PARTS,
    DeclaredAccess,
    DeclaredMap,
    Finding,
    FindingKind,
    Identity,
    KeyAttribute,
    Keys,
    Offer,
    TableShape,
    combined_mode,
)
from ownership.findings import runs
from ownership.findings.runs import Basis
from ownership.history.models import TrackedRow
from ownership.history.row_states import changed_fields, foreign_keys
from ownership.models import Access, DriftRun, SecondaryIndex, Service, Table, TableGroup, Waiver
from ownership.plans.plan import Plan
from ownership.plans.steps import Preview, Step, copy_of

TAKES_AWAY: tuple[FindingKind, ...] = ("access_not_granted", "narrower_grant")

Choice = Finding | Offer

# A table is deleted after the rows that hang on it, and saved before them.
_DELETED_IN_ORDER: list[type[TrackedRow]] = [Waiver, Access, SecondaryIndex, Table]
_SAVED_IN_ORDER: list[type[TrackedRow]] = [Table, SecondaryIndex, Access]


@dataclass(frozen=True)
class Placement:
    """Where a table goes that is not on the map yet: its group, and the service that owns it."""

    group: TableGroup
    owner: Service


@dataclass(frozen=True)
class Acceptance:
    """What accepting would do, and the tables of the map before and after it."""

    plan: Plan
    faults: list[str]  # what the findings ask for and the map can't have, in sentences
    before: DeclaredMap
    after: DeclaredMap

    @cached_property
    def problems(self) -> list[str]:
        """Everything in the way, in sentences. The plan must not be applied then."""
        return self.faults or [str(blocker) for blocker in self.plan.blockers]

    def previews(self) -> list[Preview]:
        """The plan's steps, without the group and owner of new tables, which the page asks for."""
        previews = []
        for step in self.plan.steps:
            preview = step.preview()
            if step.model is Table and step.before is None:
                changes = [change for change in preview.changes if change.field not in ("group", "owner")]
                preview = replace(preview, changes=changes)
            previews.append(preview)
        return previews


def choose(basis: Basis, identities: Collection[Identity]) -> tuple[list[Choice], list[Identity]]:
    """The findings and offers of these identities as they are now, and the identities that no longer apply."""
    choices: dict[Identity, Choice] = {offer.identity: offer for offer in basis.offers}
    choices |= {finding.identity: finding for finding in basis.findings}
    chosen = [choices[identity] for identity in identities if identity in choices]
    return chosen, [identity for identity in identities if identity not in choices]


def new_tables(chosen: Iterable[Choice]) -> dict[str, list[str]]:
    """The tables that accepting adds, each with the services that may use it; they need a ``Placement``."""
    tables: dict[str, list[str]] = {}
    for choice in chosen:
        if isinstance(choice, Finding) and choice.kind == "unregistered_table":
            services = tables.setdefault(choice.table, [])
            if choice.service:
                services.append(choice.service)
    return tables


def plan_acceptance(basis: Basis, chosen: Sequence[Choice], placements: Mapping[str, Placement]) -> Acceptance:
    """Plan what the findings and offers say; ``placements`` are by the name of the new table.

    The waivers of accepted findings end. If such a finding comes back, it is to be decided anew.
    """
    choices_by_table: dict[str, list[Choice]] = {}
    for choice in chosen:
        choices_by_table.setdefault(choice.table, []).append(choice)
    drafts: list[_TableDraft] = []
    for name, choices in choices_by_table.items():
        draft = _TableDraft(basis, name, placements.get(name), new_tables_before=drafts)
        draft.accept(choices)
        drafts.append(draft)

    faults: list[str] = []
    for draft in drafts:
        faults.extend(draft.faults)
    return Acceptance(
        plan=Plan(_steps(basis, chosen, drafts), basis.head.revision),
        faults=list(dict.fromkeys(faults)),
        before=_only_tables(basis.declared, choices_by_table),
        after=_declared_after(basis.declared, drafts),
    )


class _TableDraft:
    """One table with its accesses and indexes: as they are, and as they would be."""

    def __init__(
        self, basis: Basis, name: str, placement: Placement | None, new_tables_before: Sequence["_TableDraft"]
    ) -> None:
        self.basis = basis
        self.name = name
        self.shape = _shape_in(basis, name)
        self.before = basis.table(name)
        self.is_deleted = False
        self.faults: list[str] = []
        self.accesses_before: dict[str, Access] = {}
        self.indexes_before: dict[str, SecondaryIndex] = {}
        if self.before is None:
            if placement is None:
                raise LookupError(f"{name} is not on the map, and no placement says where to add it.")
            position = _next_position(basis, placement.group, new_tables_before)
            self.table = Table(name=name, group=placement.group, owner=placement.owner, position=position)
        else:
            self.table = copy_of(self.before)
            self.accesses_before = {access.service.name: access for access in self.before.accesses.all()}
            self.indexes_before = {index.name: index for index in self.before.indexes.all()}
        # The rows as they would be.
        self.accesses = {name: copy_of(access) for name, access in self.accesses_before.items()}
        self.indexes = {name: copy_of(index) for name, index in self.indexes_before.items()}

    def accept(self, choices: Iterable[Choice]) -> None:
        """Change the rows to what the findings and offers say, and note what is in the way."""
        if self.before is None and self.shape is not None:
            _state_keys(self.table, self.shape.key_schema)
            self._take_deployed_indexes(self.shape)
        for choice in choices:
            if isinstance(choice, Offer):
                row = self.table if choice.index is None else self.indexes[choice.index]
                _state_keys(row, choice.key_schema)
            elif choice.service:
                self._accept_access(choice.service, choice)
            elif choice.kind == "table_not_deployed":
                self.is_deleted = True
            elif choice.kind == "key_schema_differs" and self.shape is not None:
                _state_keys(self.table, self.shape.key_schema)
            elif choice.kind == "index_differs" and self.shape is not None:
                self._take_deployed_indexes(self.shape)
        self._drop_accesses_without_mode()
        self._validate()

    def _accept_access(self, name: str, finding: Finding) -> None:
        """Declare what goes beyond the map, or take back what nothing permits."""
        service = self.basis.service(name)
        if service is None:
            self.faults.append(
                f"The map has no service {name}: add it first, or add {name} to the aliases of the service "
                "that it is, and run drift again."
            )
            return
        if name not in self.accesses:
            positions = [access.position for access in self.accesses.values()]
            self.accesses[name] = Access(
                table=self.table, service=service, mode="", position=max(positions, default=-1) + 1
            )
        access = self.accesses[name]
        modes = set(MODE_PARTS.get(access.mode, ()))
        declared = set(MODE_PARTS.get(finding.declared or "", ()))
        granted = set(MODE_PARTS.get(finding.granted or "", ()))
        if finding.kind in TAKES_AWAY:
            modes -= declared - granted
        else:
            modes |= granted - declared
        access.mode = combined_mode(modes) or ""

    def _drop_accesses_without_mode(self) -> None:
        self.accesses = {name: access for name, access in self.accesses.items() if access.mode}

    def _take_deployed_indexes(self, shape: TableShape) -> None:
        indexes = {}
        for position, (name, keys) in enumerate(shape.indexes):
            index = self.indexes.get(name) or SecondaryIndex(table=self.table, name=name, position=position)
            _state_keys(index, keys)
            indexes[name] = index
        self.indexes = indexes

    def _validate(self) -> None:
        """Note names and keys that the models' fields refuse; rules between rows are the plan's blockers."""
        for row in self.rows():
            # A foreign key's check would cost a query, and these refer to rows of the map.
            try:
                row.clean_fields(exclude=foreign_keys(type(row)))
            except ValidationError as error:
                self.faults.append(f"{self.name}: {' '.join(error.messages)}")

    def rows(self) -> list[Table | Access | SecondaryIndex]:
        """All rows as they would be."""
        if self.is_deleted:
            return []
        return [self.table, *self.indexes.values(), *self.accesses.values()]

    def deletions(self) -> list[TrackedRow]:
        """Accesses and indexes that go, and the table with what hangs on it."""
        if self.is_deleted and self.before is not None:
            waivers = [waiver for waiver in self.basis.waivers if waiver.table_id == self.before.pk]
            return [*waivers, *self.accesses_before.values(), *self.indexes_before.values(), self.before]
        accesses = [row for name, row in self.accesses_before.items() if name not in self.accesses]
        indexes = [row for name, row in self.indexes_before.items() if name not in self.indexes]
        return [*accesses, *indexes]

    def saves(self) -> Iterator[Step]:
        """The rows that are new or that change."""
        if self.is_deleted:
            return
        yield from _changing(self.before, self.table)
        for name, index in self.indexes.items():
            yield from _changing(self.indexes_before.get(name), index)
        for name, access in self.accesses.items():
            yield from _changing(self.accesses_before.get(name), access)


def _shape_in(basis: Basis, name: str) -> TableShape | None:
    """The table as it was found."""
    for shape in basis.found.tables:
        if shape.name == name:
            return shape
    return None


def _next_position(basis: Basis, group: TableGroup, drafts: Iterable[_TableDraft]) -> int:
    """The position after all tables of the group, those included that are about to be added."""
    tables = [*basis.rows["tables"], *(draft.table for draft in drafts)]
    positions = [table.position for table in tables if table.group_id == group.pk]
    return max(positions, default=-1) + 1


def _changing(before: TrackedRow | None, after: TrackedRow) -> Iterator[Step]:
    if changed_fields(before, after):
        yield Step(before, after)


def _steps(basis: Basis, chosen: Iterable[Choice], drafts: Sequence[_TableDraft]) -> list[Step]:
    """Deletions first, then what is saved: of each kind together, which takes fewer statements."""
    deletions: dict[tuple[type[TrackedRow], int | None], TrackedRow] = {}
    for choice in chosen:
        waiver = basis.waiver_of(choice) if isinstance(choice, Finding) else None
        if waiver is not None:
            deletions[type(waiver), waiver.pk] = waiver
    for draft in drafts:
        for row in draft.deletions():
            deletions[type(row), row.pk] = row
    saves: list[Step] = []
    for draft in drafts:
        saves.extend(draft.saves())
    ordered_deletions = sorted(deletions.values(), key=lambda row: _DELETED_IN_ORDER.index(type(row)))
    ordered_saves = sorted(saves, key=lambda step: _SAVED_IN_ORDER.index(step.model))
    return [Step(row, None) for row in ordered_deletions] + ordered_saves


def _only_tables(declared: DeclaredMap, names: Collection[str]) -> DeclaredMap:
    return replace(
        declared,
        tables=tuple(shape for shape in declared.tables if shape.name in names),
        accesses=frozenset(access for access in declared.accesses if access.table in names),
    )


def _declared_after(declared: DeclaredMap, drafts: Iterable[_TableDraft]) -> DeclaredMap:
    """The drafts' tables as drift compares them."""
    shapes: list[TableShape] = []
    accesses: list[DeclaredAccess] = []
    for draft in drafts:
        if not draft.is_deleted:
            shapes.append(runs.shape_of(draft.table, draft.indexes.values()))
            accesses.extend(runs.declared_accesses(draft.name, draft.accesses.values()))
    return replace(declared, tables=tuple(shapes), accesses=frozenset(accesses))


def _state_keys(row: Table | SecondaryIndex, keys: Keys | None) -> None:
    """State the keys; what the map knows besides about a key of the same name stays."""
    if keys is not None:
        _state_key(row, "partition_key", keys.partition)
        _state_key(row, "sort_key", keys.sort)


def _state_key(row: Table | SecondaryIndex, role: str, key: KeyAttribute | None) -> None:
    name = key.name if key else ""
    key_type = key.type if key else None
    is_same = bool(name) and getattr(row, f"{role}_name") == name
    setattr(row, f"{role}_name", name)
    if not is_same:
        setattr(row, f"{role}_type", "")
        setattr(row, f"{role}_format", "")
    if key_type:
        setattr(row, f"{role}_type", key_type)


def evidence(run: DriftRun, chosen: Iterable[Choice]) -> str:
    """What is added to the reason of the change set: which run found what, and where."""
    lines = [f"Accepted from {run} of {run.time:%Y-%m-%d %H:%M} UTC:"]
    for choice in chosen:
        if isinstance(choice, Finding):
            line = in_a_line(choice)
            if difference(choice):
                line += f", {difference(choice)}"
        else:
            line = f"keys of {offer_in_a_line(choice)}"
        if choice.evidence:
            line += f" ({evidence_in_a_line(choice.evidence)})"
        lines.append(line)
    return "\n".join(lines)
