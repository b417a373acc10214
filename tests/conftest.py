"""Fixtures that many tests share."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from django.test import Client

from ownership.bootstrap import TEAM_LEADS, VIEWERS, drop_triggers
from tests.threads import PATIENCE


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix) -> None:
    """Wait for locks and connections as long as for threads: a machine that stands still for seconds fails no test."""
    options = connection.settings_dict["OPTIONS"]
    if connection.vendor == "postgresql":
        options["options"] += f" -c lock_timeout={PATIENCE}s"
        options["pool"]["timeout"] = PATIENCE
    else:
        options["timeout"] = PATIENCE


@pytest.fixture(autouse=True)
def _plain_http(settings) -> None:
    """Tests speak HTTP, hash passwords fast, and don't depend on how the developer's shell sets ANONYMOUS_READ."""
    settings.SECURE_SSL_REDIRECT = False
    settings.ANONYMOUS_READ = False
    settings.AXES_ENABLED = False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def committed(transactional_db) -> Iterator[None]:
    """A database in which transactions commit for real. Append-only triggers go before Django empties it."""
    yield
    drop_triggers(connection)


@pytest.fixture
def seeded(db) -> None:
    """The document's map, as revision 1."""
    call_command("seed", verbosity=0)


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
