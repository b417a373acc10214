"""Reading, signing in and signing out need no turn to write: another process holds SQLite's write lock meanwhile."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.test import Client

from ownership.models import ApiToken
from ownership.web.optional_writes import is_refused, write_if_free
from tests.support.tokens import make_token

PASSWORD = "a long pass phrase"
LONG_AGO = date(2020, 1, 1)
HOLDER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""

pytestmark = pytest.mark.sqlite


@pytest.fixture
def viewer(committed) -> User:
    """Someone who may read everything."""
    return User.objects.create_superuser("viewer", password=PASSWORD)


@pytest.fixture(autouse=True)
def patience(committed) -> Iterator[None]:
    """Whoever waits for the lock here fails at once: a test must not depend on how long they wait."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        [before] = cursor.fetchone()
        cursor.execute("PRAGMA busy_timeout = 1")
        yield
        cursor.execute(f"PRAGMA busy_timeout = {before}")


@pytest.fixture(autouse=True)
def _empty_folder() -> Iterator[None]:
    """No test finds what an earlier one set aside."""
    yield
    for file in aside():
        file.unlink()


@contextmanager
def another_writer() -> Iterator[None]:
    """A process that writes as long as the block runs."""
    command = [sys.executable, "-c", HOLDER, str(connection.settings_dict["NAME"])]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(OperationalError, match="locked"):
            User.objects.update(first_name="x")
        yield
        process.stdin.close()


def aside() -> list[Path]:
    """The files of sessions that are set aside."""
    return sorted(Path(f"{connection.settings_dict['NAME']}-sessions").glob("*"))


def sign_in() -> Client:
    client = Client()
    assert (
        client.post("/admin/login/", {"username": "viewer", "password": PASSWORD}).status_code
        == 302
    )
    return client


def test_a_token_reads_and_its_use_is_noted_later(viewer):
    token, shown = make_token(viewer, last_used=LONG_AGO)
    headers = {"authorization": f"Token {shown}"}
    with another_writer():
        assert Client().get("/api/v1/map/", headers=headers).status_code == 200
        assert Client().get("/api/v1/changes/", headers=headers).status_code == 200
    assert ApiToken.objects.get(pk=token.pk).last_used == LONG_AGO
    assert Client().get("/api/v1/map/", headers=headers).status_code == 200
    assert ApiToken.objects.get(pk=token.pk).last_used > LONG_AGO


def test_a_session_reads(viewer):
    client = sign_in()
    with another_writer():
        assert client.get("/").status_code == 200
        assert client.get("/changes/").status_code == 200
        assert client.get("/admin/").status_code == 200


def test_people_sign_in_read_and_sign_out(viewer):
    with another_writer():
        client = sign_in()
        copied = {"cookie": f"sessionid={client.cookies['sessionid'].value}"}
        assert client.get("/changes/").status_code == 200
        [file] = aside()
        assert file.stat().st_mode & 0o777 == 0o600
        assert client.cookies["sessionid"].value not in file.name + file.read_text()
        assert client.post("/admin/logout/").status_code == 302
        assert Client().get("/changes/", headers=copied).status_code == 302
    assert Client().get("/changes/", headers=copied).status_code == 302
    assert aside() == []
    assert not Session.objects.exists()


def test_a_session_that_was_set_aside_moves_to_the_database(viewer):
    with another_writer():
        client = sign_in()
    assert not Session.objects.exists()
    assert client.get("/changes/").status_code == 200
    assert Session.objects.count() == 1
    assert aside() == []
    assert client.get("/changes/").status_code == 200


def test_a_session_can_be_saved_before_it_moved(viewer):
    with another_writer():
        client = sign_in()
    session = client.session
    session["note"] = "kept"
    session.save()
    assert Session.objects.count() == 1
    assert aside() == []
    assert client.session["note"] == "kept"


def test_a_session_of_the_database_ends_at_once(viewer):
    client = sign_in()
    copied = {"cookie": f"sessionid={client.cookies['sessionid'].value}"}
    assert Client().get("/changes/", headers=copied).status_code == 200
    with another_writer():
        assert client.post("/admin/logout/").status_code == 302
        assert Client().get("/changes/", headers=copied).status_code == 302
    assert Session.objects.count() == 1
    assert Client().get("/changes/", headers=copied).status_code == 302
    assert not Session.objects.exists()
    assert aside() == []


def test_a_session_that_was_set_aside_ends_with_its_account(viewer):
    with another_writer():
        client = sign_in()
    User.objects.update(is_active=False)
    assert client.get("/changes/").status_code == 302


def test_a_read_only_database_can_be_read_with_a_token(viewer):
    _, shown = make_token(viewer, last_used=LONG_AGO)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = 1")
        try:
            assert (
                Client()
                .get("/api/v1/map/", headers={"authorization": f"Token {shown}"})
                .status_code
                == 200
            )
        finally:
            cursor.execute("PRAGMA query_only = 0")


def test_an_error_of_another_kind_is_not_hidden():
    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE nowhere SET a = 1")

    with pytest.raises(OperationalError, match="no such table"):
        write_if_free(write)
    assert not is_refused(sqlite3.OperationalError("no such table: nowhere"))
