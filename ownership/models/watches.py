"""What people watch, how they want their mail, and what was mailed to them. Personal settings, without history."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Watch(models.Model):
    """A person is told of the changes of one thing, or of all that is theirs.

    The thing is kept as an id, not as a foreign key: what was deleted is told of, too, and what is restored has its id.
    """

    class Kind(models.TextChoices):
        """What is watched."""

        TABLE = "table", "Table"
        SERVICE = "service", "Service"
        GROUP = "group", "Group"
        MINE = "mine", "Mine"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="watches")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    row = models.BigIntegerField(
        null=True, help_text="Id of the table, service or group; empty for what is mine."
    )

    class Meta:
        default_permissions = ()
        verbose_name_plural = "watches"
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "row"], name="watch_once"),
            models.UniqueConstraint(
                fields=["user"], name="watch_mine_once", condition=Q(kind="mine")
            ),
            models.CheckConstraint(
                name="watch_of_something",
                condition=Q(kind="mine", row__isnull=True)
                | (~Q(kind="mine") & Q(row__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} watches {self.kind} {self.row or ''}".rstrip()


class MailPreference(models.Model):
    """How a person wants to be told."""

    class Rhythm(models.TextChoices):
        """How often there is a mail, if there is news."""

        AT_ONCE = "at_once", "Within two minutes"
        DAILY = "daily", "Once a day"
        WEEKLY = "weekly", "Once a week"
        NEVER = "never", "Never"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="mail_preference",
    )
    rhythm = models.CharField("mail", max_length=10, choices=Rhythm.choices, default=Rhythm.AT_ONCE)
    own_changes = models.BooleanField("my own changes, too", default=False)
    since = models.PositiveBigIntegerField(
        help_text="The revision when mail was switched on; it is about later ones."
    )

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"mail to {self.user}: {self.rhythm}"


class DelivererSign(models.Model):
    """The last sign of life of a deliverer: one row, for pages and metrics that say whether one is running."""

    time = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"a deliverer ran at {self.time}"


class Mailing(models.Model):
    """How far a person was told, and how the next mail goes.

    Whoever sends holds this row's lock while the mail server answers. So nothing that people wait for touches it: no
    foreign key leads from it, and it may outlive the account.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="mailing",
    )
    revision = models.PositiveBigIntegerField(
        help_text="The person was told of all changes up to this one."
    )
    last_digest = models.DateTimeField(
        null=True,
        help_text="The hour for which the last digest was made, or it was last looked for what waits.",
    )
    last_sent = models.DateTimeField(null=True, help_text="When the last mail was sent.")
    # Set before a mail is handed to the server, and emptied after it: whoever finds it set knows that a process was
    # killed in between, and can't know whether the server took the mail.
    sending_to = models.PositiveBigIntegerField(
        null=True, help_text="A mail up to this revision is being sent."
    )
    mails_begun = models.PositiveIntegerField(
        default=0, help_text="How many different mails were begun."
    )
    reminded = models.JSONField(
        default=dict,
        help_text="{key of what waits: day on which the person was last told of it}",
    )
    sending_reminders = models.JSONField(
        default=list, help_text="Keys of what waits, of which the mail that is being sent tells."
    )
    looked_at_run = models.PositiveBigIntegerField(
        null=True, help_text="The latest run of drift when it was last looked for what waits."
    )
    tries = models.PositiveIntegerField(default=0, help_text="How often this mail was begun.")
    failures = models.PositiveIntegerField(default=0, help_text="Failed attempts in a row.")
    next_attempt = models.DateTimeField(null=True, help_text="Not to be tried again before.")
    problem = models.TextField(blank=True, help_text="Why the last attempt failed, for people.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"mail to account {self.user_id} up to revision {self.revision}"
