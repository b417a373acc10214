"""Traces: where the data of a table or service goes, and where it comes from."""

from typing import ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ownership.api import parameters
from ownership.api.base import RegistryView
from ownership.api.errors import NoRowNamed
from ownership.api.schema import whole_numbers
from ownership.api.serializers import AccessSerializer
from ownership.catalog.trace import DEFAULT_DEPTH, MAX_DEPTH, MAX_ROWS, TraceStop, trace
from ownership.models import Service, Table
from ownership.models.answerable import teams_by_service

DOWNSTREAM, UPSTREAM = "downstream", "upstream"
DIRECTIONS = [DOWNSTREAM, UPSTREAM]
MODEL_NAMES = {Table: "table", Service: "service"}


class PlaceSerializer(serializers.Serializer):
    """A table or service in a hop, with the accesses that lead to it from the hop before."""

    name = serializers.CharField(source="row.name")
    owner = serializers.CharField(
        source="row.owner.name", default=None, allow_null=True, help_text="of a table"
    )
    team = serializers.SerializerMethodField(
        help_text="that is answerable for the service, or for the table's owner; null for none"
    )
    part_of = serializers.CharField(
        source="row.part_of.name", default=None, allow_null=True, help_text="of a service"
    )
    again = serializers.BooleanField(
        help_text="whether an earlier hop reached it already; the trace does not continue from here"
    )
    first_hop = serializers.IntegerField(source="first", help_text="the hop that reached it first")
    accesses = AccessSerializer(many=True, help_text="empty at the start")

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_team(self, place: TraceStop) -> str | None:
        """Return the team's name."""
        row = place.row
        service_id = row.owner_id if isinstance(row, Table) else row.pk
        team = self.context["teams"].get(service_id)
        return team.name if team else None


class HopSerializer(serializers.Serializer):
    """Everything that is one access further. Tables and services alternate."""

    hop = serializers.IntegerField(help_text="0 is the start, with its parts")
    kind = serializers.ChoiceField(list(MODEL_NAMES.values()))
    places = PlaceSerializer(many=True)


class TraceSerializer(serializers.Serializer):
    """A trace, up to the requested depth."""

    revision = serializers.IntegerField()
    direction = serializers.ChoiceField(DIRECTIONS)
    depth = serializers.IntegerField(help_text="the requested number of hops; there may be fewer")
    complete = serializers.BooleanField(
        help_text=f"false if the last hop is cut off, because the trace has more than {MAX_ROWS} accesses"
    )
    hops = HopSerializer(many=True)


class TraceView(RegistryView):
    """A trace from a row, which is looked up by name in ``rows``."""

    takes_moment = True
    parameters = frozenset({"format", "direction", "depth"})
    rows: ClassVar[QuerySet[Table] | QuerySet[Service]]

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "direction",
                str,
                enum=DIRECTIONS,
                description="Where data goes (default), or where it comes from.",
            ),
            OpenApiParameter(
                "depth",
                whole_numbers(MAX_DEPTH),
                description=f"Hops, 1 to {MAX_DEPTH} ({DEFAULT_DEPTH}).",
            ),
        ],
        responses=TraceSerializer,
    )
    def get(self, request: Request, name: str) -> Response:
        """Tables and services that the data reaches or comes from, hop by hop, with the accesses that link them."""
        direction = parameters.choice(request, "direction", DIRECTIONS) or DOWNSTREAM
        depth = parameters.number(request, "depth", DEFAULT_DEPTH, MAX_DEPTH)
        start = None
        if "\x00" not in name:  # PostgreSQL can't look for it
            start = self.rows.filter(name=name).first()
        if start is None:
            raise NoRowNamed(self.rows.model, name)
        result = trace(start, downstream=direction == DOWNSTREAM, depth=depth)
        hops = []
        for hop, stops in enumerate(result.hops):
            hops.append({"hop": hop, "kind": MODEL_NAMES[type(stops[0].row)], "places": stops})
        content = {
            "revision": self.history_head.revision,
            "direction": direction,
            "depth": depth,
            "complete": result.complete,
            "hops": hops,
        }
        return Response(TraceSerializer(content, context={"teams": teams_by_service()}).data)


class TableTraceView(TraceView):
    """Where a table's data goes, or where it comes from."""

    rows = Table.objects.select_related("owner")


class ServiceTraceView(TraceView):
    """What the data of a service, with its parts, reaches or comes from."""

    rows = Service.objects.select_related("part_of")
