"""History: every write to the registry leaves entries, tied to one change set, in one transaction.

A *change set* is everything that one person changed in one save, for one reason; its number is the
registry's *revision*. An *entry* is one history row: what happened to one registry row, in words of that time.

``recording.py`` writes the entries, and ``rows.py`` reads the rows that they are about.
"""

import getpass
import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

from asgiref.local import Local
from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils import timezone

from ownership.lock import in_turn, lock_registry, or_busy, say_who_writes
from ownership.request_log import LONGEST_ID, note_change_set, request_id

LOG = logging.getLogger("ownership.history")
CREATED, CHANGED, DELETED = "+", "~", "-"
VERBS = {CREATED: "created", CHANGED: "changed", DELETED: "deleted"}
NO_REASON = "No reason given: written outside a change set."


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
        max_length=LONGEST_ID,
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


class _Draft:
    """The change set being made in the open transaction. It takes its revision when its first entry is written."""

    def __init__(
        self, *, user_id: int | None, user_name: str, reason: str, source: str, undoes: int | None = None
    ) -> None:
        self.user_id, self.user_name, self.reason, self.source = user_id, user_name, reason, source
        self.undoes = undoes
        self.revision: int | None = None
        self.sequence = 0
        self.models: set[Any] = set()  # whose entries it wrote
        self.announced = False
        self.deleted: list[Any] | None = None  # what rows were, while some are being deleted together

    def take_place(self) -> tuple[int, int]:
        """The revision, and the next place in it. The registry's lock is held, so nobody else takes the same."""
        if self.revision is None:
            head = ChangeSet.objects.order_by("-revision").first()
            self.revision = head.revision + 1 if head else 1
            self.time = max(timezone.now(), head.time) if head else timezone.now()
            self.previous_digest = head.digest if head else ""
        self.sequence += 1
        return self.revision, self.sequence

    def announce(self) -> None:
        """Tell those who wait for the lock who has it; for change sets that take long."""
        if not self.announced:
            say_who_writes(f"{self.source} by {self.user_name}: {self.reason}")
            self.announced = True

    def finish(self) -> ChangeSet | None:
        """Write the change set, last, with the digest over what the database now holds; None if nothing changed.

        The entries are read back rather than remembered: a savepoint may have taken some of them away again.
        """
        if self.revision is None:
            return None
        entries = [entry_content(row) for row in entries_of([self.revision], self.models)]
        if not entries:
            return None
        change = ChangeSet(
            revision=self.revision,
            time=self.time,
            user_id=self.user_id,
            user_name=self.user_name,
            reason=self.reason,
            source=self.source,
            undoes_id=self.undoes,
            request_id=request_id(),
        )
        change.digest = chain_digest(self.previous_digest, change, entries)
        change.save(force_insert=True)
        transaction.on_commit(partial(_tell, change, len(entries)))
        return change


def _tell(change: ChangeSet, entries: int) -> None:
    note_change_set(change.revision)
    extra = {"change_set": change.revision, "by": change.user_name, "source": str(change.source), "entries": entries}
    LOG.info("Revision %d written", change.revision, extra=extra)


# Follows the connection: Django keeps connections in the same kind of local.
_state = Local()


def open_draft() -> _Draft | None:
    """The change set that the current transaction is making, or None."""
    return getattr(_state, "draft", None)


@contextmanager
def change_set(
    *,
    user: AbstractBaseUser | None = None,
    reason: str,
    source: str = ChangeSet.Source.COMMAND,
    undoes: int | None = None,
) -> Iterator[_Draft]:
    """Make every registry write inside one transaction, one change set and one revision.

    Without a user (a command), the name is that of the account the process runs as; ``undoes`` is the
    revision that this change set reverses. Raises ValueError
    for a blank reason, RuntimeError inside another change set, RegistryBusy where another one is being written for
    longer than a save waits. An exception undoes all of it.
    """
    if not reason.strip():
        raise ValueError("A change set needs a reason: say why the registry changes.")
    if open_draft() is not None:
        raise RuntimeError("A change set is already open: one save, one reason, one change set.")
    with or_busy(), in_turn(), transaction.atomic():
        lock_registry()
        _state.draft = _Draft(
            user_id=user.pk if user else None,
            user_name=user.get_username() if user else account_name(),
            reason=reason.strip(),
            source=source,
            undoes=undoes,
        )
        try:
            yield _state.draft
            _state.draft.finish()
        finally:
            _state.draft = None


@contextmanager
def joined_change_set(reason: str = NO_REASON) -> Iterator[_Draft]:
    """Join the open change set, or open one: what a bare ``save()`` or ``delete()`` writes in."""
    draft = open_draft()
    if draft is not None:
        with transaction.atomic():
            yield draft
    else:
        with change_set(reason=reason) as draft:
            yield draft


def account_name() -> str:
    """Name of the account that the process runs as."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return "unknown"


@cache
def entry_model(model: Any) -> Any:
    """The historical model; kept, for simple-history makes a manager class each time it is asked."""
    return model.history.model


def entry_models() -> list[Any]:
    """The historical models, in the order in which the registry's models are declared."""
    return [entry_model(model) for model in registry_models()]


def registry_models() -> list[Any]:
    """The models whose rows have history."""
    return [
        model
        for model in apps.get_app_config("ownership").get_models()
        if hasattr(model._meta, "simple_history_manager_attribute")
    ]


def entries_of(revisions: list[int], models: Iterable[Any] | None = None) -> list[Any]:
    """The entries of some change sets in order; one query per historical model, or per one of those that are given."""
    models = entry_models() if models is None else models
    entries = [entry for model in models for entry in model.objects.filter(change_set__in=revisions)]
    return sorted(entries, key=lambda entry: (entry.change_set_id, entry.sequence))


def entry_content(entry: Any) -> dict[str, Any]:
    """All that an entry says, as the digest covers it.

    Not its typed columns: a field added or dropped later would change the digest of all that went before.
    What they hold stands in ``changes``; verification compares the two.
    """
    names = ("id", "history_type", "change_set_id", "sequence", "label", "changes", "gained_by", "lost_by")
    return {name: getattr(entry, name) for name in names} | {"model": entry.instance_type._meta.model_name}


def chain_digest(previous: str, change: ChangeSet, entries: list[dict[str, Any]]) -> str:
    """SHA-256 in hex over the digest before, the change set's fields and its entries in order.

    Times count in UTC with microseconds, which both databases keep; JSON with sorted keys is the form.
    """
    content = {
        "previous": previous,
        "revision": change.revision,
        "time": change.time.isoformat(timespec="microseconds"),
        "user_id": change.user_id,
        "user_name": change.user_name,
        "reason": change.reason,
        "source": str(change.source),
        "undoes": change.undoes_id,
        "request_id": change.request_id,
        "entries": entries,
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), cls=DjangoJSONEncoder)
    return hashlib.sha256(text.encode()).hexdigest()
