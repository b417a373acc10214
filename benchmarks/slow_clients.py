"""Can a few slow clients stop everybody? ``python benchmarks/slow_clients.py [--seconds 25] [--servers …] [--guesses]``

16, 64 and 256 clients hold connections, a quarter each: some send nothing, some send a byte a second of a request's
head or of its body, and some read nothing of a long answer. Closed connections are opened again. Meanwhile probes and
readers ask as usual. They come from another address, first straight to the server, then to nginx with the
configuration of deploy/nginx.conf.template. With ``--guesses``, sixteen clients try passwords for
names of their own instead. With ``--replicas``, the server reads from two standbys.

All is on the loopback interface, on a throw-away database, and ends by itself. Needs nginx and openssl.
"""

import argparse
import http.client
import os
import re
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from string import Template
from urllib.parse import urlencode, urlsplit

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import server
from benchmarks.saving import registry
from benchmarks.standbys import three

CROWDS = (16, 64, 256)
SLOW_ADDRESS = "127.0.0.2"
PATIENCE = 30  # seconds after which a probe or a reader gives up
LONG_ANSWER = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
SERVERS = {
    "as configured": ["gunicorn"],
    "gthread": server.SERVERS["gunicorn gthread"],
    "sync": server.SERVERS["gunicorn sync"],
    "granian": server.SERVERS["granian wsgi"],
}
TRUSTING = ssl.create_default_context()
TRUSTING.check_hostname = False
TRUSTING.verify_mode = ssl.CERT_NONE


def connect(address: str, source: str = "127.0.0.1", timeout: float = PATIENCE) -> socket.socket:
    """A connection to the server, over TLS where the address says so."""
    parts = urlsplit(address)
    plain = socket.socket()
    try:
        plain.settimeout(timeout)
        plain.bind((source, 0))
        plain.connect((parts.hostname, parts.port))
        return TRUSTING.wrap_socket(plain) if parts.scheme == "https" else plain
    except OSError:
        plain.close()
        raise


class Crowd(threading.Thread):
    """So many slow clients, served by one thread."""

    KINDS = ("silent", "head", "body", "reader")

    def __init__(self, address: str, number: int, long_answer: str) -> None:
        super().__init__(daemon=True)
        self.address, self.stop = address, threading.Event()
        self.clients: list[tuple[str, socket.socket | None]] = [
            (self.KINDS[each % len(self.KINDS)], None) for each in range(number)
        ]
        self.opened = 0
        host = urlsplit(address).netloc
        common = f"Host: {host}\r\nX-Forwarded-Proto: https\r\n"
        self.first = {
            "silent": "",
            "head": f"GET / HTTP/1.1\r\n{common}X-Slow: ",
            "body": f"POST /admin/login/ HTTP/1.1\r\n{common}Content-Length: 100000\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\nusername=",
            "reader": f"GET {long_answer} HTTP/1.1\r\n{common}\r\n",
        }

    def run(self) -> None:
        """A byte a second from each of those that send."""
        while not self.stop.wait(1):
            self.clients = [(kind, self.tend(kind, client)) for kind, client in self.clients]
        for _, client in self.clients:
            if client:
                client.close()

    def tend(self, kind: str, client: socket.socket | None) -> socket.socket | None:
        """The client's connection, a byte further; a new one if it was closed, None if that failed."""
        try:
            if client is None:
                return self.begin(kind)
            if kind in ("head", "body"):
                client.sendall(b"x")
            if kind != "reader":
                client.setblocking(False)
                # Anything that comes, or an end, means that the server has given up on it.
                with suppress(BlockingIOError, ssl.SSLWantReadError):
                    client.recv(1000)
                    client.close()
                    return None
                client.settimeout(2)
        except OSError:
            if client:
                client.close()
            return None
        return client

    def begin(self, kind: str) -> socket.socket:
        """Open a connection, and send what comes first."""
        self.opened += 1
        if kind == "silent":
            parts = urlsplit(self.address)
            return socket.create_connection((parts.hostname, parts.port), 2, (SLOW_ADDRESS, 0))
        client = connect(self.address, SLOW_ADDRESS, 2)
        client.sendall(self.first[kind].encode())
        return client


