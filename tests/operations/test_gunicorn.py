"""The production server as gunicorn.conf.py configures it, in a process of its own, on SQLite."""

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import server

# One process starts the servers that they share.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("gunicorn")]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> dict[str, str]:
    """Production settings with a migrated database."""
    folder = tmp_path_factory.mktemp("gunicorn")
    environment = os.environ | {
        "DEBUG": "0",
        "SECRET_KEY": "for this test alone",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{folder}/registry.sqlite3",
        "SNAPSHOT_DIR": f"{folder}/snapshots",
        "WEB_CONCURRENCY": "1",
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True
    )
    return environment


def get_status(address: str, path: str, headers: dict[str, str]) -> int:
    """The status of the response, without following redirects."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=300)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


HTTPS = {"X-Forwarded-Proto": "https"}
CLAIMS = [HTTPS, {"X-Forwarded-Protocol": "ssl"}, {"X-Forwarded-Ssl": "on"}]


@pytest.fixture(scope="module")
def untrusting(environment) -> Iterator[str]:
    """The address of a server that trusts no proxy."""
    with server.serving(["gunicorn"], environment) as (address, _):
        yield address


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: next(iter(claim)))
def test_without_trust_no_header_turns_a_request_into_one_over_https(untrusting, claim):
    assert get_status(untrusting, "/api/v1/map/", claim) == 301


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "PATH_INFO"])
def test_no_header_changes_the_path_that_routing_and_rate_limit_use(untrusting, name):
    assert get_status(untrusting, "/livez", {name: "/x"}) == 200
    assert get_status(untrusting, "/x/livez", {name: "/x"}) == 301


def test_stopping_it_loses_no_request_while_its_socket_stays_open(environment):
    statuses: list[int] = []
    ended = threading.Event()

    def reader(address: str) -> None:
        while not ended.is_set():
            statuses.append(get_status(address, "/readyz", {}))
            time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as held:
        readers = [
            threading.Thread(target=reader, args=[f"http://127.0.0.1:{held.getsockname()[1]}"])
            for _ in range(4)
        ]
        for number in range(2):
            with server.serving(["gunicorn"], environment, held):
                before = len(statuses)
                if number == 0:
                    for thread in readers:
                        thread.start()
                while len(statuses) < before + 40:
                    assert all(thread.is_alive() for thread in readers), "a request got no response"
                    time.sleep(0.05)
                if number == 1:
                    ended.set()
                    for thread in readers:
                        thread.join()
    assert set(statuses) == {200}
