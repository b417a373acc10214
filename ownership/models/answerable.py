"""Which team is answerable for a service, and so for the tables that it owns; which teams an account is in.

A service's own team is answerable, or else that of the service that it is part of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractUser, AnonymousUser

from ownership.history.models import TrackedRow
from ownership.history.row_states import in_batches
from ownership.models.services import Service
from ownership.models.tables import Table
from ownership.models.teams import Membership, Team

# What names a service, and a team: an id here, in files a name.
Key = TypeVar("Key", int, str)
# {a service: (the service that it is part of, its own team)}
Links = Mapping[Key, tuple[Key | None, Key | None]]
# {(model, id): the row as it is at another moment than now; None where it does not exist then}
Overrides = Mapping[tuple[type[TrackedRow], int | None], TrackedRow | None]


def service_links() -> dict[int, tuple[int | None, int | None]]:
    """The links of all services; one query."""
    links: dict[int, tuple[int | None, int | None]] = {}
    for pk, part_of, team in Service.objects.order_by().values_list("pk", "part_of", "team"):
        links[pk] = (part_of, team)
    return links


def lineage(service: Key | None, links: Links[Key]) -> Iterator[Key]:
    """The service, the one that it is part of, and so on."""
    seen: set[Key] = set()
    # A circle of parts can only be in a database that somebody edited by hand.
    while service is not None and service not in seen:
        seen.add(service)
        yield service
        service, _ = links.get(service, (None, None))


def answerable_team(service: Key | None, links: Links[Key]) -> Key | None:
    """The team that is answerable for the service; None for none."""
    for each in lineage(service, links):
        _, team = links.get(each, (None, None))
        if team is not None:
            return team
    return None


def answerable_teams(links: Links[Key]) -> dict[Key, Key]:
    """{a service: the team that is answerable for it}, without those that have none."""
    teams = {}
    for service in links:
        team = answerable_team(service, links)
        if team is not None:
            teams[service] = team
    return teams


def teams_by_service(services: Iterable[Service] | None = None) -> dict[int, Team]:
    """{a service's id: the team that is answerable for it}, without those that have none.

    ``services`` are all services, where they were read with their teams: then no query. Otherwise one, and another
    one where there are teams. Inside ``as_of()``, those of that time.
    """
    if services is None:
        teams = Team.objects.in_bulk()
        links = service_links() if teams else {}
    else:
        links = {}
        teams = {}
        for service in services:
            links[service.pk] = (service.part_of_id, service.team_id)
            if service.team is not None:
                teams[service.team.pk] = service.team
    answerable = answerable_teams(links)
    return {pk: teams[team_id] for pk, team_id in answerable.items() if team_id in teams}


def services_of_teams(team_ids: Collection[int]) -> list[int]:
    """Ids of the services that any of the teams is answerable for; at most one query.

    Inside ``as_of()`` these are the services of that time.
    """
    if not team_ids:
        return []
    teams = answerable_teams(service_links())
    return sorted(pk for pk, team_id in teams.items() if team_id in team_ids)


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


class Moment:
    """Which teams are answerable for what: now, or with other rows in place of those of now."""

    def __init__(self, overrides: Overrides | None = None) -> None:
        self.overrides = overrides or {}
        self._owners: dict[int, int | None] = {}  # {a table's id: its owner's}
        for (model, pk), row in self.overrides.items():
            if model is Table and pk is not None:
                self._owners[pk] = row.owner_id if isinstance(row, Table) else None

    @cached_property
    def links(self) -> dict[int, tuple[int | None, int | None]]:
        """The links of all services; one query."""
        links = service_links()
        for (model, pk), row in self.overrides.items():
            if model is Service and pk is not None:
                links.pop(pk, None)
                if isinstance(row, Service):
                    links[pk] = (row.part_of_id, row.team_id)
        return links

    def read_owners(self, table_ids: Iterable[int]) -> None:
        """Read the owners of many tables; one query for 500."""
        missing = set(table_ids) - self._owners.keys()
        self._owners.update(dict.fromkeys(missing))
        for batch in in_batches(missing):
            tables = Table.objects.filter(pk__in=batch).order_by()
            self._owners.update(tables.values_list("pk", "owner"))

    def team_of_service(self, pk: int | None, new: Service | None = None) -> int | None:
        """The team that is answerable for a service: the one with this id or, where that is None, a ``new`` one."""
        if pk is not None:
            return answerable_team(pk, self.links)
        if new is None:
            return None
        if new.team_id is not None:
            return new.team_id
        return answerable_team(new.part_of_id, self.links)

    def team_of_table(self, pk: int | None, new: Table | None = None) -> int | None:
        """The team that is answerable for a table: the one with this id or, where that is None, a ``new`` one."""
        if pk is not None:
            self.read_owners([pk])
            return self.team_of_service(self._owners[pk])
        return None if new is None else self.team_of_owner(new)

    def team_of_owner(self, table: Table) -> int | None:
        """The team of the service that the table, as it is given here, names as its owner."""
        return self.team_of_service(table.owner_id, read_already(table, "owner"))


def read_already(row: TrackedRow, name: str) -> Any:
    """The row that a foreign key refers to, if it is read already."""
    return row._state.fields_cache.get(name)
