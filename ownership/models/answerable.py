"""Which team is answerable for a service, and so for the tables that the service owns.

A service's own team, or else that of the service that it is part of.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from ownership.models.services import Service
from ownership.models.teams import Team

# What names a service, and a team: an id here, in files a name.
Key = TypeVar("Key", int, str)
# {a service: (the service that it is part of, its own team)}
Links = Mapping[Key, tuple[Key | None, Key | None]]


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
    answerable = {}
    for pk in links:
        team = teams.get(answerable_team(pk, links) or 0)
        if team is not None:
            answerable[pk] = team
    return answerable
