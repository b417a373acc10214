"""gunicorn's worker of ownership/web/worker.py, with a small application in place of the registry."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import server

# One process starts the servers that they share.
pytestmark = pytest.mark.xdist_group("worker")

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds, for a machine that stops for some
STRICT = 0.5  # seconds that a client gets
CONNECTIONS = 20
APPLICATION = """
import time
from pathlib import Path
from ownership.web import worker

worker.HEAD_TIMEOUT = worker.BODY_TIMEOUT = worker.SEND_TIMEOUT = {timeout}
worker.MOST_BYTES = 1_000_000

def application(environ, start_response):
    path, answer = environ["PATH_INFO"], b""
    if path == "/hold":
        while not Path("released").exists():
            time.sleep(0.01)
    elif path == "/large":
        answer = b"x" * 50_000_000
    else:
        answer = str(len(environ["wsgi.input"].read())).encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
"""


class Running:
    """A server in a folder of its own: one process of two threads."""

    def __init__(self, folder: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.folder, self.port, self.process = folder, port, process

    def open(self, data: bytes = b"") -> socket.socket:
        """A connection on which that was sent."""
        client = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        client.sendall(data)
        return client

    def ask(self, data: bytes) -> bytes:
        """The whole answer, up to the connection's end."""
        with self.open(data) as client:
            return read_all(client)

    def get(self, path: str) -> bytes:
        """The answer's first line."""
        return self.ask(request(path, "Connection: close")).partition(b"\r\n")[0]


def request(path: str, *fields: str, method: str = "GET", body: bytes = b"") -> bytes:
    head = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *fields])
    return f"{head}\r\n\r\n".encode() + body


def read_all(client: socket.socket) -> bytes:
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


def is_open(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1) != b""
    except BlockingIOError:
        return True
    finally:
        client.settimeout(PATIENCE)


@contextmanager
def running(folder: Path, timeout: float) -> Iterator[Running]:
    Path(folder, "small.py").write_text(APPLICATION.format(timeout=timeout))
    port = server.free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--worker-class=ownership.web.worker.BufferingWorker",
        "--threads=2",
    ]
    command += [
        f"--worker-connections={CONNECTIONS}",
        f"--bind=127.0.0.1:{port}",
        "--no-control-socket",
    ]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{folder}"}
    log = Path(folder, "log")
    with log.open("w") as written:
        process = subprocess.Popen(
            [*command, "small:application"], cwd=folder, env=environment, stderr=written
        )
    try:
        instance = Running(folder, port, process)
        patience = time.monotonic() + PATIENCE
        while True:
            try:
                instance.get("/livez")
                break
            except OSError:
                assert time.monotonic() < patience, log.read_text()
                time.sleep(0.05)
        yield instance
    finally:
        Path(folder, "released").touch()
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def patient(tmp_path_factory) -> Iterator[Running]:
    """A server that waits for its clients as long as these tests may take."""
    with running(tmp_path_factory.mktemp("patient"), 10 * PATIENCE) as instance:
        yield instance


@pytest.fixture(scope="module")
def strict(tmp_path_factory) -> Iterator[Running]:
    """A server that waits for no more than half a second."""
    with running(tmp_path_factory.mktemp("strict"), STRICT) as instance:
        yield instance


STARTS = {
    "nothing": b"",
    "half of a head": b"GET / HTTP/1.1\r\nHost: local",
    "half of a body": request("/", "Content-Length: 100", method="POST", body=b"half"),
}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_clients_that_send_too_little_hold_nobody_up(patient, start):
    slow = [patient.open(start) for _ in range(8)]

    assert patient.get("/") == b"HTTP/1.1 200 OK"

    assert all(is_open(client) for client in slow)
    for client in slow:
        client.close()


def test_health_checks_are_answered_while_every_thread_is_held(patient):
    held = [patient.open(request("/hold", "Connection: close")) for _ in range(2)]
    waiting = patient.open(request("/", "Connection: close"))

    assert patient.get("/livez") == b"HTTP/1.1 200 OK"
    assert patient.get("/readyz?from=balancer") == b"HTTP/1.1 200 OK"

    assert is_open(waiting)
    Path(patient.folder, "released").touch()
    for client in (*held, waiting):
        assert read_all(client).startswith(b"HTTP/1.1 200 OK")
        client.close()
    Path(patient.folder, "released").unlink()


