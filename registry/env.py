"""Reads settings from environment variables, and says what to do when one is missing or makes no sense."""

import os
from ipaddress import ip_network

from django.core.exceptions import ImproperlyConfigured
from pythonjsonlogger.core import RESERVED_ATTRS

# How a log line is made JSON. Without Django's `request`, whose text has the query in it.
JSON_LINES = {
    "()": "pythonjsonlogger.json.JsonFormatter",
    "format": "{levelname}{name}{message}",
    "style": "{",
    "timestamp": True,
    "rename_fields": {"levelname": "level", "name": "logger"},
    "reserved_attrs": [*RESERVED_ATTRS, "request"],
}
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def required(name: str, cure: str) -> str:
    """The variable's text; ImproperlyConfigured with the cure when it is not set."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {cure}")
    return value


def text(name: str, default: str) -> str:
    """The variable's text; the default where it is not set or empty."""
    return os.environ.get(name, "").strip() or default


def boolean(name: str, default: bool) -> bool:
    """The variable as yes or no; anything else is refused, for a typo must not switch a protection off."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.strip().lower() in TRUE | FALSE:
        return value.strip().lower() in TRUE
    raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no. Set it to 1 or 0.")


def integer(name: str, default: int) -> int:
    """The variable as a whole number of at least 0."""
    value = os.environ.get(name, str(default))
    if not (value.isascii() and value.isdigit()):
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number. Unset it for {default}.")
    return int(value)


def secret(name: str) -> str:
    """The variable's text, which may be missing but, where given, is of at least 16 characters."""
    value = text(name, "")
    if value and len(value) < 16:
        raise ImproperlyConfigured(f"{name} is too short to be a secret. Give 16 random characters or more.")
    return value


def networks(name: str) -> list[str]:
    """The variable's IP addresses and networks."""
    found = words(name)
    for text in found:
        try:
            ip_network(text)
        except ValueError:
            raise ImproperlyConfigured(f"{name} has {text!r}: give addresses or networks, as 10.0.0.0/8.") from None
    return found


def words(name: str, default: str = "") -> list[str]:
    """The variable's comma-separated parts, without blanks."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]
