"""Is the queue in front of the registry's lock worth having? ``python -m benchmarks.lock_queue``

By turns with the queue and without it (``ownership/history/lock.py``: an advisory lock on PostgreSQL, a lock on a file
on SQLite), 16 writers save as fast as they can, each its own service. Then one writer holds the lock, four others
arrive one after another, and it is measured how long each waits until it is told that the registry is busy.
SQLite in a temporary directory; ``python -m tests.support.postgres python -m benchmarks.lock_queue`` for PostgreSQL.
"""

import argparse
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from statistics import median

from benchmarks.generator import empty_database

WRITERS, LATE_WRITERS = 16, 4


@contextmanager
def without_queue() -> Iterator[None]:
    """Let writers wait for the lock itself, all at once."""
    from django.db import connection

    from ownership.history import lock

    take_lock, queue = lock._take_lock, lock._queue
    if connection.vendor == "postgresql":
        # The same row by the same statement; the number of the advisory lock is not used.
        lock._take_lock = lambda: lock._lock_row_where("%s IS NOT NULL")
    lock._queue = nullcontext
    try:
        yield
    finally:
        lock._take_lock, lock._queue = take_lock, queue


TURNS = {"with the queue": nullcontext, "without": without_queue}


def save_for(seconds: float) -> tuple[list[float], Counter[str]]:
    """Let all writers save for so long: the seconds that each save took, and what else happened."""
    from django.db import connection

    from ownership.history.lock import RegistryBusy
    from ownership.models import Service

    taken: list[float] = []
    seen: Counter[str] = Counter()
    end = time.monotonic() + seconds

    def write(number: int) -> None:
        service = Service.objects.get(name=f"service-{number}")
        while time.monotonic() < end:
            begun = time.monotonic()
            service.description = f"{begun}"
            try:
                service.save()
                taken.append(time.monotonic() - begun)
            except RegistryBusy:
                seen["told that it is busy"] += 1
        connection.close()

    together([threading.Thread(target=write, args=(number,)) for number in range(WRITERS)])
    return taken, seen


def waits() -> list[float]:
    """The seconds after which writers who arrive while another holds the lock are told that it is busy."""
    from django.db import connection

    from ownership.history.change_sets import change_set
    from ownership.history.lock import RegistryBusy

    holds, over = threading.Event(), threading.Event()
    waited: list[float] = []

    def hold() -> None:
        with change_set(reason="Holds the lock"):
            holds.set()
            over.wait()
        connection.close()

    def arrive(number: int) -> None:
        time.sleep(number / 10)
        begun = time.monotonic()
        try:
            with change_set(reason="Arrives late"):
                pass
        except RegistryBusy:
            waited.append(time.monotonic() - begun)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    holds.wait()
    together([threading.Thread(target=arrive, args=(number,)) for number in range(LATE_WRITERS)])
    over.set()
    holder.join()
    return sorted(waited)


def together(threads: list[threading.Thread]) -> None:
    """Run all of them, and wait for the last."""
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(rounds: int, seconds: float) -> None:
    """Print the figures of both turns."""
    os.environ["DATABASE_POOL_SIZE"] = (
        "0"  # each writer has a connection of its own, or the pool would be the queue
    )
    with empty_database():
        from ownership.history.change_sets import change_set
        from ownership.models import Service

        with change_set(reason="The writers' services"):
            for number in range(WRITERS):
                Service.objects.create(name=f"service-{number}")
        rates: dict[str, list[float]] = {name: [] for name in TURNS}
        taken: dict[str, list[float]] = {name: [] for name in TURNS}
        seen: dict[str, Counter[str]] = {name: Counter() for name in TURNS}
        for _ in range(rounds):
            for name, turn in TURNS.items():
                with turn():
                    times, happened = save_for(seconds)
                rates[name].append(len(times) / seconds)
                taken[name] += times
                seen[name] += happened
        print(
            f"{WRITERS} writers, {rounds} rounds of {seconds:.0f} s each; load average {os.getloadavg()[0]:.1f}"
        )
        for name, turn in TURNS.items():
            times = sorted(taken[name])
            late = times[int(len(times) * 0.99)]
            with turn():
                waited = ", ".join(f"{wait:.1f}" for wait in waits())
            print(
                f"  {name}: {median(rates[name]):.1f} saves/s; median {1000 * median(times):,.0f} ms, "
                f"p99 {1000 * late:,.0f} ms, longest {1000 * times[-1]:,.0f} ms; "
                f"seen: {dict(seen[name]) or 'nothing'}; {LATE_WRITERS} waiting writers are told after {waited} s",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    main(options.rounds, options.seconds)
