"""How long do the states of confirmations take? ``python benchmarks/confirmations.py [ENTRIES] [--tables N]``

Fills a throw-away database with 10,000 tables, 20,000 accesses and so many entries of history (1,000,000 by default),
and confirms all tables three times: as they were before all edits, so that history has a hundred later entries for
each table that change nothing of what was confirmed; as they were before the last tenth of the edits; and as they are
at the end. Prints medians. SQLite in a temporary folder, or the empty database that DATABASE_URL names.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.generator import Generator, empty_database

TIMES = 5


def taken(name: str, act: Callable[[], Any]) -> None:
    """Print the median of some runs in milliseconds; one more before, to warm up."""
    seconds = []
    for _ in range(TIMES + 1):
        start = time.perf_counter()
        act()
        seconds.append((time.perf_counter() - start) * 1_000)
    print(f"{median(seconds[1:]):9.1f} ms  {name}", flush=True)


def measure(entries: int, tables: int) -> None:
    """Fill the empty database and print what it takes."""
    from django.contrib.auth.models import User
    from django.core.cache import cache
    from django.db import connection
    from django.test import Client

    from ownership.api.map_pieces import read_all
    from ownership.catalog.confirmation import (
        ConfirmationState,
        numbers_by_state,
        states_of,
        tables_in_state,
    )
    from ownership.history.models import current_head
    from ownership.models import Table
    from ownership.plans.confirming import confirm

    start = time.perf_counter()
    generator = Generator(tables=tables, groups=20)
    generator.run(entries)
    print(
        f"{connection.vendor}: {generator.written:,} entries, {tables:,} tables, "
        f"generated in {time.perf_counter() - start:.0f} s"
    )
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    ids = list(Table.objects.values_list("pk", flat=True))
    hundred = list(Table.objects.all()[:100])

    def get(address: str) -> None:
        cache.clear()
        response = client.get(address)
        assert response.status_code == 200, (address, response.content[:500])

    def ask() -> None:
        changed = ConfirmationState.CHANGED
        taken("numbers by state", numbers_by_state)
        taken("states of 100 tables", lambda: states_of(hundred))
        taken(
            "how many have changed since",
            lambda: tables_in_state(Table.objects.all(), changed).count(),
        )
        taken(
            "the first 25 that have changed since",
            lambda: list(tables_in_state(Table.objects.all(), changed)[:25]),
        )
        taken("the whole map, rendered", lambda: read_all(current_head(), None))
        for address in ADDRESSES:
            taken(address, lambda address=address: get(address))

    print("Nothing is confirmed:")
    ask()
    last_of_map = 1 + (tables + 99) // 100 + (tables * generator.accesses_each + 99) // 100
    edits = generator.revision - last_of_map
    for words, revision in (
        ("before all edits", last_of_map),
        ("before the last tenth of the edits", last_of_map + edits * 9 // 10),
        ("as they are", None),
    ):
        start = time.perf_counter()
        confirm(ids, revision or current_head().revision, user=None)
        print(
            f"All {tables:,} tables confirmed, {words}; that took {time.perf_counter() - start:.1f} s:"
        )
        ask()


ADDRESSES = (
    "/groups/Group%207/",
    "/tables/table-77/",
    "/confirm/?group=Group+7",
    "/confirm/?state=all",
    "/api/v1/tables/?confirmation=changed_since",
    "/admin/ownership/table/?confirmation=changed_since",
)


def main() -> None:
    """Fill one database and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("entries", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--tables", type=int, default=10_000)
    options = parser.parse_args()
    with empty_database():
        measure(options.entries, options.tables)


if __name__ == "__main__":
    main()
