"""History over the API: the change feed, and the timelines of tables and services.

All of it needs a sign-in or a token, even if the map is open to everyone.
"""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from ownership.api import parameters
from ownership.api.authentication import HasRole
from ownership.api.base import RegistryView
from ownership.api.errors import BadParameter, NoRowNamed
from ownership.api.pagination import LARGEST_PAGE
from ownership.api.schema import ONLY_TRUE, TIME, whole_numbers
from ownership.audit import feed
from ownership.audit.feed import CHANGE_KINDS, MODEL_NAMES
from ownership.audit.timeline import Timeline
from ownership.catalog.mine import MINE, Mine
from ownership.history.models import VERBS, ChangeSet, Selection
from ownership.models import Service, Table

# The greatest revision that a client may ask for.
LARGEST_REVISION = 10**18

FILTERS = [
    OpenApiParameter(
        "table",
        str,
        description="Entries of the table, its accesses and indexes. Former names work, too.",
    ),
    OpenApiParameter(
        "service",
        str,
        description="Entries of the service, and of what it gained and lost.",
    ),
    OpenApiParameter(
        "group",
        str,
        description="Entries of the group, its tables, their accesses and indexes.",
    ),
    OpenApiParameter(
        MINE,
        ONLY_TRUE,
        description="Entries about the account's teams, their services, and the tables that these own.",
    ),
    OpenApiParameter("kind", str, enum=list(CHANGE_KINDS), description="What changed."),
    OpenApiParameter(
        "user", str, description="User name of who made or suggested it, also of deleted accounts."
    ),
    OpenApiParameter(
        "source",
        str,
        enum=ChangeSet.Source.values,
        description="Where the change was made.",
    ),
    OpenApiParameter("since", TIME, description="At or after this date or time (ISO 8601)."),
    OpenApiParameter("until", TIME, description="Before this date or time (ISO 8601)."),
]
NAME_FILTERS = ("table", "service", "group")
# What lists call it; and what the feed called it in version 0.1.0.
PAGE_SIZE_NAMES = ("page_size", "limit")


class EntrySerializer(serializers.Serializer):
    """What happened to one row, with the names of that time."""

    revision = serializers.IntegerField(source="change_set_id")
    sequence = serializers.IntegerField(help_text="position within the change set, from 1")
    type = serializers.ChoiceField(list(VERBS.values()))
    model = serializers.ChoiceField(list(MODEL_NAMES.values()))
    label = serializers.CharField()  # type: ignore[assignment]
    changes = serializers.DictField(
        child=serializers.ListField(),
        help_text="{field: [old, new]}; all fields of created and deleted rows",
    )

    def to_representation(self, entry: Any) -> dict[str, Any]:
        """Return the entry as JSON."""
        return feed.entry_for_programs(entry)


class ChangeSetSerializer(serializers.ModelSerializer):
    """Who changed what, when and why."""

    user = serializers.CharField(source="user_name")
    suggested_by = serializers.SerializerMethodField(
        help_text="who suggested what the user approved; null if nobody did",
    )
    undoes = serializers.IntegerField(
        source="undoes_id", allow_null=True, help_text="the revision that it reverses"
    )
    entries = EntrySerializer(many=True, read_only=True)

    class Meta:
        model = ChangeSet
        fields = [
            "revision",
            "time",
            "user",
            "suggested_by",
            "reason",
            "source",
            "undoes",
            "request_id",
            "digest",
            "entries",
        ]

    def get_suggested_by(self, change: ChangeSet) -> str | None:
        """The name, null for none."""
        return change.suggested_by_name or None


class FeedSerializer(serializers.Serializer):
    """A page of the change feed."""

    results = ChangeSetSerializer(many=True)
    next = serializers.CharField(help_text="the cursor to continue after, now or later")
    has_more = serializers.BooleanField(help_text="whether more is available now")


class TimelineSerializer(serializers.Serializer):
    """A page of a timeline, newest first."""

    results = ChangeSetSerializer(many=True)
    next = serializers.IntegerField(
        allow_null=True, help_text="the next page's `before`; null on the last page"
    )


class Gone(APIException):
    """A cursor of another history."""

    status_code = 410


