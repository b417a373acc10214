"""Sign-in with an OpenID Connect provider, whose groups become team leads and viewers. Needs the extra ``oidc``."""

import logging
from typing import Any

import jwt
import requests
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.core.exceptions import SuspiciousOperation
from django.db.models import QuerySet
from django.http import HttpRequest
from jwt.exceptions import PyJWTError
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from ownership.models.roles import TEAM_LEADS, VIEWERS

LOG = logging.getLogger("ownership.oidc")

# What the provider says about a person or a token: JSON objects.
Claims = dict[str, Any]

# What the library raises if the provider is away or sends something unusable.
PROVIDER_ERRORS = (
    requests.RequestException,
    PyJWTError,
    SuspiciousOperation,
    KeyError,
    TypeError,
    ValueError,
)


class OidcBackend(OIDCAuthenticationBackend):
    """Accounts named by e-mail address, without a password. At each sign-in, the provider decides their groups."""

    def authenticate(self, request: HttpRequest | None, **kwargs: object) -> User | None:
        """The account. None, with a message for the person, if the sign-in failed for any reason."""
        # Other sign-ins ask every backend, too.
        if request is None or "code" not in request.GET:
            return None
        user = None
        try:
            user = super().authenticate(request, **kwargs)
        except PROVIDER_ERRORS as error:
            # The message is not logged: it may quote the provider's response.
            LOG.warning("Sign-in with OpenID Connect failed: %s", type(error).__name__)
        if user is None:
            messages.error(
                request,
                "Sign-in failed, or your account has no group in the registry. Ask an administrator.",
            )
        return user

    def retrieve_matching_jwk(self, token: str) -> jwt.PyJWK:
        """The key that signed the token. A provider with only one key need not name it."""
        if "kid" in jwt.get_unverified_header(token):
            return super().retrieve_matching_jwk(token)
        response = requests.get(self.OIDC_OP_JWKS_ENDPOINT, timeout=settings.OIDC_TIMEOUT)
        [key] = response.json()["keys"]
        return jwt.PyJWK(key)

    def verify_token(self, token: str, **kwargs: object) -> Claims:
        """The token's claims. The library verifies all but the audience: the token must be for this registry."""
        claims = super().verify_token(token, **kwargs)
        audience = claims.get("aud")
        if not isinstance(audience, list):
            audience = [audience]
        if settings.OIDC_RP_CLIENT_ID not in audience:
            raise SuspiciousOperation("The token is for another client.")
        return claims

    def get_userinfo(self, access_token: str, id_token: str, payload: Claims) -> Claims:
        """What the provider says about the person. Some providers put groups into the ID token only."""
        user_info = super().get_userinfo(access_token, id_token, payload)
        if user_info.get("sub") != payload.get("sub"):
            raise SuspiciousOperation("The ID token and the user info are about different people.")
        return payload | user_info

    def verify_claims(self, claims: Claims) -> bool:
        """Whether the person has a group here, and an address that is not known to be unverified."""
        if not claims.get("email"):
            return False
        # Not every provider says whether it verified the address.
        if claims.get("email_verified") is False:
            return False
        return bool(_groups(claims))

    def filter_users_by_claims(self, claims: Claims) -> QuerySet[User]:
        """The account with that address. An account that signs in with a password is never taken over."""
        users = self.UserModel.objects.filter(username=self.get_username(claims))
        for user in users:
            if user.has_usable_password() or user.is_superuser:
                raise SuspiciousOperation("The account with this name signs in with a password.")
        return users

    def get_username(self, claims: Claims) -> str:
        """The address, so that history shows who it was."""
        return claims["email"].lower()

    def create_user(self, claims: Claims) -> User:
        """A new account with its groups."""
        return self.update_user(super().create_user(claims), claims)

    def update_user(self, user: User, claims: Claims) -> User:
        """The account, with those of our groups that the provider's groups stand for, and no others of ours."""
        groups = _groups(claims)
        for group in Group.objects.filter(name__in=(TEAM_LEADS, VIEWERS)):
            if group.name in groups:
                user.groups.add(group)
            else:
                user.groups.remove(group)
        return user

    def get_user(self, user_id: int) -> User | None:
        """The session's account, if it is active. The library does not check that."""
        user = super().get_user(user_id)
        if user is None or not user.is_active:
            return None
        return user


def _groups(claims: Claims) -> set[str]:
    """Our groups for the provider's groups."""
    names = claims.get(settings.OIDC_GROUPS_CLAIM) or []
    # Some providers send a single group as text.
    if isinstance(names, str):
        names = [names]
    provider_groups = {name for name in names if isinstance(name, str)}
    groups = set()
    if not provider_groups.isdisjoint(settings.OIDC_LEADS):
        groups.add(TEAM_LEADS)
    if not provider_groups.isdisjoint(settings.OIDC_VIEWERS):
        groups.add(VIEWERS)
    return groups
