"""A plan cut by who owns what it changes, so that each owner gets a suggestion of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ownership.models import Service, Table, Waiver
from ownership.models.answerable import answerable_team, service_links
from ownership.plans.steps import Step, unsaved_references
from ownership.plans.suggested_steps import table_of

# Who is asked: a team, a service while that has no team, or nobody in particular.
Owner = tuple[str, int] | None


def parts_by_owner(steps: Sequence[Step]) -> list[list[Step]]:
    """The steps of each team, or of each service that no team is answerable for; in their order. One query.

    What nobody owns (groups, environments, new services) is a part of its own. A part has with it the rows to be added
    that its own rows refer to; taking several parts adds them once.
    """
    owner_of = _owners(steps)
    makers = {id(step.after): place for place, step in enumerate(steps) if step.before is None}
    parts: dict[Owner, set[int]] = {}
    for place, step in enumerate(steps):
        parts.setdefault(owner_of(step), set()).add(place)
    needed_elsewhere: set[int] = set()
    for owner, places in parts.items():
        needed = _needed(places, steps, makers) - places
        places |= needed
        if owner is not None:
            needed_elsewhere |= needed
    if None in parts:
        alone = parts[None] - needed_elsewhere
        parts[None] = alone | _needed(alone, steps, makers)
    return [[steps[place] for place in sorted(places)] for places in parts.values() if places]


def _needed(places: set[int], steps: Sequence[Step], makers: dict[int, int]) -> set[int]:
    """The places of steps that add what the steps refer to, and what those refer to."""
    needed: set[int] = set()
    waiting = list(places)
    while waiting:
        after = steps[waiting.pop()].after
        if after is None:
            continue
        for row in unsaved_references(after).values():
            place = makers[id(row)]
            if place not in needed:
                needed.add(place)
                waiting.append(place)
    return needed


def _owners(steps: Sequence[Step]) -> Callable[[Step], Owner]:
    """Who owns a step's row."""
    links = service_links()
    new_tables = {step.label: step.after for step in steps if isinstance(step.after, Table) and step.before is None}

    def owner_of_service(pk: int | None) -> Owner:
        if pk is None:
            return None
        team = answerable_team(pk, links)
        return ("service", pk) if team is None else ("team", team)

    def owner_of(step: Step) -> Owner:
        row = step.row if step.before is None else step.before
        if isinstance(row, Service):
            return owner_of_service(row.pk)
        table = table_of(step)
        if table is None and isinstance(row, Waiver):
            # Of a table that is about to be added.
            table = new_tables.get(row.table_name)
        return None if table is None else owner_of_service(table.owner_id)

    return owner_of
