"""The server of production, as gunicorn.conf.py sets it up: a process of its own, on SQLite."""

import http.client
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import server

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> dict[str, str]:
    """Production settings, and a database that is migrated."""
    folder = tmp_path_factory.mktemp("gunicorn")
    made = os.environ | {
        "DEBUG": "0",
        "SECRET_KEY": "for this test alone",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{folder}/registry.sqlite3",
        "SNAPSHOT_DIR": f"{folder}/snapshots",
        "WEB_CONCURRENCY": "1",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=made, check=True)
    return made


def ask(address: str, path: str, headers: dict[str, str]) -> int:
    """The status of the answer; redirects are one."""
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
    """The address of one that is told to trust no proxy."""
    with server.serving(["gunicorn"], environment) as (address, _):
        yield address


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: next(iter(claim)))
def test_without_trust_no_header_makes_a_request_one_over_https(untrusting, claim):
    assert ask(untrusting, "/api/v1/map/", claim) == 301


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "PATH_INFO"])
def test_no_header_moves_the_address_that_routes_and_rates_go_by(untrusting, name):
    assert ask(untrusting, "/livez", {name: "/x"}) == 200
    assert ask(untrusting, "/x/livez", {name: "/x"}) == 301


def test_ending_it_loses_no_request_where_its_socket_goes_on(environment):
    answers: list[int] = []
    ended = threading.Event()

    def reader(address: str) -> None:
        while not ended.is_set():
            answers.append(ask(address, "/readyz", {}))

    with socket.create_server(("127.0.0.1", 0)) as held:
        readers = [
            threading.Thread(target=reader, args=[f"http://127.0.0.1:{held.getsockname()[1]}"]) for _ in range(4)
        ]
        for number in range(3):
            with server.serving(["gunicorn"], environment, held):
                before = len(answers)
                if number == 0:
                    for one in readers:
                        one.start()
                while len(answers) < before + 40:
                    assert all(one.is_alive() for one in readers), "one got no answer"
                if number == 2:
                    ended.set()
                    for one in readers:
                        one.join()
    assert set(answers) == {200}