def change_set_json(change: ChangeSet, entries: list[Any]) -> dict[str, Any]:
    """A change set with those of its entries that belong in the answer."""
    change.entries = entries  # type: ignore[attr-defined]
    return ChangeSetSerializer(change).data


class ChangesView(RegistryView):
    """The change feed."""

    permission_classes = [HasRole]
    parameters = frozenset(
        {"format", "after", *PAGE_SIZE_NAMES, *(parameter.name for parameter in FILTERS)}
    )

    @extend_schema(
        operation_id="changes",
        parameters=[
            OpenApiParameter(
                "after", str, description="A revision, or the `next` of an earlier answer."
            ),
            OpenApiParameter(
                "page_size",
                whole_numbers(LARGEST_PAGE),
                description="Entries per page, 1 to 1,000 (500).",
            ),
            OpenApiParameter(
                "limit",
                whole_numbers(LARGEST_PAGE),
                deprecated=True,
                description="What `page_size` was called before.",
            ),
            *FILTERS,
        ],
        responses=FeedSerializer,
    )
    def get(self, request: Request) -> Response:
        """Change sets with their entries in commit order, after a cursor. Deletions are entries, too."""
        page_size = _page_size(request)
        try:
            after = feed.Cursor.parse(request.query_params.get("after", "0"))
        except feed.BadCursor as error:
            raise BadParameter({"after": str(error)}) from error
        except feed.ForeignCursor as error:
            raise Gone(str(error)) from error
        page = feed.read(after, page_size, _requested_entries(request))
        results = [change_set_json(change, entries) for change, entries in page.changes]
        return Response({"results": results, "next": str(page.next), "has_more": page.has_more})


def _page_size(request: Request) -> int:
    """How many entries a page has at most, by either name of the parameter. BadParameter for both at once."""
    names = [name for name in PAGE_SIZE_NAMES if name in request.query_params]
    if len(names) > 1:
        raise BadParameter(
            {"limit": "This is what page_size was called before: give page_size alone."}
        )
    name = names[0] if names else "page_size"
    return parameters.number(request, name, 500, LARGEST_PAGE)


def _requested_entries(request: Request) -> Selection:
    """The entries that the query's filters select."""
    filters: dict[str, Any] = {
        name: request.query_params.get(name) for name in (*NAME_FILTERS, "user")
    }
    for name, value in filters.items():
        if value is not None and "\x00" in value:
            raise BadParameter({name: "Null characters are not allowed."})
    filters["kind"] = parameters.choice(request, "kind", list(CHANGE_KINDS))
    filters["source"] = parameters.choice(request, "source", ChangeSet.Source.values)
    filters["since"] = parameters.date_or_time(request, "since")
    filters["until"] = parameters.date_or_time(request, "until")
    # One by one first, so that the error names the parameter.
    for name in NAME_FILTERS:
        try:
            feed.select(**{name: filters[name]})
        except feed.UnknownName as error:
            raise BadParameter({name: str(error)}) from error
    if parameters.asks_for_mine(request):
        filters["about"] = Mine.of(request.user).history()
    return feed.select(**filters)


class TimelineView(RegistryView):
    """The timeline of a table or service, by its current or a former name."""

    permission_classes = [HasRole]
    parameters = frozenset({"format", "before"})
    model: ClassVar[type[Table] | type[Service]]

    @extend_schema(
        parameters=[
            OpenApiParameter("before", int, description="Only change sets before this revision.")
        ],
        responses=TimelineSerializer,
    )
    def get(self, request: Request, name: str) -> Response:
        """Change sets that touched it, newest first, with their entries about it."""
        pk = None
        if "\x00" not in name:  # PostgreSQL can't look for it
            pk = feed.id_named(self.model, name)
        if pk is None:
            raise NoRowNamed(self.model, name, ever=" or ever was")
        before = None
        if "before" in request.query_params:
            before = parameters.number(request, "before", 1, LARGEST_REVISION)
        page = Timeline.about(self.model, pk).page(before, fold=None)
        results = []
        for group in page.groups:
            entries = [one.entry for one in group.entries]
            results.append(change_set_json(group.change_set, entries))
        return Response({"results": results, "next": page.next})


class TableTimelineView(TimelineView):
    """The changes of a table, its accesses and its indexes."""

    model = Table


class ServiceTimelineView(TimelineView):
    """The changes of a service, and what it gained and lost."""

    model = Service
