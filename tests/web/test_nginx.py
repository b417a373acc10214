"""nginx with deploy/nginx.conf.template, as docker-compose.yml and docs/operations.md use it, before a small server."""

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.slow_clients import SLOW_ADDRESS, behind_nginx, connect, request

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("nginx"),  # one process starts the server that they share
    pytest.mark.skipif(
        not shutil.which("nginx"), reason="nginx is not installed (Debian: apt-get install nginx)"
    ),
]


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers that came."""

    def do_GET(self) -> None:
        body = str(self.headers).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def fronts() -> Iterator[tuple[str, ThreadingHTTPServer]]:
    """The address of nginx, and the server behind it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with behind_nginx(f"http://127.0.0.1:{server.server_port}") as address:
        yield address, server
    server.server_close()


def test_no_client_can_claim_an_address_or_a_host(fronts):
    claims = {
        "X-Forwarded-For": "198.51.100.7",
        "X-Forwarded-Proto": "http",
        "Host": "registry.example",
    }
    _, _, text = request(fronts[0], "GET", "/", source=SLOW_ADDRESS, **claims)
    headers = dict(line.split(": ", 1) for line in text.splitlines() if line)
    assert headers["X-Forwarded-For"] == SLOW_ADDRESS
    assert headers["X-Forwarded-Proto"] == "https"
    assert headers["Host"] == "registry.example"


def test_a_slow_body_does_not_reach_the_server(fronts):
    with connect(fronts[0]) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
        assert request(fronts[0], "GET", "/")[0] == 200
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_more_than_the_registry_takes_is_refused(fronts):
    with connect(fronts[0]) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4194305\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 413")


def test_too_many_connections_of_an_address_get_429_and_are_told_how_long_to_wait(fronts):
    held = [connect(fronts[0], SLOW_ADDRESS) for _ in range(100)]
    for client in held:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
    # nginx counts a connection when it has read the head of its request.
    for _ in range(100):
        status, headers, text = request(fronts[0], "GET", "/", source=SLOW_ADDRESS)
        if status == 429:
            break
    assert (status, headers["Retry-After"]) == (429, "2")
    assert "Try again in 2 seconds" in text
    assert request(fronts[0], "GET", "/")[0] == 200, "other addresses are free"
    for client in held:
        client.close()


def test_while_the_server_is_away_the_answer_is_503(fronts):
    address, server = fronts
    server.shutdown()
    server.server_close()
    status, headers, text = request(address, "GET", "/")
    assert (status, headers["Retry-After"]) == (503, "5")
    assert "Try again in 5 seconds" in text
