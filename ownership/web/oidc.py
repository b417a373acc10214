"""Sign-in with an OpenID Connect provider, whose groups become team leads, viewers and members of teams.

Needs the extra ``oidc``.
"""

import logging
from typing import Any

import jwt
import requests
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from jwt.exceptions import PyJWTError
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from ownership.history.bulk import delete_rows
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.models import Membership, ProviderIdentity, Team
from ownership.models.rights import TEAM_LEADS, VIEWERS

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
    IntegrityError,  # two first sign-ins of the same person at once
)
LONGEST_IDENTITY = 255  # of ProviderIdentity's columns; OpenID Connect allows no more for a subject
LONGEST_NAME = 150  # of an account

FAILED = "Sign-in failed. Try again, or ask an administrator."
NO_GROUP = "Your company account has no group in the registry. Ask an administrator."
NO_ADDRESS = "Your company account has no verified e-mail address. Ask an administrator."
LOCAL_ACCOUNT = (
    "The account with your e-mail address signs in with a password. Ask an administrator."
)
OTHER_PERSON = (
    "The account with your e-mail address belongs to another company account. Ask an administrator."
)


class SignInRefused(Exception):
    """Somebody whom the provider knows may not sign in here. The message is for the person."""


class OidcBackend(OIDCAuthenticationBackend):
    """Accounts without a password, found by the provider's number for a person and named by e-mail address.

    At each sign-in, the provider decides their groups.
    """

    def authenticate(self, request: HttpRequest | None, **kwargs: object) -> User | None:
        """The account. None, with a message for the person, if the sign-in failed for any reason."""
        # Other sign-ins ask every backend, too.
        if request is None or "code" not in request.GET:
            return None
        user = None
        problem = FAILED
        try:
            user = super().authenticate(request, **kwargs)
        except SignInRefused as refused:
            problem = str(refused)
        except PROVIDER_ERRORS as error:
            # The message is not logged: it may quote the provider's response.
            LOG.warning("Sign-in with OpenID Connect failed: %s", type(error).__name__)
        if user is None:
            messages.error(request, problem)
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
        if "email" in user_info and user_info["email"] != payload.get("email"):
            # What the ID token says is verified is another address.
            payload = {name: value for name, value in payload.items() if name != "email_verified"}
        return payload | user_info

    def get_or_create_user(self, access_token: str, id_token: str, payload: Claims) -> User:
        """The person's account, with the groups that the provider says, or SignInRefused.

        Groups and teams are taken away even if the sign-in is refused, and without any group the account's sessions
        end. Its tokens are refused for as long as it has no role. Raises RegistryBusy if its teams differ and another
        change set is being written for longer than a save waits.
        """
        claims = self.get_userinfo(access_token, id_token, payload)
        groups = _groups(claims)
        user = _unchanged_account(claims, groups)
        if user is not None:
            _set_teams(user, _provider_groups(claims))
            return user
        with transaction.atomic():
            user = _account(claims, groups)
            _set_groups(user, groups)
            _set_teams(user, _provider_groups(claims))
            if not groups and not _is_local(user):
                _end_sessions(user)
        if not groups:
            LOG.warning("The provider names no group of the registry for account %d.", user.pk)
            raise SignInRefused(NO_GROUP)
        if _is_local(user):
            raise SignInRefused(LOCAL_ACCOUNT)
        return user

    def get_user(self, user_id: int) -> User | None:
        """The session's account, if it is active. The library does not check that."""
        user = super().get_user(user_id)
        if user is None or not user.is_active:
            return None
        return user


def _unchanged_account(claims: Claims, groups: set[str]) -> User | None:
    """The account, if it may sign in and is already as the provider says; None if something is to be written.

    On SQLite a transaction waits for whoever writes, and most sign-ins change nothing.
    """
    user = _known_account(claims)
    if user is None or not groups:
        return None
    if _is_local(user) or _verified_address(claims) not in ("", user.username):
        return None
    our_groups = user.groups.filter(name__in=(TEAM_LEADS, VIEWERS))
    if set(our_groups.values_list("name", flat=True)) != groups:
        return None
    return user


