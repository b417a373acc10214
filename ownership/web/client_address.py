"""The client's address, also behind trusted proxies."""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse

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
