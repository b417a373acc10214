"""Plans that change many accesses, tables or services alike: the same mode, owner, group or team."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ownership.history.models import current_head
from ownership.history.row_states import changed_fields
from ownership.models import Access, Mode, Service, Table, TableGroup, Team
from ownership.plans.plan import Plan
from ownership.plans.steps import Step, copy_of, filtered


@dataclass(frozen=True)
class AccessEdit:
    """What to set in accesses. None leaves a field as it is."""

    mode: str | None = None
    indirect: bool | None = None
    notes: str | None = None

    def plan(self, pks: Iterable[int]) -> Plan:
        """The accesses with these ids that differ from it, with what it sets. Ids of deleted ones are left out."""
        # Read before the rows: what changes after that makes the plan stale.
        revision = current_head().revision
        steps = []
        accesses = Access.objects.select_related("table", "service")
        for access in filtered(accesses, "pk", pks):
            after = copy_of(access)
            if self.mode is not None:
                after.mode = self.mode
            if self.indirect is not None:
                after.indirect = self.indirect
            if self.notes is not None:
                after.notes = self.notes
            if changed_fields(access, after):
                steps.append(Step(access, after))
        return Plan(steps, revision)


@dataclass(frozen=True)
class TableEdit:
    """What to set in tables. None leaves a field as it is.

    ``move_accesses`` gives the access of the owner before to the new owner. If the new owner
    has one of its own, that one gets the mode of both, and the old owner's is deleted.
    """

    owner: Service | None = None
    group: TableGroup | None = None
    move_accesses: bool = False

    def plan(self, pks: Iterable[int]) -> Plan:
        """The tables with these ids that differ from it, with what it sets; and the accesses that move."""
        # Read before the rows: what changes after that makes the plan stale.
        revision = current_head().revision
        steps = []
        handed_over = []
        for table in filtered(Table.objects.select_related("group", "owner"), "pk", pks):
            after = copy_of(table)
            if self.owner is not None:
                after.owner = self.owner
            if self.group is not None:
                after.group = self.group
            if changed_fields(table, after):
                steps.append(Step(table, after))
            if after.owner_id != table.owner_id:
                handed_over.append(table)
        if self.owner is not None and self.move_accesses:
            steps += _moves(handed_over, self.owner)
        return Plan(steps, revision)


@dataclass(frozen=True)
class ServiceEdit:
    """Which team to set in services; None takes their team away."""

    team: Team | None

    def plan(self, pks: Iterable[int]) -> Plan:
        """The services with these ids that have another team, with this one."""
        # Read before the rows: what changes after that makes the plan stale.
        revision = current_head().revision
        steps = []
        for service in filtered(Service.objects.select_related("part_of", "team"), "pk", pks):
            after = copy_of(service)
            after.team = self.team
            if changed_fields(service, after):
                steps.append(Step(service, after))
        return Plan(steps, revision)


def _moves(tables: list[Table], new_owner: Service) -> list[Step]:
    """The steps that move the accesses of the tables' owners to another service."""
    services = {table.owner_id for table in tables} | {new_owner.pk}
    accesses = Access.objects.select_related("table", "service").filter(service__in=services)
    by_table_and_service = {}
    for access in filtered(accesses, "table", [table.pk for table in tables]):
        by_table_and_service[access.table_id, access.service_id] = access
    steps = []
    for table in tables:
        old = by_table_and_service.get((table.pk, table.owner_id))
        own = by_table_and_service.get((table.pk, new_owner.pk))
        if old is None:
            continue
        if own is None:
            moved = copy_of(old)
            moved.service = new_owner
            steps.append(Step(old, moved))
            continue
        joined = copy_of(own)
        joined.mode = _mode_of_both(old.mode, own.mode)
        joined.indirect = old.indirect and own.indirect
        if changed_fields(own, joined):
            steps.append(Step(own, joined))
        steps.append(Step(old, None))
    return steps


def _mode_of_both(first: str, second: str) -> str:
    """The mode that permits what either of them permits."""
    if first == second:
        return first
    return str(Mode.READ_WRITE)
