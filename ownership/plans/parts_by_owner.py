"""A plan cut by who owns what it changes, so that each owner gets a suggestion of their own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import AbstractUser

from ownership.models import Service, Suggestion, Table, Waiver
from ownership.models.answerable import Links, answerable_team, service_links
from ownership.models.rights import Moment, Rights
from ownership.plans.steps import Step, unsaved_references
from ownership.plans.suggested_steps import table_of


class Asked(NamedTuple):
    """Who is asked, and for what: a team, or a service while that has no team.

    ``to_team`` would get what a stranger wants to hand over. Whoever is asked first then passes that on, as a whole.
    """

    kind: str
    who: str  # "team", "service", or nobody in particular
    pk: int
    to_team: int | None = None


NOBODY = Asked(Suggestion.Kind.CHANGE, "nobody", 0)


@dataclass(frozen=True)
class OwnerPart:
    """The steps of one suggestion, in their order, and who is asked for them."""

    steps: Sequence[Step]
    kind: str = Suggestion.Kind.CHANGE
    # The team that a service of it goes to.
    team_id: int | None = None


def parts_by_owner(
    steps: Sequence[Step], user: AbstractUser, wanted: Collection[Step] | None = None
) -> list[OwnerPart]:
    """What concerns each team, or each service that no team is answerable for. At most six queries.

    ``wanted`` are the steps to suggest, all if not given; others come along only if these refer to what they add.

    If rights follow the owner, and the user may edit a table but not give it to its new owner, it is a hand-over: the
    new owner is asked. The same goes for a service and its new team. If the user may not edit it either, its hand-over
    is a part for itself, so that its owner can pass that on and take the rest. What nobody owns (groups, environments,
    new services) is a part of its own. A part has with it the rows to be added that its own rows refer to;
    taking several parts adds them once.
    """
    moved, handed_over = _given_away(steps, Rights(user))
    asked_for = who_is_asked(steps, moved, handed_over)
    makers = places_of_new_rows(steps)
    parts: dict[Asked, set[int]] = {}
    chosen = {id(step) for step in (steps if wanted is None else wanted)}
    for place, step in enumerate(steps):
        if id(step) in chosen:
            parts.setdefault(asked_for(step), set()).add(place)
    needed_elsewhere: set[int] = set()
    for owner in parts.keys() - {NOBODY}:
        needed = places_needed(parts[owner], steps, makers) - parts[owner]
        parts[owner] |= needed
        needed_elsewhere |= needed
    alone = parts.get(NOBODY, set()) - needed_elsewhere
    parts[NOBODY] = alone | places_needed(alone, steps, makers)
    made = []
    for asked, places in parts.items():
        if places:
            steps_of_part = [steps[place] for place in sorted(places)]
            made.append(OwnerPart(steps_of_part, asked.kind, _team_asked(steps_of_part, moved)))
    return made


def _team_asked(steps: Sequence[Step], moved: Mapping[int, int]) -> int | None:
    """The team that a service among the steps goes to; None if none goes to another team."""
    for step in steps:
        if isinstance(step.before, Service) and step.before.pk in moved:
            return moved[step.before.pk]
    return None


def places_of_new_rows(steps: Sequence[Step]) -> dict[int, int]:
    """{identity of a new row: the place of the step that adds it}."""
    return {id(step.after): place for place, step in enumerate(steps) if step.before is None}


def places_needed(
    places: Iterable[int], steps: Sequence[Step], makers: Mapping[int, int]
) -> set[int]:
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


def who_is_asked(
    steps: Sequence[Step],
    moved: Mapping[int, int],
    handed_over: Mapping[int | None, int],
) -> Callable[[Step], Asked]:
    """Who is asked for a step. ``moved`` and ``handed_over`` are what the user may give to others, and to whom."""
    links = service_links()
    table_of_step = tables_of(steps)
    new_teams = _new_teams(steps, links)

    def asked_for(step: Step) -> Asked:
        row = step.row_now
        if isinstance(row, Service):
            if row.pk in moved:
                return Asked(Suggestion.Kind.HAND_OVER, "team", moved[row.pk])
            asked = _answerable(row.pk, links, Suggestion.Kind.CHANGE)
            return asked._replace(to_team=new_teams.get((Service, row.pk)))
        table = table_of_step(step)
        if table is None:
            return NOBODY
        if table.pk in handed_over:
            return _answerable(handed_over[table.pk], links, Suggestion.Kind.HAND_OVER)
        asked = _answerable(table.owner_id, links, Suggestion.Kind.CHANGE)
        return asked._replace(to_team=new_teams.get((Table, table.pk)))

    return asked_for


def tables_of(steps: Sequence[Step]) -> Callable[[Step], Table | None]:
    """Which table a step is about; of a waiver, also one that another of the steps adds."""
    new_tables = {}
    for step in steps:
        if isinstance(step.after, Table) and step.before is None:
            new_tables[step.label] = step.after

    def table_of_step(step: Step) -> Table | None:
        table = table_of(step)
        if table is None and isinstance(step.row, Waiver):
            return new_tables.get(step.row.table_name)
        return table

    return table_of_step


def _answerable(service_id: int | None, links: Links, kind: str) -> Asked:
    if service_id is None:
        return NOBODY
    team = answerable_team(service_id, links)
    if team is None:
        return Asked(kind, "service", service_id)
    return Asked(kind, "team", team)


def _new_teams(steps: Sequence[Step], links: Links) -> dict[tuple[type, int | None], int]:
    """{(Table or Service, id): the team that would be answerable for it} where that is another one than now."""
    if not settings.RIGHTS_FOLLOW_OWNER:
        return {}
    after: dict = {(Service, step.pk): step.after for step in steps if step.model is Service}
    moment_after = Moment(after)
    new_teams: dict[tuple[type, int | None], int] = {}
    for step in steps:
        before = step.before
        if isinstance(before, Table) and isinstance(step.after, Table):
            if before.owner_id == step.after.owner_id:
                continue
            now = answerable_team(before.owner_id, links)
            then = moment_after.team_of_owner(step.after)
        elif isinstance(before, Service) and isinstance(step.after, Service):
            now = answerable_team(before.pk, links)
            then = moment_after.team_of_service(None, before.pk)
        else:
            continue
        if then is not None and now is not None and then != now:
            new_teams[type(before), before.pk] = then
    return new_teams


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
