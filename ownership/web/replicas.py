"""Reading from replicas of the database, if DATABASE_REPLICA_URLS names some (docs/scaling.md).

Pages and API are read from a good replica: one that answers, and had everything the primary had a few seconds ago.
All else goes to the primary: writes, the admin, sessions and accounts, and moments given as a time, because only the
primary knows that nothing earlier is still to come. If a replica refuses a request, the primary is asked, which may
know more.

Nobody is shown an older revision than they know. X-Registry-Min-Revision, the ETags in If-None-Match and a cookie say
which revision that is.
"""

import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Thread

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from ownership.history.head import Head
from ownership.history.models import ChangeSet, current_head, whole_number
from ownership.web.request_context import GetResponse, revision_written

COOKIE = "registry_revision"
MAX_LAG = 5  # seconds that a replica may be behind or not answer; then it is no longer read from
CHECK_INTERVAL = 1  # seconds
PRIMARY_PATHS = ("/admin/", "/oidc/")
TIME_PARAMETERS = {"as_of", "from", "to"}
ONE_DAY = 24 * 60 * 60
NEVER = float("-inf")

# The database that this request, or this thread, reads the registry from.
_reading_from: ContextVar[str] = ContextVar("reading_from", default=DEFAULT_DB_ALIAS)


@contextmanager
def reading_from(alias: str) -> Iterator[None]:
    """Read the registry's rows, its history and API tokens from this database."""
    token = _reading_from.set(alias)
    try:
        yield
    finally:
        _reading_from.reset(token)


class ReplicaRouter:
    """Chooses the database for each query; a database router of Django's."""

    def db_for_read(self, model: type[Model], **hints: object) -> str:
        """The replica chosen for this request. Sessions and accounts are read from the primary."""
        if model._meta.app_label == "ownership":
            return _reading_from.get()
        return DEFAULT_DB_ALIAS

    def db_for_write(self, model: type[Model], **hints: object) -> str:
        """The primary."""
        return DEFAULT_DB_ALIAS

    def allow_relation(self, *rows: Model, **hints: object) -> bool:
        """Always: all databases hold the same rows."""
        return True

    def allow_migrate(self, db: str, *args: object, **hints: object) -> bool:
        """Only the primary is migrated; replicas follow by replication."""
        return db == DEFAULT_DB_ALIAS


class Replica:
    """One replica as this process sees it. It is not read from until a check finds it good.

    Replication has positions: numbers that grow with everything written. A replica that has replayed up to the
    primary's position has everything. A busy primary moves on all the time, so a replica may never reach the current
    position. Therefore a check remembers the primary's position as a goal, with the time. A later check that finds
    the goal reached knows that the replica has everything up to that time.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias
        # The latest moment up to which the replica is known to have everything, by time.monotonic().
        self.complete_until = NEVER
        # The primary's position at an earlier check. No replica reaches the first one.
        self._goal = float("inf")
        self._goal_time = NEVER
        # Whether it was good at the last check that reached both databases.
        self._was_good = False
        # A head of the replica that the primary did not have at the last check.
        self._unknown_head: Head | None = None

    @property
    def is_good(self) -> bool:
        """Whether to read from it."""
        return time.monotonic() - self.complete_until < MAX_LAG

    def revision(self) -> int:
        """Its latest revision. If it does not answer, -1, and it is not good until the next check."""
        try:
            return head_of(self.alias).revision
        except Error:
            self._lose()
            return -1

    def check(self) -> None:
        """Find out whether it is good. Takes two queries to the replica and two to the primary."""
        # All times below are taken before the queries, so they are never later than what the queries saw.
        start = time.monotonic()
        try:
            position = wal_position(self.alias)
            head = head_of(self.alias)
        except Error:
            self._lose()
            return
        try:
            # After the replica's position: in this order, a replica that is not behind was complete at the start.
            primary_position = wal_position(DEFAULT_DB_ALIAS)
            is_known = _primary_has(head)
        except Error:
            connections[DEFAULT_DB_ALIAS].close()
            # While the primary is away nothing is written, so a replica that was complete still is.
            if self._was_good:
                self.complete_until = start
            return

        if not self._shares_history(head, is_known):
            self.complete_until = NEVER
        elif position >= primary_position:
            self.complete_until = start
        elif position >= self._goal:
            self.complete_until = max(self.complete_until, self._goal_time)
        # Keep a goal until it is reached: one that moved with the primary might never be. After a failover, the
        # goal may be beyond what the new primary has written, and is replaced too.
        if position >= self._goal or primary_position < self._goal:
            self._goal = primary_position
            self._goal_time = start
        self._was_good = start - self.complete_until < MAX_LAG

    def _shares_history(self, head: Head, is_known: bool) -> bool:
        """Whether the replica's history is the primary's, and not one that a failover lost.

        With synchronous replication, a replica has a change a moment before the primary shows it. So a good replica
        may have an unknown head once. If the next check still finds it, the primary will never have it.
        """
        if is_known:
            self._unknown_head = None
            return True
        is_new = head != self._unknown_head
        self._unknown_head = head
        return self._was_good and is_new

    def _lose(self) -> None:
        connections[self.alias].close()
        self.complete_until = NEVER

    def watch(self) -> None:
        """Check again and again, as long as the process lives."""
        while True:
            self.check()
            # Between checks this thread needs no connections, and others may be short of them.
            for alias in (self.alias, DEFAULT_DB_ALIAS):
                connections[alias].close()
            time.sleep(CHECK_INTERVAL)


def wal_position(alias: str) -> int:
    """How far a primary has written, or a replica has replayed, in bytes."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() "
            "ELSE pg_current_wal_lsn() END, '0/0')::bigint"
        )
        (position,) = cursor.fetchone()
    return position


def head_of(alias: str) -> Head:
    """The head of the history in that database."""
    with reading_from(alias):
        return current_head()


def _primary_has(head: Head) -> bool:
    """Whether the primary's history includes this head."""
    if head.revision == 0:
        return True
    return ChangeSet.objects.filter(revision=head.revision, digest=head.digest).exists()


replicas = [Replica(alias) for alias in settings.REPLICAS]


def watch() -> None:
    """Start to check the replicas, each in a thread of its own: one that hangs does not delay the others."""
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
            # Whoever saved something sees it on the next page, wherever that is read from.
            response.set_cookie(
                COOKIE,
                str(revision),
                max_age=ONE_DAY,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    def _response_of_replica(
        self, request: HttpRequest, least_revision: int
    ) -> HttpResponse | None:
        """A replica's response; None if no good replica has that revision, or if it could not answer in full."""
        good = [replica for replica in replicas if replica.is_good]
        random.shuffle(good)
        for replica in good:
            # Most requests name no revision, and cost no query here.
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
    if request.method not in ("GET", "HEAD"):
        return False
    if request.path_info.startswith(PRIMARY_PATHS):
        return False
    # Most requests have no query string, and are not parsed for one.
    if not request.META.get("QUERY_STRING"):
        return True
    return TIME_PARAMETERS.isdisjoint(request.GET)


def _least_revision(request: HttpRequest) -> int:
    """The latest revision that the client asks for, wrote, or has a response of; 0 if it names none."""
    texts = [
        request.META.get("HTTP_X_REGISTRY_MIN_REVISION", ""),
        request.COOKIES.get(COOKIE, ""),
        # Our ETags begin with the revision.
        *re.findall(r'"(\d+)-', request.headers.get("If-None-Match", "")),
    ]
    return max(whole_number(text) or 0 for text in texts)
