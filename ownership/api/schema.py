"""What the OpenAPI description says about every address: parameters, caching headers, 304 and problems."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from ownership.api.serializers import ProblemSerializer
from ownership.web.problem_details import PROBLEM_JSON


def whole_numbers(most: int | None = None, least: int = 1) -> dict[str, Any]:
    """The schema of a number in a query."""
    schema: dict[str, Any] = {"type": "integer", "minimum": least}
    if most is not None:
        schema["maximum"] = most
    return schema


ENVIRONMENT = OpenApiParameter(
    "environment", str, description="Adds each table's `physical_name` in this environment."
)
# A filter that is left out or true.
ONLY_TRUE: dict[str, Any] = {"type": "boolean", "enum": [True]}
# A date or a time.
TIME = {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}
_HEADERS = [
    OpenApiParameter(
        "If-None-Match",
        str,
        OpenApiParameter.HEADER,
        description="The ETag of an earlier answer.",
    ),
    OpenApiParameter(
        "ETag",
        str,
        OpenApiParameter.HEADER,
        description="Identifies this answer. Send it as If-None-Match next time.",
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
        description="Answer as of this revision, with the entries, order and names of that time. Needs a sign-in or "
        "a token.",
    ),
    OpenApiParameter(
        "as_of",
        TIME,
        description="Answer as of the last revision at or before this time. ISO 8601, UTC by default; a date stands "
        "for its whole day. Needs a sign-in or a token.",
    ),
]
_PROBLEMS = {
    "400": "A parameter is unknown, repeated or empty, or its value is not allowed.",
    "401": "Not signed in, or the token is unknown or expired, or its account is inactive.",
    "403": "The account has no role.",
    "404": "Nothing has this name.",
    "406": "The requested media type is not supported.",
    "429": "Too many requests with this token or from this address. Try again after `Retry-After` seconds.",
    "410": "The cursor belongs to another history. Read the map again, then follow its changes.",
}
# By type of a query parameter, what OpenAPI says so that an empty value or a page 0 is not allowed.
_LEAST = {"string": ("minLength", 1), "integer": ("minimum", 1)}


class RegistrySchema(AutoSchema):
    """Adds to each address what all of them have in common."""

    def get_override_parameters(self) -> list[Any]:
        """Add the caching headers and, for views that take them, the parameters for an earlier time."""
        parameters = [*super().get_override_parameters(), *_HEADERS]
        if getattr(self.view, "takes_moment", False):
            parameters += _MOMENT
        return parameters

    def get_summary(self) -> str:
        """The first sentence of the description, which the page of the API shows beside the address."""
        sentence, _, _ = self.get_description().replace("\n", " ").partition(". ")
        return sentence.rstrip(".")

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Narrow the query parameters, and add the answer 304 and the problems."""
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "query":
                _narrow(parameter["schema"])
        responses = operation["responses"]
        responses["304"] = {
            "headers": responses["200"]["headers"],
            "description": "Nothing has changed since the answer with the ETag in If-None-Match.",
        }
        problem = self.resolve_serializer(ProblemSerializer, "response").ref
        for status, description in _PROBLEMS.items():
            if self._may_answer(status):
                responses[status] = {
                    "content": {PROBLEM_JSON: {"schema": problem}},
                    "description": description,
                }
        return operation

    def _may_answer(self, status: str) -> bool:
        if status == "404":
            return "{" in self.path
        if status == "410":
            return self.path.endswith("/changes/")
        return True


def _narrow(schema: dict[str, Any]) -> None:
    least = _LEAST.get(schema.get("type", ""))
    if least is not None and "enum" not in schema:
        name, value = least
        schema.setdefault(name, value)
