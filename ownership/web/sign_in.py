"""What django-axes, which locks out who guesses passwords, asks of us."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from ownership.web.refusals import refusal


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


def guessed_name(request: Any, credentials: Any = None) -> str:
    """Whose account somebody tries to enter, for django-axes: no longer than its column."""
    name = (credentials or {}).get("username") or (request.POST.get("username") if request else "") or ""
    return str(name)[:255]
