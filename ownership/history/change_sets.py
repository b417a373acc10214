"""Change sets: every write to the registry happens inside one.

``with change_set(user=…, reason=…, source=…):`` takes the registry's lock and opens a transaction. Inside it, saving
and deleting rows writes an entry for each (``tracked.py``). At the end, the change set itself is written, with a
digest over its entries and the digest of the change set before: the digest chain.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property, partial

from asgiref.local import Local
from django.contrib.auth.models import AbstractBaseUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.utils import timezone

from ownership.history.head import Head
from ownership.history.lock import RegistryNotReady, announce_writer, locked_transaction
from ownership.history.models import (
    ChangeSet,
    Entry,
    Person,
    TrackedRow,
    entries_of,
    entry_model,
    kind_of_change,
)
from ownership.history.request_id import current_request_id
from ownership.history.row_states import Changes, differences
from ownership.history.signals import change_set_ending, change_set_written

LOG = logging.getLogger("ownership.history")
NO_REASON = "No reason given: written outside a change set."
# How far the clock may jump: clocks are set by seconds all the time.
TOLERATED_JUMP = timedelta(minutes=1)
REFUSED_JUMP = timedelta(days=1)
# PostgreSQL's channel on which whoever listens learns that a change set was written.
CHANNEL = "ownership_change_set"


def _seconds_since_boot() -> float:
    """A second clock of the machine, which nobody sets, and which goes on while it sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


# What both clocks said when this process started.
_STARTED = timezone.now()
_STARTED_SECONDS = _seconds_since_boot()


def _check_clock(now: datetime) -> None:
    """Log a warning if the clock jumped ahead since this process started; RegistryNotReady if by more than a day.

    A clock that is a month ahead for a minute would date all later change sets: times in history never go back.
    """
    expected = _STARTED + timedelta(seconds=_seconds_since_boot() - _STARTED_SECONDS)
    jump = now - expected
    if jump > REFUSED_JUMP:
        raise RegistryNotReady(
            f"The clock of this machine jumped from {expected:%Y-%m-%d %H:%M} to {now:%Y-%m-%d %H:%M} UTC. Nothing is "
            "written until it is set right. If it is right now, restart the registry."
        )
    if jump > TOLERATED_JUMP:
        LOG.warning("The clock of this machine jumped ahead by %s since this process started", jump)


