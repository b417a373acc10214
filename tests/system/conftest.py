"""Two teams, where rights follow the owner."""

import pytest
from django.test import Client

from tests.support.owned_map import OwnedMap


@pytest.fixture
def owned(db, settings) -> OwnedMap:
    settings.RIGHTS_FOLLOW_OWNER = True
    return OwnedMap()


@pytest.fixture
def ann(owned) -> Client:
    """Signed in as a lead of Money, who tries to change what Bots owns."""
    return owned.client(owned.ann)
