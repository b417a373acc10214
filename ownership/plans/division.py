"""A plan cut in two: what its user writes, and what is suggested to others. Bulk edit, import and drift cut here.

What is done to one table stays together. Nothing is suggested that waits already, and nothing to one's own team that
one may write oneself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied

from ownership.models import Service, Suggestion
from ownership.models.rights import PERMISSIONS, Rights
from ownership.plans.blockers import Blocker
from ownership.plans.parts_by_owner import (
    OwnerPart,
    parts_by_owner,
    places_needed,
    places_of_new_rows,
    tables_of,
    who_is_asked,
)
from ownership.plans.plan import Plan
from ownership.plans.steps import Step
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
    suggested: dict[int, Suggestion]  # by the identity of the step
    has_role: bool

    @cached_property
    def parts(self) -> list[OwnerPart]:
        """What is left to suggest, by owner."""
        wanted = [step for step in self.not_own if id(step) not in self.suggested]
        return parts_by_owner(self.plan.steps, self.user, wanted) if wanted else []

    @property
    def has_others(self) -> bool:
        """Whether there is anything left to suggest."""
        return any(id(step) not in self.suggested for step in self.not_own)

    @property
    def pending(self) -> list[Blocker]:
        """What the user may not write and nobody has suggested yet."""
        return [blocker for blocker in self.refused if id(blocker.step) not in self.suggested]

    @cached_property
    def writable(self) -> Plan:
        """What the user writes: without what they may not write, and what they have suggested themselves."""
        steps = self.plan.steps
        left_out = {id(step) for step in self.not_writable}
        for step in self.not_own:
            suggestion = self.suggested.get(id(step))
            if suggestion is not None and suggestion.user_id == self.user.pk:
                left_out.add(id(step))
        places = {place for place, step in enumerate(steps) if id(step) not in left_out}
        # A row that is suggested, too, may be needed here.
        places |= places_needed(places, steps, places_of_new_rows(steps))
        if len(places) == len(steps):
            # The plan itself has looked for what blocks it already.
            return self.plan
        return Plan([steps[place] for place in sorted(places)], self.plan.revision)

    @property
    def others_are_asked(self) -> bool:
        """Whether all that the user may not write waits as a suggestion."""
        return all(id(step) in self.suggested for step in self.not_writable)

    @property
    def may_apply(self) -> bool:
        """Whether the user can write something now: nothing is left that others have to be asked for first."""
        return self.others_are_asked and bool(self.writable.steps)

    @property
    def shown(self) -> list[Step]:
        """The steps of a preview: without those that wait already, and are not written here."""
        written = {id(step) for step in self.writable.steps}
        steps = []
        for step in self.plan.steps:
            if id(step) in written or id(step) not in self.suggested:
                steps.append(step)
        return steps

    @property
    def waiting(self) -> list[tuple[str, Suggestion]]:
        """What waits already, by what the rows are called."""
        waiting = []
        for step in self.not_own:
            if id(step) in self.suggested:
                waiting.append((step.preview().label, self.suggested[id(step)]))
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
    refused = plan.refused_to(user)
    thing_of = _things(plan.steps)
    not_writable = {thing_of(blocker.step) for blocker in refused}
    has_role = True
    for step in plan.steps:
        if not _role_allows(user, step):
            has_role = False
            not_writable.add(thing_of(step))
    _add_what_needs(not_writable, plan.steps, thing_of)
    not_own = not_writable | _of_other_teams(plan.steps, user, thing_of)
    steps_not_own = [step for step in plan.steps if thing_of(step) in not_own]
    return Division(
        plan=plan,
        user=user,
        refused=refused,
        not_writable=[step for step in plan.steps if thing_of(step) in not_writable],
        not_own=steps_not_own,
        suggested=already_suggested(plan.steps, steps_not_own),
        has_role=has_role,
    )


def _things(steps: Sequence[Step]) -> Callable[[Step], Thing]:
    table_of_step = tables_of(steps)

    def thing_of(step: Step) -> Thing:
        table = table_of_step(step)
        if table is not None:
            return ("table", table.name if table.pk is None else table.pk)
        if isinstance(step.row, Service) and step.pk is not None:
            return ("service", step.pk)
        return ("row", id(step))

    return thing_of


def _role_allows(user: AbstractUser, step: Step) -> bool:
    verb = PERMISSIONS[step.history_type]
    return user.has_perm(f"ownership.{verb}_{step.model._meta.model_name}")


def _add_what_needs(
    things: set[Thing], steps: Sequence[Step], thing_of: Callable[[Step], Thing]
) -> None:
    """Add to the things what refers to a row that one of them adds."""
    makers = places_of_new_rows(steps)
    size = -1
    while size != len(things):
        size = len(things)
        for place, step in enumerate(steps):
            needed = places_needed([place], steps, makers)
            if any(thing_of(steps[other]) in things for other in needed):
                things.add(thing_of(step))


def _of_other_teams(
    steps: Sequence[Step], user: AbstractUser, thing_of: Callable[[Step], Thing]
) -> set[Thing]:
    """What others than the user's teams own, if the user may write all the same: they may be asked, too."""
    rights = Rights(user)
    if rights.depend_on_teams:
        return set()
    asked_for = who_is_asked(steps, moved={}, handed_over={})
    things = set()
    for step in steps:
        asked = asked_for(step)
        is_own = asked.who == "team" and asked.pk in rights.memberships
        if not is_own and asked.who != "nobody":
            things.add(thing_of(step))
    return things
