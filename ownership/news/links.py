"""Full addresses of the registry's own pages, for those who read them elsewhere."""

from django.conf import settings
from django.urls import reverse

from ownership.history.models import ChangeSet


def whole_address(path: str) -> str:
    """The full address of one of the registry's paths."""
    return f"{settings.SITE_URL}{path}"


def change_set_address(change_set: ChangeSet) -> str:
    """The full address of a change set's page."""
    return whole_address(reverse("pages:change-set", args=[change_set.revision]))
