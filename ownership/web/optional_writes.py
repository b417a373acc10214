"""Writes that nobody needs to wait for: left out while the database has another writer, or takes no writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection

from ownership.history.lock import is_busy, is_read_only


def write_if_free(write: Callable[[], object]) -> bool:
    """Write, unless the database is busy or read-only. Whether it was written."""
    try:
        with without_waiting():
            write()
    except DatabaseError as error:
        if not is_refused(error):
            raise
        return False
    return True


@contextmanager
def without_waiting() -> Iterator[None]:
    """Inside, SQLite refuses a write at once while another connection writes; usually it waits up to 20 s.

    PostgreSQL's locks are on rows, and nobody holds those of sessions, accounts or tokens for long.
    """
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    database = connection.connection
    [patience] = database.execute("PRAGMA busy_timeout").fetchone()
    database.execute("PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        database.execute(f"PRAGMA busy_timeout = {patience}")


def is_refused(error: BaseException | None) -> bool:
    """Whether the database took no write because it is busy or read-only."""
    while error is not None:
        if is_busy(error) or is_read_only(error):
            return True
        error = error.__cause__ or error.__context__
    return False
