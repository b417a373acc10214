"""Counts that the processes of one machine share for some minutes: of sign-ins, and of failed ones.

They are in a file in SNAPSHOT_DIR, not in the database: whoever guesses passwords must not make the registry write, and
counting must not wait for its lock. Without such a file, each process counts for itself.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from django.conf import settings

FILE = "sign-ins"


class Count(NamedTuple):
    """How often, and until when that counts (in seconds since 1970)."""

    times: int
    until: float


Counts = dict[str, Count]

_own_counts: Counts = {}
_own_lock = Lock()


def add(key: str, seconds: float, *, extend: bool = False) -> Count:
    """Count once more. It is forgotten so many seconds after the first time; with ``extend``, after the last one."""
    with _counts() as counts:
        until = time.time() + seconds
        times = 1
        if key in counts:
            times += counts[key].times
            if not extend:
                until = counts[key].until
        counts[key] = Count(times, until)
        return counts[key]


def get(key: str) -> int:
    """How often it was counted."""
    with _counts() as counts:
        return counts[key].times if key in counts else 0


def forget(is_meant: Callable[[str], bool]) -> int:
    """Forget the keys that are meant; how many those were."""
    with _counts() as counts:
        keys = [key for key in counts if is_meant(key)]
        for key in keys:
            del counts[key]
        return len(keys)


@contextmanager
def _counts() -> Iterator[Counts]:
    """All that count now, to read and change; nobody else does meanwhile."""
    try:
        folder = Path(settings.SNAPSHOT_DIR)
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        with _own_lock:
            _drop_old(_own_counts)
            yield _own_counts
        return
    with open(descriptor, "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        counts = _read(file.read())
        _drop_old(counts)
        yield counts
        file.seek(0)
        file.truncate()
        json.dump(counts, file)


def _read(text: str) -> Counts:
    try:
        return {key: Count(*value) for key, value in json.loads(text or "{}").items()}
    except (ValueError, TypeError, AttributeError):
        # Cut short when a process was killed.
        return {}


def _drop_old(counts: Counts) -> None:
    now = time.time()
    for key in [key for key, count in counts.items() if count.until <= now]:
        del counts[key]
