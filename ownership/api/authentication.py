"""Who may read: signed-in people, personal tokens, and anyone where ANONYMOUS_READ is on."""

from hmac import compare_digest

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connections, router
from django.utils import timezone
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox import auth
from knox.crypto import hash_token
from knox.settings import CONSTANTS, knox_settings
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from ownership.history.models import HEAD_SQL, Head
from ownership.models import ApiToken

CURE = "Make a token in the admin under API tokens, and send it as `Authorization: Token own_…`."


class TokenAuthentication(auth.TokenAuthentication):
    """knox's tokens, read with one query and no write but the day of last use.

    knox itself deletes expired tokens of the user while it reads, a query and a write per request.
    """

    def authenticate_credentials(self, token: bytes):
        """(user, token); AuthenticationFailed with the cure where the token is unknown, expired or its owner gone."""
        text = token.decode("ascii", errors="replace")
        digest = hash_token(text)
        candidates = ApiToken.objects.select_related("user").filter(
            token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH].replace("\x00", "")
        )
        found = next((row for row in candidates if compare_digest(digest, row.digest)), None)
        if found is None:
            raise AuthenticationFailed(f"This token is not known. {CURE}")
        if found.expiry is not None and found.expiry <= timezone.now():
            raise AuthenticationFailed(f"This token expired on {found.expiry:%Y-%m-%d}. {CURE}")
        if not found.user.is_active:
            raise AuthenticationFailed("The account of this token is not active any more.")
        today = timezone.now().date()
        if found.last_used != today:
            ApiToken.objects.filter(pk=found.pk).update(last_used=today)
        return found.user, found


def head_for_token(header: str) -> Head | None:
    """The history's head for a good token, by one query and without a write; None for any other.

    None also for a good token's first use on a day: that one has to be written down, as TokenAuthentication does.
    """
    kind, _, text = header.partition(" ")
    if kind != knox_settings.AUTH_HEADER_PREFIX or not text.isascii() or "\x00" in text:
        return None
    token, user = ApiToken._meta.db_table, get_user_model()._meta.db_table
    now, connection = timezone.now(), connections[router.db_for_read(ApiToken)]
    adapt = connection.ops.adapt_datetimefield_value, connection.ops.adapt_datefield_value
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT token.digest, head.revision, head.digest FROM "{token}" token '  # noqa: S608
            f'JOIN "{user}" person ON person.id = token.user_id '
            f"LEFT JOIN ({HEAD_SQL}) head ON 1 = 1 "
            "WHERE token.token_key = %s AND person.is_active AND token.last_used = %s "
            "AND (token.expiry IS NULL OR token.expiry > %s)",
            [text[: CONSTANTS.TOKEN_KEY_LENGTH], adapt[1](now.date()), adapt[0](now)],
        )
        rows = cursor.fetchall()
    digest = hash_token(text)
    return next((Head(row[1] or 0, row[2] or "") for row in rows if compare_digest(digest, row[0])), None)


class TokenScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI schema describes the tokens."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema):
        """An API key in the Authorization header."""
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`Token own_…`"}


class SessionAuthentication(authentication.SessionAuthentication):
    """The admin's sign-in. No CSRF check: nothing can be written here, and a POST is to be told so (405)."""

    def enforce_csrf(self, request):
        """Pass."""


class SessionCookieScheme(SessionScheme):
    """How the OpenAPI schema describes the admin's sign-in."""

    target_class = "ownership.api.authentication.SessionAuthentication"


class MayRead(BasePermission):
    """Signed in, with a token, or anyone where the map is open to all."""

    def has_permission(self, request, view) -> bool:
        """Whether this request may read the map."""
        return settings.ANONYMOUS_READ or bool(request.user and request.user.is_authenticated)


class SignedIn(BasePermission):
    """Signed in or with a token: what history asks for, also where the map is open to all."""

    def has_permission(self, request, view) -> bool:
        """Whether this request may read history."""
        return bool(request.user and request.user.is_authenticated)
