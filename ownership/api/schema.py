"""What the OpenAPI description says of every answer from the registry: its headers, 304, and problems."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from ownership.api.serializers import ProblemSerializer
from ownership.web.problem_details import PROBLEM_JSON


def whole_numbers(most: int | None = None, least: int = 1) -> dict[str, Any]:
    """The schema of a number in a query."""
    return {"type": "integer", "minimum": least} | ({"maximum": most} if most else {})


ENVIRONMENT = OpenApiParameter("environment", str, description="Adds `physical_name` as in this environment.")
# A date or time; of what it takes besides, the descriptions tell.
TIME = {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}
_HEADERS = [
    OpenApiParameter(
        "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag of the answer that you have."
    ),
    OpenApiParameter(
        "ETag",
        str,
        OpenApiParameter.HEADER,
        description="Names this answer; send it as If-None-Match.",
        response=[200, 304],
    ),
    OpenApiParameter(
        "X-Registry-Revision",
        int,
        OpenApiParameter.HEADER,
        description="The revision that the answer shows.",
        response=[200, 304],
    ),
]
_MOMENT = [
    OpenApiParameter(
        "revision",
        whole_numbers(least=0),
        description="As of this revision: entries, order and names of then. Takes a sign-in or token.",
    ),
    OpenApiParameter(
        "as_of",
        TIME,
        description="As of the last revision at or before this time: ISO 8601, UTC unless it says otherwise; a date "
        "means its whole day. Takes a sign-in or token.",
    ),
]
_NOT_MODIFIED = OpenApiResponse(description="Nothing changed since the ETag in If-None-Match.")
_PROBLEMS = {
    "400": "A parameter is unknown, doubled, empty or has a value it doesn't take.",
    "401": "Not signed in, or with a token that is not known, expired, or of an account that is not active.",
    "404": "There is nothing of this name.",
    "406": "The Accept header asks for a form that there is not.",
    "429": "Too many requests of this token or address: go on after `Retry-After` seconds.",
    "410": "The cursor is of another history: read the map anew, then follow it.",
}


class RegistrySchema(AutoSchema):
    """Adds what all views of the registry have in common."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        """As ever; an empty parameter is refused, and so is a page 0."""
        operation = super().get_operation(*args, **kwargs)
        for parameter in operation.get("parameters", ()) if operation else ():
            narrower = {"string": ("minLength", 1), "integer": ("minimum", 1)}.get(parameter["schema"].get("type"))
            if parameter["in"] == "query" and narrower and "enum" not in parameter["schema"]:
                parameter["schema"].setdefault(*narrower)
        return operation

    def get_override_parameters(self) -> list[Any]:
        """The headers of caching."""
        return [*super().get_override_parameters(), *_HEADERS]

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        """The view's own answer, 304, and the problems that it may have."""
        bodies = super()._get_response_bodies(direction)
        bodies["304"] = self._get_response_for_code(_NOT_MODIFIED, "304")
        unused = {"404": "{" not in self.path, "410": not self.path.endswith("/changes/")}
        for status, description in _PROBLEMS.items():
            if not unused.get(status):
                response = OpenApiResponse(ProblemSerializer, description=description)
                bodies[status] = self._get_response_for_code(response, status, [PROBLEM_JSON])
        return bodies


class MomentSchema(RegistrySchema):
    """Of addresses that also answer as of another time."""

    def get_override_parameters(self) -> list[Any]:
        """With what names that time."""
        return [*super().get_override_parameters(), *_MOMENT]
