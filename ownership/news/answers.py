"""What became of what a person suggested: the answers, and what nobody answered in time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.contrib.auth.models import AbstractUser

from ownership.history.models import CHANGED, entry_model
from ownership.history.row_states import describe_day
from ownership.models import Suggestion

# Answers that a mail lists; the page of suggestions has the others.
MOST_ANSWERS = 20
LAPSED = "lapsed"


@dataclass(frozen=True)
class Answer:
    """What became of one suggestion, in words. ``state`` is "taken" or "lapsed", for example."""

    name: str
    suggestion: str  # why it was suggested, which tells two suggestions about one table apart
    state: str
    words: str
    time: datetime
    path: str


@dataclass(frozen=True)
class Answers:
    """What a mail says of them, the oldest first. ``more`` counts those that are left out."""

    listed: list[Answer]
    more: int

    @classmethod
    def of(cls, answers: Iterable[Answer]) -> Answers | None:
        """These answers; None for none."""
        in_order = sorted(answers, key=lambda answer: answer.time)
        if not in_order:
            return None
        return cls(in_order[:MOST_ANSWERS], max(0, len(in_order) - MOST_ANSWERS))

    @property
    def oldest(self) -> datetime:
        """The time of the first one."""
        return self.listed[0].time


def answers_to(user: AbstractUser, after: int, until: int) -> list[Answer]:
    """What others answered after one revision and up to another; two queries."""
    suggestions = Suggestion.objects.made_for(user.pk)
    entries = entry_model(Suggestion).objects.filter(
        id__in=suggestions.values("pk"),
        history_type=CHANGED,
        change_set__gt=after,
        change_set__lte=until,
    )
    answers = []
    for entry in entries.exclude(change_set__user_id=user.pk).select_related("change_set"):
        suggestion: Suggestion = entry.instance
        change_set = entry.change_set
        state = suggestion.state_in_words().lower()
        answers.append(
            Answer(
                name=suggestion.about,
                suggestion=suggestion.reason,
                state=state,
                words=f"{state} by {change_set.user_name}: {change_set.reason}",
                time=change_set.time,
                path=suggestion.get_absolute_url(),
            )
        )
    return answers


def lapsed_for(user: AbstractUser, after: datetime | None, until: datetime) -> list[Answer]:
    """What nobody answered in time, and lapsed between these two moments; one query."""
    suggestions = Suggestion.objects.made_for(user.pk).filter(state=Suggestion.State.OPEN)
    # A suggestion lapses at the midnight that ends its last day.
    suggestions = suggestions.filter(until__lt=until.date())
    if after is not None:
        suggestions = suggestions.filter(until__gte=after.date())
    answers = []
    for suggestion in suggestions.defer("steps"):
        midnight = datetime.combine(suggestion.until + timedelta(days=1), time(), UTC)
        answers.append(
            Answer(
                name=suggestion.about,
                suggestion=suggestion.reason,
                state=LAPSED,
                words=f"{LAPSED}: nobody answered until {describe_day(suggestion.until)}",
                time=midnight,
                path=suggestion.get_absolute_url(),
            )
        )
    return answers
