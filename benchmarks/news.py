"""What a hundred endpoints cost a save: ``python -m benchmarks.news [--rounds 20]``

By turns, 20 saves each: without endpoints; with a hundred; with a hundred and a deliverer that sends each change to all
of them. One save in a change set of its own, every half second: a busy registry. The ratio is the median over rounds of
one turn's median beside that of the turn without endpoints in the same round. Then the backlog is delivered, and it
is checked that every endpoint got every change set in order. SQLite in a temporary directory; ``python -m
tests.support.postgres python -m benchmarks.news`` for PostgreSQL.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from benchmarks.generator import Generator, empty_database

ENDPOINTS, SAVES, PAUSE = 100, 20, 0.5
ROOT = Path(__file__).resolve().parent.parent


def receive(file: str) -> None:
    """Answer 200 to everything on a free port, which is the first line of the file; then a line for each request."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            lines.write(f"{self.path} {self.headers['webhook-id']}\n")
            lines.flush()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, open(file, "w") as lines:
        lines.write(f"{server.server_port}\n")
        lines.flush()
        server.serve_forever()


@contextmanager
def receiver(folder: str) -> Iterator[tuple[int, Path]]:
    """A process that receives: its port, and the file of what it got."""
    file = Path(folder, "received")
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.news", "--receive", str(file)], cwd=ROOT
    )
    try:
        while not file.exists() or not file.read_text().endswith("\n"):
            time.sleep(0.05)
        yield int(file.read_text()), file
    finally:
        process.terminate()
        process.wait()


@contextmanager
def deliverer() -> Iterator[None]:
    """`manage.py deliver`, for as long as the block takes."""
    environment = os.environ | {"ENDPOINT_NETWORKS": "127.0.0.0/8"}
    process = subprocess.Popen([sys.executable, "manage.py", "deliver"], cwd=ROOT, env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def make_endpoints(port: int, number: int) -> None:
    """So many webhooks at the receiver."""
    from ownership.history.bulk import save_rows
    from ownership.models import Endpoint
    from ownership.news.endpoint_secrets import give_secret, new_webhook_secret

    addresses = [f"http://127.0.0.1:{port}/{each}" for each in range(number)]
    save_rows(
        Endpoint(name=f"hook {address}", kind="webhook", address=address) for address in addresses
    )
    for endpoint in Endpoint.objects.all():
        give_secret(endpoint, new_webhook_secret(), "benchmark")


@contextmanager
def without_endpoints() -> Iterator[None]:
    """Take their rows away past history, and put them back."""
    from django.db.models import QuerySet

    from ownership.models import Endpoint, EndpointSecret

    rows: dict[type, list] = {
        model: list(model.objects.all()) for model in (Endpoint, EndpointSecret)
    }
    for model in (EndpointSecret, Endpoint):
        QuerySet(model)._raw_delete("default")
    yield
    for model in (Endpoint, EndpointSecret):
        QuerySet(model).bulk_create(rows[model])


def save_for_a_turn() -> float:
    """The median of the seconds that each save took."""
    from ownership.history.change_sets import change_set
    from ownership.models import Service

    taken = []
    service = Service.objects.get(name="service-1")
    for _ in range(SAVES):
        begin = time.perf_counter()
        with change_set(reason="As agreed"):
            service.description = str(begin)
            service.save()
        taken.append(time.perf_counter() - begin)
        time.sleep(PAUSE)
    return median(taken)


TURNS = {
    "without endpoints": without_endpoints,
    f"{ENDPOINTS} endpoints": nullcontext,
    f"{ENDPOINTS} endpoints and a deliverer": deliverer,
}


def measure(rounds: int) -> bool:
    """Let the turns follow each other, print what came of it, and say whether all was delivered."""
    from ownership.history.models import ChangeSet, current_head
    from ownership.models import Delivery

    Generator(tables=100, services=20).run()
    with tempfile.TemporaryDirectory() as folder, receiver(folder) as (port, file):
        make_endpoints(port, ENDPOINTS)
        first = current_head().revision + 1
        seconds: dict[str, list[float]] = {name: [] for name in TURNS}
        for _ in range(rounds):
            for name, surroundings in TURNS.items():
                with surroundings():
                    time.sleep(0.5)
                    seconds[name].append(save_for_a_turn())
        base = seconds["without endpoints"]
        for name, medians in seconds.items():
            ratio = median(one / other for one, other in zip(medians, base, strict=True))
            print(
                f"  {name}: median {1000 * median(medians):.2f} ms a save, {ratio:.3f} of that without endpoints"
            )
        last = current_head().revision
        waiting = Delivery.objects.exclude(revision=last)
        begin, had = time.monotonic(), len(file.read_text().splitlines())
        with deliverer():
            while waiting.exists() or Delivery.objects.count() < ENDPOINTS:
                time.sleep(0.2)
        lines = file.read_text().splitlines()
        print(
            f"  the backlog: {(len(lines) - had) / (time.monotonic() - begin):.0f} events a second"
        )
        got: dict[str, list[str]] = {}
        for line in lines[1:]:
            path, event = line.split()
            got.setdefault(path, []).append(event)
        expected = list(
            ChangeSet.objects.filter(revision__gte=first)
            .order_by("revision")
            .values_list("pk", flat=True)
        )
        wrong: Counter[str] = Counter()
        for events in got.values():
            wrong["not all, or not in order"] += [
                int(event.split("-")[0]) for event in events
            ] != expected
        print(
            f"  {len(expected)} change sets, {len(got)} endpoints; wrong: {dict(+wrong) or 'nothing'}"
        )
        return len(got) == ENDPOINTS and not +wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--receive", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.receive:
        receive(options.receive)
    else:
        with empty_database():
            sys.exit(not measure(options.rounds))
