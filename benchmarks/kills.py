"""Does what was acknowledged survive kill -9? ``python benchmarks/kills.py [--postgresql] [--times 100]``

Eight leads save through the admin's forms, two rows with each save, served by gunicorn with production settings.
Meanwhile, so many times each: a random process of gunicorn gets SIGKILL; with ``--postgresql`` (on a server of its own,
else SQLite in a temporary directory) its first process gets SIGKILL, and it is started again. Then gunicorn gets HUP a
tenth as often, and as often TERM, after which a new one takes over its socket. After each of it every acknowledged edit
is looked for in the history, whole, and ``verify_history`` runs. It fails where anything is wrong, or where HUP or TERM
left any request without an answer.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import server
from benchmarks.leads import listed
from benchmarks.saving import Lead, check, counted, registry, sessions
from tests.support.postgres import Server, server_binaries, throw_away

LEADS = 8


class Run:
    """All leads so far; each part of the run has some of its own."""

    def __init__(self, environment: dict[str, str], times: int) -> None:
        self.environment, self.times, self.random = environment, times, Random(7)
        self.people: list[Lead] = []
        self.failed = False

    @contextmanager
    def saving(self, address: str) -> Iterator[list[Lead]]:
        """Leads that save while the block runs, a table each."""
        first, stop = len(self.people), threading.Event()
        keys = sessions(first + LEADS)[first:]
        people = [Lead(address, first + n, n + 1, keys[n], stop, notes=True) for n in range(LEADS)]
        self.people += people
        for lead in people:
            lead.start()
        try:
            yield people
        finally:
            stop.set()
            for lead in people:
                lead.join()

    def moment(self, people: list[Lead]) -> None:
        """Wait until saves succeed again, then a little longer: until the middle of some."""
        before, patience = saves(people), time.monotonic() + 300
        while saves(people) == before:
            if time.monotonic() > patience:
                sys.exit(f"No save succeeded for five minutes: {listed(counted(people))}")
            time.sleep(0.01)
        time.sleep(self.random.uniform(0, 0.3))

    def kill_workers(self) -> None:
        """SIGKILL for processes of gunicorn."""
        with (
            server.serving(["gunicorn"], self.environment) as (address, process),
            self.saving(address) as people,
        ):
            for _ in range(self.times):
                self.moment(people)
                if workers := server.family(process)[1:]:
                    os.kill(self.random.choice(workers), signal.SIGKILL)
        self.report(f"SIGKILL of a process of gunicorn, {self.times} times", people)

    def kill_database(self, database: Server) -> None:
        """SIGKILL for the first process of PostgreSQL; its others then end by themselves."""
        with (
            server.serving(["gunicorn"], self.environment) as (address, _),
            self.saving(address) as people,
        ):
            for _ in range(self.times):
                self.moment(people)
                os.kill(database.process(), signal.SIGKILL)
                start(database)
        self.report(f"SIGKILL of PostgreSQL, {self.times} times", people)

    def reload(self) -> None:
        """HUP: new processes take the old ones' place."""
        times = max(1, self.times // 10)
        with (
            server.serving(["gunicorn"], self.environment) as (address, process),
            self.saving(address) as people,
        ):
            for _ in range(times):
                self.moment(people)
                os.kill(process, signal.SIGHUP)
                time.sleep(2)
        self.report(f"HUP, {times} times", people, sum(len(lead.cut) for lead in people))

    def end(self) -> None:
        """TERM, then a new gunicorn on the same socket: in production systemd holds it, here this process does."""
        times = max(1, self.times // 10)
        people: list[Lead] = []
        with socket.create_server(("127.0.0.1", 0), backlog=2048) as held, ExitStack() as leads:
            for number in range(times + 1):
                with server.serving(["gunicorn"], self.environment, held) as (address, _):
                    people = people or leads.enter_context(self.saving(address))
                    self.moment(people)
                    if number == times:
                        leads.close()  # while there is somebody to answer the last of their requests
        lost = sum(len(lead.cut) for lead in people) + counted(people)["connections refused"]
        self.report(f"TERM, {times} times", people, lost)

    def report(self, what: str, people: list[Lead], lost: int = 0) -> None:
        """Check all edits so far, and print what these leads met; ``lost`` are requests that had to be answered."""
        from django.db import connection

        from ownership.history.models import ChangeSet

        connection.close()  # it may be one to a server that was killed
        counts, unanswered = counted(people), [edit for lead in people for edit in lead.unanswered]
        written = ChangeSet.objects.filter(reason__in=[edit.value for edit in unanswered]).count()
        saved = [edit for lead in self.people for edit in lead.saved]
        wrong = check(saved, [edit for lead in self.people for edit in lead.unanswered], notes=True)
        print(
            f"{what}: {saves(people):,} saves acknowledged; load average {os.getloadavg()[0]:.1f}"
        )
        print(
            f"  without an answer, or answered 503: {len(unanswered)} saves, of which {written} were written"
        )
        wrong["requests lost"] += lost
        print(f"  seen: {listed(counts)}\n  wrong: {listed(+wrong)}", flush=True)
        self.failed |= bool(+wrong or any(what.endswith(" 500") for what in counts))


def start(database: Server) -> None:
    """Start it after a kill: it refuses while one of its old processes is still there."""
    for _ in range(50):
        try:
            return database.start(quiet=True)
        except subprocess.CalledProcessError:
            time.sleep(0.2)
    sys.exit("PostgreSQL did not start again.")


def saves(people: list[Lead]) -> int:
    """How many were acknowledged so far."""
    return sum(len(lead.saved) for lead in people)


def measure(times: int, database: Server | None) -> None:
    """All of it, one after the other."""
    with registry() as environment:
        run = Run(environment, times)
        run.kill_workers()
        if database:
            run.kill_database(database)
        run.reload()
        run.end()
    sys.exit(run.failed)


def main() -> None:
    """Choose the database, then run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--times", type=int, default=100)
    options = parser.parse_args()
    os.environ.pop("DATABASE_URL", None)
    if not options.postgresql:
        measure(options.times, None)
    binaries = server_binaries()
    if binaries is None:
        sys.exit("This machine has no PostgreSQL (Debian: apt-get install postgresql).")
    with throw_away(binaries) as database:
        os.environ["DATABASE_URL"] = database.url
        measure(options.times, database)


if __name__ == "__main__":
    main()
