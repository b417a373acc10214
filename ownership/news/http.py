"""One POST to an address that is not trusted: only where it is permitted, and bounded in time and bytes.

Redirects are not followed and proxies from the environment are not used: both could lead elsewhere.
"""

import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from ownership.history.models import whole_number
from ownership.news.addresses import permitted_addresses

# Seconds from the first connection to the end of the answer.
LONGEST_REQUEST = 10.0
LONGEST_CONNECT = 4.0
# How many of the addresses that a name resolves to are tried.
MOST_ADDRESSES = 2
# Bytes of an answer that are read.
MOST_BYTES = 4_096
USER_AGENT = "ownership-registry"


@dataclass(frozen=True)
class Answer:
    """An answer: its status, the beginning of its text, and the seconds of Retry-After, if any."""

    status: int
    text: str
    retry_after: int | None

    @property
    def is_success(self) -> bool:
        """Whether the request was accepted."""
        return 200 <= self.status < 300


class NoAnswer(Exception):
    """There was no answer, or only part of one. The message says why, for people."""


class _Deadline:
    """Ends reading from and writing to a connection when the time is up, however slowly bytes arrive."""

    def __init__(self) -> None:
        self.has_passed = False
        self._end = time.monotonic() + LONGEST_REQUEST
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(LONGEST_REQUEST, self._pass)
        self._timer.daemon = True

    def __enter__(self) -> "_Deadline":
        self._timer.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._timer.cancel()

    def watch(self, connected: socket.socket) -> None:
        """Watch this socket. Its connection will not do: it gives up the socket before the answer is read."""
        self._socket = connected
        if self.has_passed:
            self._pass()

    def seconds_left(self) -> float:
        """The seconds until the time is up; a tenth at least."""
        return max(0.1, self._end - time.monotonic())

    def _pass(self) -> None:
        self.has_passed = True
        if self._socket is not None:
            with suppress(OSError):  # closed by the other side
                self._socket.shutdown(socket.SHUT_RDWR)


def post(address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send the body and return the answer, whatever its status. Raises NoAnswer and AddressRefused."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    is_encrypted = parts.scheme == "https"
    port = parts.port or (443 if is_encrypted else 80)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    all_headers = {
        "Host": parts.netloc,
        "User-Agent": USER_AGENT,
        "Accept-Encoding": "identity",
        "Connection": "close",
        **headers,
    }
    addresses = permitted_addresses(host, port, is_encrypted)
    with _Deadline() as deadline:
        try:
            connection = _connect(addresses, port, host if is_encrypted else None, deadline)
            try:
                return _ask(connection, target, body, all_headers)
            finally:
                connection.close()
        except (HTTPError, HTTPException, OSError) as error:
            if deadline.has_passed:
                raise NoAnswer(
                    f"No complete answer within {LONGEST_REQUEST:.0f} seconds."
                ) from error
            raise NoAnswer(_why(error)) from error


def _connect(
    addresses: list[str], port: int, encrypted_host: str | None, deadline: _Deadline
) -> HTTPConnection:
    """A connection to the first of the addresses that takes one."""
    *others, last = addresses[:MOST_ADDRESSES]
    for address in others:
        with suppress(NewConnectionError, ConnectTimeoutError):
            return _connect_to(address, port, encrypted_host, deadline)
    return _connect_to(last, port, encrypted_host, deadline)


def _connect_to(
    address: str, port: int, encrypted_host: str | None, deadline: _Deadline
) -> HTTPConnection:
    seconds = min(LONGEST_CONNECT, deadline.seconds_left())
    if encrypted_host is None:
        connection = HTTPConnection(address, port, timeout=seconds)
    else:
        # Connect to the address; the name is for the handshake and the certificate.
        connection = HTTPSConnection(
            address,
            port,
            timeout=seconds,
            server_hostname=encrypted_host,
            ssl_context=_tls(),
        )
    connection.connect()
    deadline.watch(connection.sock)
    connection.sock.settimeout(deadline.seconds_left())
    return connection


def _ask(
    connection: HTTPConnection, target: str, body: bytes, headers: Mapping[str, str]
) -> Answer:
    connection.request(
        "POST", target, body=body, headers=headers, preload_content=False, decode_content=False
    )
    response = connection.getresponse()
    content = response.read(MOST_BYTES, decode_content=False)
    retry_after = whole_number(response.headers.get("Retry-After"))
    text = content.decode("utf-8", errors="replace").replace("\x00", "�")
    return Answer(response.status, text, retry_after)


@cache
def _tls() -> ssl.SSLContext:
    """Verifies certificates against the machine's certificate authorities."""
    return ssl.create_default_context()


def _why(error: Exception) -> str:
    """What went wrong, for people; without addresses."""
    if isinstance(error, NewConnectionError | ConnectTimeoutError):
        return "No connection: nothing is listening there, or a firewall is in the way."
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "verify_message", "") or error.reason or "handshake failed"
        return f"No encrypted connection: {reason}."
    if isinstance(error, TimeoutError):
        return f"No complete answer within {LONGEST_REQUEST:.0f} seconds."
    return "The connection was lost, or the answer was not HTTP."
