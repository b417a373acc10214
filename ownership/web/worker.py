"""gunicorn's worker with threads, changed so that a thread gets a request only when all of it has arrived.

gunicorn's own worker reads a request in the thread that will answer it. That thread waits for the client: for 5 s until
it sends anything, and then without limit. So as many slow clients as there are threads stop everybody. Here the
process's main loop collects what clients send, as nginx does, with time limits; a slow client costs memory only.

Health checks have a thread of their own, so they are answered while all other threads are held.

This builds on the inner methods of ``gunicorn.workers.gthread``, for gunicorn has no setting for any of it.
tests/web/test_worker.py holds them to what is needed here.
"""

import re
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from socket import SHUT_WR, socket

from gunicorn import http, util
from gunicorn.workers.gthread import TConn, ThreadWorker

# Seconds that a client may take: for the request's head, for its body after that, and to take an answer.
HEAD_TIMEOUT = 10
BODY_TIMEOUT = 60
SEND_TIMEOUT = 30
# Seconds that a refused client gets to read why.
REFUSAL_TIMEOUT = 2

LARGEST_HEAD = 64 * 1024
# More than Django takes (DATA_UPLOAD_MAX_MEMORY_SIZE and a file of the import page).
LARGEST_BODY = 4 * 1024 * 1024
# Bytes that one process holds of all requests that are still arriving.
MOST_BYTES = 32 * 1024 * 1024
CHUNK = 64 * 1024

END_OF_HEAD = b"\r\n\r\n"
FIELD = re.compile(
    rb"\r\n(content-length|transfer-encoding|expect)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE
)
PROBE = re.compile(rb"(GET|HEAD) /(livez|readyz)[ ?]")


class RequestRefused(Exception):
    """The request can't be taken. The arguments are the response's status, its reason, and a sentence."""


class Arrival:
    """What has arrived of one request."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.deadline = time.monotonic() + HEAD_TIMEOUT
        # Bytes of the whole request; not known before its head is complete.
        self.length: int | None = None
        self.expects_continue = False
        self.is_watched = False
        self.is_refused = False

    @property
    def is_complete(self) -> bool:
        """Whether the whole request is here."""
        return self.length is not None and len(self.data) >= self.length

    @property
    def is_probe(self) -> bool:
        """Whether this is a health check."""
        return PROBE.match(self.data) is not None

    def add(self, data: bytes) -> None:
        """Take what the client sent next. Raises RequestRefused if the request is too large, or of unknown length."""
        # The head's end may have begun in the last three bytes.
        start = max(0, len(self.data) - len(END_OF_HEAD) + 1)
        self.data += data
        if self.length is not None:
            return
        end = self.data.find(END_OF_HEAD, start)
        if end >= 0:
            self._read_head(end)
        elif len(self.data) > LARGEST_HEAD:
            raise RequestRefused(
                431, "Request Header Fields Too Large", "The request's header is too long."
            )

    def _read_head(self, end: int) -> None:
        """Learn from the head how long the body is. What is malformed there, gunicorn's own parser will refuse."""
        fields = {name.lower(): value.strip() for name, value in FIELD.findall(self.data, 0, end)}
        if b"transfer-encoding" in fields:
            raise RequestRefused(
                411, "Length Required", "Send the request's length in Content-Length."
            )
        digits = fields.get(b"content-length", b"")
        body = 0
        if digits.isdigit():
            # Python converts no number of more than 4,300 digits.
            body = int(digits[:20])
        if body > LARGEST_BODY:
            raise RequestRefused(
                413, "Content Too Large", f"A request takes up to {LARGEST_BODY:,} bytes."
            )
        self.length = end + len(END_OF_HEAD) + body
        self.expects_continue = fields.get(b"expect", b"").lower() == b"100-continue"
        self.deadline = time.monotonic() + BODY_TIMEOUT


class Connection(TConn):
    """A client's connection."""

    def close(self, graceful: bool = False) -> None:
        """Close it at once.

        gunicorn waits up to 2 s for the client to close first, and lets all other clients wait with it. That protects
        answers to requests that were not read to their end; here they are.
        """
        util.close(self.sock)


