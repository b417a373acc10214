"""The API's index: the address of everything that it answers."""

from urllib.parse import unquote

from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ownership.api.base import ReadOnlyView

# {name in the index: name of the route}
LISTS = {
    "map": "map",
    "tables": "table-list",
    "services": "service-list",
    "accesses": "access-list",
    "groups": "group-list",
    "teams": "team-list",
    "environments": "environment-list",
    "suggestions": "suggestion-list",
    "changes": "changes",
    "changes_atom": "changes-atom",
    "head": "head",
    "compare": "compare",
    "drift": "drift",
    "drift_waivers": "drift-waivers",
    "schema": "schema",
    "docs": "docs",
}
# Their addresses have a name in them.
DETAILS = {
    "table": "table-detail",
    "table_history": "table-history",
    "table_trace": "table-trace",
    "service": "service-detail",
    "service_history": "service-history",
    "service_trace": "service-trace",
    "suggestion": "suggestion-detail",
}
ADDRESSES = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    "example": {
        "map": "https://registry.example.org/api/v1/map/",
        "table": "https://registry.example.org/api/v1/tables/{name}/",
    },
}


class IndexView(ReadOnlyView):
    """The addresses of the API."""

    @extend_schema(
        operation_id="index",
        summary="All addresses by what they return",
        tags=["index"],
        responses=OpenApiResponse(
            ADDRESSES, "Addresses by what they return; {name} stands for a name."
        ),
    )
    def get(self, request: Request) -> Response:
        """All addresses by what they return. In those of single tables and services, put a name for {name}."""
        addresses = {}
        for key, route in LISTS.items():
            addresses[key] = request.build_absolute_uri(reverse(f"api:{route}"))
        for key, route in DETAILS.items():
            path = unquote(reverse(f"api:{route}", args=["{name}"]))
            # The braces stay as they are: build_absolute_uri would encode them.
            addresses[key] = request.build_absolute_uri("/").rstrip("/") + path
        return Response(addresses)
