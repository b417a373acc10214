"""The reasons that somebody gave last, to choose from for the next one."""

from django import template
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from ownership.history.models import ChangeSet

register = template.Library()

SUGGESTED = 5
# Somebody may have given the same reason many times; so many of their change sets are looked through.
LOOKED_THROUGH = 20


@register.simple_tag
def latest_reasons(user: AbstractBaseUser | AnonymousUser) -> list[str]:
    """The user's latest reasons, each once; those of undoing and confirming are left out. One query."""
    own = ChangeSet.objects.filter(user_id=user.pk, undoes=None).exclude(
        source=ChangeSet.Source.CONFIRM
    )
    own = own.order_by("-revision")
    reasons = dict.fromkeys(own.values_list("reason", flat=True)[:LOOKED_THROUGH])
    return list(reasons)[:SUGGESTED]
