"""Fixtures that many tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from ownership.catalog import similar_names
from ownership.history.append_only import drop_triggers
from ownership.models import RegistryLock
from ownership.models.rights import TEAM_LEADS, VIEWERS
from tests.support.mail_server import MailServer, serving_mail
from tests.support.receiver import Receiver, receiving
from tests.support.threads import PATIENCE

# No test is about time: on a busy machine any example may take long. A failure says how to repeat it.
hypothesis_settings.register_profile(
    "tests", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("tests")

USES_DATABASE = {"db", "transactional_db", "live_server", "django_db_setup"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the database of this run has no part in.

    Tests marked for the other database never run here. On PostgreSQL, only tests that use a database run: all
    others were part of the run on SQLite. So were those in a browser, which look at pages and not at data.

    Slow tests come first, so that no core waits at the end for one that the other began late.
    """
    on_postgres = connection.vendor == "postgresql"
    other_database = "sqlite" if on_postgres else "postgres"
    kept, left_out = [], []
    for item in items:
        wanted = item.get_closest_marker(other_database) is None
        if on_postgres and not _uses_database(item):
            wanted = False
        if on_postgres and item.get_closest_marker("browser"):
            wanted = False
        (kept if wanted else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    items[:] = sorted(kept, key=lambda item: item.get_closest_marker("slow") is None)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Succeed on PostgreSQL where nothing that was asked for uses a database: it ran on SQLite."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and connection.vendor == "postgresql":
        session.exitstatus = pytest.ExitCode.OK


def _uses_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("django_db"):
        return True
    return not USES_DATABASE.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix, tmp_path_factory
) -> None:
    """Wait for locks and connections as long as for threads: a machine that stops for seconds fails no test.

    SQLite is a file, as in the registry: only there do threads meet WAL and real locks. Each run has a file of its
    own. Otherwise a second run in the same checkout would replace it, and the threads of the first, which open it
    anew, would find no tables there.
    """
    options = connection.settings_dict["OPTIONS"]
    if connection.vendor == "postgresql":
        options["options"] += f" -c lock_timeout={PATIENCE}s"
        options["pool"]["timeout"] = PATIENCE
    else:
        options["timeout"] = PATIENCE
        connection.settings_dict["TEST"]["NAME"] = (
            tmp_path_factory.mktemp("database") / "test.sqlite3"
        )


@pytest.fixture(autouse=True)
def _plain_http(settings) -> None:
    """Tests speak HTTP, hash passwords fast, and don't depend on what the developer's shell sets."""
    settings.SECURE_SSL_REDIRECT = False
    settings.ANONYMOUS_READ = False
    settings.RIGHTS_FOLLOW_OWNER = False
    settings.AXES_ENABLED = False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def committed(transactional_db) -> Iterator[None]:
    """A database in which transactions commit for real. Append-only triggers go before Django empties it."""
    yield
    drop_triggers(connection)


@pytest.fixture(scope="session")
def seeded_rows(django_db_setup, django_db_blocker) -> dict[str, list[tuple]]:
    """What seeding leaves, read once: seeding takes longer than most tests. {a table and its columns: its rows}"""
    tables = [model._meta.db_table for model in apps.get_app_config("ownership").get_models()]
    tables.remove(RegistryLock._meta.db_table)
    with django_db_blocker.unblock(), transaction.atomic(), connection.cursor() as cursor:
        call_command("seed", verbosity=0)
        rows = {}
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            columns = ", ".join(column[0] for column in cursor.description)
            rows[f'"{table}" ({columns})'] = cursor.fetchall()
        transaction.set_rollback(True)
    return {table: of_table for table, of_table in rows.items() if of_table}


@pytest.fixture
def seeded(db, seeded_rows: dict[str, list[tuple]]) -> None:
    """The document's map, as revision 1."""
    # Kept by the history's head, which is the same in each of these tests.
    cache.clear()
    similar_names._names_at.cache_clear()
    with transaction.atomic(), connection.cursor() as cursor:
        for table, rows in seeded_rows.items():
            places = ", ".join(["%s"] * len(rows[0]))
            cursor.executemany(f"INSERT INTO {table} VALUES ({places})", rows)


@pytest.fixture
def small_map(db) -> None:
    """A map of three tables and four services, as revision 1."""
    cache.clear()
    similar_names._names_at.cache_clear()
    call_command("seed", Path(__file__).parent / "support" / "small_map.yaml", verbosity=0)


def _person(name: str, group: str) -> User:
    user = User.objects.create_user(name, password="a long pass phrase")
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
def lead(db) -> User:
    """A team lead."""
    return _person("lead", TEAM_LEADS)


@pytest.fixture
def viewer(db) -> User:
    """A viewer."""
    return _person("viewer", VIEWERS)


@pytest.fixture
def lead_client(lead: User) -> Client:
    """A browser in which the team lead is signed in."""
    client = Client()
    client.force_login(lead)
    return client


@pytest.fixture
def viewer_client(viewer: User) -> Client:
    """A browser in which the viewer is signed in."""
    client = Client()
    client.force_login(viewer)
    return client


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    """An endpoint's server on this machine, which is allowed to be there."""
    settings.ENDPOINT_NETWORKS = ["127.0.0.0/8"]
    with receiving() as server:
        yield server


@pytest.fixture
def mail_server(settings) -> Iterator[MailServer]:
    """A real mail server, by which the registry sends."""
    with serving_mail() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = server.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        yield server
