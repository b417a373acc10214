"""Fixtures of the API's tests."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from knox.models import get_digest_token
from knox.settings import CONSTANTS

from ownership.models import ApiToken, Table
from tests.support.factories import make_service, make_table


@pytest.fixture
def get(viewer_client: Client) -> Callable[..., Any]:
    """GET below /api/v1/ as a signed-in viewer; keyword arguments are headers."""

    def get(path: str, **headers: str) -> Any:
        return viewer_client.get(f"/api/v1/{path}", headers={key.replace("_", "-"): v for key, v in headers.items()})

    return get


@pytest.fixture
def open_to_all(settings) -> None:
    """Anyone may read."""
    settings.ANONYMOUS_READ = True


@pytest.fixture
def here(db) -> Table:
    """One table, so that every address has an answer."""
    return make_table("here-it-is", owner=make_service("owner"))


def make_token(user: User, **fields: Any) -> tuple[ApiToken, str]:
    """A saved token, good for a day unless said otherwise, and what its owner was shown."""
    digest, shown = get_digest_token()
    token = ApiToken(
        name="test",
        user=user,
        digest=digest,
        token_key=shown[: CONSTANTS.TOKEN_KEY_LENGTH],
        **{"expiry": timezone.now() + timedelta(days=1)} | fields,
    )
    token.save(force_insert=True)
    return token, shown
