"""The registry's write lock: every change set takes it first, so commit order is revision order.

On PostgreSQL the lock is a row. On SQLite it is the database's own write lock, which BEGIN IMMEDIATE takes. In front
of the lock, writers queue, for two reasons:

- On SQLite nobody is woken when the lock becomes free: a waiting connection sleeps, longer each time. Under load the
  lock lies idle and some writers never get it. So they queue for a lock on a file, and look again every 3 ms.
- On PostgreSQL, of several sessions that wait for one row, the first waits for its holder and the second for the
  first, so the second waits for lock_timeout twice. An advisory lock has a fair queue, with one timeout for each.

While a change set is being written that says it takes long (an import), only one thread of each process waits; others
are told at once that the registry is busy. Otherwise all threads would wait, and nobody would serve readers.
"""

import errno
import fcntl
import sqlite3
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO

from django.db import InternalError, OperationalError, connection, models, transaction

# Seconds that a writer on SQLite waits for one that takes long. On PostgreSQL lock_timeout applies to all alike.
PATIENCE = 5
POLL_INTERVAL = 0.003  # seconds between two looks at the queue's file

# Number of the advisory lock, unlikely to be taken by another application in the same database.
_ADVISORY_LOCK = 7_305_813_904_419_201_837
_ANNOUNCEMENT = "registry: "
_LONGEST_NAME = 63  # bytes that PostgreSQL keeps of a session's name

# Held by the one thread of this process that waits for a writer that takes long.
_waiting_thread = threading.Lock()


class RegistryNotReady(RuntimeError):
    """Nothing can be written yet: the database lacks what ``migrate`` makes, or a clock is wrong. The message says."""


class RegistryBusy(RuntimeError):
    """Another change set is being written for longer than a save waits; nothing was changed."""


class RegistryReadOnly(RegistryBusy):
    """The database takes no changes; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            "The database accepts no changes at the moment. Nothing was changed here: try again later."
        )


def is_read_only(error: BaseException) -> bool:
    """Whether a database refused a write because it takes none: a file or a transaction that is only read."""
    if getattr(error, "sqlstate", "") == "25006":
        return True
    # The lowest byte is the kind of error; the others say more.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY


def is_busy(error: BaseException) -> bool:
    """Whether a database refused a write because another one did not end in time."""
    return (
        getattr(error, "sqlstate", "") == "55P03"
        or getattr(error, "sqlite_errorname", "") == "SQLITE_BUSY"
    )


class RegistryLock(models.Model):
    """The one row that every change set locks first."""

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return "the registry's lock"


def is_lock_row_missing() -> bool:
    """Whether the row is missing that every change set locks; ``migrate`` makes it."""
    return not RegistryLock.objects.exists()


@contextmanager
def locked_transaction() -> Iterator[None]:
    """A transaction that holds the registry's lock until it ends.

    Raises RegistryBusy if others hold the lock for too long or the database takes no changes, RegistryNotReady if
    ``migrate`` has not made the lock's row.
    """
    # Queue first: whoever waits in the queue has no transaction open yet.
    with _busy_error(), _queue(), transaction.atomic():
        if not _take_lock():
            # Without the row, FOR UPDATE would lock nothing, and say nothing.
            raise RegistryNotReady(
                "The registry's lock row is missing: run `manage.py migrate`, which makes it."
            )
        yield


def _queue() -> AbstractContextManager[None]:
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        return _file_queue()
    # PostgreSQL's queue is part of taking the lock. Inside a transaction, SQLite's lock is held already.
    return nullcontext()


def _take_lock() -> bool:
    """Take the lock until the transaction ends; False if its row is missing."""
    if connection.vendor == "sqlite":
        return RegistryLock.objects.exists()  # BEGIN IMMEDIATE has taken the lock
    # One statement if nobody else writes: it takes the advisory lock, then the row.
    if _lock_row_where("pg_try_advisory_xact_lock(%s)"):
        return True
    with _waiting():
        return _lock_row_where("pg_advisory_xact_lock(%s)::text = ''")


def _lock_row_where(condition: str) -> bool:
    table = connection.ops.quote_name(RegistryLock._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {table} WHERE {condition} FOR UPDATE", [_ADVISORY_LOCK])  # noqa: S608
        return cursor.fetchone() is not None


@contextmanager
def _file_queue() -> Iterator[None]:
    """Hold the lock of a file beside the database, around the transaction that writes."""
    with _open_queue() as file:
        if not _lock_file(file):
            _wait_for(file)
        # An earlier holder may have announced itself, and then have been killed.
        file.truncate(0)
        try:
            yield
        finally:
            file.truncate(0)


def _open_queue() -> IO[str]:
    try:
        return open(_queue_file(), "a")
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EROFS):
            raise RegistryReadOnly from error
        raise


def _wait_for(file: IO[str]) -> None:
    """Wait for the file's lock. RegistryBusy after the database's own timeout, or earlier for one that takes long.

    The longer timeout is for many quick writers: they may all be in front.
    """
    with connection.cursor() as cursor:
        timeout = cursor.execute("PRAGMA busy_timeout").fetchone()[0] / 1000
    start = time.monotonic()
    with _waiting():
        while not _lock_file(file):
            waited = time.monotonic() - start
            takes_long = waited > PATIENCE and _announced_writer() != ""
            if waited > timeout or takes_long:
                raise _busy()
            time.sleep(POLL_INTERVAL)


def _lock_file(file: IO[str]) -> bool:
    """Take the file's lock, if nobody has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _queue_file() -> Path:
    """The file whose lock writers on SQLite hold. It contains who writes, if that takes long."""
    return Path(f"{connection.settings_dict['NAME']}-queue")


