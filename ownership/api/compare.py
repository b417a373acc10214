"""What differs between the map of one time and that of another."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ownership.api.authentication import SignedIn
from ownership.api.base import RegistryView, moment
from ownership.api.errors import BadParameter
from ownership.api.history import MODELS
from ownership.audit.comparison import Difference
from ownership.audit.comparison import compare as compare_revisions
from ownership.history import time_travel
from ownership.history.models import VERBS, Head, current_head

_TAKES = "A revision, or a date or time as ISO 8601 (the last revision at or before it; a date means its whole day)."


class DifferenceSerializer(serializers.Serializer):
    """What became of one row on the whole: an entry of the change feed, less its place."""

    type = serializers.ChoiceField(list(VERBS.values()))
    model = serializers.ChoiceField(list(MODELS.values()))
    label = serializers.CharField(help_text="as of `to`; of deleted rows, as of `from`")  # type: ignore[assignment]
    changes = serializers.DictField(
        child=serializers.ListField(),
        help_text="{field: [as of `from`, as of `to`]}; every field of created and deleted rows",
    )

    def to_representation(self, difference: Difference) -> dict[str, Any]:
        """The difference as JSON."""
        return {
            "type": VERBS[difference.type],
            "model": MODELS[str(difference.model._meta.model_name)],
            "label": difference.label,
            "changes": difference.changes,
        }


class ComparisonSerializer(serializers.Serializer):
    """Two revisions, and what differs."""

    # "from" is no name in Python.
    vars()["from"] = serializers.IntegerField()
    to = serializers.IntegerField()
    entries = DifferenceSerializer(many=True)


class CompareView(RegistryView):
    """What changed between two revisions or times, on the whole."""

    permission_classes = [SignedIn]
    parameters = frozenset({"format", "from", "to"})

    def find_head(self) -> Head:
        """The later of the two; its digest covers all of history before it, the earlier one too."""
        to = self.request.query_params.get("to")
        return current_head() if to is None else moment("to", to, time_travel.at)

    @extend_schema(
        operation_id="compare",
        parameters=[
            OpenApiParameter("from", str, required=True, description=_TAKES),
            OpenApiParameter("to", str, description=f"{_TAKES} Now, unless given."),
        ],
        responses=ComparisonSerializer,
    )
    def get(self, request: Request) -> Response:
        """Each row that differs, with old and new values; what was changed and changed back is left out."""
        to = self.head_shown[0] if self.head_shown else 0
        if "from" not in request.query_params:
            raise BadParameter({"from": f"Is missing. {_TAKES}"})
        since = moment("from", request.query_params["from"], time_travel.at)[0]
        if since > to:
            raise BadParameter({"from": f"Revision {since} is later than `to`, revision {to}: swap them."})
        return Response(ComparisonSerializer({"from": since, "to": to, "entries": compare_revisions(since, to)}).data)
