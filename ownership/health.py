"""Whether the process lives and whether it can serve, for the machines that ask."""

from collections.abc import Callable

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse


class HealthMiddleware:
    """Answers /livez and /readyz before sessions, host names and sign-ins come into it.

    /livez: 200 while the process answers at all. /readyz: 200 when the database answers and all
    migrations are applied, else 503 with what is missing; on PostgreSQL it waits no longer than the
    pool does (registry/settings.py).
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
            return "the database does not answer"
        return None
