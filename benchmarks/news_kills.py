"""Does news survive kill -9? ``python -m benchmarks.news_kills [--changes 1000]``

Two deliverers send to five endpoints while change sets are written, one at a time. Meanwhile, again and again after a
random time, one of the deliverers gets SIGKILL and another one is started. In the end each endpoint must have got every
change set at least once, and in order: an event may come again, but none comes before one that it has not got yet.
SQLite in a temporary directory; ``python -m tests.support.postgres python -m benchmarks.news_kills`` for PostgreSQL.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from random import Random

from benchmarks.generator import Generator, empty_database
from benchmarks.news import ROOT, make_endpoints, receiver

ENDPOINTS, DELIVERERS = 5, 2


class Deliverers:
    """Some deliverers; a random one is killed and replaced."""

    def __init__(self) -> None:
        self.random, self.killed = Random(7), 0
        self.processes = [self.start() for _ in range(DELIVERERS)]

    def start(self) -> subprocess.Popen[bytes]:
        """One more."""
        environment = os.environ | {"ENDPOINT_NETWORKS": "127.0.0.0/8"}
        command = [sys.executable, "manage.py", "deliver"]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)

    def kill_one(self) -> None:
        """SIGKILL."""
        process = self.processes.pop(self.random.randrange(DELIVERERS))
        process.kill()
        process.wait()
        self.killed += 1
        self.processes.append(self.start())

    def kill_until(self, is_over: threading.Event) -> None:
        """Kill one after the other, each while it delivers or starts."""
        while not is_over.wait(self.random.uniform(2, 8)):
            self.kill_one()

    def stop(self) -> None:
        """TERM for all."""
        for process in self.processes:
            process.terminate()
            process.wait()


def write(changes: int) -> None:
    """So many change sets, about twenty a second."""
    from ownership.models import Service

    service = Service.objects.get(name="service-1")
    for number in range(changes):
        service.description = f"change {number}"
        service.save()
        time.sleep(0.05)


def check(file: Path, first: int, last: int) -> tuple[int, int]:
    """How many events came more than once, and how many endpoints lack one or got one too early."""
    got: dict[str, list[int]] = {}
    for line in file.read_text().splitlines()[1:]:
        path, event = line.split()
        got.setdefault(path, []).append(int(event.partition("-")[0]))
    repeated, wrong = 0, ENDPOINTS - len(got)
    for revisions in got.values():
        repeated += len(revisions) - len(set(revisions))
        new = list(dict.fromkeys(revisions))
        wrong += new != list(range(first, last + 1))
    return repeated, wrong


def measure(changes: int) -> bool:
    """Write while deliverers are killed; print what came of it, and say whether all is well."""
    from ownership.history.models import current_head
    from ownership.models import Delivery

    Generator(tables=10, services=5).run()
    with tempfile.TemporaryDirectory() as folder, receiver(folder) as (port, file):
        make_endpoints(port, ENDPOINTS)
        first = current_head().revision + 1
        begin, is_over, deliverers = time.monotonic(), threading.Event(), Deliverers()
        killer = threading.Thread(target=deliverers.kill_until, args=(is_over,))
        killer.start()
        try:
            write(changes)
            last = current_head().revision
            while Delivery.objects.filter(revision=last).count() < ENDPOINTS:
                time.sleep(0.2)
        finally:
            is_over.set()
            killer.join()
            deliverers.stop()
        repeated, wrong = check(file, first, last)
    print(
        f"  {last - first + 1} change sets, {ENDPOINTS} endpoints, {deliverers.killed} kills in "
        f"{time.monotonic() - begin:.0f} s; load average {os.getloadavg()[0]:.1f}\n"
        f"  events that came again: {repeated}; endpoints that lack one or got one too early: {wrong}",
        flush=True,
    )
    return not wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--changes", type=int, default=1_000)
    options = parser.parse_args()
    with empty_database():
        sys.exit(not measure(options.changes))
