"""Signing in: why a page asks for it, and where it leads afterwards. Who gets in is in ``site.py``."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme

HISTORY = "Sign in to see the history."
PAST = "Sign in to see the map of an earlier time."
DRIFT = "Sign in to see drift."
TOKENS = "Sign in to manage your API tokens."
EDITING = "Sign in to edit the map."
ALL_PAGES = "Sign in to see this registry."
# The first one whose text is in the name of a view says why that asks for a sign-in.
_REASONS = (
    ("history", HISTORY),
    ("changeset", HISTORY),
    ("pages:change", HISTORY),
    ("pages:compare", HISTORY),
    ("pages:day", PAST),
    ("ownership_undo", HISTORY),
    ("ownership_deleted", HISTORY),
    ("pages:drift", DRIFT),
    ("apitoken", TOKENS),
    ("admin:", EDITING),
)


def next_address(request: HttpRequest) -> str:
    """Where to go after signing in: where the person came from if that is on this site, otherwise home."""
    address = request.POST.get("next", request.GET.get("next", ""))
    is_ours = url_has_allowed_host_and_scheme(
        address, {request.get_host()}, require_https=request.is_secure()
    )
    return address if is_ours else reverse("pages:home")


def sign_in_reason(address: str) -> str:
    """Why the page at that address asked for a sign-in, in a sentence; empty if it did not."""
    parts = urlsplit(address)
    try:
        view_name = resolve(parts.path).view_name
    except Resolver404:
        view_name = ""
    for text, reason in _REASONS:
        if text in view_name:
            return reason
    if "revision=" in parts.query or "as_of=" in parts.query:
        return PAST
    return "" if settings.ANONYMOUS_READ else ALL_PAGES
