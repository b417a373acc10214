"""Reading from replicas of the database, where DATABASE_REPLICA_URLS names some.

Pages and API read from a replica that is good: it answers, and it had everything some seconds ago that the primary had
then. Everything else goes to the primary: writes, the admin, sessions and accounts, and moments given as a time, which
only the primary knows to be past. No reader is shown an older revision than it asks for, already has, or wrote itself:
X-Registry-Min-Revision, the ETags in If-None-Match, and a cookie name it. If a replica can't answer, the primary is
asked, which may know more.
"""

import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Thread

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.models import Model
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
NEVER = float("-inf")
# In bytes of PostgreSQL's write-ahead log: how far a primary has written, or a replica has replayed.
POSITION_SQL = (
    "SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() "
    "ELSE pg_current_wal_lsn() END, '0/0')::bigint"
)

_alias_to_read: ContextVar[str] = ContextVar("alias_to_read", default=DEFAULT_DB_ALIAS)


@contextmanager
def reading_from(alias: str) -> Iterator[None]:
    """Read the registry's rows, its history and its API tokens from that database."""
    token = _alias_to_read.set(alias)
    try:
        yield
    finally:
        _alias_to_read.reset(token)


class ReplicaRouter:
    """Tells Django which database to use."""

    def db_for_read(self, model: type[Model], **hints: object) -> str:
        """The one that this request reads from. Accounts and sessions are always read from the primary."""
        if model._meta.app_label == "ownership":
            return _alias_to_read.get()
        return DEFAULT_DB_ALIAS

    def db_for_write(self, model: type[Model], **hints: object) -> str:
        """The primary."""
        return DEFAULT_DB_ALIAS

    def allow_relation(self, *rows: Model, **hints: object) -> bool:
        """Allow all, because the databases have the same rows."""
        return True

    def allow_migrate(self, db: str, *args: object, **hints: object) -> bool:
        """Migrate the primary only. Replicas follow."""
        return db == DEFAULT_DB_ALIAS


@dataclass
class Goal:
    """How far a replica must get: the primary's position, and when it was read, by time.monotonic()."""

    time: float
    position: float


class Replica:
    """One replica as this process sees it. It is not read from until a check finds it good."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        # By time.monotonic(): when everything that the primary had is known to be here, too.
        self.caught_up_at = NEVER
        self._goal = Goal(0, float("inf"))
        self._was_good = False
        # The head that the last check found here, if the primary did not know it.
        self._unknown_head: Head | None = None

    @property
    def is_good(self) -> bool:
        """Whether to read from it."""
        return time.monotonic() - self.caught_up_at < PATIENCE

    def revision(self) -> int:
        """The latest revision that it has; -1 if it does not answer, and then it is not read from until checked."""
        try:
            with reading_from(self.alias):
                return current_head().revision
        except Error:
            self._set_lost()
            return -1

    def check(self) -> None:
        """Find out how far it is. While the primary is away nothing is written, so what was good stays good."""
        now = time.monotonic()
        try:
            position, head = read_position(self.alias)
        except Error:
            self._set_lost()
            return
        try:
            primary_position, _ = read_position(DEFAULT_DB_ALIAS)
            is_known = _primary_knows(head)
        except Error:
            connections[DEFAULT_DB_ALIAS].close()
            if self._was_good:
                self.caught_up_at = now
            return
        if self._has_our_history(head, is_known):
            self._note_progress(now, position, primary_position)
        else:
            self.caught_up_at = NEVER
        # A goal stays until it is reached. After a failover it may be beyond what the new primary has written.
        if position >= self._goal.position or primary_position < self._goal.position:
            self._goal = Goal(now, primary_position)
        self._was_good = now - self.caught_up_at < PATIENCE

    def _has_our_history(self, head: Head, is_known: bool) -> bool:
        """Whether its head is the primary's, too.

        A primary that waits for a synchronous replica shows a change a moment later than that replica. But a head
        that stays unknown to the primary belongs to another history: a failover lost it.
        """
        was_unknown_before = head == self._unknown_head
        self._unknown_head = None if is_known else head
        return is_known or (self._was_good and not was_unknown_before)

    def _note_progress(self, now: float, position: float, primary_position: float) -> None:
        if position >= primary_position:
            self.caught_up_at = now
        elif position >= self._goal.position:
            self.caught_up_at = max(self.caught_up_at, self._goal.time)

    def _set_lost(self) -> None:
        connections[self.alias].close()
        self.caught_up_at = NEVER

    def watch(self) -> None:
        """Check it again and again, as long as the process lives."""
        while True:
            self.check()
            for alias in (self.alias, DEFAULT_DB_ALIAS):
                connections[alias].close()
            time.sleep(BETWEEN)


def read_position(alias: str) -> tuple[float, Head]:
    """How far that database has written or replayed, and its head."""
    with reading_from(alias):
        with connections[alias].cursor() as cursor:
            cursor.execute(POSITION_SQL)
            [position] = cursor.fetchone()
        return position, current_head()


def _primary_knows(head: Head) -> bool:
    if not head.revision:
        return True
    return ChangeSet.objects.filter(revision=head.revision, digest=head.digest).exists()


replicas = [Replica(alias) for alias in settings.REPLICAS]


def watch() -> None:
    """Start a thread for each replica, so that one that hangs does not delay the others' checks."""
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
