"""One line of log for each request, and an id that ties a request, what it logged and what it changed together."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils.functional import LazyObject

LOG = logging.getLogger("ownership.request")
ID_HEADER = "X-Request-ID"
LONGEST_ID = 64
# Not logged: asked every few seconds, and of no interest while they answer 200.
QUIET = {"/livez", "/readyz", "/metrics"}


@dataclass
class _Context:
    request: HttpRequest
    id: str
    revision: int | None = None


_current: ContextVar[_Context | None] = ContextVar("request", default=None)


def request_id() -> str:
    """The id of the request under way; empty outside one."""
    context = _current.get()
    return context.id if context else ""


def note_change_set(revision: int) -> None:
    """Let the lines of the request under way name the change set that it wrote."""
    if context := _current.get():
        context.revision = revision


def revision_written() -> int | None:
    """The change set that the request under way has written, if any."""
    context = _current.get()
    return context.revision if context else None


class RequestLogMiddleware:
    """Takes a proxy's X-Request-ID where it is one, else makes one; gives it back, and logs the request.

    The line has method, path, status, milliseconds and address; not the query, which may hold what people search for.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve the request within its context."""
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        usable = re.fullmatch(rf"[A-Za-z0-9._-]{{1,{LONGEST_ID}}}", given)
        context = _Context(request, given if usable else uuid.uuid4().hex)
        token = _current.set(context)
        begun = time.monotonic()
        try:
            response = self.get_response(request)
            response.headers[ID_HEADER] = context.id
            if request.path not in QUIET or response.status_code != 200:
                LOG.info(
                    "%s %s %d",
                    request.method,
                    request.path,
                    response.status_code,
                    extra={
                        "method": request.method,
                        "path": request.path,
                        "status": response.status_code,
                        "milliseconds": round((time.monotonic() - begun) * 1000, 1),
                        "address": request.META.get("REMOTE_ADDR"),
                    },
                )
            return response
        finally:
            _current.reset(token)


class InContext(logging.Filter):
    """Gives each record the id of its request, the name of who asked, and the change set that was written."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add what is known; pass all."""
        if context := _current.get():
            record.request_id = context.id
            if name := _who(context.request):
                record.user = name
            if context.revision is not None and not hasattr(record, "change_set"):
                record.change_set = context.revision
        return True


def _who(request: HttpRequest) -> str | None:
    """The name of who is signed in, where the request asked for that; logging must not cost a query."""
    user = getattr(request, "_cached_user", None) or request.__dict__.get("user")
    return None if user is None or isinstance(user, LazyObject) else user.get_username() or None
