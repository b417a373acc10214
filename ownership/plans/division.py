"""A plan cut in two: what its user writes, and what is suggested to others. Bulk edit, import and drift cut here.

What is done to one table stays together. Nothing is suggested that waits already, and nothing to one's own team that
one may write oneself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied

from ownership.audit.descriptions import label_in_words
from ownership.models import Service, Suggestion
from ownership.models.rights import Rights
from ownership.plans.blockers import Blocker
from ownership.plans.parts_by_owner import (
    NOBODY,
    OwnerPart,
    parts_by_owner,
    tables_of,
    who_is_asked,
)
from ownership.plans.plan import Plan
from ownership.plans.steps import Step, role_allows, steps_adding, steps_needed
from ownership.plans.suggested_steps import already_suggested

# What is written or suggested together: a table with all that belongs to it, a service, or a row for itself.
Thing = tuple[str, object]


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
    not_writable: list[Step]
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
        return self.suggested.keys() >= set(self.not_writable)

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
    things = _things(steps)
    refused = plan.refused_to(user)
    without_role = [step for step in steps if not role_allows(user, step)]
    not_writable = {things[blocker.step] for blocker in refused}
    not_writable.update(things[step] for step in without_role)
    not_writable |= _things_needing(not_writable, things)
    not_own = not_writable | _of_other_teams(things, user)
    steps_not_own = [step for step in steps if things[step] in not_own]
    return Division(
        plan=plan,
        user=user,
        refused=refused,
        not_writable=[step for step in steps if things[step] in not_writable],
        not_own=steps_not_own,
        suggested=already_suggested(steps, steps_not_own),
        has_role=not without_role,
    )


def _things(steps: Sequence[Step]) -> dict[Step, Thing]:
    """Which thing each step belongs to."""
    things: dict[Step, Thing] = {}
    for step, table in tables_of(steps).items():
        if table is not None:
            things[step] = ("table", table.name if table.pk is None else table.pk)
        elif isinstance(step.row, Service) and step.pk is not None:
            things[step] = ("service", step.pk)
        else:
            things[step] = ("row", step)
    return things


def _things_needing(chosen: set[Thing], things: Mapping[Step, Thing]) -> set[Thing]:
    """The things that refer to a row which one of the chosen ones adds.

    One pass is enough: references are followed to their end, and only a table's own rows refer to a new table.
    """
    adding = steps_adding(things)
    needing = set()
    for step, thing in things.items():
        needed = {things[other] for other in steps_needed([step], adding)}
        if not chosen.isdisjoint(needed):
            needing.add(thing)
    return needing


def _of_other_teams(things: Mapping[Step, Thing], user: AbstractUser) -> set[Thing]:
    """What others than the user's teams own, if the user may write all the same: they may be asked, too."""
    rights = Rights(user)
    if rights.depend_on_teams:
        return set()
    of_others = set()
    for step, asked in who_is_asked(list(things), rights).items():
        is_own = asked.team_id is not None and asked.team_id in rights.memberships
        if asked != NOBODY and not is_own:
            of_others.add(things[step])
    return of_others
