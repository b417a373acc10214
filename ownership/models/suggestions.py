"""Changes of the map that somebody suggests, and that the owner's team takes, in part or as a whole, or declines."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, TypedDict

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils.timezone import localdate

from ownership.history.models import CREATED, Person, entry_model
from ownership.history.row_states import changed_fields
from ownership.history.tracked import RegistryModel, RegistryQuerySet
from ownership.models.answerable import answerable_teams, service_links, team_ids_of
from ownership.models.tables import Table

# A suggestion can be taken for so long.
TIME_TO_ANSWER = timedelta(days=30)


class SuggestionQuerySet(RegistryQuerySet):
    """Suggestions by their state, what they are about, and who made and answered them."""

    def waiting(self) -> SuggestionQuerySet:
        """Those that can still be answered: open, and not lapsed."""
        return self.filter(state=Suggestion.State.OPEN, until__gte=localdate())

    def lapsed(self) -> SuggestionQuerySet:
        """Those that nobody answered in time."""
        return self.filter(state=Suggestion.State.OPEN, until__lt=localdate())

    def asking(self, service_ids: Collection[int], team_ids: Collection[int]) -> SuggestionQuerySet:
        """Those that wait for any of the teams, who are answerable for the services.

        They are asked for a change of what the service owns, or of itself; for a hand-over, if it would get the table,
        or the team the service.
        """
        return self.waiting().filter(pk__in=_suggestions_asking(service_ids, team_ids))

    def waiting_for(self, user: AbstractUser | AnonymousUser) -> SuggestionQuerySet:
        """Those that wait for the user's answer, oldest first: what a mail or a page says to that person.

        They are about what a team of the user is answerable for. What no team is answerable for waits for every team
        lead. One's own are never among them. At most three queries; none for people who may not edit.
        """
        if not user.has_perm("ownership.change_table"):
            return self.none()
        rows = self.waiting().exclude(user_id=user.pk).order_by("number")
        teams = answerable_teams(service_links())
        if not teams:
            return rows
        own_teams = team_ids_of(user)
        own_services = [pk for pk, team_id in teams.items() if team_id in own_teams]
        asks_own_teams = Q(pk__in=_suggestions_asking(own_services, own_teams))
        asks_a_team = Q(pk__in=_suggestions_asking(teams.keys(), teams.values()))
        return rows.filter(asks_own_teams | ~asks_a_team)

    def made_for(self, user_id: int) -> SuggestionQuerySet:
        """What the account suggested, and the hand-overs that others made of it by passing it on."""
        own = Suggestion.objects.filter(user_id=user_id).order_by()
        entries = entry_model(Suggestion).objects.order_by()
        passed_on = entries.filter(id__in=own.values("pk"), state=Suggestion.State.PASSED_ON)
        made = entries.filter(history_type=CREATED, change_set__in=passed_on.values("change_set"))
        return self.filter(Q(user_id=user_id) | Q(pk__in=made.values("id")))

    def about_table(self, pk: int) -> SuggestionQuerySet:
        """Those that would change the table, its accesses or indexes."""
        return self.filter(pk__in=_suggestions_with(table_id=pk))

    def about_service(self, pk: int) -> SuggestionQuerySet:
        """Those that would change the service, or hand a table over to it."""
        return self.filter(pk__in=_suggestions_with(service_id=pk))

    def with_answers(self) -> Any:
        """With the change sets that made and answered each.

        ``made_in`` is the revision that made it. ``answered_in``, ``answered_by``, ``answered_at`` and ``answer``
        are the revision, user name, time and reason of the change set that answered or withdrew it; None for open
        ones. One query.
        """
        entries = entry_model(Suggestion).objects.filter(id=OuterRef("pk"))
        answers = entries.exclude(state=Suggestion.State.OPEN).order_by("history_id")
        return self.annotate(
            made_in=Subquery(entries.order_by("history_id").values("change_set")[:1]),
            answered_in=Subquery(answers.values("change_set")[:1]),
            answered_by=Subquery(answers.values("change_set__user_name")[:1]),
            answered_at=Subquery(answers.values("change_set__time")[:1]),
            answer=Subquery(answers.values("change_set__reason")[:1]),
        )


class Suggestion(RegistryModel):
    """A change of the map that somebody suggested, in names, and what became of it.

    Who answered it, when and why is in history: the change set of its second entry. A suggestion that nobody
    answers until the day ``until`` has lapsed. Nothing is written then; its state stays open.
    """

    class Kind(models.TextChoices):
        """Who is asked: the owners of what would change, or the team that would own it."""

        CHANGE = "change", "Change"
        HAND_OVER = "hand_over", "Hand-over"

    class State(models.TextChoices):
        """What became of it. Passed on: the owner's team agrees, and asks the team that would get the tables."""

        OPEN = "open", "Open"
        TAKEN = "taken", "Taken"
        IN_PART = "in_part", "Taken in part"
        PASSED_ON = "passed_on", "Passed on"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"

    natural_key_lookups = ("number",)
    # What people said stays said; undoing takes back what was written of the map.
    can_be_undone = False

    number = models.PositiveBigIntegerField(
        help_text="Suggestions are numbered in the order in which they were made."
    )
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CHANGE)
    about = models.CharField(
        max_length=300, help_text="What it would change, in the names of that time."
    )
    reason = models.TextField()
    steps = models.JSONField(
        "changes",
        help_text="The rows that it would change, each as a SuggestedStep.",
    )
    revision = models.PositiveBigIntegerField(help_text="Revision of the map on which it was made.")
    user_id = models.BigIntegerField(help_text="Account of who suggested it.")
    user_name = models.CharField("suggested by", max_length=150)
    made = models.DateTimeField()
    until = models.DateField(help_text="Last day on which it can be taken (UTC).")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)

    objects = SuggestionQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-number"]
        # Nobody edits or deletes one: it is answered.
        default_permissions = ("view", "add")
        constraints = [
            models.UniqueConstraint(
                fields=["number"],
                name="suggestion_number_unique",
                violation_error_message="A suggestion with this number already exists.",
            ),
            models.CheckConstraint(
                name="suggestion_kind_known",
                condition=Q(kind__in=["change", "hand_over"]),
                violation_error_message="A suggestion is a change or a hand-over.",
            ),
            models.CheckConstraint(
                name="suggestion_state_known",
                condition=Q(
                    state__in=["open", "taken", "in_part", "passed_on", "declined", "withdrawn"]
                ),
                violation_error_message=(
                    "A suggestion is open, taken as a whole or in part, passed on, declined or withdrawn."
                ),
            ),
            models.CheckConstraint(
                name="suggestion_has_reason",
                condition=~Q(reason=""),
                violation_error_message="Please give a reason.",
            ),
        ]
        indexes = [
            models.Index(fields=["until"], name="suggestion_open", condition=Q(state="open")),
            models.Index(fields=["user_id", "number"], name="suggestion_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.about}"

    def get_absolute_url(self) -> str:
        """The suggestion's page."""
        return reverse("pages:suggestion", args=[self.number])

    def check_under_lock(self) -> None:
        """Refuse a second answer, and any other change of a suggestion."""
        before = self.row_before
        if before is None:
            return
        if before.state != self.State.OPEN or changed_fields(before, self) != ["state"]:  # type: ignore[attr-defined]
            raise ValidationError({"state": "A suggestion is answered once, and never changed."})

    @property
    def by(self) -> Person:
        """Who suggested it."""
        return Person(self.user_id, self.user_name)

    @property
    def is_waiting(self) -> bool:
        """Whether it can still be answered."""
        return self.state == self.State.OPEN and self.until >= localdate()

    @property
    def is_lapsed(self) -> bool:
        """Whether nobody answered it in time."""
        return self.state == self.State.OPEN and self.until < localdate()

    def state_in_words(self) -> str:
        """The state as people read it; "Lapsed" is one of the words."""
        return "Lapsed" if self.is_lapsed else self.get_state_display()


class SuggestedStep(TypedDict):
    """One row of a suggestion, as it is stored: in names, with ids beside them, so that it survives renames.

    ``changes`` are {field: [old, new]} as in an entry of history. Of fields that refer to other rows, ``ids`` are
    [old, new], too. What refers to a row that the suggestion creates has that row's place among the steps in ``new``.
    """

    model: str  # as Django calls it: "secondaryindex"
    id: int | None  # None for a new row
    label: str
    what: str  # "created", "changed" or "deleted"
    changes: dict[str, list]
    ids: dict[str, list[int | None]]
    new: dict[str, int]


class SuggestionSubject(models.Model):
    """A table or service that a suggestion is about, or the team that a service would go to, to look for it.

    Made from the suggestion's steps and written with it, never changed. Ids without foreign keys: the row may be
    deleted while the suggestion stays readable.
    """

    suggestion = models.ForeignKey(Suggestion, models.CASCADE, related_name="subjects")
    table_id = models.BigIntegerField(null=True)
    service_id = models.BigIntegerField(null=True)
    # Of a hand-over of a service: that team is asked, and nobody else.
    team_id = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="suggestion_subject_is_one",
                condition=Q(table_id__isnull=False, service_id__isnull=True, team_id__isnull=True)
                | Q(table_id__isnull=True, service_id__isnull=False, team_id__isnull=True)
                | Q(table_id__isnull=True, service_id__isnull=True, team_id__isnull=False),
                violation_error_message="A subject is a table, a service or a team.",
            ),
        ]
        indexes = [
            models.Index(fields=["table_id"], name="suggestion_by_table"),
            models.Index(fields=["service_id"], name="suggestion_by_service"),
            models.Index(fields=["team_id"], name="suggestion_by_team"),
        ]

    def __str__(self) -> str:
        for kind in ("table", "service"):
            pk = getattr(self, f"{kind}_id")
            if pk is not None:
                return f"{kind} {pk}"
        return f"team {self.team_id}"


def _suggestions_asking(service_ids: Collection[int], team_ids: Collection[int]) -> QuerySet:
    """Ids of the suggestions about what these services own, about themselves, or about a hand-over to them.

    Those that hand a service over ask the team that would get it.
    """
    tables = Table.objects.filter(owner__in=service_ids).order_by().values("pk")
    of_table = Q(table_id__in=tables, suggestion__kind=Suggestion.Kind.CHANGE)
    naming_a_team = SuggestionSubject.objects.filter(team_id__isnull=False).values("suggestion")
    of_service = Q(service_id__in=service_ids) & ~Q(suggestion__in=naming_a_team)
    subjects = SuggestionSubject.objects.filter(
        of_table | of_service | Q(team_id__in=list(team_ids))
    )
    return subjects.values("suggestion")


def _suggestions_with(**subject: int) -> QuerySet:
    return SuggestionSubject.objects.filter(**subject).values("suggestion")
