"""Errors as RFC 9457 problem details: what is wrong, with which parameter, and what is allowed."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import TooManyFieldsSent
from django.db.models import Model
from django.http import Http404
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler

from ownership.api.authentication import HOW_TO_GET_A_TOKEN
from ownership.catalog.similar_names import similar_names
from ownership.web.problem_details import PROBLEM_JSON, problem_body


class BadParameter(exceptions.APIException):
    """Query parameters are unknown, repeated, or have a value that is not allowed."""

    status_code = HTTPStatus.BAD_REQUEST

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__(" ".join(f"{name}: {reason}" for name, reason in errors.items()))


class NoRowNamed(Http404):
    """No row of the model has the name. Similar names are looked up at once, at the time that the request shows."""

    def __init__(self, model: type[Model], name: str, ever: str = "") -> None:
        super().__init__(f"No {model._meta.verbose_name} is{ever} called {name!r}.")
        self.similar_names = [row.name for _, row in similar_names(name) if isinstance(row, model)]


# In place of DRF's own texts.
DETAILS: dict[type[Exception], str] = {
    exceptions.MethodNotAllowed: "The API is read-only: use GET, HEAD or OPTIONS. To edit, use the admin.",
    exceptions.NotAuthenticated: f"Sign in or send a token. {HOW_TO_GET_A_TOKEN}",
}


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: keeps status and headers, and replaces the body. None for a server error."""
    if isinstance(error, TooManyFieldsSent):
        error = exceptions.ParseError("Too many parameters.")
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        error = _as_bad_parameter(error)
    detail = DETAILS.get(type(error)) or str(error) or "There is nothing at this address."
    response.data = problem_body(response.status_code, detail)
    if isinstance(error, BadParameter):
        errors = [{"parameter": name, "detail": reason} for name, reason in error.errors.items()]
        response.data["errors"] = errors
    if isinstance(error, NoRowNamed):
        response.data["near"] = error.similar_names
    response.content_type = PROBLEM_JSON
    # Whatever form the answer itself would have had.
    request = context["request"]
    request.accepted_renderer = JSONRenderer()
    request.accepted_media_type = PROBLEM_JSON
    return response


def _as_bad_parameter(error: exceptions.ValidationError) -> BadParameter:
    """A filter's error, which names its parameter, or one of DRF's search, which does not."""
    detail = error.detail
    if not isinstance(detail, dict):
        detail = {"search": detail}
    return BadParameter({name: " ".join(map(str, reasons)) for name, reasons in detail.items()})
