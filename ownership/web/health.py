"""Whether the process lives and whether it can serve, for the machines that ask."""

import sys
from collections.abc import Callable, Iterator
from html import escape
from http import HTTPStatus

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from ownership.history.lock import RegistryBusy
from ownership.history.request_id import current_request_id
from ownership.web.problem_details import problem
from ownership.web.replicas import replicas

AWAY = "the database does not answer"
# PostgreSQL ended a transaction in which our process did nothing for DATABASE_TIMEOUT; for psycopg no OperationalError.
_LEFT_IDLE = "25P03"


class HealthMiddleware:
    """Answers /livez and /readyz before sessions, host names and sign-ins come into it.

    /livez: 200 while the process answers at all. /readyz: 200 when the database answers and all
    migrations are applied, or when it is away but a replica answers, which is enough for readers; else 503 with what
    is missing; on PostgreSQL it waits no longer than the pool does (registry/settings.py).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.migrated = False  # once true it stays true for this process's code

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the two probes; pass everything else on."""
        if request.path == "/livez":
            return JsonResponse({"status": "alive"})
        if request.path == "/readyz":
            missing = self._missing()
            if missing == AWAY and any(replica.is_good for replica in replicas):
                return JsonResponse({"status": f"ready for readers alone: {AWAY}"})
            return JsonResponse({"status": missing or "ready"}, status=503 if missing else 200)
        return self.get_response(request)

    def _missing(self) -> str | None:
        try:
            if not self.migrated:
                executor = MigrationExecutor(connection)
                if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                    return "migrations are not applied: run `manage.py migrate`"
                self.migrated = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except Error:  # a pool without a connection in time is one, too
            return AWAY
        return None


class BusyMiddleware:
    """Answers a save that waited too long for the registry's lock: who writes, and a button that sends it again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass it on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """503 with a page that holds all that the form held."""
        if not isinstance(exception, RegistryBusy):
            return None
        typed = [(name, value) for name, values in request.POST.lists() for value in values]
        context = {"message": str(exception), "typed": [pair for pair in typed if pair[0] != "csrfmiddlewaretoken"]}
        response = render(request, "ownership/busy.html", context, status=503)
        response["Retry-After"] = "5"
        return response


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and what it came of: a connection that breaks inside a transaction ends in an error of Django's."""
    while error:
        yield error
        error = error.__cause__ or error.__context__


def server_error(request: HttpRequest) -> HttpResponse:
    """The answer when something failed: 503 where it was the database that was away or too slow, else 500.

    It asks the database nothing, so not who is signed in either.
    """
    driver = connection.Database  # type: ignore[attr-defined]  # its errors come bare where Django closes a cursor
    lost = (OperationalError, InterfaceError, driver.OperationalError, driver.InterfaceError)
    away = any(
        isinstance(error, lost) or getattr(error, "sqlstate", "") == _LEFT_IDLE for error in _chain(sys.exc_info()[1])
    )
    status = HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.INTERNAL_SERVER_ERROR
    detail = (
        "The database does not answer, or is too busy. Nothing was changed. Try again in some seconds."
        if away
        else "Something went wrong here; it is logged. Nothing was changed."
    )
    detail += f" Request {current_request_id.get()}."
    headers = {"Retry-After": "5"} if away else {}
    if request.path.startswith("/api/"):
        return problem(status, detail, headers)
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f"<title>{status.phrase}</title><h1>{status.phrase}</h1><p>{escape(detail)}</p>"
        "<p>What you typed is still in the form: go back one page.</p></html>"
    )
    return HttpResponse(page, status=status, headers=headers)
