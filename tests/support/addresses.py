"""Every address that the registry answers."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import Group, User
from django.urls import URLResolver, get_resolver

from ownership.models import (
    Access,
    ApiToken,
    Endpoint,
    Environment,
    Service,
    Table,
    TableGroup,
    Team,
)


def routes(patterns: Any = None, prefix: str = "") -> Iterator[str]:
    """Every address of the resolver, as its pattern."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        # The admin names its applications in the order of registration, which says nothing about addresses.
        route = route.replace("ownership|auth", "auth|ownership")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield "/" + route


def address(route: str) -> str:
    """The pattern filled in with something that there is, so that it is rights that decide."""
    rows = {
        "/admin/auth/group/": Group, "/admin/auth/user/": User, "/admin/ownership/table/": Table,
        "/admin/ownership/service/": Service, "/admin/ownership/access/": Access,
        "/admin/ownership/tablegroup/": TableGroup, "/admin/ownership/environment/": Environment,
        "/admin/ownership/apitoken/": ApiToken, "/admin/ownership/endpoint/": Endpoint,
        "/admin/ownership/team/": Team,
    }  # fmt: skip
    model = next((model for start, model in rows.items() if route.startswith(start)), None)
    first = model.objects.order_by("pk").first() if model is not None else None
    row = first.pk if first is not None else 1
    names = {"/services/": "users", "/groups/": "Core Tables", "/teams/": "Own"}
    name = next((name for part, name in names.items() if part in route), "biztechUsers")
    parts = {
        "<str:name>": name, "<path:name>": name, "<path:anything>": "nothing", "<path:object_id>": row, "<id>": row,
        "<int:revision>": 1, "<int:sequence>": 1, "<int:number>": 1, "<str:number>": 1, "<path:content_type_id>": 1,
        "<int:pk>": row, "<str:token>": "nothing",
        "^(?P<app_label>auth|ownership)/$": "ownership/", "(?P<url>.*)$": "nothing/",
    }  # fmt: skip
    for pattern, value in parts.items():
        route = route.replace(pattern, str(value))
    assert not set(route) & set("<>^$(?"), f"fill in {route} here"
    return route