def test_a_request_that_arrives_in_pieces_is_answered_whole(patient):
    whole = request(
        "/", "Content-Length: 300000", "Connection: close", method="POST", body=b"x" * 300_000
    )
    with patient.open() as client:
        for start in range(0, len(whole), 50_001):
            client.sendall(whole[start : start + 50_001])
        assert read_all(client).endswith(b"\r\n\r\n300000")


def test_a_client_that_asks_first_is_told_to_send_its_body(patient):
    head = request(
        "/", "Content-Length: 4", "Expect: 100-continue", "Connection: close", method="POST"
    )
    with patient.open(head) as client:
        assert client.recv(100).startswith(b"HTTP/1.1 100 Continue")
        client.sendall(b"body")
        assert read_all(client).endswith(b"\r\n\r\n4")


def test_a_connection_serves_one_request_after_the_other(patient):
    with patient.open() as client:
        for _ in range(3):
            client.sendall(request("/"))
            answer = b""
            while not answer.endswith(b"\r\n\r\n0"):
                answer += client.recv(1000)
    both = request("/", "Content-Length: 2", method="POST", body=b"ab") + request(
        "/", "Connection: close"
    )
    assert patient.ask(both).count(b"HTTP/1.1 200 OK") == 2, "also if they are sent together"


REFUSED = {
    "of unknown length": (request("/", "Transfer-Encoding: chunked", method="POST"), b"411"),
    "too large": (request("/", "Content-Length: 4194305", method="POST"), b"413"),
    "far too large": (request("/", f"Content-Length: {'9' * 5000}", method="POST"), b"413"),
    "with a long head": (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, b"431"),
    "of two lengths": (
        request("/", "Content-Length: 1", "Content-Length: 2", method="POST", body=b"ab"),
        b"400",
    ),
    "of no length": (request("/", "Content-Length: -1", method="POST"), b"400"),
    "nonsense": (b"\x00\r\n\r\n", b"400"),
}


@pytest.mark.parametrize(("data", "status"), REFUSED.values(), ids=REFUSED)
def test_a_request_that_cannot_be_taken_is_refused_at_once(patient, data, status):
    assert patient.ask(data).startswith(b"HTTP/1.1 " + status)


@pytest.mark.slow
@pytest.mark.parametrize("start", list(STARTS.values())[1:], ids=list(STARTS)[1:])
def test_a_request_that_does_not_arrive_in_time_is_refused(strict, start):
    assert strict.ask(start).startswith(b"HTTP/1.1 408 Request Timeout")


@pytest.mark.slow
def test_a_silent_connection_is_closed(strict):
    assert strict.ask(b"") == b""


def test_a_client_that_does_not_read_loses_its_connection(strict):
    slow = [strict.open(request("/large")) for _ in range(2)]
    for client in slow:
        assert client.recv(1)  # from now on both threads wait for their client
    assert strict.get("/") == b"HTTP/1.1 200 OK"
    time.sleep(4 * STRICT)  # the second thread began a moment after the first
    for client in slow:
        assert len(read_all(client)) < 50_000_000
        client.close()


@pytest.mark.slow
def test_the_oldest_connection_gives_way_when_there_are_too_many(patient):
    silent = [patient.open() for _ in range(CONNECTIONS + 5)]

    assert patient.get("/") == b"HTTP/1.1 200 OK"

    assert not is_open(silent[0])
    assert is_open(silent[-1])
    for client in silent:
        client.close()


def test_the_largest_upload_gives_way_when_there_are_too_many_bytes(patient):
    def upload(size: int) -> socket.socket:
        return patient.open(
            request("/", "Content-Length: 4000000", method="POST", body=b"x" * size)
        )

    small, large, second = upload(1_000), upload(700_000), upload(600_000)

    assert read_all(large).startswith(b"HTTP/1.1 503 Service Unavailable")
    assert is_open(small)
    assert is_open(second)
    for client in (small, large, second):
        client.close()


@pytest.mark.slow
def test_whoever_connected_before_it_was_told_to_stop_gets_an_answer(tmp_path):
    with running(tmp_path, PATIENCE) as instance:
        [worker] = server.family(instance.process.pid)[1:]
        os.kill(worker, signal.SIGSTOP)
        clients = [instance.open(request("/")) for _ in range(5)]
        instance.process.terminate()
        # The process is told while it stands still.
        time.sleep(0.5)
        os.kill(worker, signal.SIGCONT)
        for client in clients:
            assert read_all(client).startswith(b"HTTP/1.1 200 OK")
            client.close()
        assert instance.process.wait(PATIENCE) == 0
