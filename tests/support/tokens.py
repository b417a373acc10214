"""API tokens for tests."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from knox.models import get_digest_token
from knox.settings import CONSTANTS

from ownership.models import ApiToken


def make_token(user: User, **fields: Any) -> tuple[ApiToken, str]:
    """A saved token, by default valid for a day, and what its owner was shown."""
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
