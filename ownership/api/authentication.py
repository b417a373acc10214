"""Who may read: people who are signed in, personal tokens and, with ANONYMOUS_READ, anyone."""

from hmac import compare_digest
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox import auth
from knox.crypto import hash_token
from knox.settings import CONSTANTS
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from ownership.history.models import HEAD_SQL, Head
from ownership.models import ApiToken

if TYPE_CHECKING:  # these modules import this one, by way of DRF's settings
    from drf_spectacular.openapi import AutoSchema
    from rest_framework.request import Request
    from rest_framework.views import APIView

HOW_TO_GET_A_TOKEN = "Create a token in the admin under API tokens and send it as `Authorization: Token own_…`."  # noqa: S105 (a text)

# A token with its user and the history's head. In SQL because the map is polled: the ORM would take longer to compile
# this than the map takes to be sent.
TOKEN_QUERY = f"""SELECT token.*, account.username, account.is_active, head.revision, head.digest AS head_digest
    FROM "{ApiToken._meta.db_table}" token
    JOIN "{get_user_model()._meta.db_table}" account ON account.id = token.user_id
    LEFT JOIN ({HEAD_SQL}) head ON 1 = 1
    WHERE token.token_key = %s
"""  # noqa: S608 (names of our own tables)


class TokenAuthentication(auth.TokenAuthentication):
    """knox's tokens, checked by one query. Nothing is written but the day of last use.

    knox itself deletes the user's expired tokens on each request: one more query and a write.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[AbstractBaseUser, ApiToken]:
        """The token's user and the token, which has the history's head as ``history_head``.

        AuthenticationFailed if the token is unknown or expired, or its account inactive.
        """
        text = token.decode("ascii", errors="replace")
        row = _find(text)
        if row is None:
            raise AuthenticationFailed(f"Invalid token. {HOW_TO_GET_A_TOKEN}")
        if row.expiry is not None and row.expiry <= timezone.now():
            raise AuthenticationFailed(f"This token expired on {row.expiry:%Y-%m-%d}. {HOW_TO_GET_A_TOKEN}")
        if not row.is_active:
            raise AuthenticationFailed("The account of this token is inactive.")
        today = timezone.now().date()
        if row.last_used != today:
            ApiToken.objects.filter(pk=row.pk).update(last_used=today)
        row.history_head = Head(row.revision or 0, row.head_digest or "")
        # Other columns of the account are read if someone asks for them.
        user = get_user_model().from_db(
            row._state.db, ["id", "username", "is_active"], [row.user_id, row.username, row.is_active]
        )
        return user, row


def _find(text: str) -> ApiToken | None:
    digest = hash_token(text)
    # PostgreSQL can't look for a NUL character.
    key = text[: CONSTANTS.TOKEN_KEY_LENGTH].replace("\x00", "")
    for row in ApiToken.objects.raw(TOKEN_QUERY, [key]):
        if compare_digest(digest, row.digest):
            return row
    return None


class TokenScheme(OpenApiAuthenticationExtension):
    """Describes tokens in the OpenAPI schema."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: "AutoSchema") -> dict[str, str]:
        """An API key in the Authorization header."""
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`Token own_…`"}


class SessionAuthentication(authentication.SessionAuthentication):
    """The admin's sign-in. Without a CSRF check: nothing can be written, and a POST should get a 405."""

    def enforce_csrf(self, request: "Request") -> None:
        """Accept the request."""


class SessionCookieScheme(SessionScheme):
    """Describes the admin's sign-in in the OpenAPI schema."""

    target_class = "ownership.api.authentication.SessionAuthentication"


class SignedIn(BasePermission):
    """Signed in or with a token: what history needs, even if the map is open to everyone."""

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        """Whether the request may read history."""
        return bool(request.user and request.user.is_authenticated)


class MayRead(SignedIn):
    """Signed in or with a token, or anyone if ANONYMOUS_READ is on."""

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        """Whether the request may read the map."""
        return settings.ANONYMOUS_READ or super().has_permission(request, view)
