"""Who is asking, and how often they may: client addresses, the API's rate, locked sign-ins.

The rate is counted in each process for itself and so costs no query; an exact limit is the proxy's (operations.md).
"""

import time
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address, ip_network
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

from ownership.pages.base import refusal
from ownership.problems import problem

WINDOW = 60  # seconds
_Next = Callable[[HttpRequest], HttpResponse]


class ClientAddressMiddleware:
    """Takes the client's address from X-Forwarded-For where a trusted proxy wrote it; else drops the header."""

    def __init__(self, get_response: _Next) -> None:
        self.get_response = get_response
        networks = [ip_network(text) for text in settings.TRUSTED_PROXIES]

        @lru_cache(maxsize=1024)
        def is_trusted(text: str) -> bool:
            return any(ip_address(text) in network for network in networks)

        self.is_trusted = is_trusted

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass it on with REMOTE_ADDR as the client's."""
        address = request.META.get("REMOTE_ADDR", "")
        hops = request.META.pop("HTTP_X_FORWARDED_FOR", "").split(",")
        # Each proxy appends who asked it: from the right, as long as those who say so are trusted.
        while address and hops and self.is_trusted(address):
            try:
                address = str(ip_address(hops.pop().strip()))
            except ValueError:
                break
        request.META["REMOTE_ADDR"] = address
        return self.get_response(request)


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


def locked_out(request: HttpRequest, response: Any, credentials: Any) -> HttpResponse:
    """What django-axes answers to a sign-in where too many failed."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    page = refusal(
        request,
        429,
        "Too many sign-ins failed",
        f"Too many sign-ins with this name failed from your address. Try again in {seconds // 60} minutes, or ask an "
        "administrator to lift it.",
    )
    page["Retry-After"] = str(seconds)
    return page


def no_guess(request: HttpRequest, credentials: Any) -> bool:
    """Whether django-axes may leave it uncounted: what came back from a provider, which counts guesses itself."""
    return not (credentials or {}).get("username")


# What browsers may do on any page here: load what this registry serves, and use no camera, place and the like.
POLICIES = {
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "img-src 'self' data:",  # the admin's and the API page's style sheets hold small pictures
        ]
    ),
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class BrowserPolicyMiddleware:
    """Tells browsers what no page here needs. The same for all, so it costs each answer next to nothing."""

    def __init__(self, get_response: _Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the headers."""
        response = self.get_response(request)
        for name, value in POLICIES.items():
            response.headers[name] = value
        return response


def guessed_name(request: Any, credentials: Any = None) -> str:
    """Whose account somebody tries to enter, for django-axes: no longer than its column."""
    name = (credentials or {}).get("username") or (request.POST.get("username") if request else "") or ""
    return str(name)[:255]
