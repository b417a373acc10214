"""Who may read: accounts with a role, by session or token, and, with ANONYMOUS_READ, anyone."""

from datetime import datetime
from hmac import compare_digest
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import connections, router
from django.utils import timezone
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox import auth
from knox.crypto import hash_token
from knox.settings import CONSTANTS
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from ownership.history.head import Head
from ownership.history.models import HEAD_SQL
from ownership.models import ApiToken
from ownership.models.rights import NO_ROLE, READING_PERMISSION, has_role
from ownership.web.optional_writes import write_if_free

if TYPE_CHECKING:  # these modules import this one, by way of DRF's settings
    from drf_spectacular.openapi import AutoSchema
    from rest_framework.request import Request
    from rest_framework.views import APIView

HOW_TO_GET_A_TOKEN = (
    "Create a token in the admin under API tokens and send it as `Authorization: Token own_…`."  # noqa: S105 (a text)
)

# In SQL because the map is polled: the ORM takes longer to put this query together than the map takes to be sent.
# Parameters: now, today, and the beginning of the token.
# The role is that of ownership.models.rights.has_role.
TOKEN_QUERY = f"""SELECT token.digest, token.expiry, token.expiry <= %s, token.last_used = %s,
    account.id, account.username, account.is_active,
    account.is_superuser OR EXISTS (
        SELECT 1 FROM auth_permission permission
        JOIN django_content_type model ON model.id = permission.content_type_id
        WHERE model.app_label = 'ownership' AND permission.codename = '{READING_PERMISSION}' AND (
            EXISTS (
                SELECT 1 FROM auth_user_groups member
                JOIN auth_group_permissions granted ON granted.group_id = member.group_id
                WHERE member.user_id = account.id AND granted.permission_id = permission.id
            ) OR EXISTS (
                SELECT 1 FROM auth_user_user_permissions granted
                WHERE granted.user_id = account.id AND granted.permission_id = permission.id
            )
        )
    ),
    head.revision, head.digest
    FROM "{ApiToken._meta.db_table}" token
    JOIN "{get_user_model()._meta.db_table}" account ON account.id = token.user_id
    LEFT JOIN ({HEAD_SQL}) head ON 1 = 1
    WHERE token.token_key = %s
"""  # noqa: S608 (names of our own tables)


class CheckedToken(NamedTuple):
    """A row of TOKEN_QUERY: a token with its account and the head of history. True and false may be 1 and 0."""

    digest: str
    expiry: datetime | str | None
    is_expired: bool | None
    was_used_today: bool | None
    user_id: int
    username: str
    is_active: bool
    has_role: bool
    revision: int | None
    head_digest: str | None

    @property
    def history_head(self) -> Head:
        """The head of history when the token was checked."""
        return Head(self.revision or 0, self.head_digest or "")


class TokenAuthentication(auth.TokenAuthentication):
    """knox's tokens, checked by one query. Nothing is written but the day of last use.

    knox itself deletes the user's expired tokens on each request: one more query and a write.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[AbstractBaseUser, CheckedToken]:
        """The token's user and the token; AuthenticationFailed if it is unknown or expired, or its account inactive."""
        now = timezone.now()
        row = _find_token(token.decode("ascii", errors="replace"), now)
        if row is None:
            raise AuthenticationFailed(f"Invalid token. {HOW_TO_GET_A_TOKEN}")
        if row.is_expired:
            day = str(row.expiry)[:10]  # SQLite returns the time as text
            raise AuthenticationFailed(f"This token expired on {day}. {HOW_TO_GET_A_TOKEN}")
        if not row.is_active:
            raise AuthenticationFailed("The account of this token is inactive.")
        if not row.was_used_today:
            # A later use today will note it, if this one can't.
            used = ApiToken.objects.filter(digest=row.digest)
            write_if_free(lambda: used.update(last_used=now.date()))
        # Other columns of the account are read if someone asks for them.
        account = (row.user_id, row.username, row.is_active)
        user = get_user_model().from_db(
            router.db_for_read(ApiToken), ["id", "username", "is_active"], account
        )
        return user, row


def _find_token(text: str, now: datetime) -> CheckedToken | None:
    connection = connections[router.db_for_read(ApiToken)]
    parameters = [
        connection.ops.adapt_datetimefield_value(now),
        connection.ops.adapt_datefield_value(now.date()),
        # PostgreSQL can't look for a NUL character.
        text[: CONSTANTS.TOKEN_KEY_LENGTH].replace("\x00", ""),
    ]
    with connection.cursor() as cursor:
        cursor.execute(TOKEN_QUERY, parameters)
        rows = cursor.fetchall()
    digest = hash_token(text)
    for row in map(CheckedToken._make, rows):
        if compare_digest(digest, row.digest):
            return row
    return None


class TokenScheme(OpenApiAuthenticationExtension):
    """Describes tokens in the OpenAPI schema."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: "AutoSchema") -> dict[str, str]:
        """An API key in the Authorization header."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token own_…`",
        }


class SessionAuthentication(authentication.SessionAuthentication):
    """The admin's sign-in. Without a CSRF check: nothing can be written, and a POST should get a 405."""

    def enforce_csrf(self, request: "Request") -> None:
        """Accept the request."""


class SessionCookieScheme(SessionScheme):
    """Describes the admin's sign-in in the OpenAPI schema."""

    target_class = "ownership.api.authentication.SessionAuthentication"


class HasRole(BasePermission):
    """Signed in or with a token, by an account with a role: what history needs, even if the map is open to everyone."""

    # Anonymous requests get 401 instead.
    message = NO_ROLE

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        """Whether the request may read history."""
        if isinstance(request.auth, CheckedToken):
            return bool(request.auth.has_role)
        return has_role(request.user)


class MayRead(HasRole):
    """An account with a role, or anyone if ANONYMOUS_READ is on."""

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        """Whether the request may read the map."""
        return settings.ANONYMOUS_READ or super().has_permission(request, view)
