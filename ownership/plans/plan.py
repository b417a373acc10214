"""Plans: every change that nobody types field by field, shown before it is written.

Undo, restore, import, hand-over and accepting findings are steps of the same kind: a row
as it is and as it would be. A plan is made without the registry's lock and shown; then it
is applied as one change set.

Between the two the registry may move on. Two things keep a plan from writing anything
but what was shown:

- The plan knows the revision that its rows were read at. ``apply`` compares that with the
  revision under the lock. If it is the same, nothing has changed. Otherwise each row
  is compared with the current one and the rules are checked again; ``Stale`` or
  ``Blocked`` means that nothing is written.
- A page that shows a plan posts its ``fingerprint`` back. The plan that is made again for
  the POST must have the same one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

from django.contrib.auth.models import AbstractBaseUser, AbstractUser
from django.core.exceptions import ValidationError
from django.db.models import CASCADE, ProtectedError

from ownership.audit.timeline import Timeline, TimelineGroup
from ownership.history.bulk import (
    Progress,
    RowRefused,
    delete_rows,
    no_progress,
    save_rows,
)
from ownership.history.change_sets import change_set
from ownership.history.models import Person, current_head, entry_model
from ownership.history.row_states import changed_fields, fetch_rows
from ownership.models.rights import NotPermitted, refusals
from ownership.plans.blockers import NAMED, Blocker, find_blockers, in_short, still_used
from ownership.plans.steps import (
    Preview,
    Step,
    digest,
    filtered,
    ids_of,
    steps_by_model,
    take_ids_of_references,
    tracked_relations,
    unsaved_references,
)


class NotApplied(Exception):
    """A plan was not applied and nothing was changed; the message says why."""


class Blocked(NotApplied):
    """A rule of the registry is in the way of a step."""

    def __init__(self, step: Step, why: str) -> None:
        super().__init__(f"{step.label}: {why}")
        self.step = step
        self.why = why


class Refused(NotApplied):
    """Rights follow the owner, and the user may not write one of the rows; the message says who may."""


class Stale(NotApplied):
    """Rows of the plan changed after it was made: in these change sets."""

    def __init__(self, steps: Sequence[Step], conflicts: Sequence[TimelineGroup]) -> None:
        names = in_short([step.label for step in steps], len(steps))
        revisions = []
        for group in conflicts[:NAMED]:
            change = group.change_set
            revisions.append(f"revision {change.revision} by {change.user_name}")
        super().__init__(f"{names} changed in the meantime ({', '.join(revisions)}).")
        self.steps = steps


class Plan:
    """Steps, in the order in which they are written, made at a revision of the registry.

    ``revision`` must be read before the rows of the steps are. A new row comes before the
    rows that refer to it. These refer to it as an object, because it has no id yet.
    A plan is applied once: applying it gives its new rows their ids.
    """

    def __init__(self, steps: Sequence[Step], revision: int) -> None:
        self.steps = list(steps)
        self.revision = revision

    @cached_property
    def blockers(self) -> list[Blocker]:
        """The rules that the steps would break together; a few queries for 500 rows."""
        return find_blockers(self.steps)

    @property
    def conflicts(self) -> list[TimelineGroup]:
        """The change sets that have touched the plan's rows since it was made, oldest first."""
        groups: dict[int, TimelineGroup] = {}
        for model, steps in steps_by_model(self.steps).items():
            for group in Timeline.of_forms(model, *ids_of(steps)).since(self.revision):
                groups.setdefault(group.change_set.revision, group)
        return [groups[revision] for revision in sorted(groups)]

    def preview(self) -> list[Preview]:
        """The steps in words, each shaped like an entry of a timeline."""
        return [step.preview() for step in self.steps]

    def fingerprint(self) -> str:
        """Identifies what the steps do, so that nothing else is applied than what was shown."""
        facts = []
        for step in self.steps:
            name = step.model._meta.model_name
            facts.append([name, step.pk, step.history_type, step.label, step.changes()])
        return digest(facts)

    def refused_to(self, *people: AbstractUser) -> list[Blocker]:
        """The steps that this user may not write; with a second one, who suggested them.

        ``apply`` judges again, under the lock. A fixed number of queries, none if rights do not follow the owner.
        """
        steps = {id(step.row): step for step in self.steps}
        states = [(step.before, step.after) for step in self.steps]
        blockers = []
        for refusal in refusals(people, states, is_written=False):
            blockers.append(Blocker(steps[id(refusal.row)], refusal.why))
        return blockers

    def without_blocked(self, *people: AbstractUser) -> "Plan":
        """The plan without the steps that can't be applied, that the people may not write, or that need such steps."""
        plan = self
        while in_the_way := [*plan.blockers, *plan.refused_to(*people)]:
            blocked = {id(blocker.step) for blocker in in_the_way}
            steps = [step for step in plan.steps if id(step) not in blocked]
            plan = Plan(steps, self.revision)
        return plan

    def apply(
        self,
        *,
        user: AbstractBaseUser | None,
        reason: str,
        source: str,
        undoes: int | None = None,
        suggested_by: Person | None = None,
        report: Progress = no_progress,
    ) -> int | None:
        """Write all steps as one change set. Returns its revision, None if nothing changed.

        ``report`` is called after each batch with its number of rows. Raises Blocked,
        Stale, Refused or RegistryBusy, and nothing is written.
        """
        # Searched for before taking the lock, so that nobody waits for it.
        refuse_blocked(self.blockers)
        writing = change_set(
            user=user,
            reason=reason,
            source=source,
            undoes=undoes,
            suggested_by=suggested_by,
        )
        with _refused_by_rights(), writing as draft:
            # The lock is held now: nobody else changes a row from here on.
            if current_head().revision != self.revision:
                self._check_still_holds()
            try:
                self._write(report)
            except RowRefused as refused:
                [step] = [step for step in self.steps if step.row is refused.row]
                raise Blocked(step, _why_refused(refused)) from refused
        return draft.revision

    def _check_still_holds(self) -> None:
        """Compare the rows with those of now; one query for 500 rows of a model."""
        stale = []
        for model, steps in steps_by_model(self.steps).items():
            rows = fetch_rows(model, ids_of(steps))
            for step in steps:
                if changed_fields(step.before, rows.get(step.pk)):
                    stale.append(step)
        stale += self._deletions_with_new_rows()
        if stale:
            raise Stale(stale, Plan(stale, self.revision).conflicts)
        refuse_blocked(find_blockers(self.steps))

    def _deletions_with_new_rows(self) -> list[Step]:
        """Deletions that would also delete rows added or changed after the plan was made."""
        planned = {(step.model, step.pk) for step in self.steps}
        stale = []
        for model, steps in steps_by_model(self.steps).items():
            deleted = {step.pk: step for step in steps if step.after is None}
            # An access that somebody has added to a table would go with it, unseen.
            for relation in tracked_relations(model, CASCADE):
                column = relation.field.attname
                entries = entry_model(relation.related_model).objects
                later = entries.filter(change_set__gt=self.revision)
                ids = later.values_list("id", column)
                for pk, deleted_pk in filtered(ids, column, deleted):
                    if (relation.related_model, pk) not in planned:
                        stale.append(deleted[deleted_pk])
        return stale

    def _write(self, report: Progress) -> None:
        for deletes, steps in _together(self.steps):
            rows = [step.row for step in steps]
            if deletes:
                delete_rows(rows, report)
                continue
            for row in rows:
                take_ids_of_references(row)
            save_rows(rows, report)


