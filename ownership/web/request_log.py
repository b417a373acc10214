"""One line of log for each request, and an id that ties a request, what it logged and what it changed together."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.functional import LazyObject

from ownership.history.request_id import LONGEST_REQUEST_ID, current_request_id
from ownership.history.signals import change_set_written

if TYPE_CHECKING:  # settings load this module for their log filters, before models can be imported
    from ownership.history.models import ChangeSet

LOG = logging.getLogger("ownership.request")
ID_HEADER = "X-Request-ID"
# Not logged: asked every few seconds, and of no interest while they answer 200.
QUIET = {"/livez", "/readyz", "/metrics"}


@dataclass
class _Context:
    request: HttpRequest
    id: str
    revision: int | None = None


_current: ContextVar[_Context | None] = ContextVar("request", default=None)


@receiver(change_set_written)
def _note_revision(change_set: "ChangeSet", **kwargs: Any) -> None:
    """Let the log lines of the request under way name the change set that it wrote."""
    context = _current.get()
    if context is not None:
        context.revision = change_set.revision


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
        usable = re.fullmatch(rf"[A-Za-z0-9._-]{{1,{LONGEST_REQUEST_ID}}}", given)
        context = _Context(request, given if usable else uuid.uuid4().hex)
        token = _current.set(context)
        id_token = current_request_id.set(context.id)
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
            current_request_id.reset(id_token)
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
