"""Values of query parameters. Each function raises BadParameter, which says what is allowed, for any other value."""

from collections.abc import Sequence
from datetime import datetime, time

from rest_framework.request import Request

from ownership.api.errors import BadParameter
from ownership.catalog.mine import MINE, YES
from ownership.history.models import whole_number
from ownership.history.time_travel import time_named


def number(request: Request, name: str, default: int, largest: int) -> int:
    """A whole number from 1 to ``largest``."""
    text = request.query_params.get(name)
    if text is None:
        return default
    value = whole_number(text)
    if value is None or not 1 <= value <= largest:
        raise BadParameter({name: f"Must be a whole number from 1 to {largest}."})
    return value


def choice(request: Request, name: str, choices: Sequence[str]) -> str | None:
    """One of the choices; None without the parameter."""
    value = request.query_params.get(name)
    if value is not None and value not in choices:
        raise BadParameter({name: f"Must be one of {', '.join(choices)}."})
    return value


def asks_for_mine(request: Request) -> bool:
    """Whether ``mine=true`` asks for what the account's teams are answerable for; there is no other value."""
    return choice(request, MINE, [YES]) is not None


def date_or_time(request: Request, name: str) -> datetime | None:
    """A time, or the beginning of a day, in UTC by default; None without the parameter."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        return time_named(text, time.min)
    except ValueError:
        examples = "2026-01-31 or 2026-01-31T12:00:00Z"
        raise BadParameter(
            {name: f"Must be a date or time in ISO 8601, such as {examples}."}
        ) from None
