"""Accepting findings: a plan by which the map comes to say what the infrastructure shows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from django.core.exceptions import ValidationError

from ownership.drift.report import (
    difference,
    evidence_in_a_line,
    offer_in_a_line,
)
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
    ReadOrWrite,
    TableShape,
    combined_mode,
    label_of_kind,
)
from ownership.findings import runs
from ownership.findings.runs import Basis
from ownership.history.models import TrackedRow
from ownership.history.row_states import changed_fields, describe_day, foreign_keys
from ownership.models import (
    Access,
    DriftRun,
    SecondaryIndex,
    Service,
    Table,
    TableGroup,
    Waiver,
)
from ownership.plans.plan import Plan
from ownership.plans.steps import Preview, Step, copy_of

TAKES_AWAY: tuple[FindingKind, ...] = ("access_not_granted", "narrower_grant", "unused_declaration")
_VERBS = {"read": "Reads", "write": "Writes", "read_write": "Reads and writes"}

Choice = Finding | Offer

# A table is deleted after the rows that belong to it, and saved before them.
_DELETED: list[type[TrackedRow]] = [Waiver, Access, SecondaryIndex, Table]
_SAVED: list[type[TrackedRow]] = [Table, SecondaryIndex, Access]


@dataclass(frozen=True)
class Placement:
    """Where a table goes that is not on the map yet: its group, and the service that owns it."""

    group: TableGroup
    owner: Service


@dataclass(frozen=True)
class AcceptanceWarning:
    """Why accepting would make the map say something else than code does, in sentences."""

    access: str  # payments → orders
    fact: str  # what code does, and what IAM permits
    consequence: str  # what accepting would do


@dataclass(frozen=True)
class Acceptance:
    """What accepting would do, and the tables of the map before and after it."""

    plan: Plan
    faults: list[str]  # what the findings ask for and the map can't have, in sentences
    warnings: list[AcceptanceWarning]
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
                changes = [
                    change for change in preview.changes if change.field not in ("group", "owner")
                ]
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


def plan_acceptance(
    basis: Basis, chosen: Sequence[Choice], placements: Mapping[str, Placement]
) -> Acceptance:
    """Plan what the findings and offers say; ``placements`` are by the name of the new table.

    The waivers of accepted findings end. If such a finding comes back, it is to be decided anew.
    """
    choices_by_table: dict[str, list[Choice]] = {}
    for choice in chosen:
        choices_by_table.setdefault(choice.table, []).append(choice)

    drafts: list[_TableDraft] = []
    for name, choices in choices_by_table.items():
        before = basis.tables.get(name)
        if before is None:
            after = _new_table(basis, name, placements[name], drafts)
        else:
            after = copy_of(before)
        draft = _TableDraft(basis, before, after)
        draft.accept(choices)
        drafts.append(draft)

    steps = _ended_waivers(basis, chosen, drafts)
    faults: list[str] = []
    for draft in drafts:
        steps.extend(draft.steps())
        faults.extend(draft.faults)
    return Acceptance(
        plan=Plan(_in_order(steps), basis.head.revision),
        faults=list(dict.fromkeys(faults)),
        warnings=[warning for choice in chosen for warning in _warnings(choice)],
        before=_only_tables(basis.declared, choices_by_table),
        after=_declared_after(basis.declared, drafts),
    )


def modes_to_change(finding: Finding) -> frozenset[ReadOrWrite]:
    """The modes that accepting a finding declares or takes back.

    Where only some of its modes change the map rightly, these alone; otherwise all, for that is what somebody chose.
    """
    modes = frozenset(mode for mode, _ in finding.verdicts)
    return modes - finding.modes_with("fix_iam", "trim_iam") or modes


def _warnings(choice: Choice) -> list[AcceptanceWarning]:
    """What is wrong with accepting it, by what code does."""
    if isinstance(choice, Offer) or choice.kind == "action_not_granted":
        return []
    access = f"{choice.service} → {choice.table}"
    modes = modes_to_change(choice)
    in_code = modes & choice.modes_with("fix_iam")
    unused = modes & choice.modes_with("trim_iam")
    warnings = []
    if in_code:
        places = evidence_in_a_line(choice.code_evidence)
        verb = _verb(in_code).lower()
        fact = f"Code {verb} it ({places}), but IAM does not permit that."
        warnings.append(AcceptanceWarning(access, fact, "Accepting takes this access off the map."))
    if unused:
        verb = _verb(unused).lower()
        fact = f"IAM permits more than code does: no code {verb} it."
        warnings.append(
            AcceptanceWarning(access, fact, "Accepting declares this access on the map.")
        )
    return warnings


def _new_table(
    basis: Basis, name: str, placement: Placement, drafts: Iterable["_TableDraft"]
) -> Table:
    """The table, after all tables of its group, including those about to be added."""
    tables = [*basis.rows["tables"], *[draft.after for draft in drafts]]
    in_group = [table for table in tables if table.group_id == placement.group.pk]
    return Table(
        name=name,
        group=placement.group,
        owner=placement.owner,
        position=_next_position(in_group),
    )


def _next_position(rows: Iterable[Table | Access]) -> int:
    return max([row.position for row in rows], default=-1) + 1


def _ended_waivers(
    basis: Basis, chosen: Iterable[Choice], drafts: Iterable["_TableDraft"]
) -> list[Step]:
    """The waivers of the accepted findings, and all those of tables that are deleted."""
    ended: dict[int, Waiver] = {}
    for choice in chosen:
        waiver = basis.waiver_by_finding.get(choice.identity)
        if waiver is not None:
            ended[waiver.pk] = waiver
    deleted_tables = {draft.after.pk for draft in drafts if draft.is_deleted}
    for waiver in basis.waivers:
        if waiver.table_id in deleted_tables:
            ended[waiver.pk] = waiver
    return [Step(waiver, None) for waiver in ended.values()]


def _in_order(steps: Iterable[Step]) -> list[Step]:
    """Deletions first; of each kind together, which takes fewer statements."""

    def place(step: Step) -> int:
        if step.after is None:
            return _DELETED.index(step.model)
        return len(_DELETED) + _SAVED.index(step.model)

    return sorted(steps, key=place)


class _TableDraft:
    """One table with its indexes and accesses: as they are, and as they would be."""

    def __init__(self, basis: Basis, before: Table | None, after: Table) -> None:
        self.basis = basis
        self.before, self.after = before, after
        self.is_deleted = False
        self.faults: list[str] = []
        self.indexes_before: dict[str, SecondaryIndex] = {}
        self.accesses_before: dict[str, Access] = {}
        if before is not None:
            self.indexes_before = {index.name: index for index in before.indexes.all()}
            self.accesses_before = {access.service.name: access for access in before.accesses.all()}
        # The rows as they would be.
        self.indexes = {name: copy_of(index) for name, index in self.indexes_before.items()}
        self.accesses = {name: copy_of(access) for name, access in self.accesses_before.items()}

    def accept(self, choices: Iterable[Choice]) -> None:
        """Change the rows to what the findings and offers say, and note what is in the way."""
        name = self.after.name
        # With no keys or indexes, if only grants name it.
        deployed = self.basis.deployed.get(name, TableShape(name))
        if self.before is None:
            _state_keys(self.after, deployed.key_schema)
            self._take_indexes(deployed)
        for choice in choices:
            if isinstance(choice, Offer):
                row = self.indexes[choice.index] if choice.index else self.after
                _state_keys(row, choice.key_schema)
            elif choice.service:
                self._accept_access(choice.service, choice)
            else:
                self._accept_shape(choice.kind, deployed)
        self.accesses = {name: access for name, access in self.accesses.items() if access.mode}
        if self.is_deleted:
            self.indexes, self.accesses = {}, {}
        else:
            self._validate()

    def _accept_shape(self, kind: FindingKind, deployed: TableShape) -> None:
        if kind == "key_schema_differs":
            _state_keys(self.after, deployed.key_schema)
        elif kind == "index_differs":
            self._take_indexes(deployed)
        elif kind == "table_not_deployed":
            self.is_deleted = True

    def _accept_access(self, name: str, finding: Finding) -> None:
        """Declare what goes beyond the map, or take back what nothing permits."""
        service = self.basis.services.get(name)
        if service is None:
            self.faults.append(
                f"The map has no service {name}: add it first, or add {name} to the aliases of the service "
                "that it is, and run drift again."
            )
            return
        if finding.kind == "action_not_granted":
            self.faults.append(
                f"{name} → {self.after.name}: the map is right. IAM lacks {', '.join(map(str, finding.to_allow))}."
            )
            return
        if name not in self.accesses:
            self.accesses[name] = self._new_access(service)
        access = self.accesses[name]
        modes = modes_to_change(finding)
        # Without a mode for now: another finding about the same access may follow.
        if finding.kind in TAKES_AWAY:
            declared = _modes(access.mode) - modes
        else:
            _describe_indirect(access, finding, modes)
            declared = _modes(access.mode) | modes
        access.mode = combined_mode(declared) or ""

    def _new_access(self, service: Service) -> Access:
        """An access without a mode yet, after the others."""
        position = _next_position(self.accesses.values())
        return Access(table=self.after, service=service, mode="", position=position)

    def _take_indexes(self, deployed: TableShape) -> None:
        """Replace the indexes by the deployed ones. One that stays keeps what else the map knows about it."""
        indexes = {}
        for position, (name, keys) in enumerate(deployed.indexes):
            index = self.indexes.get(name)
            if index is None:
                index = SecondaryIndex(table=self.after, name=name, position=position)
            _state_keys(index, keys)
            indexes[name] = index
        self.indexes = indexes

    def _validate(self) -> None:
        """Note what the fields of the rows refuse. Rules between rows are the plan's blockers."""
        for row in (self.after, *self.indexes.values(), *self.accesses.values()):
            # Checking a foreign key costs a query, and these refer to rows of the map.
            try:
                row.clean_fields(exclude=foreign_keys(type(row)))
            except ValidationError as error:
                self.faults.append(f"{self.after.name}: {' '.join(error.messages)}")

    def steps(self) -> list[Step]:
        """The rows that are new, that change, or that go."""
        after = None if self.is_deleted else self.after
        return [
            *_steps_between({"": self.before}, {"": after}),
            *_steps_between(self.indexes_before, self.indexes),
            *_steps_between(self.accesses_before, self.accesses),
        ]


