"""Reads settings from environment variables. A missing or wrong one is an error that says what to do."""

import base64
import os
from ipaddress import ip_network

from django.core.exceptions import ImproperlyConfigured
from pythonjsonlogger.core import RESERVED_ATTRS

# How a log line becomes JSON. Without Django's `request`, whose text contains the query.
JSON_LINES = {
    "()": "pythonjsonlogger.json.JsonFormatter",
    "format": "{levelname}{name}{message}",
    "style": "{",
    "timestamp": True,
    "rename_fields": {"levelname": "level", "name": "logger"},
    "reserved_attrs": [*RESERVED_ATTRS, "request"],
}
TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}
SHORTEST_SECRET = 16
LENGTH_OF_KEY = 32  # bytes


def required(name: str, cure: str) -> str:
    """The variable's text. ``cure`` is the error's advice if it is not set."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {cure}")
    return value


def text(name: str, default: str) -> str:
    """The variable's text, or the default if it is not set or empty."""
    return os.environ.get(name, "").strip() or default


def boolean(name: str, default: bool) -> bool:
    """Yes or no. Anything else is an error, so that a typo does not switch off a protection."""
    value = os.environ.get(name)
    if value is None:
        return default
    word = value.strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no. Set it to 1 or 0.")


def integer(name: str, default: int) -> int:
    """A whole number of at least 0."""
    value = os.environ.get(name, str(default))
    if value.isascii() and value.isdigit():
        return int(value)
    raise ImproperlyConfigured(f"{name}={value!r} is not a whole number. Unset it for {default}.")


def choice(name: str, default: str, allowed: list[str]) -> str:
    """One of the allowed words."""
    value = text(name, default).lower()
    if value not in allowed:
        raise ImproperlyConfigured(
            f"{name}={value!r} is not one of {', '.join(allowed)}. Unset it for {default}."
        )
    return value


def secret(name: str) -> str:
    """A secret of at least 16 characters, or an empty text if it is not set."""
    value = text(name, "")
    if value and len(value) < SHORTEST_SECRET:
        raise ImproperlyConfigured(
            f"{name} is too short for a secret. Use {SHORTEST_SECRET} random characters or more."
        )
    return value


def signing_key(name: str) -> bytes | None:
    """The 32 bytes of an Ed25519 key, given in Base64; None if it is not set."""
    value = text(name, "")
    if not value:
        return None
    try:
        key = base64.b64decode(value, validate=True)
    except ValueError:
        key = b""
    if len(key) != LENGTH_OF_KEY:
        raise ImproperlyConfigured(
            f"{name} is not a key. Make one with `openssl rand -base64 {LENGTH_OF_KEY}`, and keep it secret."
        )
    return key


def networks(name: str) -> list[str]:
    """IP addresses and networks, separated by commas."""
    values = words(name)
    for value in values:
        try:
            ip_network(value)
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} contains {value!r}. Use addresses or networks, such as 10.0.0.0/8."
            ) from None
    return values


def words(name: str, default: str = "") -> list[str]:
    """The parts of a text with commas, without blanks and empty parts."""
    parts = os.environ.get(name, default).split(",")
    return [part.strip() for part in parts if part.strip()]
