"""A person who gets mail, and time that passes for the mails alone."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from ownership.news import mailing


@pytest.fixture
def reader(viewer: User) -> User:
    """Who watches."""
    viewer.email = "reader@registry.example"
    viewer.save()
    return viewer


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Let so much time pass, for the mails alone."""
    passed = timedelta()

    def pass_time(more: timedelta) -> None:
        nonlocal passed
        passed += more

    monkeypatch.setattr(mailing, "timezone", SimpleNamespace(now=lambda: timezone.now() + passed))
    return pass_time
