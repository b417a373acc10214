"""What differs between the map of one time and that of another."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ownership.api.authentication import HasRole
from ownership.api.base import RegistryView, find_moment
from ownership.api.errors import BadParameter
from ownership.audit.comparison import Difference, compare_revisions
from ownership.audit.feed import MODEL_NAMES
from ownership.history import time_travel
from ownership.history.head import Head
from ownership.history.models import VERBS, current_head

A_MOMENT = (
    "A revision, or a date or time in ISO 8601, which stands for the last revision at or before it; a date is its "
    "whole day."
)


class DifferenceSerializer(serializers.Serializer):
    """What changed in one row overall, in the shape of an entry of the change feed."""

    type = serializers.ChoiceField(list(VERBS.values()))
    model = serializers.ChoiceField(list(MODEL_NAMES.values()))
    label = serializers.CharField(help_text="as of `to`; of deleted rows, as of `from`")  # type: ignore[assignment]
    changes = serializers.DictField(
        child=serializers.ListField(),
        help_text="{field: [as of `from`, as of `to`]}; all fields of created and deleted rows",
    )

    def to_representation(self, difference: Difference) -> dict[str, Any]:
        """Return the difference as JSON."""
        return {
            "type": VERBS[difference.type],
            "model": MODEL_NAMES[str(difference.model._meta.model_name)],
            "label": difference.label,
            "changes": difference.changes,
        }


class ComparisonSerializer(serializers.Serializer):
    """Two revisions and their differences."""

    # "from" is a keyword of Python.
    vars()["from"] = serializers.IntegerField()
    to = serializers.IntegerField()
    entries = DifferenceSerializer(many=True)


class CompareView(RegistryView):
    """The overall differences between two revisions or times."""

    permission_classes = [HasRole]
    parameters = frozenset({"format", "from", "to"})

    def find_head(self) -> Head:
        """The later of the two, whose digest covers all earlier history."""
        to = self.request.query_params.get("to")
        if to is None:
            return current_head()
        return find_moment("to", to, time_travel.at)

    @extend_schema(
        operation_id="compare",
        parameters=[
            OpenApiParameter("from", str, required=True, description=A_MOMENT),
            OpenApiParameter("to", str, description=f"{A_MOMENT} By default, now."),
        ],
        responses=ComparisonSerializer,
    )
    def get(self, request: Request) -> Response:
        """Each row that differs, with its old and new values. Changes that were reverted in between are left out."""
        text = request.query_params.get("from")
        if text is None:
            raise BadParameter({"from": f"Required. {A_MOMENT}"})
        before = find_moment("from", text, time_travel.at).revision
        after = self.history_head.revision
        if before > after:
            raise BadParameter(
                {"from": f"Revision {before} is later than `to`, revision {after}. Swap them."}
            )
        content = {"from": before, "to": after, "entries": compare_revisions(before, after)}
        return Response(ComparisonSerializer(content).data)
