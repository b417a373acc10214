"""Reading from real hot standbys of the tests' PostgreSQL: what they answer, and what only the primary does."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ownership.history import time_travel
from ownership.history.head import Head
from ownership.models import Service
from ownership.web import replicas
from ownership.web.replicas import Replica
from tests.support.admin_forms import open_form, save_form
from tests.support.factories import make_service, make_table
from tests.support.postgres import Server, server_binaries
from tests.support.threads import PATIENCE
from tests.support.tokens import make_token

# One process starts the standbys that they share.
pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.xdist_group("replicas")]

ROOT = Path(__file__).resolve().parents[2]
MAP = "/api/v1/map/"


@pytest.fixture(scope="module")
def servers(django_db_setup, django_db_blocker) -> Iterator[list[Server]]:
    """Two standbys of the server that these tests use."""
    binaries, host = server_binaries(), connection.settings_dict["HOST"]
    if binaries is None or not host.startswith("/"):
        pytest.skip("not a server of this machine (tests/support/postgres.py)")
    primary = f"host={host} user={connection.settings_dict['USER']}"
    with (
        tempfile.TemporaryDirectory(prefix="registry-pg-") as first,
        tempfile.TemporaryDirectory() as second,
    ):
        standbys = {
            f"standby_{os.getpid()}_{number}": Server(binaries, folder)
            for number, folder in enumerate((first, second), 1)
        }
        try:
            for slot, server in standbys.items():
                server.copy(primary, slot)
                server.start()
            yield list(standbys.values())
        finally:
            for slot, server in standbys.items():
                server.run("pg_ctl", "-m", "immediate", "stop", quiet=True)
                drop_slot(primary, slot)


def drop_slot(primary: str, slot: str) -> None:
    """Once its standby is gone: else the primary would keep for ever what that has not read."""
    idle = "FROM pg_replication_slots WHERE slot_name = %s AND NOT active"
    with psycopg.connect(primary, dbname="postgres", autocommit=True) as connected:
        wait(lambda: connected.execute(f"SELECT 1 {idle}", [slot]).fetchone())
        connected.execute("SELECT pg_drop_replication_slot(%s)", [slot])


@pytest.fixture
def standbys(committed, servers, settings, monkeypatch) -> Iterator[list[Any]]:
    """The registry reads from both: each has an alias, its server, and the Replica that watches it."""
    settings.DATABASE_ROUTERS = ["ownership.web.replicas.ReplicaRouter"]
    settings.ANONYMOUS_READ = True
    monkeypatch.setattr(replicas, "MAX_LAG", PATIENCE)  # however busy the machine is
    watched = []
    for number, server in enumerate(servers, 1):
        alias = f"replica{number}"
        connections[alias] = connection.copy(alias)
        connections[alias].settings_dict["HOST"] = server.folder
        connections[alias].settings_dict["OPTIONS"].pop("pool", None)
        watched.append(SimpleNamespace(alias=alias, server=server, replica=Replica(alias)))
    replicas.replicas[:] = [standby.replica for standby in watched]
    catch_up(watched)
    yield watched
    replicas.replicas[:] = []
    for standby in watched:
        run(standby, "SELECT pg_wal_replay_resume()")
        connections[standby.alias].close()
        del connections[standby.alias]


def run(standby: Any, sql: str) -> Any:
    with connections[standby.alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def pause(standby: Any) -> None:
    """Let it replay nothing that is written from now on."""
    run(standby, "SELECT pg_wal_replay_pause()")
    wait(lambda: run(standby, "SELECT pg_get_wal_replay_pause_state()")[0] == "paused")


def wait(condition: Callable[[], Any], describe: Callable[[], Any] = str) -> None:
    deadline = time.monotonic() + 2 * PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError(f"it did not happen within {2 * PATIENCE} s {describe()}")


def check(standbys: list[Any]) -> None:
    for standby in standbys:
        standby.replica.check()


def catch_up(standbys: list[Any]) -> None:
    """Wait until each has everything that is written by now. A good one may lack what came after its last check."""
    start = time.monotonic()

    def all_complete() -> bool:
        check(standbys)
        return all(standby.replica.complete_until >= start for standby in standbys)

    def describe() -> list[Any]:
        states = [(replicas.wal_position("default"), replicas.head_of("default"))]
        for standby in standbys:
            states.append((replicas.wal_position(standby.alias), replicas.head_of(standby.alias)))
            states.append(
                run(
                    standby,
                    "SELECT pg_get_wal_replay_pause_state(), status FROM pg_stat_wal_receiver",
                )
            )
        return states

    wait(all_complete, describe)


def get(path: str, client: Client | None = None, **headers: Any) -> Any:
    client = client or Client(raise_request_exception=False)
    return client.get(
        path, headers={key.replace("_", "-"): str(value) for key, value in headers.items()}
    )


def databases_queried(act: Callable[[], Any]) -> tuple[Any, set[str]]:
    """What the call returned, and the databases that it queried."""
    queried = set()

    def note(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        queried.add(context["connection"].alias)
        return execute(sql, params, many, context)

    wrappers = [
        connections[alias].execute_wrapper(note) for alias in ("default", "replica1", "replica2")
    ]
    for wrapper in wrappers:
        wrapper.__enter__()
    try:
        return act(), queried
    finally:
        for wrapper in wrappers:
            wrapper.__exit__(None, None, None)


# Which database answers


@pytest.mark.parametrize(
    "path", [MAP, "/api/v1/tables/", "/api/v1/tables/?revision=2", "/", "/tables/orders/"]
)
def test_pages_and_api_are_read_from_one_replica_only(standbys, path):
    make_table("orders", owner=make_service("shop"))
    catch_up(standbys)
    token = make_token(
        User.objects.create_superuser("program"), last_used=time.strftime("%Y-%m-%d", time.gmtime())
    )[1]
    catch_up(standbys)
    if "revision" in path:
        answer, queried = databases_queried(lambda: get(path, authorization=f"Token {token}"))
    else:
        answer, queried = databases_queried(lambda: get(path))
    assert answer.status_code == 200
    assert len(queried) == 1
    assert queried < {"replica1", "replica2"}


def test_the_map_with_a_token_costs_one_query_to_a_replica(standbys):
    make_service("shop")
    token = make_token(
        User.objects.create_superuser("program"), last_used=time.strftime("%Y-%m-%d", time.gmtime())
    )[1]
    catch_up(standbys)
    headers = {"authorization": f"Token {token}"}
    etag = get(MAP, **headers)["ETag"]
    answer, queried = databases_queried(lambda: get(MAP, **headers))
    assert (answer.status_code, len(queried), "default" in queried) == (200, 1, False)
    assert get(MAP, if_none_match=etag, **headers).status_code == 304


def test_the_session_is_read_from_the_primary_and_the_rest_from_a_replica(standbys, lead_client):
    make_table("orders", owner=make_service("shop"))
    catch_up(standbys)
    answer, queried = databases_queried(lambda: get("/tables/orders/", lead_client))
    assert answer.status_code == 200
    assert len(queried) == 2
    assert "default" in queried


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/ownership/table/",
        "/api/v1/map/?as_of=2100-01-01",
        "/api/v1/compare/?from=1&to=2100-01-01",
    ],
)
def test_the_admin_and_moments_given_as_a_time_are_read_from_the_primary(
    standbys, lead_client, path
):
    make_service("shop")
    catch_up(standbys)
    answer, queried = databases_queried(lambda: get(path, lead_client))
    assert answer.status_code in (200, 302)
    assert queried == {"default"}


def test_the_past_is_read_only_also_while_reading_from_a_replica(standbys):
    make_service("shop")
    catch_up(standbys)
    with replicas.reading_from("replica1"), time_travel.as_of(1):
        assert Service.objects.get().name == "shop"
        with pytest.raises(time_travel.PastIsReadOnly):
            make_service("other")


# Nobody is shown an older revision than they know


def test_a_replica_is_not_asked_for_a_revision_that_it_does_not_have(standbys):
    pause(standbys[0])
    make_service("shop")
    wait(lambda: standbys[1].replica.revision() == 1)
    for _ in range(20):
        answer, queried = databases_queried(lambda: get(MAP, x_registry_min_revision=1))
        assert answer["X-Registry-Revision"] == "1"
        assert queried <= {"replica1", "replica2"}
    pause(standbys[1])
    make_service("other")
    answer, queried = databases_queried(lambda: get(MAP, x_registry_min_revision=2))
    assert answer["X-Registry-Revision"] == "2"
    assert "default" in queried


def test_a_client_with_an_etag_gets_no_older_response(standbys):
    pause(standbys[0])
    make_service("shop")
    wait(lambda: standbys[1].replica.revision() == 1)
    etag = get(MAP, x_registry_min_revision=1)["ETag"]
    assert {get(MAP, if_none_match=f"W/{etag}").status_code for _ in range(20)} == {304}
    assert {get(MAP)["X-Registry-Revision"] for _ in range(50)} == {"0", "1"}


def test_a_person_sees_their_own_save_at_once(standbys, lead_client):
    table = make_table("orders", owner=make_service("shop"))
    catch_up(standbys)
    for standby in standbys:
        pause(standby)
    saved = save_form(
        lead_client, table, open_form(lead_client, table) | {"description": "Seen at once."}
    )
    assert saved.status_code == 302
    assert lead_client.cookies["registry_revision"].value == "4"
    assert lead_client.cookies["registry_revision"]["httponly"]
    for path in ("/tables/orders/", "/api/v1/tables/orders/", MAP):
        assert "Seen at once." in get(path, lead_client).content.decode()
        assert "Seen at once." not in get(path).content.decode()


def test_what_a_replica_does_not_find_the_primary_is_asked_for(standbys):
    for standby in standbys:
        pause(standby)
    make_table("orders", owner=make_service("shop"))
    token = make_token(User.objects.create_superuser("program"))[1]
    assert get("/tables/orders/").status_code == 200
    assert get("/api/v1/changes/?after=2", authorization=f"Token {token}").status_code == 200
    assert get("/tables/nothing/").status_code == 404


def test_each_response_shows_the_revision_that_it_names(standbys):
    pause(standbys[0])
    make_service("one")
    for number in range(2, 12):
        make_service(f"service-{number}")
        for _ in range(4):
            answer = get(MAP)
            assert (
                len(answer.json()["services"])
                == answer.json()["revision"]
                == int(answer["X-Registry-Revision"])
            )


@pytest.mark.parametrize("revision", ["-1", "1.0", "x", "", "9" * 19, "²"])
def test_a_minimum_revision_that_is_not_a_number_is_refused(standbys, revision):
    answer = get(MAP, x_registry_min_revision=revision)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_a_minimum_revision_that_the_primary_does_not_have_is_refused(standbys):
    make_service("shop")
    catch_up(standbys)
    answer = get(MAP, x_registry_min_revision=2)
    assert answer.status_code == 412
    assert "Revision 2 is not in this registry's history" in answer.json()["detail"]
    client = Client()
    client.cookies["registry_revision"] = "2"
    assert get("/", client).status_code == 200


# Which replicas are good


def test_a_check_takes_two_queries_to_each_database(standbys):
    make_service("shop")
    catch_up(standbys)
    first = standbys[0]
    with (
        CaptureQueriesContext(connection) as primary,
        CaptureQueriesContext(connections[first.alias]) as replica,
    ):
        first.replica.check()
    assert (len(primary), len(replica)) == (2, 2)


def test_a_replica_that_lags_is_left_out_and_comes_back(standbys, monkeypatch):
    monkeypatch.setattr(replicas, "MAX_LAG", 0.3)
    first, second = standbys
    pause(first)
    make_service("shop")

    def only_second_is_good() -> bool:
        check(standbys)
        return second.replica.is_good and not first.replica.is_good

    # A good one may lack what was written in the last moments.
    wait(lambda: second.replica.revision() == 1)
    wait(only_second_is_good)
    assert {get(MAP)["X-Registry-Revision"] for _ in range(20)} == {"1"}
    run(first, "SELECT pg_wal_replay_resume()")
    catch_up(standbys)


def test_a_replica_that_dies_is_left_out_without_an_error_and_comes_back(standbys):
    first, second = standbys
    make_service("shop")
    catch_up(standbys)
    first.server.stop()
    try:
        assert {get(MAP).status_code for _ in range(20)} == {200}
        assert not first.replica.is_good
        assert second.replica.is_good
        check(standbys)
        assert not first.replica.is_good
    finally:
        first.server.start()
    catch_up(standbys)
    assert databases_queried(lambda: [get(MAP) for _ in range(50)])[1] == {"replica1", "replica2"}


def test_a_replica_that_breaks_while_answering_is_replaced_by_another(standbys):
    make_service("shop")
    catch_up(standbys)
    for standby in standbys:
        connections[standby.alias].cursor().close()
    standbys[0].server.stop()
    standbys[0].server.start()
    assert {get("/api/v1/tables/").status_code for _ in range(20)} == {200}


def test_a_replica_that_is_always_a_little_behind_is_good(standbys, monkeypatch):
    first, written = standbys[0].replica, iter(range(10, 1000, 10))

    def always_moving(alias: str) -> int:
        lag = 15 if alias == first.alias else 0
        return next(written) - lag

    monkeypatch.setattr(replicas, "wal_position", always_moving)
    first.complete_until = replicas.NEVER
    for _ in range(5):
        first.check()
    assert first.is_good


@pytest.mark.parametrize("revision", [1, 2])
def test_a_replica_with_another_history_is_left_out(standbys, monkeypatch, revision):
    make_service("shop")
    catch_up(standbys)
    first = standbys[0].replica
    monkeypatch.setattr(replicas, "head_of", lambda alias: Head(revision, "f" * 64))
    first.check()
    # A synchronous replica is ahead of what the primary shows, for a moment.
    assert first.is_good
    for _ in range(3):
        first.check()
        assert not first.is_good


def test_readers_are_served_while_the_primary_is_away(standbys, lead_client):
    make_service("shop")
    catch_up(standbys)

    def away(*args: Any) -> None:
        raise OperationalError("away")

    with connection.execute_wrapper(away):
        check(standbys)
        assert get(MAP).status_code == 200
        assert get("/services/").status_code == 200
        lead_client.raise_request_exception = False
        assert get("/admin/", lead_client).status_code == 503
        answer = get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (
            200,
            "ready for readers only: the database does not answer",
        )
        for standby in standbys:
            standby.replica.complete_until = replicas.NEVER
        assert get("/readyz").status_code == 503
        check(standbys)
        assert all(standby.replica.is_good for standby in standbys)


def test_metrics_show_which_replicas_are_good(standbys, settings):
    settings.METRICS_TOKEN = "metrics-token-of-this-test"
    standbys[1].replica.complete_until = replicas.NEVER
    lines = (
        get("/metrics", authorization=f"Bearer {settings.METRICS_TOKEN}")
        .content.decode()
        .splitlines()
    )
    assert 'ownership_replica_good{replica="replica1"} 1.0' in lines
    assert 'ownership_replica_good{replica="replica2"} 0.0' in lines


def test_a_web_server_watches_its_replicas_by_itself(standbys):
    database = connection.settings_dict
    url = "postgresql://{}@{}/{}"
    hosts = [database["HOST"], *(standby.server.folder for standby in standbys)]
    primary, *others = [
        url.format(database["USER"], quote(host, safe=""), database["NAME"]) for host in hosts
    ]
    code = (
        "import time; from registry import wsgi; from ownership.web.replicas import replicas\n"
        "for _ in range(100):\n"
        "    if all(replica.is_good for replica in replicas): break\n"
        "    time.sleep(0.1)\n"
        "else: raise SystemExit('left out')\n"
        "print(len(replicas))"
    )
    environment = {
        "DEBUG": "1",
        "DATABASE_URL": primary,
        "DATABASE_REPLICA_URLS": ", ".join(others),
    }
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.stdout.strip() == "2", result.stderr


def test_of_several_hosts_the_one_that_accepts_writes_is_used(standbys):
    database = connection.settings_dict
    hosts = f"{standbys[0].server.folder},{database['HOST']}"
    conninfo = f"host={hosts} user={database['USER']} dbname={database['NAME']} target_session_attrs=read-write"
    with psycopg.connect(conninfo) as primary:
        assert primary.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
