"""The API's rate limit.

Each process counts for itself, so that counting costs no query; an exact limit is the proxy's (docs/operations.md).
"""

import time
from collections import Counter
from hashlib import sha256
from threading import Lock

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

from ownership.web.client_address import _Next
from ownership.web.problem_details import problem

WINDOW = 60  # seconds


class ApiRateMiddleware:
    """At most API_RATE requests a minute of each token, and of each address without a valid one, to the API."""

    def __init__(self, get_response: _Next) -> None:
        if not settings.API_RATE:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.lock = Lock()
        self.window = 0
        self.asked: Counter[str] = Counter()
        self.valid: set[str] = set()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Count requests to the API; answer 429 with Retry-After where there are too many."""
        if not request.path.startswith("/api/"):
            return self.get_response(request)
        sent = request.META.get("HTTP_AUTHORIZATION")
        token = sha256(sent.encode(errors="replace")).hexdigest() if sent else None
        wait = self._count(token, request.META.get("REMOTE_ADDR", ""))
        if wait:
            return _too_many(wait)
        response = self.get_response(request)
        if token and response.status_code < 400:
            self.valid.add(token)
        return response

    def _count(self, token: str | None, address: str) -> int:
        """Seconds to wait; 0 where the request may pass."""
        now = time.time()
        with self.lock:
            if int(now) // WINDOW != self.window:
                self.window = int(now) // WINDOW
                self.asked.clear()
                self.valid.clear()
            # Whoever tries out tokens is counted by address: a token counts for itself once it was good.
            who = token if token in self.valid and token is not None else address
            self.asked[who] += 1
            return 0 if self.asked[who] <= settings.API_RATE else WINDOW - int(now) % WINDOW


def _too_many(wait: int) -> HttpResponse:
    detail = (
        f"At most {settings.API_RATE} requests a minute. Go on in {wait} s; ask with If-None-Match, or follow "
        "changes/, to need fewer."
    )
    return problem(429, detail, {"Retry-After": str(wait)})
