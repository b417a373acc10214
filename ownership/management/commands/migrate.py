"""``manage.py migrate``: Django's command, with a short wait for locks."""

from django.core.management.commands import migrate
from django.db import connection

LOCK_TIMEOUT = 2_000  # milliseconds


class Command(migrate.Command):
    """Waits at most 2 s for any lock, and then fails: while it waits for a table, readers of that table wait too."""

    def handle(self, *args, **options) -> None:
        """Migrate with that limit, and set the connection's own limit again afterwards."""
        before = self._lock_timeout()
        self._set_lock_timeout(LOCK_TIMEOUT)
        try:
            super().handle(*args, **options)
        finally:
            # A lost connection has no limit to set, and a broken transaction takes no more statements.
            if connection.connection is not None and not connection.needs_rollback:
                self._set_lock_timeout(before)

    def _lock_timeout(self) -> int:
        """Milliseconds that this connection waits for a lock."""
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SELECT setting::int FROM pg_settings WHERE name = 'lock_timeout'")
            else:
                cursor.execute("PRAGMA busy_timeout")
            (milliseconds,) = cursor.fetchone()
        return milliseconds

    def _set_lock_timeout(self, milliseconds: int) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [str(milliseconds)])
            else:
                # PRAGMA takes no parameters.
                cursor.execute(f"PRAGMA busy_timeout = {milliseconds:d}")
