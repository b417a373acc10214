"""What log lines say about the request being served: its id, its user, and the change set that it wrote.

Settings load this module for their log filter, before models can be imported.
"""

import logging
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.functional import LazyObject

from ownership.history.signals import change_set_written

if TYPE_CHECKING:
    from ownership.history.models import ChangeSet

# What middleware passes a request on to.
GetResponse = Callable[[HttpRequest], HttpResponse]


@dataclass
class RequestContext:
    """One request while it is served."""

    request: HttpRequest
    id: str
    # The revision of the change set that the request wrote, if any.
    revision: int | None = None


current_context: ContextVar[RequestContext | None] = ContextVar("current_context", default=None)


@receiver(change_set_written)
def note_revision(change_set: "ChangeSet", **kwargs: object) -> None:
    """Remember the change set, so that the request's log lines name it."""
    context = current_context.get()
    if context is not None:
        context.revision = change_set.revision


def revision_written() -> int | None:
    """The revision of the change set that the current request has written, if any."""
    context = current_context.get()
    if context is None:
        return None
    return context.revision


class RequestLogFilter(logging.Filter):
    """Adds the request's id, its user's name and the change set that it wrote to each log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add what is known. No record is dropped."""
        context = current_context.get()
        if context is None:
            return True
        record.request_id = context.id
        name = _user_name(context.request)
        if name:
            record.user = name
        # A record about a change set names it already.
        if context.revision is not None and not hasattr(record, "change_set"):
            record.change_set = context.revision
        return True


def _user_name(request: HttpRequest) -> str | None:
    """The user's name if this request has looked it up already: logging must not cost a query."""
    # Django has no public way to ask whether its lazy request.user has been loaded.
    user = getattr(request, "_cached_user", None)
    if user is None:
        # Set by the API's authentication.
        user = vars(request).get("user")
    if user is None or isinstance(user, LazyObject):
        return None
    return user.get_username() or None
