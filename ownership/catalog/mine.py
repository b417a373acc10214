"""What is "mine": the services that a person's teams are answerable for, and the tables that these own."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db.models import Q

from ownership.audit.timeline import Timeline
from ownership.history.models import EntryFilter
from ownership.models import Service, Suggestion, Table, Team
from ownership.models.answerable import services_of_teams, team_ids_of
from ownership.models.suggestions import SuggestionQuerySet

MINE = "mine"
# The one value that the parameter of this name takes on pages and in lists.
YES = "true"


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
