"""Sign-in with an OpenID Connect provider, whose groups make people team leads or viewers. Needs the extra `oidc`."""

import logging
from collections.abc import Mapping
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

# What the provider says about a person, as decoded from JSON.
Claims = Mapping[str, Any]
# A provider that is away, or that answers with something else than it should.
FAILURES = (
    requests.RequestException,
    PyJWTError,
    SuspiciousOperation,
    KeyError,
    TypeError,
    ValueError,
)


class OidcBackend(OIDCAuthenticationBackend):
    """Accounts named by e-mail address, without a password, in the groups that the provider names at each sign-in."""

    def authenticate(self, request: HttpRequest | None, **kwargs: object) -> User | None:
        """The account; None, with a message for the person, if the sign-in failed for any reason."""
        if request is None or "code" not in request.GET:
            return None
        user = None
        try:
            user = super().authenticate(request, **kwargs)
        except FAILURES as error:
            # Without its message, which may quote the provider's answer.
            LOG.warning("Sign-in with OpenID Connect failed: %s", type(error).__name__)
        if user is None:
            messages.error(
                request,
                "Sign-in failed, or your account is in none of our groups. Ask an administrator.",
            )
        return user

    def retrieve_matching_jwk(self, token: str) -> object:
        """The key that signed the token. A provider with a single key need not name it."""
        if "kid" in jwt.get_unverified_header(token):
            return super().retrieve_matching_jwk(token)
        response = requests.get(self.OIDC_OP_JWKS_ENDPOINT, timeout=settings.OIDC_TIMEOUT)
        [key] = response.json()["keys"]
        return jwt.PyJWK(key)

    def verify_token(self, token: str, **kwargs: object) -> Claims:
        """The token's claims, verified by the library, which does not check that the token was made for us."""
        claims = super().verify_token(token, **kwargs)
        audience = claims.get("aud")
        if not isinstance(audience, list):
            audience = [audience]
        if settings.OIDC_RP_CLIENT_ID not in audience:
            raise SuspiciousOperation("The token is for another client.")
        return claims

    def get_userinfo(self, access_token: str, id_token: str, payload: Claims) -> Claims:
        """All claims about the person. Some providers name groups in the ID token only."""
        userinfo = super().get_userinfo(access_token, id_token, payload)
        if userinfo.get("sub") != payload.get("sub"):
            raise SuspiciousOperation("The answers are about different people.")
        return {**payload, **userinfo}

    def verify_claims(self, claims: Claims) -> bool:
        """Whether the person has an address, not known to be unverified, and is in one of our groups."""
        return bool(claims.get("email")) and claims.get("email_verified") is not False and bool(_our_groups(claims))

    def filter_users_by_claims(self, claims: Claims) -> QuerySet[User]:
        """The account with that address. An account that has a password is never taken over."""
        accounts = self.UserModel.objects.filter(username=self.get_username(claims))
        for account in accounts:
            if account.has_usable_password() or account.is_superuser:
                raise SuspiciousOperation("An account with this name signs in with a password.")
        return accounts

    def get_username(self, claims: Claims) -> str:
        """The address, so that readers of the history know who it was."""
        return claims["email"].lower()

    def create_user(self, claims: Claims) -> User:
        """A new account with its groups."""
        return self.update_user(super().create_user(claims), claims)

    def update_user(self, user: User, claims: Claims) -> User:
        """Put the account into the groups that the provider names, and take it out of our other ones."""
        names = _our_groups(claims)
        for group in Group.objects.filter(name__in=(TEAM_LEADS, VIEWERS)):
            if group.name in names:
                user.groups.add(group)
            else:
                user.groups.remove(group)
        return user

    def get_user(self, user_id: int) -> User | None:
        """The session's account, as long as it is active."""
        user = super().get_user(user_id)
        if user is None or not user.is_active:
            return None
        return user


def _our_groups(claims: Claims) -> set[str]:
    """The names of our groups that the provider's groups stand for."""
    named = claims.get(settings.OIDC_GROUPS_CLAIM) or []
    if isinstance(named, str):
        named = [named]
    theirs = {name for name in named if isinstance(name, str)}
    ours = set()
    if not theirs.isdisjoint(settings.OIDC_LEADS):
        ours.add(TEAM_LEADS)
    if not theirs.isdisjoint(settings.OIDC_VIEWERS):
        ours.add(VIEWERS)
    return ours