class ChangeSetDraft:
    """The change set that the open transaction is making."""

    def __init__(
        self,
        *,
        user: AbstractBaseUser | None,
        reason: str,
        source: str,
        undoes: int | None,
        suggested_by: Person | None,
    ) -> None:
        self.user_id = user.pk if user else None
        self.user_name = user.get_username() if user else account_name()
        self.reason = reason
        self.source = source
        self.undoes = undoes
        self.suggested_by = suggested_by
        # Taken when the first entry is written, so that a save that changes nothing takes none.
        self.revision: int | None = None
        self.sequence = 0  # of the last entry
        self.entry_models: set[type[Entry]] = set()  # of the entries written so far
        self.entries: list[Entry] = []  # once the change set is finished
        # Each row of these entries before and after.
        self.states: list[tuple[TrackedRow | None, TrackedRow | None]] = []
        self.announced = False
        # While rows are being deleted together: what those deleted so far were.
        self.deleted_rows: list[TrackedRow] | None = None

    @cached_property
    def previous(self) -> ChangeSet | None:
        """The latest change set. The lock is held, so it stays the latest until this one is written."""
        return ChangeSet.objects.order_by("-revision").first()

    @cached_property
    def time(self) -> datetime:
        """When this change set was made: never earlier than the one before, even if the clock was set back.

        RegistryNotReady if a clock is wrong by more than a day: a time is never changed again, and all later change
        sets would get it, too.
        """
        now = timezone.now()
        _check_clock(now)
        if self.previous is None:
            return now
        ahead = self.previous.time - now
        if ahead > REFUSED_JUMP:
            raise RegistryNotReady(
                f"The last change set is dated {self.previous.time:%Y-%m-%d %H:%M} UTC, and the clock of this machine "
                f"says {now:%Y-%m-%d %H:%M}. Nothing is written until it is set right. If it is right, the last change "
                "set was written with a wrong one: restore a backup from before it."
            )
        if ahead > TOLERATED_JUMP:
            LOG.warning(
                "The clock is %s behind the last change set, whose time is used again", ahead
            )
        return max(now, self.previous.time)

    def write_entries(
        self,
        states: Iterable[tuple[TrackedRow | None, TrackedRow | None]],
    ) -> None:
        """Write an entry for each row whose two states differ.

        A state is the row as ``fetch_row`` gives it; None before it was created, and after it was deleted.
        """
        sequence = self.sequence
        by_model: dict[type[Entry], list[Entry]] = {}
        for before, after in states:
            changes = differences(before, after)
            if changes:
                sequence += 1
                self.states.append((before, after))
                entry = self._entry(before, after, changes, sequence)
                by_model.setdefault(type(entry), []).append(entry)
        for model, entries in by_model.items():
            model.objects.bulk_create(entries)
            self.entry_models.add(model)
        self.sequence = sequence

    def _entry(
        self,
        before: TrackedRow | None,
        after: TrackedRow | None,
        changes: Changes,
        sequence: int,
    ) -> Entry:
        row = after if after is not None else before
        assert row is not None  # noqa: S101  # two states that differ are not both None
        lost_by = before.service_reference_id() if before is not None else None
        gained_by = after.service_reference_id() if after is not None else None
        if lost_by == gained_by:
            lost_by = gained_by = None
        if self.revision is None:
            self.revision = self.previous.revision + 1 if self.previous is not None else 1
        columns = {field.attname: getattr(row, field.attname) for field in row._meta.fields}
        entry: Callable[..., Entry] = entry_model(type(row))
        return entry(
            history_type=kind_of_change(before, after),
            history_date=self.time,
            change_set_id=self.revision,
            sequence=sequence,
            label=str(row),
            changes=changes,
            lost_by=lost_by,
            gained_by=gained_by,
            **columns,
        )

    def announce(self) -> None:
        """Tell those who wait for the lock who has it. For change sets that take long."""
        if not self.announced:
            announce_writer(f"{self.source} by {self.user_name}: {self.reason}")
            self.announced = True

    def finish(self) -> None:
        """Write the change set, unless nothing changed.

        It comes after its entries, because its digest covers them; their foreign keys to it are checked at commit.
        The entries are read back rather than remembered: a savepoint may have taken some of them away again.
        """
        if self.revision is None:
            return
        entries = entries_of([self.revision], self.entry_models)
        if not entries:
            return
        if len(entries) != entries[-1].sequence:
            # Their numbers would have a gap, which verification takes for an entry that somebody deleted.
            raise RuntimeError(
                "Entries were written after a savepoint rolled others back: use two change sets."
            )
        self.entries = entries
        change_set_ending.send(ChangeSet, draft=self, states=self._states_of(entries))
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
        if self.suggested_by is not None:
            change.suggested_by_id, change.suggested_by_name = self.suggested_by
        previous_digest = self.previous.digest if self.previous is not None else ""
        change.digest = chain_digest(
            previous_digest, change, [entry_content(entry) for entry in entries]
        )
        change.save(force_insert=True)
        _notify_listeners()
        transaction.on_commit(partial(_report_written, change, len(entries)))

    def _states_of(
        self,
        entries: list[Entry],
    ) -> list[tuple[TrackedRow | None, TrackedRow | None]]:
        """The rows of these entries before and after; without those that a savepoint took away again."""
        written = {(entry.instance_type, entry.id) for entry in entries}
        states = []
        for before, after in self.states:
            row = after if after is not None else before
            if row is not None and (type(row), row.pk) in written:
                states.append((before, after))
        return states


