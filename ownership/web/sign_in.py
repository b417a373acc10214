"""Functions for django-axes, which locks out whoever guesses passwords. The settings name them."""

from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from ownership.web.refusals import refusal

Credentials = Mapping[str, str]
LONGEST_NAME = 255  # of django-axes' column


def locked_out(request: HttpRequest, response: HttpResponse | None, credentials: Credentials | None) -> HttpResponse:
    """The page for a sign-in after too many failures."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    page = refusal(
        request,
        429,
        "Too many failed sign-ins",
        f"Too many sign-ins with this name from your address have failed. Try again in {seconds // 60} minutes, or "
        "ask an administrator to unlock it.",
    )
    page["Retry-After"] = str(seconds)
    return page


def no_guess(request: HttpRequest, credentials: Credentials | None) -> bool:
    """Whether not to count a failure: without a name it came from a provider, which counts guesses itself."""
    return not (credentials or {}).get("username")


def guessed_name(request: HttpRequest | None, credentials: Credentials | None = None) -> str:
    """The name that somebody tries to sign in with, cut to what fits."""
    name = (credentials or {}).get("username")
    if not name and request is not None:
        name = request.POST.get("username")
    return str(name or "")[:LONGEST_NAME]