@contextmanager
def _refused_by_rights() -> Iterator[None]:
    """Raise Refused in place of what the guard of rights raises."""
    try:
        yield
    except NotPermitted as error:
        raise Refused(str(error)) from error


def _together(steps: Sequence[Step]) -> Iterator[tuple[bool, list[Step]]]:
    """The steps in their order, cut into (whether they delete, steps written together).

    A row that refers to a new row waits until that one is saved and has its id.
    """
    batch: list[Step] = []
    deletes = False
    new_rows: set[int] = set()
    for step in steps:
        step_deletes = step.after is None
        waits = not new_rows.isdisjoint(map(id, unsaved_references(step.row).values()))
        # Deletions and saves alternate as the steps do: a name may be given up first.
        if batch and (step_deletes != deletes or waits):
            yield deletes, batch
            batch, new_rows = [], set()
        deletes = step_deletes
        batch.append(step)
        if step.pk is None:
            new_rows.add(id(step.row))
    if batch:
        yield deletes, batch


def refuse_blocked(blockers: list[Blocker]) -> None:
    """Raise Blocked for the first of the blockers, if there are any."""
    if blockers:
        raise Blocked(blockers[0].step, blockers[0].why)


def _why_refused(refused: RowRefused) -> str:
    """The message of a rule that only the database, or the row's own check, knows."""
    cause = refused.__cause__
    if isinstance(cause, ProtectedError):
        users = sorted(str(user) for user in cause.protected_objects)
        return still_used(users, len(users))
    try:
        refused.row.full_clean()
    except ValidationError as error:
        return " ".join(error.messages)
    return refused.why
