"""Fixtures of the API's tests."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from ownership.models import Table
from tests.support.factories import make_service, make_table


@pytest.fixture
def get(viewer_client: Client) -> Callable[..., Any]:
    """GET below /api/v1/ as a signed-in viewer; keyword arguments are headers."""

    def get(path: str, **headers: str) -> Any:
        return viewer_client.get(
            f"/api/v1/{path}", headers={key.replace("_", "-"): v for key, v in headers.items()}
        )

    return get


@pytest.fixture
def open_to_all(settings) -> None:
    """Anyone may read."""
    settings.ANONYMOUS_READ = True


@pytest.fixture
def here(db) -> Table:
    """One table, so that every address has an answer."""
    return make_table("here-it-is", owner=make_service("owner"))
