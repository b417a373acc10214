"""Health checks, and the answers to requests that fail because the database is away or busy."""

import sys
from collections.abc import Iterator
from html import escape
from http import HTTPStatus

from django.db import Error, InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from ownership.history.lock import RegistryBusy, RegistryReadOnly, is_read_only
from ownership.history.request_id import current_request_id
from ownership.web.problem_details import problem
from ownership.web.replicas import replicas

DATABASE_AWAY = "the database does not answer"
# PostgreSQL's code for a transaction that it ended because we left it idle for DATABASE_TIMEOUT. psycopg raises an
# InternalError for it, not an OperationalError as for other lost connections.
IDLE_TRANSACTION_ENDED = "25P03"
RETRY_AFTER = "5"  # seconds


class Readiness:
    """Whether this process can serve: what /readyz answers.

    200 if the database answers and all migrations are applied, or if it is away and a replica can serve readers;
    otherwise 503 with the reason. On PostgreSQL this takes no longer than the pool's timeout (registry/database.py).
    """

    def __init__(self) -> None:
        # Checked until it is true: later migrations come with new code, so with a new process.
        self.is_migrated = False

    def answer(self) -> HttpResponse:
        """The answer to the probe."""
        reason = self._reason_not_ready()
        if reason is None:
            return JsonResponse({"status": "ready"})
        # Taken out of the load balancer, this process could not serve readers from a replica.
        if reason == DATABASE_AWAY and any(replica.is_good for replica in replicas):
            return JsonResponse({"status": f"ready for readers only: {DATABASE_AWAY}"})
        return JsonResponse({"status": reason}, status=HTTPStatus.SERVICE_UNAVAILABLE)

    def _reason_not_ready(self) -> str | None:
        try:
            if not self.is_migrated:
                executor = MigrationExecutor(connection)
                if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                    return "migrations are not applied: run `manage.py migrate`"
                self.is_migrated = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except Error:
            # Also raised by a pool that has no connection in time.
            return DATABASE_AWAY
        return None


def registry_busy(request: HttpRequest, busy: RegistryBusy) -> HttpResponse:
    """The answer to a save that waited too long for the registry's lock: 503, with a page that can send it again.

    The page says who is saving, or that the database takes no changes, and keeps everything that was typed.
    """
    title = "Someone else is saving"
    if isinstance(busy, RegistryReadOnly):
        title = "No changes at the moment"
    typed = []
    for name, values in request.POST.lists():
        # The page has a token of its own.
        if name != "csrfmiddlewaretoken":
            typed += [(name, value) for value in values]
    response = render(
        request,
        "ownership/busy.html",
        {"title": title, "message": str(busy), "typed": typed},
        status=HTTPStatus.SERVICE_UNAVAILABLE,
    )
    response["Retry-After"] = RETRY_AFTER
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """The answer when a view raised an exception: 503 if the database was away or too slow, otherwise 500.

    It makes no query: while the database is away, that would fail too. So the page does not show who is signed in.
    """
    if _is_database_away(sys.exc_info()[1]):
        status = HTTPStatus.SERVICE_UNAVAILABLE
        headers = {"Retry-After": RETRY_AFTER}
        detail = "The database does not answer or is too busy. Nothing was changed. Try again in a few seconds."
        if any(map(is_read_only, _with_causes(sys.exc_info()[1]))):
            detail = "The database accepts no changes at the moment. Nothing was changed. Try again later."
    else:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        headers = {}
        detail = "Something went wrong, and the error was logged. Nothing was changed."
    detail += f" The request's id is {current_request_id.get()}."
    if request.path.startswith("/api/"):
        return problem(status, detail, headers)
    # Not a template: its base would query the database.
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{status.phrase}</title><main><h1>{status.phrase}</h1><p>{escape(detail)}</p>"
        "<p>If you submitted a form, go back one page: it still has what you typed.</p></main></html>"
    )
    return HttpResponse(page, status=status, headers=headers)


def _is_database_away(exception: BaseException | None) -> bool:
    """Whether the exception was caused by a database that is away or too slow."""
    # Django wraps the driver's errors in its own, but not those raised while it closes a cursor.
    driver = connection.Database  # type: ignore[attr-defined]
    lost_connection = (
        OperationalError,
        InterfaceError,
        driver.OperationalError,
        driver.InterfaceError,
    )
    for cause in _with_causes(exception):
        if isinstance(cause, lost_connection):
            return True
        if getattr(cause, "sqlstate", "") == IDLE_TRANSACTION_ENDED or is_read_only(cause):
            return True
    return False


def _with_causes(exception: BaseException | None) -> Iterator[BaseException]:
    """The exception and its causes.

    A connection that breaks inside a transaction may end in another error: Django can't roll back without it.
    """
    while exception is not None:
        yield exception
        exception = exception.__cause__ or exception.__context__
