"""A plan cut in two: what its user writes, and what is suggested to others, a part for each owner.

Bulk edit, import and drift cut here. What is done to one table stays together. Nothing is suggested that waits
already, and nothing to one's own team that one may write oneself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied

from ownership.audit.descriptions import label_in_words
from ownership.history.models import TrackedRow
from ownership.models import Service, Suggestion, Table, Waiver
from ownership.models.answerable import Moment
from ownership.models.rights import Rights
from ownership.plans.blockers import Blocker
from ownership.plans.plan import Plan
from ownership.plans.steps import Step, role_allows, steps_adding, steps_needed
from ownership.plans.suggested_steps import already_suggested

# A row by its model and id, or by its model and label while it has no id.
RowName = tuple[type[TrackedRow], int | str]


@dataclass(frozen=True)
class Division:
    """Who writes which of a plan's steps.

    ``refused`` says who else may write what the user may not, by their teams. ``not_own`` are the steps for others:
    those that the user may not write, and, of somebody who may write everything, those of other teams.
    ``suggested`` are the suggestions that ask for a step of these already.
    """

    plan: Plan
    user: AbstractUser
    refused: list[Blocker]
    not_writable: set[Step]
    not_own: list[Step]
    suggested: dict[Step, Suggestion]
    has_role: bool

    @cached_property
    def unsuggested(self) -> list[Step]:
        """The steps for others that nobody has suggested yet."""
        return [step for step in self.not_own if step not in self.suggested]

    @cached_property
    def parts(self) -> list[OwnerPart]:
        """What is left to suggest, by owner."""
        if not self.unsuggested:
            return []
        return parts_by_owner(self.plan.steps, self.user, self.unsuggested)

    @property
    def pending(self) -> list[Blocker]:
        """What the user may not write and nobody has suggested yet."""
        return [blocker for blocker in self.refused if blocker.step not in self.suggested]

    @cached_property
    def writable(self) -> Plan:
        """What the user writes: without what they may not write, and what they have suggested themselves."""
        left_out = set(self.not_writable)
        for step, suggestion in self.suggested.items():
            if suggestion.user_id == self.user.pk:
                left_out.add(step)
        steps = self.plan.steps
        written = set(steps) - left_out
        # A row that is suggested, too, may be needed here.
        written |= steps_needed(written, steps_adding(steps))
        if len(written) == len(steps):
            # The plan itself has looked for what blocks it already.
            return self.plan
        return Plan([step for step in steps if step in written], self.plan.revision)

    @property
    def others_are_asked(self) -> bool:
        """Whether all that the user may not write waits as a suggestion."""
        return self.suggested.keys() >= self.not_writable

    @property
    def may_apply(self) -> bool:
        """Whether the user can write something now: nothing is left that others have to be asked for first."""
        return self.others_are_asked and bool(self.writable.steps)

    @property
    def shown(self) -> list[Step]:
        """The steps of a preview: without those that wait already, and are not written here."""
        left_out = self.suggested.keys() - set(self.writable.steps)
        return [step for step in self.plan.steps if step not in left_out]

    @property
    def waiting(self) -> list[tuple[str, Suggestion]]:
        """What waits already, by what the rows are called."""
        waiting = []
        for step, suggestion in self.suggested.items():
            waiting.append((label_in_words(step.model, step.label), suggestion))
        return waiting

    def to_apply(self) -> Plan:
        """The plan to apply. While others were not asked for a part, it is the whole, which is then refused."""
        if self.others_are_asked:
            return self.writable
        if not self.has_role:
            raise PermissionDenied
        return self.plan


def divide(plan: Plan, user: AbstractUser) -> Division:
    """Who writes which of the steps. A fixed number of queries for 500 tables."""
    steps = plan.steps
    refused = plan.refused_to(user)
    without_role = [step for step in steps if not role_allows(user, step)]
    # What is done to one table stays together, so it is whole tables that the user writes, or others are asked for.
    subjects = {step: _name_of(row) for step, row in _subjects(steps).items()}
    refused_subjects = {subjects[blocker.step] for blocker in refused}
    not_writable = refused_subjects.union(subjects[step] for step in without_role)
    not_writable |= _subjects_needing(not_writable, subjects)
    not_own = not_writable.union(subjects[step] for step in _steps_of_other_teams(steps, user))
    steps_not_own = [step for step in steps if subjects[step] in not_own]
    return Division(
        plan=plan,
        user=user,
        refused=refused,
        not_writable={step for step in steps if subjects[step] in not_writable},
        not_own=steps_not_own,
        suggested=already_suggested(steps, steps_not_own),
        has_role=not without_role,
    )


def _subjects(steps: Sequence[Step]) -> dict[Step, TrackedRow]:
    """What each step is about: the table that its row is or belongs to, or else the row itself.

    A waiver names its table; that may be one which another of the steps adds.
    """
    new_tables = {}
    for step in steps:
        if isinstance(step.after, Table) and step.before is None:
            new_tables[step.label] = step.after
    subjects: dict[Step, TrackedRow] = {}
    for step in steps:
        table = step.table
        if table is None and isinstance(step.row, Waiver):
            table = new_tables.get(step.row.table_name)
        subjects[step] = table or step.row_now
    return subjects


def _name_of(row: TrackedRow) -> RowName:
    return type(row), row.pk or str(row)


def _subjects_needing(
    chosen: Collection[RowName], subjects: Mapping[Step, RowName]
) -> set[RowName]:
    """The subjects that refer to a row which one of the chosen ones adds.

    One pass is enough: references are followed to their end, and only a table's own rows refer to a new table.
    """
    adding = steps_adding(subjects)
    needing = set()
    for step, subject in subjects.items():
        needed = steps_needed([step], adding)
        if any(subjects[other] in chosen for other in needed):
            needing.add(subject)
    return needing


def _steps_of_other_teams(steps: Sequence[Step], user: AbstractUser) -> list[Step]:
    """What others than the user's teams own, if the user may write all the same: they may be asked, too."""
    rights = Rights(user)
    if rights.depend_on_teams:
        return []
    of_others = []
    for step, asked in _who_is_asked(steps, rights).items():
        is_own = asked.team_id is not None and asked.team_id in rights.memberships
        if asked != NOBODY and not is_own:
            of_others.append(step)
    return of_others


