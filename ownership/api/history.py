"""History over the API: the change feed, its Atom form for people, and timelines of tables and services.

All of it needs a sign-in or a token, also where the map is open to all.
"""

from datetime import datetime, time
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from ownership.api.authentication import SignedIn
from ownership.api.base import RegistryView
from ownership.api.errors import BadParameter, NothingNamed
from ownership.api.pagination import number_asked
from ownership.api.schema import TIME, whole_numbers
from ownership.audit import feed
from ownership.audit.feed import CHANGE_KINDS
from ownership.audit.timeline import Timeline
from ownership.history.models import VERBS, ChangeSet
from ownership.history.time_travel import time_named
from ownership.models import Service, Table

MODELS = {
    "environment": "environment",
    "tablegroup": "group",
    "service": "service",
    "table": "table",
    "secondaryindex": "secondary_index",
    "access": "access",
    "waiver": "waiver",
}


class EntrySerializer(serializers.Serializer):
    """What happened to one row, in names of that time."""

    revision = serializers.IntegerField(source="change_set_id")
    sequence = serializers.IntegerField(help_text="place within the change set, from 1")
    type = serializers.ChoiceField(list(VERBS.values()))
    model = serializers.ChoiceField(list(MODELS.values()))
    label = serializers.CharField()  # type: ignore[assignment]
    changes = serializers.DictField(
        child=serializers.ListField(), help_text="{field: [old, new]}; every field of created and deleted rows"
    )

    def to_representation(self, entry: Any) -> dict[str, Any]:
        """The entry as JSON."""
        return {
            "revision": entry.change_set_id,
            "sequence": entry.sequence,
            "type": VERBS[entry.history_type],
            "model": MODELS[entry.instance_type._meta.model_name],
            "label": entry.label,
            "changes": entry.changes,
        }


class ChangeSetSerializer(serializers.ModelSerializer):
    """Who changed what, when and why."""

    user = serializers.CharField(source="user_name")
    undoes = serializers.IntegerField(source="undoes_id", allow_null=True, help_text="the revision it reverses")
    entries = EntrySerializer(many=True, read_only=True)

    class Meta:
        model = ChangeSet
        fields = ["revision", "time", "user", "reason", "source", "undoes", "request_id", "digest", "entries"]


class FeedSerializer(serializers.Serializer):
    """A page of the change feed."""

    results = ChangeSetSerializer(many=True)
    next = serializers.CharField(help_text="cursor to go on after, now or later")
    has_more = serializers.BooleanField(help_text="whether there is more right now")


class TimelineSerializer(serializers.Serializer):
    """A page of a timeline, newest first."""

    results = ChangeSetSerializer(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="revision to ask for those before; null at the end")


def change_set_json(change: ChangeSet, entries: list[Any]) -> dict[str, Any]:
    """A change set with those of its entries that are asked about."""
    change.entries = entries  # type: ignore[attr-defined]
    return ChangeSetSerializer(change).data


class Gone(APIException):
    """A cursor of another history."""

    status_code = 410


def _moment(request: Request, name: str) -> datetime | None:
    """A date or time from the query, in UTC unless it says otherwise."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        return time_named(text, time.min)
    except ValueError:
        raise BadParameter({name: "Takes a date or time as ISO 8601: 2026-01-31 or 2026-01-31T12:00:00Z."}) from None


_FILTERS = [
    OpenApiParameter("table", str, description="Entries of the table, its accesses and indexes; old names count."),
    OpenApiParameter("service", str, description="Entries of the service, and what it gained and lost."),
    OpenApiParameter("group", str, description="Entries of the group, its tables, their accesses and indexes."),
    OpenApiParameter("kind", str, enum=list(CHANGE_KINDS), description="What changed."),
    OpenApiParameter("user", str, description="User name, also of accounts that are gone."),
    OpenApiParameter("source", str, enum=ChangeSet.Source.values, description="Which way the change came in."),
    OpenApiParameter("since", TIME, description="At or after; a date or time, ISO 8601."),
    OpenApiParameter("until", TIME, description="Before; a date or time, ISO 8601."),
]


def choice(request: Request, name: str, choices: list[str]) -> str | None:
    """One of the choices from the query, None where it isn't asked for; BadParameter where it is none of them."""
    value = request.query_params.get(name)
    if value is not None and value not in choices:
        raise BadParameter({name: f"Takes {', '.join(choices)}."})
    return value


def _selection(request: Request) -> feed.Selection:
    """The entries that the query's filters ask for."""
    names = {name: request.query_params.get(name) for name in ("table", "service", "group", "user")}
    for name, value in names.items():
        if value is not None and "\x00" in value:
            raise BadParameter({name: "Null characters are not allowed."})
    rest = {
        "kind": choice(request, "kind", list(CHANGE_KINDS)),
        "source": choice(request, "source", ChangeSet.Source.values),
        "since": _moment(request, "since"),
        "until": _moment(request, "until"),
    }
    for name in ("table", "service", "group"):
        try:
            feed.select(**{name: names[name]})  # type: ignore[arg-type]
        except feed.UnknownName as error:
            raise BadParameter({name: str(error)}) from error
    return feed.select(**names, **rest)  # type: ignore[arg-type]


class ChangesView(RegistryView):
    """The change feed."""

    permission_classes = [SignedIn]
    parameters = frozenset({"format", "after", "limit", *(parameter.name for parameter in _FILTERS)})

    @extend_schema(
        operation_id="changes",
        parameters=[
            OpenApiParameter("after", str, description="A revision, or the `next` of an earlier answer."),
            OpenApiParameter("limit", whole_numbers(1_000), description="Entries per page, 1 to 1,000 (500)."),
            *_FILTERS,
        ],
        responses=FeedSerializer,
    )
    def get(self, request: Request) -> Response:
        """Change sets with their entries in commit order, after a cursor; deletions are entries too."""
        limit = number_asked(request, "limit", 500, 1_000)
        try:
            after = feed.Cursor.parse(request.query_params.get("after", "0"))
        except feed.BadCursor as error:
            raise BadParameter({"after": str(error)}) from error
        except feed.ForeignCursor as error:
            raise Gone(str(error)) from error
        page = feed.read(after, limit, _selection(request))
        return Response(
            {
                "results": [change_set_json(change, entries) for change, entries in page.changes],
                "next": str(page.next),
                "has_more": page.has_more,
            }
        )


class TimelineView(RegistryView):
    """The timeline of a table or service, by a name that it has or once had."""

    permission_classes = [SignedIn]
    parameters = frozenset({"format", "before"})
    model: Any = None

    @extend_schema(
        parameters=[OpenApiParameter("before", int, description="Only change sets before this revision.")],
        responses=TimelineSerializer,
    )
    def get(self, request: Request, name: str) -> Response:
        """Change sets that touched it, newest first, with those of their entries that are about it."""
        pk = None if "\x00" in name else feed.id_named(self.model, name)
        if pk is None:
            raise NothingNamed(self.model, name, ever=", or ever was,")
        before = number_asked(request, "before", 0, 10**18) if "before" in request.query_params else None
        page = Timeline.of(self.model, pk).page(before, fold=None)
        results = [change_set_json(group.change_set, [one.entry for one in group.entries]) for group in page.groups]
        return Response({"results": results, "next": page.next})


class TableTimelineView(TimelineView):
    """A table's own changes and those of its accesses and indexes."""

    model = Table


class ServiceTimelineView(TimelineView):
    """A service's own changes, and what it gained and lost."""

    model = Service
