"""Health checks, and 503 while the database is away or a connection to it is lost."""

import json
import socket
import time

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.transaction import TransactionManagementError
from django.test import Client

from ownership.web.health import server_error
from tests.support.production import PRODUCTION, run


@pytest.fixture
def prober(settings) -> Client:
    """Sends requests as a container's health check does: plain HTTP, with a host name that is not allowed."""
    settings.SECURE_SSL_REDIRECT = True
    return Client(headers={"host": "10.0.0.7:8000"})


@pytest.mark.django_db
def test_livez_answers_over_plain_http_for_any_host_without_the_database(
    prober, django_assert_num_queries
):
    with django_assert_num_queries(0):
        response = prober.get("/livez")
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


@pytest.mark.django_db
def test_readyz_answers_over_plain_http_for_any_host_with_one_query(
    prober, django_assert_num_queries
):
    assert prober.get("/readyz").status_code == 200
    with django_assert_num_queries(1):
        response = prober.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


@pytest.mark.django_db
def test_readyz_is_503_until_migrations_are_applied(prober):
    loader = MigrationLoader(connection)
    [latest] = loader.graph.leaf_nodes("ownership")
    # It may replace others: then one of those is missing, too.
    missing = [latest, *loader.disk_migrations[latest].replaces[-1:]]
    for migration in missing:
        MigrationRecorder(connection).record_unapplied(*migration)
    response = prober.get("/readyz")
    assert response.status_code == 503
    assert "manage.py migrate" in response.json()["status"]
    assert prober.get("/livez").status_code == 200
    for migration in missing:
        MigrationRecorder(connection).record_applied(*migration)
    assert prober.get("/readyz").status_code == 200


PROBE = """
import json, time, django
django.setup()
from django.db.transaction import TransactionManagementError
from django.test import Client
answers = {}
paths = ("/livez", "/readyz", "/", "/admin/login/?next=x", "/admin/", "/api/v1/map/", "/api/v1/tables/")
for path in paths * 2:  # the first time a process also loads its code
    begun = time.monotonic()
    client = Client(raise_request_exception=False, headers={"x-forwarded-proto": "https", "host": "registry.example"})
    client.cookies["sessionid"] = "somebodys"
    answer = client.get(path)
    answers[path] = answer.status_code, time.monotonic() - begun, answer["Content-Type"]
print(json.dumps(answers))
"""


@pytest.mark.slow
@pytest.mark.parametrize("vendor", [pytest.param("postgresql", marks=pytest.mark.slow), "sqlite"])
def test_while_the_database_is_away_everything_but_livez_is_503_within_two_seconds(
    vendor, tmp_path
):
    with socket.socket() as nobody:  # bound, but not listening
        nobody.bind(("127.0.0.1", 0))
        away = {
            "postgresql": f"postgresql://registry:x@127.0.0.1:{nobody.getsockname()[1]}/registry",
            "sqlite": f"sqlite:///{tmp_path}/no-such-folder/registry.sqlite3",
        }
        environment = PRODUCTION | {
            "DJANGO_SETTINGS_MODULE": "registry.settings",
            "DATABASE_URL": away[vendor],
            "TRUST_PROXY": "1",
            "ANONYMOUS_READ": "1",
            "SNAPSHOT_DIR": str(tmp_path),
        }
        result = run(["-c", PROBE], environment)
    assert result.returncode == 0, result.stderr
    answers = json.loads(result.stdout)
    assert answers.pop("/livez")[0] == 200
    for path, (status, seconds, kind) in answers.items():
        assert status == 503, path
        assert seconds < 2, path
        assert kind.startswith(
            "application/" if path.startswith(("/api/", "/readyz")) else "text/html"
        ), path
    assert answers["/api/v1/map/"][2] == answers["/api/v1/tables/"][2] == "application/problem+json"


DRIVER = connection.Database


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (OperationalError, 503),
        (InterfaceError, 503),
        (DRIVER.OperationalError, 503),
        (DRIVER.InterfaceError, 503),
        (DRIVER.IntegrityError, 500),
        (ValueError, 500),
    ],
)
def test_an_error_caused_by_a_lost_database_connection_is_503(rf, first, status):
    try:
        try:
            raise first("server closed the connection unexpectedly")
        except first as lost:
            raise TransactionManagementError(
                "An error occurred in the current transaction"
            ) from lost
    except TransactionManagementError:
        assert server_error(rf.get("/admin/")).status_code == status


@pytest.mark.usefixtures("committed")
@pytest.mark.postgres
def test_a_transaction_that_postgresql_ended_because_it_was_idle_is_503(rf):
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '10ms'")
            while True:
                time.sleep(0.1)
                cursor.execute("SELECT 1")
    except DatabaseError:
        assert server_error(rf.get("/admin/")).status_code == 503
    finally:
        connection.close()