def _steps_between(
    before: Mapping[str, TrackedRow | None], after: Mapping[str, TrackedRow | None]
) -> list[Step]:
    steps = []
    for name in dict.fromkeys([*before, *after]):
        row_before, row_after = before.get(name), after.get(name)
        if changed_fields(row_before, row_after):
            steps.append(Step(row_before, row_after))
    return steps


def _describe_indirect(access: Access, finding: Finding, modes: frozenset[ReadOrWrite]) -> None:
    """Note by which way modes are used that are about to be declared, if only code of other folders uses them.

    A new access is indirect if that goes for all of them. One that is also used directly is not indirect any more.
    """
    used = modes & finding.modes_with("fix_map")
    if not used:
        return
    by_path: dict[tuple[str, ...], set[ReadOrWrite]] = {}
    for mode, path in finding.code_paths:
        if mode in used:
            by_path.setdefault(path, set()).add(mode)
    indirect = frozenset().union(*by_path.values())
    is_new = not access.mode
    access.indirect = indirect == used and (is_new or access.indirect)
    for path, of_path in by_path.items():
        note = f"{_verb(of_path)} by way of {' > '.join(path)}"
        access.notes = f"{access.notes}\n{note}" if access.notes else note


def _modes(mode: str) -> set[ReadOrWrite]:
    return set(MODE_PARTS.get(mode, ()))


