"""Teams: the people answerable for services."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.urls import reverse

from ownership.history.models import DELETED, entry_model
from ownership.history.tracked import RegistryModel, RegistryQuerySet
from ownership.models.validators import is_one_line


class Team(RegistryModel):
    """The people answerable for some services, and so for the tables that these own."""

    name = models.CharField(max_length=100, validators=[is_one_line])
    contact = models.CharField(
        max_length=200,
        blank=True,
        validators=[is_one_line],
        help_text="Where to reach the team: #payments-team",
    )
    email = models.EmailField(
        "e-mail",
        blank=True,
        validators=[is_one_line],
        help_text="An address that the whole team reads.",
    )
    oidc_group = models.CharField(
        "group at the provider",
        max_length=200,
        blank=True,
        validators=[is_one_line],
        help_text="At each sign-in with OpenID Connect, people of this group become members, and others no longer are.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                name="team_name_unique",
                violation_error_message="A team with this name already exists.",
            ),
            models.CheckConstraint(
                name="team_name_stated",
                condition=~Q(name=""),
                violation_error_message="A team needs a name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The team's page."""
        return reverse("pages:team", args=[self.name])


class MembershipQuerySet(RegistryQuerySet):
    """Memberships with the people's names."""

    def with_accounts(self) -> list[Membership]:
        """The memberships with their teams and accounts, in their usual order.

        Inside ``as_of()``, those of accounts that have been deleted since are among them, with the name that history
        keeps. Two queries; three where accounts are gone.
        """
        # The usual order would join the accounts, and leave out those without one.
        rows = self.select_related("team").order_by()
        memberships: list[Membership] = list(rows)  # type: ignore[arg-type]
        accounts = User.objects.in_bulk({membership.user_id for membership in memberships})
        gone = {row.user_id for row in memberships if row.user_id not in accounts}
        if gone:
            accounts |= _deleted_accounts(gone)
        for membership in memberships:
            membership.user = accounts[membership.user_id]
        return sorted(memberships, key=_place)


def _place(membership: Membership) -> tuple[str, bool, str]:
    """Where the membership comes among others: ``ordering``, for rows that are read."""
    return membership.team.name, not membership.is_lead, membership.user.get_username()


def _deleted_accounts(ids: Collection[int]) -> dict[int, User]:
    """Accounts that are no more, by id, not saved: with the name that they had when they became members."""
    entries = entry_model(Membership).objects.filter(user_id__in=ids, changes__has_key="user")
    accounts = {}
    for entry in entries.exclude(history_type=DELETED).order_by("history_id"):
        _, name = entry.changes["user"]
        accounts[entry.user_id] = User(pk=entry.user_id, username=name)
    return accounts


class Membership(RegistryModel):
    """One account's place in one team. Leads of a team change the team and its members."""

    natural_key_lookups = ("team__name", "user__username")

    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="memberships",
        verbose_name="account",
    )
    is_lead = models.BooleanField(
        "lead", default=False, help_text="Leads change the team and its members."
    )

    objects = MembershipQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["team__name", "-is_lead", "user__username"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "user"],
                name="membership_once_per_team_and_user",
                violation_error_message="This account is already a member of the team.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user.get_username()} in {self.team.name}"
