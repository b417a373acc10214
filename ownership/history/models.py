"""The two models of history: change set and entry."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from ownership.history.request_id import LONGEST_REQUEST_ID

CREATED, CHANGED, DELETED = "+", "~", "-"
VERBS = {CREATED: "created", CHANGED: "changed", DELETED: "deleted"}


class ChangeSet(models.Model):
    """Everything that one person changed in one save, for one reason. Written once, never changed.

    The user is kept as a number and a name, not as a foreign key: deleting an account changes nothing here.
    """

    class Source(models.TextChoices):
        """Which way the change came in."""

        ADMIN = "admin", "Admin"
        SEED = "seed", "Seed"
        IMPORT = "import", "Import"
        RESTORE = "restore", "Restore"
        DRIFT = "drift", "Drift"
        COMMAND = "command", "Command"

    revision = models.PositiveBigIntegerField(primary_key=True, help_text="One per change set, in commit order.")
    time = models.DateTimeField(db_index=True, help_text="Never earlier than the change set before.")
    user_id = models.BigIntegerField(null=True, editable=False)
    user_name = models.CharField("who", max_length=150)
    reason = models.TextField("why")
    source = models.CharField(max_length=10, choices=Source.choices)
    undoes = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,  # below, of those alone that undo one: with all the others in it, databases pass it by
        related_name="undone_by",
        help_text="The change set it reverses.",
    )
    request_id = models.CharField(
        "request",
        max_length=LONGEST_REQUEST_ID,
        blank=True,
        help_text="X-Request-ID of the request that wrote it, as in the log.",
    )
    digest = models.CharField(
        max_length=64,
        unique=True,
        help_text="SHA-256 over this change set, its entries and the digest before it.",
    )

    class Meta:
        ordering = ["-revision"]
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                name="change_set_has_reason",
                condition=~models.Q(reason=""),
                violation_error_message="Say why: a change set needs a reason.",
            ),
            models.CheckConstraint(name="change_set_has_user", condition=~models.Q(user_name="")),
        ]
        indexes = [
            models.Index(fields=["user_id", "revision"], name="change_set_by_user"),
            models.Index(
                fields=["undoes", "revision"], name="change_set_by_undone", condition=models.Q(undoes__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"Revision {self.revision}: {self.reason}"


class Entry(models.Model):
    """What a history row holds beside simple-history's typed copy of the row: one registry row's part in a change set.

    Label and changes are text of that time, so that reading history needs neither the rows of today nor
    the entry before.
    """

    change_set = models.ForeignKey(ChangeSet, models.PROTECT, related_name="+")
    sequence = models.PositiveIntegerField(help_text="Place within the change set, from 1.")
    label = models.CharField(max_length=600, help_text="What the row was called when this was written.")
    changes = models.JSONField(
        encoder=DjangoJSONEncoder,
        help_text="{field: [old, new]}, names instead of ids; every field where the row was created or deleted.",
    )
    # A service's timeline shows what it was given and what was taken from it; the names in `changes` can't be
    # looked up by, for names move on.
    gained_by = models.BigIntegerField(null=True, help_text="Id of the service this entry adds to.")
    lost_by = models.BigIntegerField(null=True, help_text="Id of the service it takes away from.")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label
