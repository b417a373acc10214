"""Health checks, and answers for when the registry is busy or something failed."""

import sys
from collections.abc import Iterator
from html import escape
from http import HTTPStatus

from django.db import Error, InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from ownership.history.lock import RegistryBusy
from ownership.history.request_id import current_request_id
from ownership.web.middleware import GetResponse
from ownership.web.problem_details import problem
from ownership.web.replicas import replicas

DATABASE_AWAY = "the database does not answer"
NOT_MIGRATED = "migrations are not applied: run `manage.py migrate`"
# PostgreSQL's code for ending a transaction that was idle for DATABASE_TIMEOUT. psycopg does not count it as an
# OperationalError.
IDLE_TRANSACTION_ENDED = "25P03"
RETRY_AFTER = "5"  # seconds


class HealthMiddleware:
    """Answers /livez and /readyz before host names, sessions and sign-ins are looked at.

    /livez is 200 while the process answers at all. /readyz is 200 if the database answers and all migrations are
    applied, or if the database is away but a replica can serve readers. Otherwise it is 503 and says what is missing.
    On PostgreSQL it waits only as long as the connection pool does (registry/database.py).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        # Once true, it stays true for this process's code.
        self.is_migrated = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the two probes, and pass everything else on."""
        if request.path == "/livez":
            return JsonResponse({"status": "alive"})
        if request.path == "/readyz":
            return self._readiness()
        return self.get_response(request)

    def _readiness(self) -> HttpResponse:
        missing = self._what_is_missing()
        if missing is None:
            return JsonResponse({"status": "ready"})
        if missing == DATABASE_AWAY and any(replica.is_good for replica in replicas):
            return JsonResponse({"status": f"ready for readers only: {missing}"})
        return JsonResponse({"status": missing}, status=503)

    def _what_is_missing(self) -> str | None:
        try:
            if not self.is_migrated:
                executor = MigrationExecutor(connection)
                if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                    return NOT_MIGRATED
                self.is_migrated = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except Error:  # also raised by a pool that got no connection in time
            return DATABASE_AWAY
        return None


class BusyMiddleware:
    """Answers a save that waited too long for the registry's lock: who is saving, and a button to save again."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """503 with a page that keeps everything the form contained."""
        if not isinstance(exception, RegistryBusy):
            return None
        typed = []
        for name, values in request.POST.lists():
            if name != "csrfmiddlewaretoken":
                typed += [(name, value) for value in values]
        context = {"message": str(exception), "typed": typed}
        response = render(request, "ownership/busy.html", context, status=503)
        response["Retry-After"] = RETRY_AFTER
        return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a request that failed: 503 if the database was away or too slow, otherwise 500.

    Makes no query, so it does not know who is signed in either.
    """
    if _is_database_away(sys.exc_info()[1]):
        status = HTTPStatus.SERVICE_UNAVAILABLE
        detail = "The database does not answer or is too busy. Nothing was changed. Try again in a few seconds."
        headers = {"Retry-After": RETRY_AFTER}
    else:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        detail = "Something went wrong on the server. The error was logged, and nothing was changed."
        headers = {}
    detail += f" Request {current_request_id.get()}."
    if request.path.startswith("/api/"):
        return problem(status, detail, headers)
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f"<title>{status.phrase}</title><h1>{status.phrase}</h1><p>{escape(detail)}</p>"
        "<p>Your entries are still in the form: go back one page.</p></html>"
    )
    return HttpResponse(page, status=status, headers=headers)


def _is_database_away(error: BaseException | None) -> bool:
    driver = connection.Database  # type: ignore[attr-defined]
    # The driver's own errors, because Django does not translate those of closing a cursor.
    lost_connection = (
        OperationalError,
        InterfaceError,
        driver.OperationalError,
        driver.InterfaceError,
    )
    for cause in _with_causes(error):
        if isinstance(cause, lost_connection) or getattr(cause, "sqlstate", "") == IDLE_TRANSACTION_ENDED:
            return True
    return False


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it: a connection lost in a transaction ends in another error of Django's."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
