"""The API's rate limit, where API_RATE is set.

Each process counts separately, so that counting costs no query. An exact limit is the proxy's job
(docs/operations.md).
"""

import time
from collections import Counter
from hashlib import sha256
from threading import Lock

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

from ownership.web.problem_details import problem
from ownership.web.request_context import GetResponse

WINDOW = 60  # seconds


class ApiRateMiddleware:
    """Limits the API to API_RATE requests a minute for each valid token, and for each address without one."""

    def __init__(self, get_response: GetResponse) -> None:
        if not settings.API_RATE:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.lock = Lock()
        self.window = 0
        # Requests in the current window, by token or address.
        self.requests: Counter[str] = Counter()
        # Tokens that got an answer in the current window.
        self.valid_tokens: set[str] = set()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Count requests to the API; answer 429 with Retry-After above the limit."""
        if not request.path.startswith("/api/"):
            return self.get_response(request)
        authorization = request.META.get("HTTP_AUTHORIZATION", "")
        token = sha256(authorization.encode(errors="replace")).hexdigest()
        seconds = self._seconds_to_wait(token, request.META.get("REMOTE_ADDR", ""))
        if seconds:
            detail = (
                f"Only {settings.API_RATE} requests a minute are allowed. Try again in {seconds} seconds. "
                "Requests with If-None-Match or to changes/ help you need fewer."
            )
            return problem(429, detail, {"Retry-After": str(seconds)})
        response = self.get_response(request)
        if authorization and response.status_code < 400:
            self.valid_tokens.add(token)
        return response

    def _seconds_to_wait(self, token: str, address: str) -> int:
        """Count the request. Return 0 if it may pass, otherwise the seconds until the next window."""
        now = int(time.time())
        with self.lock:
            if now // WINDOW != self.window:
                self.window = now // WINDOW
                self.requests.clear()
                self.valid_tokens.clear()
            # Someone who guesses tokens is counted by address: a token counts by itself once it has been accepted.
            client = token if token in self.valid_tokens else address
            self.requests[client] += 1
            if self.requests[client] <= settings.API_RATE:
                return 0
            return WINDOW - now % WINDOW