# A part for each owner


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
    chosen = set(steps if wanted is None else wanted)
    steps_by_asked: dict[Asked, set[Step]] = {}
    for step, asked in _who_is_asked(steps, Rights(user)).items():
        if step in chosen:
            steps_by_asked.setdefault(asked, set()).add(step)
    _add_needed_steps(steps_by_asked, steps)
    parts = []
    for asked, part in steps_by_asked.items():
        if part:
            in_order = [step for step in steps if step in part]
            parts.append(OwnerPart(in_order, asked.kind, _team_of_service(part, asked)))
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


def _team_of_service(steps: Collection[Step], asked: Asked) -> int | None:
    """The team that a service among the steps is handed over to; None if there is no such service."""
    if asked.kind != Suggestion.Kind.HAND_OVER:
        return None
    has_service = any(isinstance(step.before, Service) for step in steps)
    return asked.team_id if has_service else None


def _who_is_asked(steps: Sequence[Step], rights: Rights) -> dict[Step, Asked]:
    """Who is asked for each of the steps, if the person with these rights suggests them."""
    new_teams = _new_teams(steps, rights.moment)
    handed_over = _handed_over(steps, new_teams, rights)
    who: dict[Step, Asked] = {}
    for step, subject in _subjects(steps).items():
        name = _name_of(subject)
        service_id = None
        if isinstance(subject, Table):
            service_id = subject.owner_id
        elif isinstance(subject, Service):
            service_id = subject.pk
        asked = _asked_for(service_id, rights.moment, to_team=new_teams.get(name))
        who[step] = handed_over.get(name, asked)
    return who


def _asked_for(
    service_id: int | None,
    moment: Moment,
    kind: str = Suggestion.Kind.CHANGE,
    to_team: int | None = None,
) -> Asked:
    """Who is asked for what concerns a service, or a table that it owns or would own."""
    if service_id is None:
        return NOBODY
    team_id = moment.team_of_service(service_id)
    if team_id is None:
        return Asked(kind, service_id=service_id)
    return Asked(kind, team_id=team_id, to_team=to_team)


def _new_teams(steps: Sequence[Step], moment: Moment) -> dict[RowName, int]:
    """The teams that would be answerable for tables with another owner, and for services, where that changes."""
    if not settings.RIGHTS_FOLLOW_OWNER:
        return {}
    services: dict = {(Service, step.pk): step.after for step in steps if step.model is Service}
    moment_after = Moment(services)
    new_teams: dict[RowName, int] = {}
    for step in steps:
        match step.before, step.after:
            case Table() as before, Table() as after if before.owner_id != after.owner_id:
                now = moment.team_of_owner(before)
                then = moment_after.team_of_owner(after)
            case Service() as before, Service():
                now = moment.team_of_service(before.pk)
                then = moment_after.team_of_service(before.pk)
            case _:
                continue
        if then is not None and then != now:
            new_teams[_name_of(before)] = then
    return new_teams


def _handed_over(
    steps: Sequence[Step], new_teams: Mapping[RowName, int], rights: Rights
) -> dict[RowName, Asked]:
    """Who would get the tables and services that the person may edit, but not give to whoever would get them."""
    handed_over: dict[RowName, Asked] = {}
    if not rights.depend_on_teams:
        return handed_over
    kind = Suggestion.Kind.HAND_OVER
    for step in steps:
        match step.before, step.after:
            case Table() as before, Table() as after:
                if rights.may_edit(before) and not rights.may_edit(after):
                    asked = _asked_for(after.owner_id, rights.moment, kind)
                    handed_over[_name_of(before)] = asked
            case Service() as before, Service():
                team_id = new_teams.get(_name_of(before))
                is_given = team_id is not None and team_id not in rights.memberships
                if is_given and rights.may_edit(before):
                    handed_over[_name_of(before)] = Asked(kind, team_id=team_id)
    return handed_over
