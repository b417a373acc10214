"""Errors for programs: RFC 9457's problem details."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse, JsonResponse

PROBLEM_JSON = "application/problem+json"


def problem_body(status: int, detail: str) -> dict[str, Any]:
    """The members that every problem has."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
    }


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> HttpResponse:
    """A problem as a response, for middleware and error pages. The API's views use ``api/errors.py``."""
    return JsonResponse(
        problem_body(status, detail),
        status=status,
        headers=headers,
        content_type=PROBLEM_JSON,
    )
