"""What waits for a person: suggestions, confirmations that end, and findings of drift, about what is theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.contrib.auth.models import AbstractUser
from django.urls import reverse
from django.utils.http import urlencode

from ownership.catalog.confirmation import DUE_BEFORE_END, ConfirmationState, due_tables
from ownership.catalog.mine import Mine
from ownership.drift.finding_words import KINDS
from ownership.drift.types import Finding, printable
from ownership.findings.latest_runs import open_findings_of
from ownership.history.row_states import describe_day
from ownership.models import DriftRun, Suggestion, Table, Watch

# What goes on waiting is told of again after so long.
REPEATED_AFTER = timedelta(days=7)
# Things of one kind that a mail lists; the page of what is mine has the others.
MOST_THINGS = 10


@dataclass(frozen=True)
class WaitingThing:
    """One thing that waits, in words. ``key`` names it as long as it waits, ``title`` says what kind it is."""

    key: str
    title: str
    since: datetime
    name: str
    words: str
    path: str


@dataclass(frozen=True)
class ReminderSection:
    """Things of one kind, as a mail lists them. ``more`` counts those that are left out."""

    title: str
    things: list[WaitingThing]
    more: int


@dataclass(frozen=True)
class Reminders:
    """What a mail says of what waits. ``others`` counts what waits as well, and was told of earlier."""

    things: list[WaitingThing]
    others: int

    @property
    def sections(self) -> list[ReminderSection]:
        """The things, by kind."""
        by_title: dict[str, list[WaitingThing]] = {}
        for thing in self.things:
            by_title.setdefault(thing.title, []).append(thing)
        sections = []
        for title, things in by_title.items():
            left_out = max(0, len(things) - MOST_THINGS)
            sections.append(ReminderSection(title, things[:MOST_THINGS], left_out))
        return sections


def latest_run() -> int | None:
    """The number of the latest run of drift; None if none was kept."""
    return DriftRun.objects.order_by("-pk").values_list("pk", flat=True).first()


def what_waits(user: AbstractUser) -> list[WaitingThing]:
    """What waits for somebody who watches what is theirs, as the page of that lists it; nothing for others."""
    if not Watch.objects.filter(user=user.pk, kind=Watch.Kind.MINE).exists():
        return []
    mine = Mine.of(user)
    if not mine.service_ids:
        return []
    return [*_suggestions(mine, user), *_confirmations(mine), *_findings(mine)]


def things_to_tell(
    waiting: list[WaitingThing], reminded: Mapping[str, str], day: date
) -> list[WaitingThing]:
    """What the person is to be told of on that day; ``reminded`` as a Mailing has it.

    That is what has begun to wait since. Once anything has waited for a week since it was told of, it is everything
    that waits: one list a week, and not one for each thing.
    """
    days = [date.fromisoformat(reminded[thing.key]) for thing in waiting if thing.key in reminded]
    if days and day - min(days) >= REPEATED_AFTER:
        return waiting
    return [thing for thing in waiting if thing.key not in reminded]


def _suggestions(mine: Mine, user: AbstractUser) -> list[WaitingThing]:
    changes: list[WaitingThing] = []
    hand_overs: list[WaitingThing] = []
    for suggestion in mine.suggestions(user).defer("steps"):
        is_change = suggestion.kind == Suggestion.Kind.CHANGE
        # What follows is the evidence of a drift run, for all owners together.
        [why, *_] = suggestion.reason.splitlines()
        thing = WaitingThing(
            key=f"suggestion {suggestion.number}",
            title="Suggestions" if is_change else "Hand-overs to agree to",
            since=suggestion.made,
            name=suggestion.about,
            words=(
                f"suggested by {suggestion.user_name}, to be answered by {describe_day(suggestion.until)}: "
                f"{why}"
            ),
            path=suggestion.get_absolute_url(),
        )
        (changes if is_change else hand_overs).append(thing)
    return changes + hand_overs


def _confirmations(mine: Mine) -> list[WaitingThing]:
    things = []
    for table in due_tables(Table.objects.filter(mine.tables)):
        is_overdue = table.confirmation_state == ConfirmationState.OVERDUE
        verb = "ended" if is_overdue else "ends"
        begin = datetime.combine(table.until - DUE_BEFORE_END, time(), UTC)
        thing = WaitingThing(
            key=f"confirmation {table.pk} until {table.until}",
            title="To confirm",
            since=begin,
            name=table.name,
            words=f"its confirmation {verb} on {describe_day(table.until)}",
            path=f"{reverse('pages:confirm')}?{urlencode({'table': table.name})}",
        )
        things.append(thing)
    return things


def _findings(mine: Mine) -> list[WaitingThing]:
    if latest_run() is None:
        return []
    things = []
    for of_run in open_findings_of(mine.tables):
        run = of_run.run
        for finding in of_run.findings:
            identity = f"{finding.kind} {finding.table} {finding.service or ''}".rstrip()
            thing = WaitingThing(
                key=f"finding {run.reader} {run.environment}: {identity}",
                title="Findings on my tables",
                since=run.time,
                name=finding.table,
                words=_in_words(finding, run.environment),
                path=reverse("pages:table", args=[finding.table]),
            )
            things.append(thing)
    return things


def _in_words(finding: Finding, environment: str) -> str:
    words = KINDS[finding.kind].title.lower()
    if finding.service:
        words += f" ({printable(finding.service)})"
    if environment:
        words += f", in {environment}"
    return words
