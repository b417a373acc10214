"""Connections to PostgreSQL that nobody waits for without end, even when the server hangs instead of answering."""

from typing import Any

import psycopg
from psycopg.errors import _WaitTimeout


class BoundedConnection(psycopg.Connection):
    """Gives up after ``patience`` seconds, and is closed then: what it would answer later is nobody's any more.

    The server's own statement_timeout can't help where the server itself stands still.
    """

    patience: float

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's, bounded; OperationalError when the time is over."""
        try:
            return super().wait(gen, interval, timeout or self.patience)
        except _WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"the database did not answer in {self.patience:g} s") from None


def bounded(seconds: float) -> type[BoundedConnection]:
    """The class of connections that wait so long."""
    return type("BoundedConnection", (BoundedConnection,), {"patience": seconds})
