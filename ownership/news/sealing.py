"""Encrypting the secrets that the database holds, so that a dump does not reveal them.

AES-256-GCM, with a key that is derived from SECRET_KEY. With another SECRET_KEY nothing can be opened.
"""

import os
from base64 import b64decode, b64encode
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"ownership registry: secrets of endpoints"
NONCE_LENGTH = 12  # bytes, before the encrypted ones


class Unreadable(ValueError):
    """The secret can't be opened: it was sealed with another key or for another owner, or it was altered."""


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
