"""Traces: where the data of a table or service goes, and where it comes from."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ownership.api.base import MomentView
from ownership.api.errors import NothingNamed
from ownership.api.history import choice
from ownership.api.pagination import number_asked
from ownership.api.schema import whole_numbers
from ownership.api.serializers import AccessSerializer
from ownership.catalog.trace import DEFAULT_DEPTH, MAX_DEPTH, MAX_ROWS, trace
from ownership.models import Service, Table

DIRECTIONS = ["downstream", "upstream"]
KINDS = {Table: "table", Service: "service"}


class PlaceSerializer(serializers.Serializer):
    """A table or service that a hop comes to, with the accesses that lead there from the hop before."""

    name = serializers.CharField(source="row.name")
    owner = serializers.CharField(source="row.owner.name", default=None, allow_null=True, help_text="of a table")
    part_of = serializers.CharField(source="row.part_of.name", default=None, allow_null=True, help_text="of a service")
    again = serializers.BooleanField(help_text="an earlier hop was here already: the trace does not go on from here")
    first_hop = serializers.IntegerField(source="first", help_text="the hop that came here first")
    accesses = AccessSerializer(many=True, help_text="none where it starts")


class HopSerializer(serializers.Serializer):
    """All that is one access further; tables and services by turns."""

    hop = serializers.IntegerField(help_text="0 is the start, with its parts")
    kind = serializers.ChoiceField(list(KINDS.values()))
    places = PlaceSerializer(many=True)


class TraceSerializer(serializers.Serializer):
    """A trace as far as it was asked for."""

    revision = serializers.IntegerField()
    direction = serializers.ChoiceField(DIRECTIONS)
    depth = serializers.IntegerField(help_text="the most hops asked for; there may be fewer")
    complete = serializers.BooleanField(help_text=f"false where the last hop is cut off, at {MAX_ROWS} accesses in all")
    hops = HopSerializer(many=True)


class _TraceView(MomentView):
    parameters = frozenset({"format", "direction", "depth"})
    rows: Any = None

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "direction", str, enum=DIRECTIONS, description="Where data goes (default), or comes from."
            ),
            OpenApiParameter(
                "depth", whole_numbers(MAX_DEPTH), description=f"Hops, 1 to {MAX_DEPTH} ({DEFAULT_DEPTH})."
            ),
        ],
        responses=TraceSerializer,
    )
    def get(self, request: Request, name: str) -> Response:
        """Tables and services that its data reaches, or comes from, hop by hop, with the accesses they stand on."""
        direction = choice(request, "direction", DIRECTIONS) or DIRECTIONS[0]
        depth = number_asked(request, "depth", DEFAULT_DEPTH, MAX_DEPTH)
        start = None if "\x00" in name else self.rows.filter(name=name).first()
        if start is None:
            raise NothingNamed(self.rows.model, name)
        found = trace(start, downstream=direction == DIRECTIONS[0], depth=depth)
        hops = [
            {"hop": number, "kind": KINDS[type(places[0].row)], "places": places}
            for number, places in enumerate(found.hops)
        ]
        content = {"direction": direction, "depth": depth, "complete": found.complete, "hops": hops}
        revision = self.head_shown[0] if self.head_shown else 0
        return Response(TraceSerializer({"revision": revision, **content}).data)


class TableTraceView(_TraceView):
    """Where a table's data goes, or comes from."""

    rows = Table.objects.select_related("owner")


class ServiceTraceView(_TraceView):
    """What a service's data reaches, or what reaches the service; its parts included."""

    rows = Service.objects.select_related("part_of")
