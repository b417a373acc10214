"""Connections to PostgreSQL that do not wait forever, even if the server hangs."""

import psycopg
from psycopg.abc import RV, PQGen

# psycopg raises this when a wait times out, and has no public name for it.
from psycopg.errors import _WaitTimeout


class BoundedConnection(psycopg.Connection):
    """Gives up after ``patience`` seconds and closes, because a late answer would go to whoever asks next.

    The server's own statement_timeout does not help if the server itself hangs.
    """

    patience: float

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Like psycopg's, with a limit: OperationalError when the time is over."""
        try:
            return super().wait(gen, interval, timeout or self.patience)
        except _WaitTimeout:
            self.pgconn.finish()
            message = f"the database did not answer within {self.patience:g} s"
            raise psycopg.OperationalError(message) from None


def bounded(seconds: float) -> type[BoundedConnection]:
    """A class of connections with that limit. The pool takes a class, not arguments."""
    return type("BoundedConnection", (BoundedConnection,), {"patience": seconds})
