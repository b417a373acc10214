"""The deliverer: a process that sends news until it is stopped. Several of them can share the work.

It looks for what is due when PostgreSQL notifies it of a change set, and every few seconds in any case: SQLite has no
notifications, one may be lost, and pauses between attempts end without one.
"""

from __future__ import annotations

import logging
import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
from django.db import Error, close_old_connections, connection
from django.utils import timezone

from ownership.history.change_sets import CHANNEL
from ownership.models import DelivererSign
from ownership.news.delivery import deliver_next, due_endpoints
from ownership.news.mailing import due_people, mail_next

LOG = logging.getLogger("ownership.news")

# With the thread that looks for what is due, as many connections as a process's pool has by default.
THREADS = 3
# Seconds between two looks for what is due, unless something wakes the deliverer earlier.
INTERVAL = 2.0
# Seconds between two looks for mail. Changes are collected before they are mailed anyway.
MAIL_INTERVAL = 15.0
# Seconds between two looks at whether to stop.
STEP = 0.5
# Events in a row for one endpoint before others get their turn.
IN_A_ROW = 20

# Sends one thing to the endpoint or person with that id; returns whether more may be due at once.
Work = Callable[[int], bool]


class Deliverer:
    """Sends what is due with a few threads. Each works for one endpoint or person at a time."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="deliver")
        self._stopping = threading.Event()
        # What threads work on, or will work on. After a change, notify the condition.
        self._busy: set[tuple[Work, int]] = set()
        self._changed = threading.Condition()
        self._next_look_for_mail = 0.0

    def run(self) -> None:
        """Send until ``stop()`` is called; then finish what has begun."""
        listener = Listener()
        try:
            while not self._stopping.is_set():
                self._start_what_is_due()
                listener.wait(INTERVAL, self._stopping)
        finally:
            listener.close()
            self._finish()
            connection.close()

    def run_once(self) -> None:
        """Send what is due now; return when all of it has been tried."""
        try:
            self._start_what_is_due()
        finally:
            self._finish()

    def stop(self) -> None:
        """Start nothing new."""
        self._stopping.set()

    def _finish(self) -> None:
        """Wait for what has begun."""
        with self._changed:
            self._changed.wait_for(lambda: not self._busy)
        self._pool.shutdown()

    def _start_what_is_due(self) -> None:
        try:
            close_old_connections()
            for endpoint_id in due_endpoints():
                self._start(deliver_next, endpoint_id)
            if time.monotonic() >= self._next_look_for_mail:
                self._next_look_for_mail = time.monotonic() + MAIL_INTERVAL
                DelivererSign.objects.update_or_create(pk=1, defaults={"time": timezone.now()})
                for user_id in due_people():
                    self._start(mail_next, user_id)
        except Error:
            LOG.exception("The database could not be read; trying again")

    def _start(self, work: Work, pk: int) -> None:
        with self._changed:
            if (work, pk) in self._busy:
                return
            self._busy.add((work, pk))
        self._pool.submit(self._run, work, pk)

    def _run(self, work: Work, pk: int) -> None:
        """Work in a thread of the pool, with a database connection of its own."""
        has_more = False
        try:
            close_old_connections()
            has_more = self._work(work, pk)
        except Exception:
            # No error may end the deliverer: there is news for others, too.
            LOG.exception("%s(%d) failed; trying again", work.__name__, pk)
        finally:
            connection.close()
        if has_more:
            self._pool.submit(self._run, work, pk)
            return
        with self._changed:
            self._busy.discard((work, pk))
            self._changed.notify_all()

    def _work(self, work: Work, pk: int) -> bool:
        """Send a few things; whether there may be more."""
        for _ in range(IN_A_ROW):
            if self._stopping.is_set():
                return False
            has_more = work(pk)
            if not has_more:
                return False
        return True


class Listener:
    """A connection that PostgreSQL notifies. Without one (SQLite, a pooler, a lost connection) it only waits."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection | None = None

    def wait(self, seconds: float, stopping: threading.Event) -> None:
        """Wait until a change set is written, the seconds have passed, or ``stopping`` is set."""
        listening = self._listen()
        if listening is None:
            stopping.wait(seconds)
            return
        end = time.monotonic() + seconds
        while not stopping.is_set() and time.monotonic() < end:
            if self._is_notified(listening, min(STEP, seconds)):
                return

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _listen(self) -> psycopg.Connection | None:
        """Listen if that is possible, from the first time on."""
        if self._connection is not None or connection.vendor != "postgresql":
            return self._connection
        try:
            parameters = connection.get_connection_params()
            self._connection = psycopg.connect(**parameters | {"autocommit": True})
            self._connection.execute(f"LISTEN {CHANNEL}")
        except psycopg.Error:
            LOG.warning("Can't listen to PostgreSQL; looking every few seconds instead")
            self.close()
        return self._connection

    def _is_notified(self, listening: psycopg.Connection, seconds: float) -> bool:
        try:
            select.select([listening.fileno()], [], [], seconds)
            notifications = list(listening.notifies(timeout=0))
        except (psycopg.Error, OSError, ValueError):
            self.close()
            return True  # better to look once too often
        return bool(notifications)
