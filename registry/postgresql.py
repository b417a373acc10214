"""Connections to PostgreSQL that give up after a time, even if the server hangs instead of answering."""

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus


class BoundedConnection(psycopg.Connection):
    """Waits at most ``patience`` seconds for the server, and is closed then.

    The server's own statement_timeout does not help if the whole server hangs.
    """

    patience: float

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """As psycopg's, but with a limit. OperationalError when the time is up."""
        try:
            return super().wait(gen, interval, timeout or self.patience)
        except psycopg.OperationalError:
            # psycopg's exception for a timeout is private. But after an error from the server the statement is no
            # longer running, and a lost connection has no status. So if it still runs, the time was up.
            if self.info.transaction_status != TransactionStatus.ACTIVE:
                raise
            # The response may still come, and must not reach the next request.
            self.pgconn.finish()
            raise psycopg.OperationalError(
                f"the database did not answer in {self.patience:g} s"
            ) from None


def bounded(seconds: float) -> type[BoundedConnection]:
    """The class of connections that wait for so many seconds."""
    return type("BoundedConnection", (BoundedConnection,), {"patience": seconds})
