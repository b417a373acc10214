"""Teams: the people answerable for services."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from ownership.history.tracked import RegistryModel
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

    def natural_key(self) -> tuple[str]:
        return (self.name,)

    def get_absolute_url(self) -> str:
        """The team's page."""
        return reverse("pages:team", args=[self.name])


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

    def natural_key(self) -> tuple[str, str]:
        return (self.team.name, self.user.get_username())