def _notify_listeners() -> None:
    """Wake the deliverers of news when this transaction commits. On SQLite they look every few seconds."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")


def _report_written(change: ChangeSet, entries: int) -> None:
    change_set_written.send(ChangeSet, change_set=change)
    extra = {
        "change_set": change.revision,
        "by": change.user_name,
        "source": str(change.source),
        "entries": entries,
        # Whoever keeps the log can hold the history against it later.
        "head": str(Head(change.revision, change.digest)),
    }
    LOG.info("Revision %d written", change.revision, extra=extra)


# The open draft belongs to a database connection, and Django keeps those in the same kind of local.
_state = Local()


def open_draft() -> ChangeSetDraft | None:
    """The change set that the current transaction is making, or None."""
    return getattr(_state, "draft", None)


def writing_draft() -> ChangeSetDraft:
    """The open change set. Raises RegistryNotReady if there is none, because a write bypassed save() or delete()."""
    draft = open_draft()
    if draft is None:
        raise RegistryNotReady(
            "A row was written without its save() or delete(): no change set is open."
        )
    return draft


@contextmanager
def change_set(
    *,
    user: AbstractBaseUser | None = None,
    reason: str,
    source: str = ChangeSet.Source.COMMAND,
    undoes: int | None = None,
    suggested_by: Person | None = None,
) -> Iterator[ChangeSetDraft]:
    """Make every registry write inside one transaction, one change set and one revision.

    Without a user (in a command), the name is that of the account that the process runs as. ``undoes`` is the
    revision that this change set reverses. ``suggested_by`` is who suggested what the user approves: somebody else,
    which the database holds. An exception undoes everything.

    Raises ValueError for a blank reason, RuntimeError inside another change set, and RegistryBusy if another
    change set is being written for longer than a save waits. Also RuntimeError, at the end, if more was written
    after a savepoint had rolled back entries, and whatever a receiver of ``change_set_ending`` raises.
    """
    if not reason.strip():
        raise ValueError("A change set needs a reason: say why the registry changes.")
    if open_draft() is not None:
        raise RuntimeError("A change set is already open: one save, one reason, one change set.")
    draft = ChangeSetDraft(
        user=user,
        reason=reason.strip(),
        source=source,
        undoes=undoes,
        suggested_by=suggested_by,
    )
    with locked_transaction():
        _state.draft = draft
        try:
            yield draft
            draft.finish()
        finally:
            _state.draft = None


@contextmanager
def joined_change_set() -> Iterator[ChangeSetDraft]:
    """The open change set, or else one of its own: what a bare ``save()`` or ``delete()`` writes in."""
    draft = open_draft()
    if draft is not None:
        yield draft
    else:
        with change_set(reason=NO_REASON) as draft:
            yield draft


def account_name() -> str:
    """Name of the account that the process runs as."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return "unknown"


def entry_content(entry: Entry) -> dict[str, object]:
    """What an entry says, as the digest covers it.

    Without its typed columns: a field added to the model, or dropped, would change the digest of everything before.
    What the columns hold is in ``changes`` as well, and verification compares the two.
    """
    return {
        "id": entry.id,
        "history_type": entry.history_type,
        "change_set_id": entry.change_set_id,
        "sequence": entry.sequence,
        "label": entry.label,
        "changes": entry.changes,
        "gained_by": entry.gained_by,
        "lost_by": entry.lost_by,
        "model": entry.instance_type._meta.model_name,
    }


def chain_digest(previous: str, change: ChangeSet, entries: list[dict[str, object]]) -> str:
    """SHA-256 in hex over the digest before, the change set's fields, and the content of its entries in order.

    What is hashed is JSON with sorted keys. Times are in UTC with microseconds, which both databases keep.
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
    if change.suggested_by_id is not None or change.suggested_by_name:
        # Only then, so that the digests of change sets from before there were suggestions stay what they are.
        content["suggested_by"] = [change.suggested_by_id, change.suggested_by_name]
    text = json.dumps(
        content,
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
        cls=DjangoJSONEncoder,
    )
    return hashlib.sha256(text.encode()).hexdigest()
