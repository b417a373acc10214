"""The registry's one write lock: taken by every change set, and told about to those who wait for it."""

import fcntl
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.db import OperationalError, connection, models
from django.db.models import BooleanField, Func, TextField, Value

_MARK = "registry: "
_LONGEST = 63  # bytes that PostgreSQL keeps of a session's name
# Seconds that a writer on SQLite waits for one that said it takes long; on PostgreSQL lock_timeout is as long for all.
PATIENCE = 5
# Where PostgreSQL's writers wait: a number that other applications in the same database hardly take.
_TURN = 7_305_813_904_419_201_837
# Held by the one thread of this process that may wait for what takes long: the others go on serving readers.
_waiting = threading.Lock()


class RegistryNotReady(RuntimeError):
    """The database lacks what ``migrate`` makes; nothing is written until it has run."""


class RegistryBusy(RuntimeError):
    """Another change set is being written for longer than a save waits; nothing was changed."""


class RegistryLock(models.Model):
    """The one row that every write locks first, so that commit order is revision order and no two writes cross."""

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return "the registry's lock"


def lock_registry() -> None:
    """Take the lock until the transaction ends (on SQLite, BEGIN IMMEDIATE has taken it already).

    On PostgreSQL writers wait before they come to the row: of those who wait for a row, one waits for its holder and
    the others for that one, so that who is second waits for lock_timeout twice.
    """
    if connection.vendor != "postgresql":
        taken = RegistryLock.objects.first()
    elif not (taken := _row_after("pg_try_advisory_xact_lock(%(expressions)s)", BooleanField(), True)):
        with _one_waits():
            taken = _row_after("pg_advisory_xact_lock(%(expressions)s)::text", TextField(), "")
    if taken is None:
        raise RegistryNotReady("The registry's lock row is missing: run `manage.py migrate`, which makes it.")


def _row_after(turn: str, field: models.Field, result: Any) -> RegistryLock | None:
    """The row, locked, where that SQL gives the result for our turn."""
    asked = Func(Value(_TURN), template=turn, output_field=field)
    return RegistryLock.objects.select_for_update().alias(turn=asked).filter(turn=result).first()


@contextmanager
def _one_waits() -> Iterator[None]:
    """Wait inside; RegistryBusy at once where who writes takes long, and another thread of this process waits already.

    Else an import, and as many who save as a process has threads, would keep all readers waiting.
    """
    first = _waiting.acquire(blocking=False)
    try:
        if not first and _who_writes():
            raise _busy()
        yield
    finally:
        if first:
            _waiting.release()


@contextmanager
def in_turn() -> Iterator[None]:
    """On SQLite, hold a file's lock around the transaction that writes.

    RegistryBusy after SQLite's own patience, for many who are quick may be before us; after PATIENCE if one that takes
    long has it then. Those who wait for SQLite's lock sleep ever longer: under load it lies idle, and some never wake
    while it is free.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:  # in a transaction, SQLite's lock is held already
        yield
        return
    with connection.cursor() as cursor:
        patience = cursor.execute("PRAGMA busy_timeout").fetchone()[0] / 1000
    begun = time.monotonic()
    with open(_queue(), "a") as file:
        if not _take(file):
            with _one_waits():
                while not _take(file):
                    waited = time.monotonic() - begun
                    if waited > patience or (waited > PATIENCE and _who_writes()):
                        raise _busy()
                    time.sleep(0.003)
        file.truncate(0)  # whoever had it before may have left words, and died
        try:
            yield
        finally:
            file.truncate(0)


def _take(file: IO[str]) -> bool:
    """Take the file's lock, where nobody has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _queue() -> Path:
    """The file whose lock writers hold on SQLite; in it, who has it, where that takes long."""
    return Path(f"{connection.settings_dict['NAME']}-queue")


@contextmanager
def or_busy() -> Iterator[None]:
    """RegistryBusy, with who writes, in the place of the database's word that the wait was too long."""
    try:
        yield
    except OperationalError as error:
        cause = error.__cause__
        if getattr(cause, "sqlstate", "") != "55P03" and getattr(cause, "sqlite_errorname", "") != "SQLITE_BUSY":
            raise
        raise _busy() from error


def _busy() -> RegistryBusy:
    writing = _who_writes()
    return RegistryBusy(
        f"Another change set is being written{f' ({writing})' if writing else ''}, and takes long. Nothing was "
        "changed here: try again in some seconds."
    )


def say_who_writes(words: str) -> None:
    """Let those who wait for the lock read who has it and why, while the transaction lasts. For long ones.

    Where others see it at once, for a row would be seen only after the commit: on PostgreSQL as the session's name, on
    SQLite in the file whose lock is held meanwhile.
    """
    if connection.vendor == "sqlite":
        _queue().write_text(words[:200], encoding="utf-8")
    else:
        plain = unicodedata.normalize("NFKD", _MARK + words).encode("ascii", "ignore").decode()
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('application_name', %s, true)", [plain[:_LONGEST]])


def _who_writes() -> str:
    if connection.vendor == "sqlite":
        queue = _queue()
        return queue.read_text(encoding="utf-8", errors="replace") if queue.exists() else ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT application_name FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE %s",
            [f"{_MARK}%"],
        )
        found = cursor.fetchone()
    return found[0].removeprefix(_MARK) if found else ""
