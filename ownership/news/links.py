"""Addresses of the registry's own pages, whole, for those who read them elsewhere."""

from django.conf import settings
from django.urls import reverse

from ownership.history.models import ChangeSet


def whole_address(path: str) -> str:
    """The address of a path of ours."""
    return f"{settings.SITE_URL}{path}"


def change_set_address(change_set: ChangeSet) -> str:
    """The page of a change set."""
    return whole_address(reverse("pages:change-set", args=[change_set.revision]))
