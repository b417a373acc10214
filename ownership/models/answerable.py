"""Which team is answerable for a service, and so for the tables that the service owns.

A service's own team, or else that of the service that it is part of.
"""

from collections.abc import Iterable, Mapping

from ownership.models.services import Service

# {a service's id: (id of the service that it is part of, id of its own team)}
Links = Mapping[int, tuple[int | None, int | None]]


def service_links() -> dict[int, tuple[int | None, int | None]]:
    """The links of all services; one query."""
    links: dict[int, tuple[int | None, int | None]] = {}
    for pk, part_of, team in Service.objects.order_by().values_list("pk", "part_of", "team"):
        links[pk] = (part_of, team)
    return links


def links_of(services: Iterable[Service]) -> dict[int, tuple[int | None, int | None]]:
    """The links of services that are read already."""
    return {service.pk: (service.part_of_id, service.team_id) for service in services}


def answerable_team(service_id: int | None, links: Links) -> int | None:
    """Id of the team that is answerable for the service; None for none."""
    seen: set[int] = set()
    # A circle of parts can only be in a database that somebody edited by hand.
    while service_id is not None and service_id not in seen:
        seen.add(service_id)
        service_id, team = links.get(service_id, (None, None))
        if team is not None:
            return team
    return None
