"""What is "mine": the services that a person's teams are answerable for, and the tables that these own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db.models import Q

from ownership.audit.timeline import Timeline
from ownership.history.models import EntryFilter
from ownership.models import Membership, Service, Suggestion, Table, Team
from ownership.models.answerable import answerable_team, service_links
from ownership.models.suggestions import SuggestionQuerySet

MINE = "mine"
# The one value that the parameter of this name takes on pages and in lists.
YES = "true"


def team_ids_of(user: AbstractUser | AnonymousUser) -> list[int]:
    """Ids of the teams that the account is in now; one query for each request, as the account keeps them."""
    if not user.is_authenticated:
        return []
    kept: list[int] | None = getattr(user, "_team_ids", None)
    if kept is None:
        memberships = Membership.objects.filter(user=user.pk).order_by("team")
        kept = list(memberships.values_list("team", flat=True))
        user._team_ids = kept  # type: ignore[attr-defined]
    return kept


def services_of_teams(team_ids: Collection[int]) -> list[int]:
    """Ids of the services that any of the teams is answerable for; at most one query.

    Inside ``as_of()`` these are the services of that time.
    """
    if not team_ids:
        return []
    links = service_links()
    return [pk for pk in sorted(links) if answerable_team(pk, links) in team_ids]


@dataclass(frozen=True)
class Mine:
    """What a person's teams are answerable for, as ids of services."""

    team_ids: list[int]
    service_ids: list[int]

    @classmethod
    def of(cls, user: AbstractUser | AnonymousUser) -> Mine:
        """Of the account's teams; two queries, or one if it is in none."""
        team_ids = team_ids_of(user)
        return cls(team_ids, services_of_teams(team_ids))

    def history(self) -> list[EntryFilter]:
        """Which entries are about the teams, their services, and the tables that these own."""
        table_ids = Table.objects.filter(self.tables).order_by("pk").values_list("pk", flat=True)
        return [
            *Timeline.about(Team, *self.team_ids).filters,
            *Timeline.about(Service, *self.service_ids).filters,
            *Timeline.about(Table, *table_ids).filters,
        ]

    def suggestions(self, user: AbstractUser | AnonymousUser) -> SuggestionQuerySet:
        """What others suggest to the teams, changes and hand-overs, the oldest first."""
        waiting = Suggestion.objects.asking(self.service_ids, self.team_ids)
        return waiting.exclude(user_id=user.pk).order_by("number")

    def service_names(self) -> set[str]:
        """Names of the services; one query."""
        return set(Service.objects.filter(self.services).values_list("name", flat=True))

    @property
    def tables(self) -> Q:
        """The condition that a table is owned by one of the services."""
        return Q(owner__in=self.service_ids)

    @property
    def accesses(self) -> Q:
        """The condition that an access is to such a table, or is of one of the services."""
        return Q(table__owner__in=self.service_ids) | Q(service__in=self.service_ids)

    @property
    def waivers(self) -> Q:
        """The condition that a waiver is about such a table."""
        return Q(table__owner__in=self.service_ids)

    @property
    def services(self) -> Q:
        """The condition that a service is one of them."""
        return Q(pk__in=self.service_ids)
