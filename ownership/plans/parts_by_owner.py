"""A plan cut by who owns what it changes, so that each owner gets a suggestion of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AbstractUser

from ownership.models import Service, Suggestion, Table, Waiver
from ownership.models.answerable import Links, answerable_team, service_links
from ownership.models.rights import Moment, Rights
from ownership.plans.steps import Step, unsaved_references
from ownership.plans.suggested_steps import table_of

# Who is asked, and for what: a team, or a service while that has no team.
Asked = tuple[str, str, int]
NOBODY: Asked = (Suggestion.Kind.CHANGE, "nobody in particular", 0)


@dataclass(frozen=True)
class OwnerPart:
    """The steps of one suggestion, in their order, and who is asked for them."""

    steps: Sequence[Step]
    kind: str = Suggestion.Kind.CHANGE
    # The team that a service of it goes to.
    team_id: int | None = None


def parts_by_owner(steps: Sequence[Step], user: AbstractUser) -> list[OwnerPart]:
    """What concerns each team, or each service that no team is answerable for. At most five queries.

    If rights follow the owner, and the user may edit a table but not give it to its new owner, it is a hand-over: the
    new owner is asked. The same goes for a service and its new team. What nobody owns (groups, environments, new
    services) is a part of its own. A part has with it the rows to be added that its own rows refer to; taking several
    parts adds them once.
    """
    moved, handed_over = _given_away(steps, Rights(user))
    asked_for = _who_is_asked(steps, moved, handed_over)
    makers = {id(step.after): place for place, step in enumerate(steps) if step.before is None}
    parts: dict[Asked, set[int]] = {}
    for place, step in enumerate(steps):
        parts.setdefault(asked_for(step), set()).add(place)
    needed_elsewhere: set[int] = set()
    for owner in parts.keys() - {NOBODY}:
        needed = _needed(parts[owner], steps, makers) - parts[owner]
        parts[owner] |= needed
        needed_elsewhere |= needed
    alone = parts.get(NOBODY, set()) - needed_elsewhere
    parts[NOBODY] = alone | _needed(alone, steps, makers)
    made = []
    for (kind, _, _), places in parts.items():
        if places:
            steps_of_part = [steps[place] for place in sorted(places)]
            made.append(OwnerPart(steps_of_part, kind, _team_asked(steps_of_part, moved)))
    return made


def _team_asked(steps: Sequence[Step], moved: Mapping[int, int]) -> int | None:
    """The team that a service among the steps goes to; None if none goes to another team."""
    for step in steps:
        if isinstance(step.before, Service) and step.before.pk in moved:
            return moved[step.before.pk]
    return None


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


def _who_is_asked(
    steps: Sequence[Step],
    moved: Mapping[int, int],
    handed_over: Mapping[int | None, int],
) -> Callable[[Step], Asked]:
    """Who is asked for a step."""
    links = service_links()
    new_tables = {}
    for step in steps:
        if isinstance(step.after, Table) and step.before is None:
            new_tables[step.label] = step.after

    def asked_for(step: Step) -> Asked:
        row = step.row_now
        if isinstance(row, Service):
            if row.pk in moved:
                return (Suggestion.Kind.HAND_OVER, "team", moved[row.pk])
            return _answerable(row.pk, links, Suggestion.Kind.CHANGE)
        table = table_of(step)
        if table is None and isinstance(row, Waiver):
            # Of a table that is about to be added.
            table = new_tables.get(row.table_name)
        if table is None:
            return NOBODY
        if table.pk in handed_over:
            return _answerable(handed_over[table.pk], links, Suggestion.Kind.HAND_OVER)
        return _answerable(table.owner_id, links, Suggestion.Kind.CHANGE)

    return asked_for


def _answerable(service_id: int | None, links: Links, kind: str) -> Asked:
    if service_id is None:
        return NOBODY
    team = answerable_team(service_id, links)
    if team is None:
        return (kind, "service", service_id)
    return (kind, "team", team)


def _given_away(
    steps: Sequence[Step], rights: Rights
) -> tuple[dict[int, int], dict[int | None, int]]:
    """The services and the tables that go to others, who are asked if rights follow the owner."""
    if not rights.depend_on_teams:
        return {}, {}
    return _moved_services(steps, rights), _handed_over(steps, rights)


def _handed_over(steps: Sequence[Step], rights: Rights) -> dict[int | None, int]:
    """{a table's id: its new owner's} of the tables that the user may edit as they are, but not as they would be."""
    new_owners: dict[int | None, int] = {}
    for step in steps:
        before, after = step.before, step.after
        if not isinstance(before, Table) or not isinstance(after, Table):
            continue
        if rights.may_edit(before) and not rights.may_edit(after):
            new_owners[before.pk] = after.owner_id
    return new_owners


def _moved_services(steps: Sequence[Step], rights: Rights) -> dict[int, int]:
    """{a service's id: the team that would be answerable for it} of those that the user may give, to others' teams."""
    after: dict = {}
    for step in steps:
        if isinstance(step.before, Service) and isinstance(step.after, Service):
            after[Service, step.before.pk] = step.after
    moment_after = Moment(after)
    moved: dict[int, int] = {}
    for _, pk in after:
        team = moment_after.team_of_service(None, pk)
        stays = team == rights.moment.team_of_service(None, pk)
        if team is None or stays or team in rights.memberships:
            continue
        if rights.may_edit(Service(pk=pk)):
            moved[pk] = team
    return moved
