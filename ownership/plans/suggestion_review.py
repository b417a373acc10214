"""What a suggestion would write now, and what of it was left when it was answered.

Between a suggestion and its answer others go on editing. What is already as suggested is left out. What somebody has
changed meanwhile is a conflict: it stays as it is unless it is chosen. The same goes for a row to be deleted that has
changed, and for a row to be added that somebody else has added.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import cached_property

from ownership.history.models import TrackedRow, current_head
from ownership.history.time_travel import as_of
from ownership.models import Suggestion
from ownership.plans.blockers import Blocker
from ownership.plans.plan import Plan
from ownership.plans.steps import Conflict, Preview, Step, digest
from ownership.plans.suggested_rows import GONE, UNKNOWN, CurrentRows, SuggestedRow
from ownership.plans.suggested_steps import DELETE, row_key


class Review:
    """A suggestion compared with the map of now, before anyone chooses what to take of it.

    A fixed number of queries for 500 rows of each kind.
    """

    def __init__(self, suggestion: Suggestion) -> None:
        self.suggestion = suggestion
        self.read_at = current_head().revision  # before the rows are
        self._current = CurrentRows(suggestion)
        self.rows = [self._current.compare(place) for place in range(len(suggestion.steps))]

    @cached_property
    def choices(self) -> dict[str, Conflict | None]:
        """All that can be taken, in the suggestion's order: {key: conflict}."""
        choices: dict[str, Conflict | None] = {}
        for row in self.rows:
            choices.update(row.choices)
        return choices

    @property
    def unasked(self) -> set[str]:
        """The keys that are chosen unless somebody decides otherwise: those without a conflict."""
        return {key for key, conflict in self.choices.items() if conflict is None}

    def is_whole(self, chosen: Collection[str]) -> bool:
        """Whether these keys are all that was suggested and is not so yet."""
        is_gone = any(row.explanation in (GONE, UNKNOWN) for row in self.rows)
        return not is_gone and set(self.choices) <= set(chosen)

    def plan(self, chosen: Collection[str]) -> tuple[Plan, list[Blocker]]:
        """The steps to take if these keys are chosen, and what is in their way."""
        steps: list[Step] = []
        blockers: list[Blocker] = []
        # By place: what rows to be added may refer to.
        made = {row.place: row.row for row in self.rows if row.row is not None}
        for row in self.rows:
            if not row.happens(chosen):
                continue
            if row.action == DELETE:
                steps.append(Step(row.row, None, label=row.label))
                continue
            step = Step(row.row, self._current.row_as_suggested(row, chosen), label=row.label)
            for place in self._link(row, step, made, chosen):
                why = f"it needs {self.rows[place].label}, which is not selected."
                blockers.append(Blocker(step, why))
            steps.append(step)
            made[row.place] = step.row
        plan = Plan(steps, self.read_at)
        return plan, blockers + plan.blockers

    def _link(
        self,
        row: SuggestedRow,
        step: Step,
        made: Mapping[int, TrackedRow],
        chosen: Collection[str],
    ) -> list[int]:
        """Let the step's row refer to rows that the suggestion adds. Return the places of those that it does not."""
        missing = []
        for suggested_field in row.written_fields(chosen):
            place = row.stored["new"].get(suggested_field.name)
            if place is None:
                continue
            if place in made:
                setattr(step.row, suggested_field.name, made[place])
            else:
                missing.append(place)
        return missing

    def previews(self, chosen: Collection[str]) -> list[Preview]:
        """The rows in words."""
        return [row.preview(chosen) for row in self.rows]

    def fingerprint(self) -> str:
        """Identifies what is shown, whatever is chosen."""
        facts: list[list] = [[self.suggestion.state]]
        for row in self.rows:
            fields = []
            for suggested_field in row.fields:
                values = [suggested_field.now, suggested_field.suggested]
                fields.append([suggested_field.key, *values])
            conflicts = {key: conflict and conflict.why for key, conflict in row.choices.items()}
            facts.append([row.action, row.explanation, fields, conflicts])
        return digest(facts)


def not_taken(
    suggestion: Suggestion, revision: int, passed_on: Iterable[Suggestion]
) -> list[Preview]:
    """What was left out when the suggestion was answered at that revision: what the map then did not say.

    Without what was ``passed_on``. Each field as it was then, and as suggested.
    """
    with as_of(revision):
        rows = Review(suggestion).rows
    passed: set[tuple] = set()
    for hand_over in passed_on:
        for step in hand_over.steps:
            passed.update((row_key(step), name) for name in step["changes"])
    previews = []
    for row in rows:
        key = row_key(row.stored)
        left = [each for each in row.fields if (key, each.name) not in passed]
        if left or row.explanation in (GONE, UNKNOWN):
            previews.append(replace(row, fields=left).preview_of_what_was_left())
    return previews
