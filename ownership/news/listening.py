"""Waiting for change sets: PostgreSQL says when one is written (``history/change_sets.py`` notifies)."""

import logging
import select
import threading
import time

import psycopg
from django.db import connection

from ownership.history.change_sets import CHANNEL

LOG = logging.getLogger("ownership.news")
# Seconds between two looks at whether to stop.
STEP = 0.5


class Listener:
    """A connection that PostgreSQL notifies. Without one (SQLite, a pooler, a lost connection) it only waits."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection | None = None

    def wait(self, seconds: float, stopping: threading.Event) -> None:
        """Wait until a change set is written, the seconds have passed, or ``stopping`` is set."""
        if connection.vendor != "postgresql" or not self._listen():
            stopping.wait(seconds)
            return
        end = time.monotonic() + seconds
        while not stopping.is_set() and time.monotonic() < end:
            if self._is_notified(min(STEP, max(0.0, end - time.monotonic()))):
                return

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _listen(self) -> bool:
        """Listen if that is possible; whether it is."""
        if self._connection is not None:
            return True
        try:
            parameters = connection.get_connection_params()
            self._connection = psycopg.connect(**parameters | {"autocommit": True})
            self._connection.execute(f"LISTEN {CHANNEL}")
        except psycopg.Error:
            LOG.warning("Can't listen to PostgreSQL; looking every few seconds instead")
            self.close()
            return False
        return True

    def _is_notified(self, seconds: float) -> bool:
        listening = self._connection
        assert listening is not None  # noqa: S101  # _listen() has made it
        try:
            select.select([listening.fileno()], [], [], seconds)
            notifications = list(listening.notifies(timeout=0))
        except (psycopg.Error, OSError, ValueError):
            self.close()
            return True  # better to look once too often
        return bool(notifications)
