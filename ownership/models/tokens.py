"""Tokens of the API."""

from django.db import models
from knox.models import AbstractAuthToken
from knox.settings import CONSTANTS

from ownership.models.validators import is_one_line


class ApiToken(AbstractAuthToken):
    """A person's key to the read-only API. Only its hash is stored; the token itself is shown once.

    It has a number, which knox's own model lacks: addresses and logs name the token by that, not by its hash.
    """

    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(max_length=CONSTANTS.DIGEST_LENGTH, unique=True, editable=False)

    name = models.CharField(
        max_length=100,
        validators=[is_one_line],
        help_text="What uses the token: nightly export",
    )
    last_used = models.DateField(null=True, editable=False, help_text="Day of the last use.")

    class Meta:
        verbose_name = "API token"
        verbose_name_plural = "API tokens"
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"