def _account(claims: Claims, groups: set[str]) -> User:
    """The account of the person, by their number at the provider, or a new one; SignInRefused if there can't be one."""
    address = _verified_address(claims)
    user = _known_account(claims)
    if user is not None:
        _follow_address(user, address)
        return user
    if not address:
        raise SignInRefused(NO_ADDRESS)
    user = User.objects.filter(username=address).select_related("provider_identity").first()
    if user is None:
        if not groups:
            raise SignInRefused(NO_GROUP)
        user = User.objects.create_user(address, email=address)
    elif _is_local(user):
        raise SignInRefused(LOCAL_ACCOUNT)
    elif hasattr(user, "provider_identity"):
        raise SignInRefused(OTHER_PERSON)
    # What is left is an account from before identities were kept, or one that an administrator released.
    issuer, subject = _identity(claims)
    ProviderIdentity.objects.create(user=user, issuer=issuer, subject=subject)
    return user


def _known_account(claims: Claims) -> User | None:
    """The account by the person's number at the provider."""
    issuer, subject = _identity(claims)
    known = ProviderIdentity.objects.filter(issuer=issuer, subject=subject).select_related("user")
    identity = known.first()
    return None if identity is None else identity.user


def _identity(claims: Claims) -> tuple[str, str]:
    """Issuer and subject; ValueError if they are missing or unfit for a database."""
    issuer, subject = claims["iss"], claims["sub"]
    for text in (issuer, subject):
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST_IDENTITY or "\x00" in text:
            raise ValueError("iss or sub is not a text of 1 to 255 characters.")
    return issuer, subject


def _verified_address(claims: Claims) -> str:
    """The person's address in lower case; empty if the provider has not verified it, or if it can't name an account."""
    # Some providers send "true" as text.
    if claims.get("email_verified") not in (True, "true"):
        return ""
    address = str(claims.get("email") or "").lower()
    try:
        validate_email(address)
    except ValidationError:
        return ""
    return address if len(address) <= LONGEST_NAME else ""


def _follow_address(user: User, address: str) -> None:
    """Name the account by the person's new address, unless that names another account."""
    if not address or address == user.username or _is_local(user):
        return
    if User.objects.filter(username=address).exists():
        return
    user.username = user.email = address
    user.save(update_fields=["username", "email"])


def _is_local(user: User) -> bool:
    """Whether the account belongs to the registry alone: it signs in with a password."""
    return user.has_usable_password() or user.is_superuser


def _set_groups(user: User, groups: set[str]) -> None:
    """Give the account those of our groups that the provider's stand for; without any, take away every right."""
    if not groups:
        user.groups.clear()
        user.user_permissions.clear()
        return
    for group in Group.objects.filter(name__in=(TEAM_LEADS, VIEWERS)):
        if group.name in groups:
            user.groups.add(group)
        else:
            user.groups.remove(group)


def _set_teams(user: User, provider_groups: set[str]) -> None:
    """Make the account a member of the teams that its groups at the provider stand for, and of no other such team.

    In a change set, if anything differs. Teams without a group there are left alone.
    """
    mapped = Team.objects.exclude(oidc_group="")
    wanted = set(mapped.filter(oidc_group__in=provider_groups).values_list("pk", flat=True))
    memberships = list(user.memberships.filter(team__in=mapped))
    ended = [membership for membership in memberships if membership.team_id not in wanted]
    new = wanted - {membership.team_id for membership in memberships}
    if not ended and not new:
        return
    reason = f"The provider's groups of {user.username}."
    with change_set(user=user, reason=reason, source=ChangeSet.Source.SIGN_IN):
        delete_rows(ended)
        for team_id in sorted(new):
            Membership(team_id=team_id, user=user).save()


def _end_sessions(user: User) -> None:
    # Every session has a hash of the account's password. An unusable password is a new random text each time.
    user.set_unusable_password()
    user.save(update_fields=["password"])


def _provider_groups(claims: Claims) -> set[str]:
    """The names of the person's groups at the provider."""
    names = claims.get(settings.OIDC_GROUPS_CLAIM) or []
    # Some providers send a single group as text.
    if isinstance(names, str):
        names = [names]
    # No team's group has a NUL character, which PostgreSQL cannot look for.
    return {name for name in names if isinstance(name, str) and "\x00" not in name}


def _groups(claims: Claims) -> set[str]:
    """Our groups for the provider's groups."""
    provider_groups = _provider_groups(claims)
    groups = set()
    if not provider_groups.isdisjoint(settings.OIDC_LEADS):
        groups.add(TEAM_LEADS)
    if not provider_groups.isdisjoint(settings.OIDC_VIEWERS):
        groups.add(VIEWERS)
    return groups