class BufferingWorker(ThreadWorker):
    """The main loop collects requests; threads answer them.

    If there are more connections than allowed, those that have waited longest give way to new ones.
    """

    def init_process(self) -> None:
        """Run the process, until it is told to stop."""
        # Oldest first.
        self.arrivals: dict[Connection, Arrival] = {}
        self.bytes_held = 0
        self.next_sweep = 0.0
        self.probes = ThreadPoolExecutor(max_workers=1, thread_name_prefix="probes")
        super().init_process()

    def accept(self, listener: socket) -> bool:
        """Take a new connection. Whether there was one."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            # Another process was faster, or the client has gone.
            return False
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        self._await_request(Connection(self.cfg, client, address, listener.getsockname()))
        return True

    def on_client_socket_readable(self, connection: Connection, client: socket) -> None:
        """Take the next request of a connection that was kept alive."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(connection)
        self._await_request(connection)

    def _make_room(self) -> None:
        if self.keepalived_conns:
            self.keepalived_conns[0].timeout = 0
            self.murder_keepalived()
        elif self.arrivals:
            self._drop(next(iter(self.arrivals)))

    def _await_request(self, connection: Connection) -> None:
        arrival = self.arrivals[connection] = Arrival()
        # Usually it is here already.
        self._receive(connection)
        if connection in self.arrivals:
            arrival.is_watched = True
            self.poller.register(
                connection.sock, EVENT_READ, partial(self._on_readable, connection)
            )

    def _on_readable(self, connection: Connection, client: socket) -> None:
        # An event may have been reported before the connection gave way to another.
        if connection in self.arrivals:
            self._receive(connection)

    def _receive(self, connection: Connection) -> None:
        arrival = self.arrivals[connection]
        try:
            data = connection.sock.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
        elif not arrival.is_refused:
            self.bytes_held += len(data)
            try:
                arrival.add(data)
            except RequestRefused as refusal:
                self._refuse(connection, refusal)
            else:
                self._received(connection, arrival)

    def _received(self, connection: Connection, arrival: Arrival) -> None:
        if arrival.is_complete:
            self._forget(connection)
            self._answer(connection, arrival)
            return
        if arrival.expects_continue:
            arrival.expects_continue = False
            with suppress(OSError):
                connection.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self.bytes_held > MOST_BYTES:
            largest = max(self.arrivals, key=lambda each: len(self.arrivals[each].data))
            self._refuse(
                largest,
                RequestRefused(
                    503, "Service Unavailable", "Too much is being uploaded. Try again."
                ),
            )

    def _answer(self, connection: Connection, arrival: Arrival) -> None:
        """Let a thread answer the request."""
        connection.initialized = True
        connection.parser = http.get_parser(self.cfg, _pieces(arrival), connection.client)
        pool = self.probes if arrival.is_probe else self.tpool
        answered: Future[bool] = pool.submit(self.handle, connection)
        answered.add_done_callback(
            lambda done: self.method_queue.defer(self.finish_request, connection, done)
        )

    def handle_request(self, request: http.Request, connection: Connection) -> bool:
        """Answer, in a thread. Whether the connection may be kept."""
        connection.sock.settimeout(SEND_TIMEOUT)
        try:
            return bool(super().handle_request(request, connection))
        except TimeoutError:
            self.log.info(
                "Closed a connection: the client took longer than %s s to read its answer.",
                SEND_TIMEOUT,
            )
            return False

    def murder_pending(self) -> None:
        """Once a second, close connections whose request does not arrive in time."""
        now = time.monotonic()
        if now < self.next_sweep:
            return
        self.next_sweep = now + 1
        for connection, arrival in list(self.arrivals.items()):
            if arrival.deadline > now:
                continue
            if arrival.data and not arrival.is_refused:
                self._refuse(
                    connection,
                    RequestRefused(408, "Request Timeout", "The request did not arrive in time."),
                )
            else:
                self._drop(connection)

    def _cap_keepalive(self, deadline: float) -> None:
        """When the process stops: wait until then at most for requests that have not begun.

        Clients that have connected already are taken: when the last process closes the socket, they would be cut off.
        """
        super()._cap_keepalive(deadline)
        for listener in self.sockets:
            while self.nr_conns < self.worker_connections and self.accept(listener):
                pass
        for arrival in self.arrivals.values():
            if not arrival.data:
                arrival.deadline = min(arrival.deadline, deadline)

    def _refuse(self, connection: Connection, refusal: RequestRefused) -> None:
        """Say why, then ignore what the client still sends: if we closed at once, it might not see the answer."""
        arrival = self.arrivals[connection]
        arrival.is_refused = True
        arrival.deadline = time.monotonic() + REFUSAL_TIMEOUT
        self.bytes_held -= len(arrival.data)
        arrival.data.clear()
        with suppress(OSError):
            util.write_error(connection.sock, *refusal.args)
            connection.sock.shutdown(SHUT_WR)

    def _drop(self, connection: Connection) -> None:
        self._forget(connection)
        self.nr_conns -= 1
        connection.close()

    def _forget(self, connection: Connection) -> None:
        arrival = self.arrivals.pop(connection)
        self.bytes_held -= len(arrival.data)
        if arrival.is_watched:
            self.poller.unregister(connection.sock)


def _pieces(arrival: Arrival) -> Iterator[bytes]:
    yield bytes(arrival.data)