@contextmanager
def _waiting() -> Iterator[None]:
    """Wait inside; RegistryBusy if the writer takes long and another thread of this process waits already."""
    is_first = _waiting_thread.acquire(blocking=False)
    try:
        if not is_first and _announced_writer():
            raise _busy()
        yield
    finally:
        if is_first:
            _waiting_thread.release()


@contextmanager
def _busy_error() -> Iterator[None]:
    """Raise RegistryBusy in place of the database's error that the wait was too long, or that it is read-only."""
    try:
        yield
    except (OperationalError, InternalError) as error:
        cause = error.__cause__
        if cause is not None and is_read_only(cause):
            raise RegistryReadOnly from error
        if cause is None or not is_busy(cause):
            raise
        raise _busy() from error


def _busy() -> RegistryBusy:
    writer = _announced_writer()
    who = f" ({writer})" if writer else ""
    return RegistryBusy(
        f"Another change set is being written{who}, which takes a while. Nothing was changed here: "
        "try again in a few seconds."
    )


def announce_writer(words: str) -> None:
    """Say who writes and why, to those who wait for the lock. For change sets that take long.

    It must be seen before the commit, so it can't be a row: on PostgreSQL it is the session's name, on SQLite the
    content of the queue's file.
    """
    if connection.vendor == "sqlite":
        _queue_file().write_text(words[:200], encoding="utf-8")
        return
    ascii_words = (
        unicodedata.normalize("NFKD", _ANNOUNCEMENT + words).encode("ascii", "ignore").decode()
    )
    with connection.cursor() as cursor:
        # "true": for this transaction only.
        cursor.execute(
            "SELECT set_config('application_name', %s, true)", [ascii_words[:_LONGEST_NAME]]
        )


def _announced_writer() -> str:
    """What the writer announced; empty if it did not, or if nobody writes."""
    if connection.vendor == "sqlite":
        file = _queue_file()
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT application_name FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE %s",
            [f"{_ANNOUNCEMENT}%"],
        )
        row = cursor.fetchone()
    return row[0].removeprefix(_ANNOUNCEMENT) if row else ""
