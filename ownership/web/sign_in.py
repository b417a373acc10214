"""What stands before a sign-in by password: its rate, and django-axes, which locks out whoever guesses.

The settings name the functions and the handler for django-axes. Nothing here writes to the database, so guessing leaves
no rows, and a sign-in does not wait for the registry's lock.
"""

from collections.abc import Mapping
from hashlib import sha256
from logging import getLogger
from math import ceil
from time import time

from axes.handlers.base import AbstractAxesHandler, AxesBaseHandler
from axes.signals import user_locked_out
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, User, update_last_login
from django.http import HttpRequest, HttpResponse

from ownership.web import shared_counts
from ownership.web.optional_writes import write_if_free
from ownership.web.refusals import refusal

LOG = getLogger("ownership.sign_in")
Credentials = Mapping[str, str]

# Sign-ins a minute, for each machine. Checking a password takes half a second of a processor, on purpose.
MOST_OF_ADDRESS = 10
MOST_OF_ALL = 60
MINUTE = 60
FAILURES = "failures"  # before the hashed name and the address


def too_many_sign_ins(request: HttpRequest) -> HttpResponse | None:
    """Count a sign-in by password. If its address or all together try too many, the page that says so: 429."""
    if not settings.AXES_ENABLED:
        return None
    by_address = shared_counts.add(f"address {_address_of(request)}", MINUTE)
    if by_address.times > MOST_OF_ADDRESS:
        limit = f"Only {MOST_OF_ADDRESS} sign-ins a minute are allowed from one address."
        return _too_many(request, limit, by_address)
    of_all = shared_counts.add("all", MINUTE)
    if of_all.times > MOST_OF_ALL:
        return _too_many(request, "More people are signing in than the registry can check.", of_all)
    return None


def _too_many(request: HttpRequest, limit: str, count: shared_counts.Count) -> HttpResponse:
    seconds = max(1, ceil(count.until - time()))
    page = refusal(request, 429, "Too many sign-ins", f"{limit} Try again in {seconds} seconds.")
    page["Retry-After"] = str(seconds)
    return page


class GuessHandler(AxesBaseHandler, AbstractAxesHandler):
    """Counts failures by name and address, for django-axes."""

    def get_failures(self, request: HttpRequest, credentials: Credentials | None = None) -> int:
        """How often this name failed from this address."""
        return shared_counts.get(_failures_of(request, credentials))

    def user_login_failed(
        self,
        sender: object,
        credentials: Credentials,
        request: HttpRequest | None = None,
        **kwargs: object,
    ) -> None:
        """Count a failure; lock name and address at the last one that is allowed. A locked one does not count."""
        if request is None or self.is_whitelisted(request, credentials):
            return
        # django-axes' own attributes, which its middleware looks at.
        attributes = vars(request)
        if not attributes.get("axes_locked_out"):
            seconds = settings.AXES_COOLOFF_TIME.total_seconds()
            failures = shared_counts.add(
                _failures_of(request, credentials), seconds, extend=True
            ).times
            attributes["axes_failures_since_start"] = failures
            attributes["axes_locked_out"] = failures >= settings.AXES_FAILURE_LIMIT
            LOG.warning("Sign-in failed, %d of %d", failures, settings.AXES_FAILURE_LIMIT)
        if attributes["axes_locked_out"]:
            attributes["axes_credentials"] = credentials
            name = guessed_name(request, credentials)
            user_locked_out.send(
                "axes", request=request, username=name, ip_address=_address_of(request)
            )

    def user_logged_in(
        self, sender: object, request: HttpRequest, user: AbstractBaseUser, **kwargs: object
    ) -> None:
        """Forget the failures."""
        failures = _failures_of(request, {"username": user.get_username()})
        shared_counts.forget(lambda key: key == failures)

    def user_logged_out(
        self, sender: object, request: HttpRequest, user: AbstractBaseUser, **kwargs: object
    ) -> None:
        """Nothing to do."""

    def reset_attempts(
        self,
        *,
        ip_address: str | None = None,
        username: str | None = None,
        ip_or_username: bool = False,
    ) -> int:
        """Unlock a name, an address, both together, or all; how many pairs of them that were."""

        def is_meant(key: str) -> bool:
            kind, *details = key.split(" ")
            if kind != FAILURES:
                return False
            name, address = details
            return username in (None, name) and ip_address in (None, address)

        if username is not None:
            username = _hashed(username)
        return shared_counts.forget(is_meant)


def _failures_of(request: HttpRequest, credentials: Credentials | None) -> str:
    return f"{FAILURES} {_hashed(guessed_name(request, credentials))} {_address_of(request)}"


def _hashed(name: str) -> str:
    # People type passwords into the wrong field.
    return sha256(name.encode(errors="replace")).hexdigest()


def _address_of(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: Credentials | None
) -> HttpResponse:
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
    """The name that somebody tries to sign in with."""
    name = (credentials or {}).get("username")
    if not name and request is not None:
        name = request.POST.get("username")
    return str(name or "")


def note_sign_in(sender: type[User], user: User, **kwargs: object) -> None:
    """Note the time of the last sign-in on the account, if that needs no waiting."""
    write_if_free(lambda: update_last_login(sender, user))
