"""Reading from replicas of the database, where DATABASE_REPLICA_URLS names some; without, all is the primary's.

Pages and API are read from a replica that is good: it answers, and had all that the primary had some seconds ago.
Everything else is the primary's: writes, the admin, sessions and accounts, and moments given as a time, which only it
knows to be past. No reader is shown an older revision than it asks for, has, or wrote itself: X-Registry-Min-Revision,
the ETags in If-None-Match, and a cookie say which. What a replica refuses the primary is asked; it may know more.
"""

import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Thread
from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.http import HttpRequest, HttpResponse

from ownership.history.models import ChangeSet, Head, current_head, whole_number
from ownership.web.middleware import GetResponse
from ownership.web.request_context import revision_written

COOKIE = "registry_revision"
PATIENCE = 5  # seconds that a replica may lag or not answer before it is no longer read from
BETWEEN = 1  # seconds between two checks of a replica
PRIMARY_PATHS = ("/admin/", "/oidc/")
TIME_PARAMETERS = {"as_of", "from", "to"}
ONE_DAY = 24 * 60 * 60

_reading: ContextVar[str] = ContextVar("reading", default=DEFAULT_DB_ALIAS)


@contextmanager
def reading_from(alias: str) -> Iterator[None]:
    """Let the registry's rows, its history and its API tokens be read from that database."""
    token = _reading.set(alias)
    try:
        yield
    finally:
        _reading.reset(token)


class ReplicaRouter:
    """Django's question which database to ask, and what is told to which."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        """The one that this request reads from; who is signed in is the primary's to say."""
        return _reading.get() if model._meta.app_label == "ownership" else DEFAULT_DB_ALIAS

    def db_for_write(self, model: Any, **hints: Any) -> str:
        """The primary."""
        return DEFAULT_DB_ALIAS

    def allow_relation(self, *rows: Any, **hints: Any) -> bool:
        """They all are of one database in the end."""
        return True

    def allow_migrate(self, db: str, *args: Any, **hints: Any) -> bool:
        """The primary; replicas follow."""
        return db == DEFAULT_DB_ALIAS


class Replica:
    """One replica as this process sees it. It is left out until a look found it good."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        # By time.monotonic(): when all that the primary had is known to be here, too.
        self.reached = float("-inf")
        # When the primary was looked at, and how far it had written.
        self._goal: tuple[float, float] = (0, float("inf"))
        self._was_good = False
        self._unknown: Head | None = None

    @property
    def is_good(self) -> bool:
        """Whether to read from it."""
        return time.monotonic() - self.reached < PATIENCE

    def revision(self) -> int:
        """The one that it has; -1 where it does not answer, and then it is left out until a look finds it good."""
        try:
            with reading_from(self.alias):
                return current_head()[0]
        except Error:
            self._lost()
            return -1

    def look(self) -> None:
        """Find out how far it is. While the primary is away nothing is written, so what was good stays good."""
        begun = time.monotonic()
        try:
            position, head = _standing(self.alias)
        except Error:
            return self._lost()
        try:
            goal, _ = _standing(DEFAULT_DB_ALIAS)
            known = not head[0] or ChangeSet.objects.filter(revision=head[0], digest=head[1]).exists()
        except Error:
            connections[DEFAULT_DB_ALIAS].close()
            if self._was_good:
                self.reached = begun
            return
        # A primary that waits for a synchronous replica to have a change shows it a moment after that one. But a head
        # that stays unknown there is of another history: a failover lost it.
        ours = known or (self._was_good and head != self._unknown)
        self._unknown = None if known else head
        if not ours:
            self.reached = float("-inf")
        elif position >= goal:
            self.reached = begun
        elif position >= self._goal[1]:
            self.reached = max(self.reached, self._goal[0])
        # The goal stands until it is reached; after a failover it may be beyond what the new primary has written.
        if position >= self._goal[1] or goal < self._goal[1]:
            self._goal = (begun, goal)
        self._was_good = begun - self.reached < PATIENCE

    def _lost(self) -> None:
        connections[self.alias].close()
        self.reached = float("-inf")

    def watch(self) -> None:
        """Look again and again, as long as the process lives."""
        while True:
            self.look()
            for alias in (self.alias, DEFAULT_DB_ALIAS):
                connections[alias].close()
            time.sleep(BETWEEN)


def _standing(alias: str) -> tuple[int, Head]:
    """How far that database has written or, while it follows another one, has replayed; and its head."""
    with reading_from(alias):
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() "
                "ELSE pg_current_wal_lsn() END, '0/0')::bigint"
            )
            [position] = cursor.fetchone()
        return position, current_head()


replicas = [Replica(alias) for alias in settings.REPLICAS]


def watch() -> None:
    """Begin to watch the replicas, each with a thread of its own: one that hangs holds up nobody."""
    for replica in replicas:
        Thread(target=replica.watch, name=f"watch {replica.alias}", daemon=True).start()


class ReplicaMiddleware:
    """Chooses the database that a request reads from, and lets browsers remember the revision that they wrote."""

    def __init__(self, get_response: GetResponse) -> None:
        if not replicas:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Read from a replica if one can answer, otherwise from the primary."""
        response = None
        if _may_read_from_replica(request):
            response = self._response_of_replica(request, _least_revision(request))
        if response is None:
            response = self.get_response(request)
        revision = revision_written()
        if revision is not None:
            response.set_cookie(
                COOKIE,
                str(revision),
                max_age=ONE_DAY,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    def _response_of_replica(self, request: HttpRequest, least_revision: int) -> HttpResponse | None:
        """A replica's response; None if no good replica has that revision, or if it could not answer in full."""
        good = [replica for replica in replicas if replica.is_good]
        random.shuffle(good)
        for replica in good:
            if least_revision and replica.revision() < least_revision:
                continue
            with reading_from(replica.alias):
                response = self.get_response(request)
            if response.status_code in (200, 304):
                return response
            # A 503 may mean that this replica is gone; then the next one is tried.
            if response.status_code != 503 or replica.revision() >= 0:
                return None
        return None


def _may_read_from_replica(request: HttpRequest) -> bool:
    if request.method not in ("GET", "HEAD") or request.path_info.startswith(PRIMARY_PATHS):
        return False
    # Most requests have no query, and need no parsing of it.
    return not (request.META.get("QUERY_STRING") and TIME_PARAMETERS & request.GET.keys())


def _least_revision(request: HttpRequest) -> int:
    """The latest revision that the client asks for, wrote, or has an answer of; 0 if it names none."""
    texts = [
        request.META.get("HTTP_X_REGISTRY_MIN_REVISION", ""),
        request.COOKIES.get(COOKIE, ""),
        *re.findall(r'"(\d+)-', request.headers.get("If-None-Match", "")),
    ]
    return max(whole_number(text) or 0 for text in texts)
