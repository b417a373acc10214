"""What every request passes first: its id and log line, the client's address, browser policies, a minimum revision.

The other middleware is switched on by settings: rate limit, replicas, metrics. What probes and a busy registry are
answered is in ``health.py``.
"""

import logging
import re
import time
import uuid
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.deprecation import MiddlewareMixin
from django.views.defaults import page_not_found

from ownership.history.lock import RegistryBusy
from ownership.history.models import current_head, whole_number
from ownership.history.request_id import LONGEST_REQUEST_ID, current_request_id
from ownership.web.health import Readiness, registry_busy
from ownership.web.problem_details import problem
from ownership.web.request_context import GetResponse, RequestContext, current_context

LOG = logging.getLogger("ownership.request")
REQUEST_ID_HEADER = "X-Request-ID"
REQUEST_ID = re.compile(rf"[A-Za-z0-9._-]{{1,{LONGEST_REQUEST_ID}}}")
# Requested every few seconds, so logged only when the answer is not 200.
UNLOGGED_PATHS = {"/livez", "/readyz", "/metrics"}

# What browsers may do on any page here: load what this registry serves, and use no camera, location and the like.
BROWSER_POLICIES = {
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "img-src 'self' data:",  # style sheets of the admin and the API's docs page embed small pictures
        ]
    ),
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

MINIMUM_REVISION_HEADER = "X-Registry-Min-Revision"


class RequestLogMiddleware:
    """Gives each request an id, returns it as X-Request-ID, and logs the request.

    A valid X-Request-ID from a proxy is kept. The log line has method, path, status, milliseconds and address, but
    not the query, which may contain what people search for.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve the request in its context."""
        request_id = request.META.get("HTTP_X_REQUEST_ID", "")
        if not REQUEST_ID.fullmatch(request_id):
            request_id = uuid.uuid4().hex
        context_token = current_context.set(RequestContext(request, request_id))
        id_token = current_request_id.set(request_id)
        start = time.monotonic()
        try:
            response = self.get_response(request)
            response.headers[REQUEST_ID_HEADER] = request_id
            if request.path not in UNLOGGED_PATHS or response.status_code != 200:
                LOG.info(
                    "%s %s %d",
                    request.method,
                    request.path,
                    response.status_code,
                    extra={
                        "method": request.method,
                        "path": request.path,
                        "status": response.status_code,
                        "milliseconds": round((time.monotonic() - start) * 1000, 1),
                        "address": request.META.get("REMOTE_ADDR"),
                    },
                )
            return response
        finally:
            current_request_id.reset(id_token)
            current_context.reset(context_token)


class ClientAddressMiddleware:
    """Sets REMOTE_ADDR to the client's address if trusted proxies sent X-Forwarded-For; always removes that header."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.trusted_proxies = tuple(settings.TRUSTED_PROXIES)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on with the client's address."""
        address = request.META.get("REMOTE_ADDR", "")
        hops = request.META.pop("HTTP_X_FORWARDED_FOR", "").split(",")
        # Each proxy appends the address that it was called from: read from the right while the caller is trusted.
        while address and hops and _is_trusted(address, self.trusted_proxies):
            try:
                address = str(ip_address(hops.pop().strip()))
            except ValueError:
                break
        request.META["REMOTE_ADDR"] = address
        return self.get_response(request)


@lru_cache(maxsize=1024)
def _is_trusted(address: str, trusted: tuple[str, ...]) -> bool:
    return any(ip_address(address) in network for network in _networks(trusted))


@lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    return [ip_network(text) for text in texts]


class BrowserPolicyMiddleware(MiddlewareMixin):
    """Adds the policy headers, which are the same on every response."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Add the headers."""
        for name, value in BROWSER_POLICIES.items():
            response.headers[name] = value
        return response


class MinimumRevisionMiddleware(MiddlewareMixin):
    """Refuses to answer from a revision older than X-Registry-Min-Revision asks for: 412."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """Check the header if there is one, with one query."""
        text = request.META.get("HTTP_X_REGISTRY_MIN_REVISION")
        if text is None:
            return None
        minimum = whole_number(text)
        if minimum is None:
            return problem(400, f"{MINIMUM_REVISION_HEADER} takes a revision number.")
        revision, _ = current_head()
        if revision < minimum:
            detail = f"Revision {minimum} is not in this registry's history. The latest revision is {revision}."
            return problem(412, detail)
        return None


class HealthMiddleware:
    """Answers /livez and /readyz. It comes before the checks of host name and sign-in, so probes need neither."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.readiness = Readiness()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the two probes; pass every other request on."""
        if request.path == "/livez":
            # Alive while the process answers at all.
            return JsonResponse({"status": "alive"})
        if request.path == "/readyz":
            return self.readiness.answer()
        return self.get_response(request)


class NotFoundMiddleware:
    """In development, shows the page that production has for an address of nothing, instead of all URL patterns."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Replace Django's page where no pattern matched the address."""
        response = self.get_response(request)
        if response.status_code == 404 and request.resolver_match is None:
            return page_not_found(request, Http404())
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a view's Http404; leave every other exception to Django."""
        if isinstance(exception, Http404):
            return page_not_found(request, exception)
        return None


class BusyMiddleware(MiddlewareMixin):
    """Answers a save that waited too long for the registry's lock with a page from which it can be sent again."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer RegistryBusy with 503; leave every other exception to Django."""
        if isinstance(exception, RegistryBusy):
            return registry_busy(request, exception)
        return None
