"""Making and answering suggestions. Each is a change set of the source “Suggestion”.

A suggestion is taken by somebody else than who made it: the plan writes the map's rows, and last the suggestion's
own state, in one change set that names both people.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import AbstractUser, AnonymousUser, User
from django.db.models import Max

from ownership.history.change_sets import ChangeSetDraft, change_set
from ownership.history.models import ChangeSet, current_head
from ownership.models import (
    MailPreference,
    Membership,
    Service,
    Suggestion,
    SuggestionSubject,
    Table,
    Team,
)
from ownership.models.answerable import answerable_team, service_links
from ownership.models.rights import Rights
from ownership.models.suggestions import TIME_TO_ANSWER
from ownership.plans.blockers import Blocker
from ownership.plans.division import OwnerPart, parts_by_owner
from ownership.plans.plan import NotApplied, Plan, refuse_blocked
from ownership.plans.steps import Step, copy_of, role_allows
from ownership.plans.suggested_steps import already_suggested, stored_steps, subjects_of, title_of
from ownership.plans.suggestion_review import Review

SOURCE = ChangeSet.Source.SUGGESTION
NOTHING_CHOSEN = "Select at least one change, or decline the suggestion."
OWN = "Somebody else must take your suggestion."
NO_HAND_OVER = "Select only what hands tables over to another team, to pass it on."
WHY_NOT_THE_REST = "Say why you leave the rest out: taking part of a suggestion closes it."
NOT_WAITING = "This suggestion was answered, or has lapsed."


def suggest(
    parts: Sequence[OwnerPart],
    *,
    user: AbstractUser,
    reason: str,
    revision: int,
) -> list[Suggestion]:
    """Store each part as a suggestion; all in one change set. The map is not written.

    ``revision`` is that of the map which the steps were made from.
    """
    with change_set(user=user, reason=reason, source=SOURCE) as draft:
        return _store(draft, parts, user, reason, revision)


def _store(
    draft: ChangeSetDraft,
    parts: Sequence[OwnerPart],
    user: AbstractUser,
    reason: str,
    revision: int,
) -> list[Suggestion]:
    """Save a suggestion for each part, in the change set that is open."""
    # The answer is mailed to whoever suggested it, unless they have switched mail off.
    MailPreference.objects.get_or_create(
        user_id=user.pk, defaults={"since": current_head().revision}
    )
    made = []
    # Under the lock, so that no two suggestions get the same number.
    last = Suggestion.objects.aggregate(last=Max("number"))["last"] or 0
    for number, part in enumerate(parts, last + 1):
        suggestion = Suggestion(
            number=number,
            kind=part.kind,
            about=title_of(part.steps),
            reason=reason.strip(),
            steps=stored_steps(part.steps),
            revision=revision,
            user_id=user.pk,
            user_name=user.get_username(),
            made=draft.time,
            until=draft.time.date() + TIME_TO_ANSWER,
        )
        suggestion.save()
        _save_subjects(suggestion, subjects_of(part.steps, part.kind, part.team_id))
        made.append(suggestion)
    return made


def _save_subjects(suggestion: Suggestion, subjects: Iterable[SuggestionSubject]) -> None:
    for subject in subjects:
        subject.suggestion = suggestion
    SuggestionSubject.objects.bulk_create(subjects)


def suggest_again(suggestion: Suggestion, user: AbstractUser) -> Suggestion:
    """The same suggestion once more, by its author: what of it is not so yet, compared with the map of now.

    Raises NotApplied if nothing is left to suggest, or all of it waits already.
    """
    review = Review(suggestion)
    plan, _ = review.plan(review.choices)
    if not plan.steps:
        raise NotApplied("Everything is already as suggested.")
    waiting = already_suggested(plan.steps, plan.steps)
    if len(waiting) == len(plan.steps):
        raise NotApplied(f"It is already waiting, as suggestion {waiting[plan.steps[0]].number}.")
    teams = suggestion.subjects.exclude(team_id=None).values_list("team_id", flat=True)
    [made] = suggest(
        [OwnerPart(plan.steps, suggestion.kind, teams.first())],
        user=user,
        reason=suggestion.reason,
        revision=review.read_at,
    )
    return made


def may_answer(user: AbstractUser | AnonymousUser, suggestion: Suggestion) -> bool:
    """Whether the user may take or decline it: somebody who did not make it, and edits the map.

    If rights follow the owner: one of the rows that it is about; of a hand-over, the service that the table goes to,
    or what is the team's that the service goes to.
    What of it the user may write, ``refused`` says. At most five queries.
    """
    if user.pk == suggestion.user_id or not user.has_perm("ownership.change_table"):
        return False
    if not settings.RIGHTS_FOLLOW_OWNER:
        return True
    rights = Rights(user)
    subjects = list(suggestion.subjects.all())
    team_ids = {subject.team_id for subject in subjects if subject.team_id}
    if team_ids:
        return user.is_superuser or not team_ids.isdisjoint(rights.memberships)
    rows = _rows_to_agree_to(suggestion, subjects)
    return not rows or any(rights.may_edit(row) for row in rows)


def _rows_to_agree_to(
    suggestion: Suggestion, subjects: Iterable[SuggestionSubject]
) -> list[Service | Table]:
    """The rows that a suggestion is about, whose owners are asked; of a hand-over the services that get the tables."""
    service_ids = [subject.service_id for subject in subjects if subject.service_id]
    table_ids = [subject.table_id for subject in subjects if subject.table_id]
    rows: list[Service | Table] = list(Service.objects.filter(pk__in=service_ids))
    if suggestion.kind == Suggestion.Kind.CHANGE:
        rows += Table.objects.filter(pk__in=table_ids)
    return rows


@dataclass(frozen=True)
class WaitsFor:
    """Whose answer a suggestion waits for. ``teams`` are asked, none where no team is answerable.

    ``who`` is "administrators" if the teams have no member but its author, so that nobody else may answer.
    """

    who: str  # "teams", "team leads" or "administrators"
    teams: list[Team]


def whom_they_wait_for(suggestions: Collection[Suggestion]) -> dict[int, WaitsFor]:
    """{a suggestion's id: whose answer it waits for}; at most five queries."""
    asked = teams_asked(suggestions)
    members = _members({team.pk for teams in asked.values() for team in teams})
    waits_for = {}
    for suggestion in suggestions:
        teams = asked[suggestion.pk]
        able: set[int] = set().union(*[members[team.pk] for team in teams])
        who = "teams"
        if not teams:
            who = "team leads"
        elif settings.RIGHTS_FOLLOW_OWNER and able <= {suggestion.user_id}:
            who = "administrators"
        waits_for[suggestion.pk] = WaitsFor(who, teams)
    return waits_for


def _members(team_ids: Collection[int]) -> dict[int, set[int]]:
    """{a team's id: the accounts in it}. Not read if rights do not follow the owner: any team lead may answer then."""
    members: dict[int, set[int]] = {team_id: set() for team_id in team_ids}
    if settings.RIGHTS_FOLLOW_OWNER and members:
        memberships = Membership.objects.filter(team__in=team_ids).order_by()
        for team_id, user_id in memberships.values_list("team", "user"):
            members[team_id].add(user_id)
    return members


def teams_asked(suggestions: Collection[Suggestion]) -> dict[int, list[Team]]:
    """{a suggestion's id: the teams that it waits for}; none where no team is answerable, so any team lead is asked.

    At most four queries; one where there are no teams.
    """
    asked: dict[int, list[Team]] = {suggestion.pk: [] for suggestion in suggestions}
    teams = Team.objects.in_bulk() if asked else {}
    if not teams:
        return asked
    subjects = list(SuggestionSubject.objects.filter(suggestion__in=asked).order_by("pk"))
    team_ids = _teams_of_subjects(subjects, suggestions)
    for subject in subjects:
        team = teams.get(team_ids[subject.pk] or 0)
        asked_already = asked[subject.suggestion_id]
        if team is not None and team not in asked_already:
            asked_already.append(team)
    return asked


def _teams_of_subjects(
    subjects: Collection[SuggestionSubject], suggestions: Iterable[Suggestion]
) -> dict[int, int | None]:
    """{a subject's id: the team that is asked because of it}; two queries."""
    kinds = {suggestion.pk: suggestion.kind for suggestion in suggestions}
    naming_a_team = {subject.suggestion_id for subject in subjects if subject.team_id}
    table_ids = [subject.table_id for subject in subjects if subject.table_id]
    owners = dict(Table.objects.filter(pk__in=table_ids).order_by().values_list("pk", "owner"))
    links = service_links()
    team_ids = {}
    for subject in subjects:
        if subject.suggestion_id in naming_a_team:
            # That team is asked, and nobody else.
            team_ids[subject.pk] = subject.team_id
            continue
        service_id = subject.service_id
        # Of a hand-over, whoever gets the table is asked, and not its owner.
        if subject.table_id and kinds[subject.suggestion_id] == Suggestion.Kind.CHANGE:
            service_id = owners.get(subject.table_id)
        team_ids[subject.pk] = answerable_team(service_id, links)
    return team_ids


def blockers_for(review: Review, plan: Plan, user: AbstractUser) -> list[Blocker]:
    """The steps of the review's plan that neither the user nor who suggested them may write.

    A fixed number of queries, one if rights do not follow the owner.
    """
    blockers = []
    for step in plan.steps:
        if not role_allows(user, step):
            blockers.append(Blocker(step, "your role may not do this."))
    author = User.objects.filter(pk=review.suggestion.user_id).first()
    people = [user] if author is None else [user, author]
    return blockers + plan.refused_to(*people)


def take(
    review: Review, chosen: Collection[str], *, user: AbstractUser, reason: str, rest: str = ""
) -> int | None:
    """Write what is chosen, as one change set that names who suggested and who approved it. Its revision.

    ``rest`` says why the others are left out. They stay visible as not taken. What somebody has changed since may be
    left out without a word.

    Raises NotApplied (Stale where the suggestion was answered meanwhile, or one of the rows has changed) or
    RegistryBusy, and nothing is written.
    """
    suggestion = review.suggestion
    if suggestion.user_id == user.pk:
        raise NotApplied(OWN)
    if not suggestion.is_waiting:
        raise NotApplied(NOT_WAITING)
    plan, blockers = review.plan(chosen)
    blockers += blockers_for(review, plan, user)
    refuse_blocked(blockers)
    if review.choices and not plan.steps:
        raise NotApplied(NOTHING_CHOSEN)
    state = Suggestion.State.TAKEN
    if plan.steps and not review.is_whole(chosen):
        state = Suggestion.State.IN_PART
        reason = _with_rest(review, chosen, reason, "Not taken", rest)
    plan = Plan([*plan.steps, _answer(suggestion, state)], review.read_at)
    return plan.apply(user=user, reason=reason, source=SOURCE, suggested_by=suggestion.by)


def _with_rest(review: Review, chosen: Collection[str], reason: str, begin: str, rest: str) -> str:
    """The reason, and why the rest is left out. Raises NotApplied without the latter."""
    if rest.strip():
        return f"{reason.strip()}\n\n{begin}: {rest.strip()}"
    if review.unasked.difference(chosen):
        raise NotApplied(WHY_NOT_THE_REST)
    return f"{reason.strip()}\n\n{begin}: what has changed since it was suggested."


def hand_overs(plan: Plan, user: AbstractUser) -> list[OwnerPart]:
    """The suggestions to pass the plan on with: it only gives tables, which the user may edit, to other teams.

    Empty if it does anything else. At most four queries, none if rights do not follow the owner.
    """
    if not settings.RIGHTS_FOLLOW_OWNER:
        return []
    parts = parts_by_owner(plan.steps, user)
    if any(part.kind != Suggestion.Kind.HAND_OVER for part in parts):
        return []
    return parts


def pass_on(
    review: Review, chosen: Collection[str], *, user: AbstractUser, reason: str, rest: str = ""
) -> list[Suggestion]:
    """Agree to hand over what is chosen, and suggest that to the teams that would get it, in one change set.

    So a suggestion of somebody in neither team gets the yes of both: the user's here, and then theirs. ``rest`` says
    why the others are left out. Raises NotApplied, and nothing is written.
    """
    suggestion = review.suggestion
    if suggestion.user_id == user.pk:
        raise NotApplied(OWN)
    plan, _ = review.plan(chosen)
    parts = hand_overs(plan, user)
    if not parts:
        raise NotApplied(NO_HAND_OVER)
    reason = f"{reason.strip()} (Suggestion {suggestion.number}, by {suggestion.user_name}.)"
    if not review.is_whole(chosen):
        reason = _with_rest(review, chosen, reason, "Not passed on", rest)
    with change_set(user=user, reason=reason, source=SOURCE) as draft:
        # Under the lock, so that nobody else answers it.
        answered = Suggestion.objects.get(pk=suggestion.pk)
        if not answered.is_waiting:
            raise NotApplied(NOT_WAITING)
        answered.state = Suggestion.State.PASSED_ON
        answered.save()
        return _store(draft, parts, user, reason, review.read_at)


def decline(
    suggestion: Suggestion, *, user: AbstractUser, reason: str, revision: int
) -> int | None:
    """Answer that it is not taken. ``revision`` is the one that the suggestion was read at."""
    return _close(suggestion, Suggestion.State.DECLINED, user, reason, revision)


def withdraw(
    suggestion: Suggestion, *, user: AbstractUser, reason: str, revision: int
) -> int | None:
    """Take back one's own suggestion."""
    return _close(suggestion, Suggestion.State.WITHDRAWN, user, reason, revision)


def _close(
    suggestion: Suggestion,
    state: Suggestion.State,
    user: AbstractUser,
    reason: str,
    revision: int,
) -> int | None:
    if suggestion.state != Suggestion.State.OPEN:
        raise NotApplied(NOT_WAITING)
    plan = Plan([_answer(suggestion, state)], revision)
    return plan.apply(user=user, reason=reason, source=SOURCE)


def _answer(suggestion: Suggestion, state: Suggestion.State) -> Step:
    answered = copy_of(suggestion)
    answered.state = state
    return Step(suggestion, answered)
