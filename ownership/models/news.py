"""Where news of changes go: endpoints, their secrets, and what was delivered to them."""

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.urls import reverse

from ownership.history.tracked import RegistryModel
from ownership.models.validators import is_one_line

ADDRESS_RULE = (
    "Use an address such as https://ci.example.com/hooks, without a name, password or fragment."
)
LONGEST_ADDRESS = 500
# Characters of an endpoint's answer that are kept.
LONGEST_ANSWER = 1_000


def is_web_address(value: str) -> None:
    """Refuse what is not the address of an HTTP server, or holds a password."""
    is_printable = value.isascii() and value.isprintable() and " " not in value
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:  # brackets without an IPv6 address, or a port that is no number
        raise ValidationError(ADDRESS_RULE) from None
    is_complete = parts.scheme in ("http", "https") and parts.hostname and port != 0
    if not is_printable or not is_complete or "@" in parts.netloc or "#" in value:
        raise ValidationError(ADDRESS_RULE)


class Endpoint(RegistryModel):
    """A program outside that is told of changes, and of which ones.

    Each change set that passes the filters is sent to it once, in commit order. Its secrets are not part of history.
    """

    class Kind(models.TextChoices):
        """In which form it gets the changes."""

        WEBHOOK = "webhook", "Webhook"
        SLACK = "slack", "Slack"
        GITHUB = "github", "GitHub"

    name = models.CharField(max_length=100, validators=[is_one_line])
    kind = models.CharField(
        max_length=10,
        choices=Kind.choices,
        help_text=(
            "Webhook: signed JSON to an address of yours. Slack: a message in a channel, also for chats that take "
            "Slack's messages. GitHub: starts a workflow of a repository."
        ),
    )
    address = models.CharField(
        max_length=LONGEST_ADDRESS,
        blank=True,
        validators=[is_web_address],
        help_text=(
            "Webhook: https://ci.example.com/hooks. "
            "GitHub: https://api.github.com/repos/OWNER/REPOSITORY/dispatches. "
            "Everybody who reads the history sees it. Leave it blank for Slack, whose address is a secret."
        ),
    )
    active = models.BooleanField(
        default=True,
        help_text="Whether it is sent anything. What it missed meanwhile is sent when it is active again.",
    )
    # Filters are names, as in the change feed: they also find what was renamed or deleted.
    FILTERS = (
        "only_table",
        "only_service",
        "only_group",
        "only_changes",
        "only_source",
        "only_user",
    )

    only_table = models.CharField(
        "only table",
        max_length=255,
        blank=True,
        validators=[is_one_line],
        help_text="Only changes of this table, its accesses and indexes.",
    )
    only_service = models.CharField(
        "only service",
        max_length=255,
        blank=True,
        validators=[is_one_line],
        help_text="Only changes of this service, and of what it gained and lost.",
    )
    only_group = models.CharField(
        "only group",
        max_length=255,
        blank=True,
        validators=[is_one_line],
        help_text="Only changes of this group, its tables, their accesses and indexes.",
    )
    only_changes = models.CharField(
        "only changes of",
        max_length=20,
        blank=True,
        help_text="Only this kind of change.",
    )
    only_source = models.CharField(
        "only from",
        max_length=10,
        blank=True,
        help_text="Only changes that were made there.",
    )
    only_user = models.CharField(
        "only by",
        max_length=150,
        blank=True,
        validators=[is_one_line],
        help_text="Only changes by this user.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                name="endpoint_name_unique",
                violation_error_message="An endpoint with this name already exists.",
            ),
            models.CheckConstraint(
                name="endpoint_name_stated",
                condition=~Q(name=""),
                violation_error_message="An endpoint needs a name.",
            ),
            models.CheckConstraint(
                name="endpoint_kind_known",
                condition=Q(kind__in=["webhook", "slack", "github"]),
                violation_error_message="Choose webhook, Slack or GitHub.",
            ),
            models.CheckConstraint(
                name="endpoint_address_where_public",
                condition=Q(kind="slack", address="") | (~Q(kind="slack") & ~Q(address="")),
                violation_error_message=(
                    "A webhook and GitHub need an address. Leave it blank for Slack: you give it as the secret."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The page of its deliveries."""
        return reverse("admin:ownership_endpoint_deliveries", args=[self.pk])

    def clean(self) -> None:
        """Refuse an address that GitHub does not start a workflow by."""
        super().clean()
        if self.kind == self.Kind.GITHUB and not urlsplit(self.address).path.endswith(
            "/dispatches"
        ):
            raise ValidationError(
                {"address": "The address ends in /repos/OWNER/REPOSITORY/dispatches."}
            )


class EndpointSecret(models.Model):
    """A secret of an endpoint, sealed: what signs a webhook, Slack's address, or GitHub's token.

    A webhook's earlier secret is valid for a time beside the new one.
    """

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="secrets")
    sealed = models.TextField(help_text="Encrypted with a key that is not in the database.")
    time = models.DateTimeField(help_text="When it was given.")
    user_name = models.CharField(max_length=150, help_text="Who gave it.")
    valid_until = models.DateTimeField(
        null=True, help_text="Until when it is valid beside a newer one."
    )

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"secret of {self.endpoint}"


class Delivery(models.Model):
    """How far an endpoint got, and how it goes.

    Whoever delivers holds this row's lock while the endpoint answers. So nothing that the registry writes for people
    touches it: no foreign key leads from it, and it may outlive its endpoint.
    """

    endpoint = models.OneToOneField(
        Endpoint,
        models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="delivery",
    )
    revision = models.PositiveBigIntegerField(
        help_text="All changes up to this revision were sent or are not for it."
    )
    failures = models.PositiveIntegerField(default=0, help_text="Failed attempts in a row.")
    failing_since = models.DateTimeField(null=True)
    next_attempt = models.DateTimeField(null=True, help_text="Not to be tried again before.")
    problem = models.TextField(blank=True, help_text="Why nothing is delivered, for people.")

    class Meta:
        default_permissions = ()
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"endpoint {self.endpoint_id} up to revision {self.revision}"


class DeliveryRequest(models.Model):
    """What somebody asked the deliverer to do for an endpoint: a test, or to leave out what waits.

    Apart from the delivery itself, which is locked while the endpoint answers.
    """

    class Kind(models.TextChoices):
        """What to do."""

        TEST = "test", "Test"
        SKIP = "skip", "Skip"

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="delivery_requests")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    revision = models.PositiveBigIntegerField(help_text="The latest when it was asked for.")
    user_name = models.CharField(max_length=150)

    class Meta:
        default_permissions = ()
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} for {self.endpoint}"


class DeliveryAttempt(models.Model):
    """One request to an endpoint, and what came of it. Old ones are deleted."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts")
    revision = models.PositiveBigIntegerField(
        null=True, help_text="What was sent; empty for a test."
    )
    time = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(
        null=True, help_text="Of the answer, if there was one."
    )
    answer = models.TextField(blank=True, help_text="The beginning of the answer.")
    problem = models.TextField(blank=True, help_text="Why it failed, for people. Empty: delivered.")

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"revision {self.revision}: {self.problem or self.status}"
