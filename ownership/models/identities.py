"""Whose account is whose at the OpenID Connect provider."""

from django.conf import settings
from django.db import models


class ProviderIdentity(models.Model):
    """The person at the provider to whom an account belongs.

    The provider's number for a person (``sub``) never changes and is never given to another person. An e-mail address
    may be both, so it names accounts but never decides whose they are.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="provider_identity"
    )
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)

    class Meta:
        default_permissions = ()
        verbose_name_plural = "provider identities"
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="%(class)s_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"
