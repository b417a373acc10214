"""Opening a change set: every write to the registry happens inside one."""

import getpass
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from asgiref.local import Local
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from ownership.history.digest import chain_digest, entry_content
from ownership.history.entries import entries_of
from ownership.history.lock import in_turn, lock_registry, or_busy, say_who_writes
from ownership.history.models import ChangeSet
from ownership.history.request_id import current_request_id
from ownership.history.signals import change_set_written

LOG = logging.getLogger("ownership.history")
NO_REASON = "No reason given: written outside a change set."


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
            request_id=current_request_id.get(),
        )
        change.digest = chain_digest(self.previous_digest, change, entries)
        change.save(force_insert=True)
        transaction.on_commit(partial(_tell, change, len(entries)))
        return change


def _tell(change: ChangeSet, entries: int) -> None:
    change_set_written.send(ChangeSet, change_set=change)
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
