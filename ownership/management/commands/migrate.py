"""``manage.py migrate``: Django's, but it does not make readers wait behind it."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connection

PATIENCE = 2  # seconds


class Command(migrate.Command):
    """Waits at most 2 s for any lock, and then fails: whoever waits for a table's lock holds up all who read it."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, with that patience."""
        before = self._patience(f"{PATIENCE}s", PATIENCE * 1000)
        try:
            super().handle(*args, **options)
        finally:
            if connection.connection is not None and not connection.needs_rollback:
                self._patience(*before)

    def _patience(self, postgresql: str, sqlite: int) -> tuple[str, int]:
        """Set how long to wait for locks; what it was before."""
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SHOW lock_timeout")
                before = cursor.fetchone()[0]
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [postgresql])
                return before, 0
            cursor.execute("PRAGMA busy_timeout")
            milliseconds = cursor.fetchone()[0]
            cursor.execute(f"PRAGMA busy_timeout = {sqlite:d}")
            return "", milliseconds