def _verb(modes: Collection[ReadOrWrite]) -> str:
    """What a service does with a table by these modes, of which there is at least one."""
    return _VERBS[combined_mode(modes) or ""]


def _state_keys(row: Table | SecondaryIndex, keys: Keys | None) -> None:
    """State the keys. What else the map knows about a key of the same name stays."""
    if keys is not None:
        _state_key(row, "partition_key", keys.partition)
        _state_key(row, "sort_key", keys.sort)


def _state_key(row: Table | SecondaryIndex, role: str, key: KeyAttribute | None) -> None:
    name = key.name if key else ""
    if getattr(row, f"{role}_name") != name:
        setattr(row, f"{role}_name", name)
        setattr(row, f"{role}_type", "")
        setattr(row, f"{role}_format", "")
    if key and key.type:
        setattr(row, f"{role}_type", key.type)


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
            shapes.append(runs.shape_of(draft.after, draft.indexes.values()))
            accesses.extend(runs.declared_accesses(draft.after.name, draft.accesses.values()))
    return replace(declared, tables=tuple(shapes), accesses=frozenset(accesses))


def evidence(run: DriftRun, chosen: Iterable[Choice], begin: str = "Accepted from") -> str:
    """What is added to the reason of the change set: which run found what, and where."""
    lines = [f"{begin} {run}, {describe_day(run.time.date())}, {run.time:%H:%M} UTC:"]
    for choice in chosen:
        if isinstance(choice, Offer):
            line = f"keys of {offer_in_a_line(choice)}"
        else:
            line = _finding_in_words(choice)
        if choice.evidence:
            line += f" ({evidence_in_a_line(choice.evidence)})"
        if isinstance(choice, Finding) and choice.code_evidence:
            line += f" (code: {evidence_in_a_line(choice.code_evidence)})"
        lines.append(line)
    return "\n".join(lines)


def _finding_in_words(finding: Finding) -> str:
    names = " → ".join(filter(None, (finding.service, finding.table)))
    words = [f"{label_of_kind(finding.kind)}: {names}", difference(finding)]
    return ", ".join(filter(None, words))