class Asking(threading.Thread):
    """Asks for a path again and again, with a new connection each time, and keeps the seconds that it took."""

    def __init__(self, address: str, path: str, pause: float) -> None:
        super().__init__(daemon=True)
        self.address, self.path, self.pause = address, path, pause
        self.stop, self.seconds, self.failed = threading.Event(), [], 0

    def run(self) -> None:
        """One request after the other."""
        while not self.stop.wait(self.pause):
            begun = time.monotonic()
            try:
                if request(self.address, "GET", self.path)[0] not in (200, 304):
                    self.failed += 1
            except (OSError, http.client.HTTPException):
                self.failed += 1
            self.seconds.append(time.monotonic() - begun)


def request(
    address: str,
    method: str,
    path: str,
    body: str | None = None,
    source: str = "127.0.0.1",
    **headers: str,
) -> tuple[int, http.client.HTTPMessage, str]:
    """Status, headers and text of an answer."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc)
    connection.sock = connect(address, source)
    try:
        connection.request(method, path, body, server.HEADERS | headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode(errors="replace")
    finally:
        connection.close()


@contextmanager
def behind_nginx(address: str) -> Iterator[str]:
    """nginx before that server, configured as in production; its address."""
    plain, secure = server.free_port(), server.free_port()
    with tempfile.TemporaryDirectory(prefix="registry-nginx-") as folder:
        make = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
        ]
        make += ["-keyout", f"{folder}/privkey.pem", "-out", f"{folder}/fullchain.pem"]
        subprocess.run(make, check=True, capture_output=True)
        template = Path(server.ROOT, "deploy/nginx.conf.template").read_text()
        Path(folder, "registry.conf").write_text(
            Template(template).safe_substitute(
                HTTP_LISTEN=f"127.0.0.1:{plain}",
                HTTPS_LISTEN=f"127.0.0.1:{secure}",
                SERVER_NAME="127.0.0.1",
                CERTIFICATES=folder,
                UPSTREAM=urlsplit(address).netloc,
            )
        )
        temporary = "\n".join(
            f"{kind}_temp_path {folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        # What the distribution's nginx.conf has around it.
        Path(folder, "nginx.conf").write_text(
            f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes auto;\n"
            f"{'user root;' if os.getuid() == 0 else ''} events {{ worker_connections 1024; }}\n"
            f"http {{ access_log off; {temporary} include {folder}/registry.conf; }}\n"
        )
        arguments = [
            "nginx",
            "-c",
            f"{folder}/nginx.conf",
            "-p",
            folder,
            "-e",
            f"{folder}/error.log",
        ]
        subprocess.run([*arguments, "-t"], check=True, capture_output=True)
        process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
        try:
            front = f"https://127.0.0.1:{secure}"
            for _ in range(100):
                with suppress(OSError):
                    connect(front).close()
                    break
                time.sleep(0.1)
            yield front
        finally:
            process.terminate()
            process.wait(30)


def observed(address: str, seconds: float) -> str:
    """What probes and readers meet for so long, as a few figures."""
    probes = [Asking(address, "/livez", 0.2), Asking(address, "/readyz", 0.2)]
    readers = [Asking(address, "/api/v1/map/", 0.1), Asking(address, "/", 0.1)]
    for thread in (*probes, *readers):
        thread.start()
    time.sleep(seconds)
    for thread in (*probes, *readers):
        thread.stop.set()
    for thread in (*probes, *readers):
        thread.join()
    parts = []
    for what, threads in (("probes", probes), ("readers", readers)):
        taken = [each for thread in threads for each in thread.seconds]
        failed = sum(thread.failed for thread in threads)
        half = statistics.median(taken)
        parts.append(
            f"{what} {len(taken):5,} asked {half:6.2f} s median {max(taken):6.2f} s slowest {failed} failed"
        )
    return "; ".join(parts)


def hold(address: str, number: int, seconds: float) -> None:
    """Let so many slow clients hold connections, and print what others meet."""
    found = re.search(
        r'"([^"]*swagger-ui-bundle[^"]*)"', request(address, "GET", "/api/v1/docs/")[2]
    )
    crowd = Crowd(address, number, found[1] if found else LONG_ANSWER)
    crowd.start()
    time.sleep(3)
    print(
        f"    {number:4} slow clients: {observed(address, seconds)}; {crowd.opened} connections",
        flush=True,
    )
    crowd.stop.set()
    crowd.join()


class Guesser(threading.Thread):
    """Tries a password for one new name after the other."""

    def __init__(self, address: str, number: int) -> None:
        super().__init__(daemon=True)
        self.address, self.number = address, number
        self.stop, self.statuses = threading.Event(), []

    def run(self) -> None:
        """One sign-in after the other."""
        _, headers, page = request(self.address, "GET", "/admin/login/", source=SLOW_ADDRESS)
        cookie = re.search(r"csrftoken=\w+", headers["Set-Cookie"] or "")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        form = {"csrfmiddlewaretoken": token[1], "password": "a guess"}
        sent = {
            "Cookie": cookie[0],
            "Content-Type": "application/x-www-form-urlencoded",
            "Referer": f"https://{urlsplit(self.address).netloc}/admin/login/",
        }
        while not self.stop.is_set():
            name = f"guess-{self.number}-{len(self.statuses)}"
            body = urlencode(form | {"username": name})
            with suppress(OSError, http.client.HTTPException):
                self.statuses.append(
                    request(self.address, "POST", "/admin/login/", body, SLOW_ADDRESS, **sent)[0]
                )


def guess(address: str, seconds: float) -> None:
    """Let sixteen clients guess, and print what others meet and what is left."""
    from axes.models import AccessAttempt

    before = AccessAttempt.objects.count()
    guessers = [Guesser(address, number) for number in range(16)]
    for guesser in guessers:
        guesser.start()
    met = observed(address, seconds)
    for guesser in guessers:
        guesser.stop.set()
    for guesser in guessers:
        guesser.join()
    statuses = [status for guesser in guessers for status in guesser.statuses]
    counts = ", ".join(f"{statuses.count(status):,} x {status}" for status in sorted(set(statuses)))
    rows = AccessAttempt.objects.count() - before
    print(f"    guesses: {met}; {counts}; {rows} rows", flush=True)


def main() -> None:
    """Read what is asked for, and run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=25, help="of each crowd")
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=["as configured"])
    parser.add_argument("--guesses", action="store_true")
    parser.add_argument(
        "--replicas", action="store_true", help="on PostgreSQL with two standbys to read from"
    )
    options = parser.parse_args()
    with ExitStack() as databases:
        more = {"TRUSTED_PROXIES": "127.0.0.1", "API_RATE": "0"}
        if options.replicas:
            primary, *standbys = databases.enter_context(three(synchronous=False))
            os.environ["DATABASE_URL"] = primary.url
            more["DATABASE_REPLICA_URLS"] = ",".join(standby.url for standby in standbys)
        environment = databases.enter_context(registry()) | more
        for name in options.servers:
            with ExitStack() as stack:
                direct, _ = stack.enter_context(server.serving(SERVERS[name], environment))
                front = stack.enter_context(behind_nginx(direct))
                for where, address in (("without a proxy", direct), ("behind nginx", front)):
                    print(f"{name}, {where}; load average {os.getloadavg()[0]:.1f}", flush=True)
                    if options.guesses:
                        guess(address, options.seconds)
                        continue
                    for number in CROWDS:
                        hold(address, number, options.seconds)


if __name__ == "__main__":
    main()
