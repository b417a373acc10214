"""Sign-in at an OpenID Connect provider, whose groups make team leads and viewers; the optional extra `oidc`."""

import logging
from typing import Any

import jwt
import requests
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser, Group
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from jwt.exceptions import PyJWTError
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from ownership.models.roles import TEAM_LEADS, VIEWERS

LOG = logging.getLogger("ownership.oidc")


class OidcBackend(OIDCAuthenticationBackend):
    """Accounts named by e-mail address, without password, in the groups that the provider says at each sign-in."""

    def authenticate(self, request: HttpRequest, **kwargs: Any) -> AbstractBaseUser | None:
        """The account, or None and a word for the person; also where the provider is away or answers nonsense."""
        if request is None or "code" not in request.GET:
            return None
        try:
            user = super().authenticate(request, **kwargs)
        except (requests.RequestException, PyJWTError, SuspiciousOperation, KeyError, TypeError, ValueError) as error:
            # Without its words: they may quote what the provider answered.
            LOG.warning("Sign-in by OpenID Connect failed: %s", type(error).__name__)
            user = None
        if user is None:
            messages.error(
                request, "The sign-in did not work, or your account has no group here: ask an administrator."
            )
        return user

    def retrieve_matching_jwk(self, token: str) -> Any:
        """The key that signed the token; a provider with a single one need not name it."""
        if "kid" in jwt.get_unverified_header(token):
            return super().retrieve_matching_jwk(token)
        [key] = requests.get(self.OIDC_OP_JWKS_ENDPOINT, timeout=settings.OIDC_TIMEOUT).json()["keys"]
        return jwt.PyJWK(key)

    def verify_token(self, token: str, **kwargs: Any) -> Any:
        """As the library does, and that it was made for us; the library leaves that to us."""
        claims = super().verify_token(token, **kwargs)
        audience = claims.get("aud")
        if settings.OIDC_RP_CLIENT_ID not in (audience if isinstance(audience, list) else [audience]):
            raise SuspiciousOperation("The token is for another client.")
        return claims

    def get_userinfo(self, access_token: str, id_token: str, payload: dict[str, Any]) -> dict[str, Any]:
        """What the provider says of the person; some say groups in the ID token only."""
        said = super().get_userinfo(access_token, id_token, payload)
        if said.get("sub") != payload.get("sub"):
            raise SuspiciousOperation("The answers are about different people.")
        return payload | said

    def verify_claims(self, claims: dict[str, Any]) -> bool:
        """Who has an address that is not known to be somebody else's, and a group of ours."""
        return bool(claims.get("email")) and claims.get("email_verified") is not False and bool(_groups(claims))

    def filter_users_by_claims(self, claims: dict[str, Any]) -> Any:
        """The account of that address. One that signs in by password is never taken over."""
        found = self.UserModel.objects.filter(username=self.get_username(claims))
        if any(user.has_usable_password() or user.is_superuser for user in found):
            raise SuspiciousOperation("An account of this name signs in by password.")
        return found

    def get_username(self, claims: dict[str, Any]) -> str:
        """The address: it tells readers of history who it was."""
        return claims["email"].lower()

    def create_user(self, claims: dict[str, Any]) -> AbstractBaseUser:
        """A new account with its groups."""
        return self.update_user(super().create_user(claims), claims)

    def update_user(self, user: Any, claims: dict[str, Any]) -> AbstractBaseUser:
        """The account, in the groups that the provider says, and not in the others of ours."""
        wanted = _groups(claims)
        for group in Group.objects.filter(name__in=(TEAM_LEADS, VIEWERS)):
            (user.groups.add if group.name in wanted else user.groups.remove)(group)
        return user

    def get_user(self, user_id: Any) -> AbstractBaseUser | None:
        """The session's account while it is active."""
        user = super().get_user(user_id)
        return user if user is not None and user.is_active else None


def _groups(claims: dict[str, Any]) -> set[str]:
    """Our groups for the provider's."""
    said = claims.get(settings.OIDC_GROUPS_CLAIM) or []
    said = {said} if isinstance(said, str) else {one for one in said if isinstance(one, str)}
    ours = ((TEAM_LEADS, settings.OIDC_LEADS), (VIEWERS, settings.OIDC_VIEWERS))
    return {group for group, theirs in ours if said & set(theirs)}
