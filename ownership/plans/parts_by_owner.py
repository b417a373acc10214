"""A plan cut by who owns what it changes, so that each owner gets a suggestion of their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import AbstractUser

from ownership.models import Service, Suggestion, Table, Waiver
from ownership.models.answerable import Links, Moment, answerable_team
from ownership.models.rights import Rights
from ownership.plans.steps import Step, steps_adding, steps_needed

# {(Table or Service, id): a team}
NewTeams = Mapping[tuple[type, int | None], int]


class Asked(NamedTuple):
    """Who is asked, and for what: a team, or a service while no team is answerable for it.

    ``to_team`` would get what a stranger wants to hand over. Whoever is asked first then passes that on, as a whole.
    """

    kind: str = Suggestion.Kind.CHANGE
    team_id: int | None = None
    service_id: int | None = None
    to_team: int | None = None


# Nobody in particular: any team lead.
NOBODY = Asked()


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
    asked = who_is_asked(steps, Rights(user))
    chosen = set(steps if wanted is None else wanted)
    steps_by_asked: dict[Asked, set[Step]] = {}
    for step in steps:
        if step in chosen:
            steps_by_asked.setdefault(asked[step], set()).add(step)
    _add_needed_steps(steps_by_asked, steps)
    parts = []
    for who, part in steps_by_asked.items():
        if part:
            in_order = [step for step in steps if step in part]
            parts.append(OwnerPart(in_order, who.kind, _team_of_service(in_order, who)))
    return parts


def _add_needed_steps(steps_by_asked: dict[Asked, set[Step]], steps: Sequence[Step]) -> None:
    """Add to each part the steps that add what its rows refer to. Such a step is no part of its own then."""
    adding = steps_adding(steps)
    of_nobody = steps_by_asked.setdefault(NOBODY, set())
    needed_by_others: set[Step] = set()
    for asked, part in steps_by_asked.items():
        if asked != NOBODY:
            needed = steps_needed(part, adding) - part
            part |= needed
            needed_by_others |= needed
    of_nobody -= needed_by_others
    of_nobody |= steps_needed(of_nobody, adding)


def _team_of_service(steps: Sequence[Step], asked: Asked) -> int | None:
    """The team that a service among the steps is handed over to; None if there is no such service."""
    if asked.kind != Suggestion.Kind.HAND_OVER:
        return None
    has_service = any(isinstance(step.before, Service) for step in steps)
    return asked.team_id if has_service else None


def who_is_asked(steps: Sequence[Step], rights: Rights) -> dict[Step, Asked]:
    """Who is asked for each of the steps, if the person with these rights suggests them."""
    links = rights.moment.links
    tables = tables_of(steps)
    new_teams = _new_teams(steps, links)
    handed_services = _handed_services(new_teams, rights)
    handed_tables = _handed_tables(steps, rights)
    asked = {}
    for step in steps:
        row = step.row_now
        table = tables[step]
        if isinstance(row, Service) and row.pk in handed_services:
            team_id = handed_services[row.pk]
            asked[step] = Asked(Suggestion.Kind.HAND_OVER, team_id=team_id)
        elif isinstance(row, Service):
            asked[step] = _asked_for(row.pk, links, to_team=new_teams.get((Service, row.pk)))
        elif table is None:
            asked[step] = NOBODY
        elif table.pk in handed_tables:
            new_owner = handed_tables[table.pk]
            asked[step] = _asked_for(new_owner, links, Suggestion.Kind.HAND_OVER)
        else:
            asked[step] = _asked_for(
                table.owner_id, links, to_team=new_teams.get((Table, table.pk))
            )
    return asked


def _asked_for(
    service_id: int | None,
    links: Links,
    kind: str = Suggestion.Kind.CHANGE,
    to_team: int | None = None,
) -> Asked:
    """Who is asked for what concerns a service, or a table that it owns or would own."""
    if service_id is None:
        return NOBODY
    team_id = answerable_team(service_id, links)
    if team_id is None:
        return Asked(kind, service_id=service_id)
    return Asked(kind, team_id=team_id, to_team=to_team)


def tables_of(steps: Sequence[Step]) -> dict[Step, Table | None]:
    """Which table each step is about. A waiver names its table; it may be one that another of the steps adds."""
    new_tables = {}
    for step in steps:
        if isinstance(step.after, Table) and step.before is None:
            new_tables[step.label] = step.after
    tables: dict[Step, Table | None] = {}
    for step in steps:
        tables[step] = step.table
        if step.table is None and isinstance(step.row, Waiver):
            tables[step] = new_tables.get(step.row.table_name)
    return tables


def _new_teams(steps: Sequence[Step], links: Links) -> NewTeams:
    """The teams that would be answerable for tables with another owner, and for services, where that changes."""
    if not settings.RIGHTS_FOLLOW_OWNER:
        return {}
    services: dict = {(Service, step.pk): step.after for step in steps if step.model is Service}
    moment_after = Moment(services)
    new_teams: dict[tuple[type, int | None], int] = {}
    for step in steps:
        match step.before, step.after:
            case Table() as before, Table() as after if before.owner_id != after.owner_id:
                now = answerable_team(before.owner_id, links)
                then = moment_after.team_of_owner(after)
            case Service() as before, Service():
                now = answerable_team(before.pk, links)
                then = moment_after.team_of_service(before.pk)
            case _:
                continue
        if then is not None and then != now:
            new_teams[type(before), before.pk] = then
    return new_teams


def _handed_services(new_teams: NewTeams, rights: Rights) -> dict[int | None, int]:
    """{a service's id: its new team} of those that the person may edit, and that others' teams would get."""
    handed: dict[int | None, int] = {}
    if not rights.depend_on_teams:
        return handed
    for (model, pk), team_id in new_teams.items():
        if model is not Service or team_id in rights.memberships:
            continue
        if rights.may_edit(Service(pk=pk)):
            handed[pk] = team_id
    return handed


def _handed_tables(steps: Sequence[Step], rights: Rights) -> dict[int | None, int]:
    """{a table's id: its new owner's} of those that the person may edit as they are, but not as they would be."""
    handed: dict[int | None, int] = {}
    if not rights.depend_on_teams:
        return handed
    for step in steps:
        before, after = step.before, step.after
        if not isinstance(before, Table) or not isinstance(after, Table):
            continue
        if rights.may_edit(before) and not rights.may_edit(after):
            handed[before.pk] = after.owner_id
    return handed
