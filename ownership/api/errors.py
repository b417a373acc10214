"""Errors as RFC 9457 problem details: what was wrong, at which parameter, and what it takes."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import TooManyFieldsSent
from django.http import Http404
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler

from ownership.api.authentication import CURE
from ownership.catalog.suggestions import similar_names
from ownership.web.problem_details import PROBLEM_JSON, problem_body


class BadParameter(exceptions.APIException):
    """A query parameter is unknown, doubled or has a value it doesn't take."""

    status_code = HTTPStatus.BAD_REQUEST

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__(" ".join(f"{name}: {reason}" for name, reason in errors.items()))


class NothingNamed(Http404):
    """No row of the model has the name."""

    def __init__(self, model: Any, name: str, ever: str = "") -> None:
        super().__init__(f"No {model._meta.verbose_name} is{ever} called {name!r}.")
        self.model, self.name = model, name


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: the same status and headers, told as a problem. None for what is a server error."""
    if isinstance(error, TooManyFieldsSent):
        error = exceptions.ParseError("The address has too many parameters.")
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        # DRF's own search reports without naming its parameter.
        detail = error.detail if isinstance(error.detail, dict) else {"search": error.detail}
        error = BadParameter({name: " ".join(map(str, reasons)) for name, reasons in detail.items()})
    body = problem_body(response.status_code, str(error))
    if isinstance(error, BadParameter):
        body["errors"] = [{"parameter": name, "detail": reason} for name, reason in error.errors.items()]
    if isinstance(error, exceptions.MethodNotAllowed):
        body["detail"] = "The API is read-only: GET, HEAD and OPTIONS. People edit in the admin."
    elif isinstance(error, exceptions.NotAuthenticated):
        body["detail"] = f"Reading takes a sign-in or a token. {CURE}"
    elif isinstance(error, Http404):
        body["detail"] = str(error) or "There is nothing at this address."
        if isinstance(error, NothingNamed):
            body["near"] = [row.name for _, row in similar_names(error.name) if isinstance(row, error.model)]
    response.data = body
    response.content_type = PROBLEM_JSON
    # Whatever form the answer itself would have had.
    context["request"].accepted_renderer, context["request"].accepted_media_type = JSONRenderer(), PROBLEM_JSON
    return response
