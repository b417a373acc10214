"""Secrets of endpoints: storing them, replacing them, and opening them to send something.

They are stored encrypted, so that a dump of the database does not reveal them: AES-256-GCM, with a key that is derived
from SECRET_KEY. With another SECRET_KEY nothing can be opened.
"""

import os
import secrets
from base64 import b64decode, b64encode
from datetime import timedelta
from functools import cache
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ownership.models import Endpoint, EndpointSecret
from ownership.models.news import LONGEST_ADDRESS, is_web_address

# How long a webhook is signed with its previous secret as well.
GRACE = timedelta(days=1)
WEBHOOK_PREFIX = "whsec_"  # of Standard Webhooks
WEBHOOK_SECRET_LENGTH = 32  # bytes
LONGEST_TOKEN = 500

PURPOSE = b"ownership registry: secrets of endpoints"
NONCE_LENGTH = 12  # bytes, before the encrypted ones


class Unreadable(ValueError):
    """The secret can't be opened: it was sealed with another key or for another owner, or it was altered."""


class NoSecret(Exception):
    """The endpoint has no usable secret. The message says what to do; it is empty if there is none at all."""


def new_webhook_secret() -> str:
    """A random secret in the format of Standard Webhooks."""
    return WEBHOOK_PREFIX + b64encode(secrets.token_bytes(WEBHOOK_SECRET_LENGTH)).decode()


def check_given(kind: str, secret: str) -> None:
    """Raise ValidationError for what can't be the secret of an endpoint of that kind."""
    if kind == Endpoint.Kind.SLACK:
        if len(secret) > LONGEST_ADDRESS or urlsplit(secret).scheme != "https":
            raise ValidationError("Give the full address of the incoming webhook: https://…")
        is_web_address(secret)
    elif (
        not secret.isascii()
        or not secret.isprintable()
        or " " in secret
        or len(secret) > LONGEST_TOKEN
    ):
        raise ValidationError(
            "A token consists of letters, digits and punctuation, without spaces."
        )


def give_secret(endpoint: Endpoint, secret: str, user_name: str, *, at_once: bool = False) -> None:
    """Make it the endpoint's secret. A webhook's previous one stays valid for GRACE, unless ``at_once`` is true."""
    now = timezone.now()
    with transaction.atomic():
        if endpoint.kind == Endpoint.Kind.WEBHOOK and not at_once:
            endpoint.secrets.exclude(valid_until=None).delete()
            endpoint.secrets.update(valid_until=now + GRACE)
        else:
            endpoint.secrets.all().delete()
        EndpointSecret.objects.create(
            endpoint=endpoint,
            sealed=seal(secret, _owner(endpoint)),
            time=now,
            user_name=user_name,
        )


def valid_secrets(endpoint: Endpoint) -> list[str]:
    """The secrets to use now, newest first; raises NoSecret if there are none, or the newest can't be opened."""
    valid = Q(valid_until=None) | Q(valid_until__gt=timezone.now())
    stored = list(endpoint.secrets.filter(valid))
    if not stored:
        # The endpoint's state says so by itself, and only for as long as that is true.
        raise NoSecret("")
    opened = []
    for secret in stored:
        try:
            opened.append(unseal(secret.sealed, _owner(endpoint)))
        except Unreadable:
            if secret.valid_until is None:
                raise NoSecret(
                    "Its secret can no longer be opened: the registry's key or the endpoint's address has changed. "
                    "Give it a new secret."
                ) from None
    return opened


def _owner(endpoint: Endpoint) -> str:
    """What the secret belongs to. A token for GitHub is bound to its address, and is sent nowhere else."""
    owner = f"{endpoint.kind} {endpoint.pk}"
    if endpoint.kind == Endpoint.Kind.GITHUB:
        return f"{owner} {endpoint.address}"
    return owner


def seal(secret: str, owner: str) -> str:
    """The secret, encrypted. It can be opened only with the same ``owner``, a text that says what it belongs to."""
    nonce = os.urandom(NONCE_LENGTH)
    encrypted = _cipher(settings.SECRET_KEY).encrypt(nonce, secret.encode(), owner.encode())
    return b64encode(nonce + encrypted).decode()


def unseal(sealed: str, owner: str) -> str:
    """The secret; raises Unreadable."""
    try:
        content = b64decode(sealed, validate=True)
        nonce, encrypted = content[:NONCE_LENGTH], content[NONCE_LENGTH:]
        return _cipher(settings.SECRET_KEY).decrypt(nonce, encrypted, owner.encode()).decode()
    except (InvalidTag, ValueError):
        raise Unreadable("This secret can't be opened.") from None


@cache
def _cipher(secret_key: str) -> AESGCM:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE)
    return AESGCM(derivation.derive(secret_key.encode()))
