"""The id of the request under way, which a change set keeps. The web sets it; history knows no request."""

from contextvars import ContextVar

LONGEST_REQUEST_ID = 64
# Empty outside a request.
current_request_id: ContextVar[str] = ContextVar("request_id", default="")
