"""How fast history and the map as it was are, run by hand: ``python benchmarks/history.py [ENTRIES] [--tables N]``.

Fills a throw-away database with 10,000 tables, 20,000 accesses, 200 services and so many entries of history
(1,000,000 by default), with a valid chain of digests, and prints what people wait for. SQLite in a temporary folder,
or the empty database that DATABASE_URL names: ``python -m tests.support.postgres python benchmarks/history.py``.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.generator import Generator, empty_database


def taken(act: Callable[[int], Any], times: int) -> str:
    """Median and slowest of some runs in milliseconds, each of another thing; one more before, to warm up."""
    seconds = []
    for number in range(times + 1):
        start = time.perf_counter()
        act(number)
        seconds.append((time.perf_counter() - start) * 1_000)
    return f"{median(seconds[1:]):9.1f} ms (slowest {max(seconds[1:]):.1f})"


def measure(entries: int, tables: int) -> None:
    """Fill the empty database and print what it takes."""
    from django.contrib.auth.models import Group, User
    from django.db import connection
    from django.test import Client

    from ownership.audit.verification import Verification
    from ownership.models.rights import VIEWERS

    start = time.perf_counter()
    generator = Generator(tables=tables)
    generator.run(entries)
    print(
        f"{connection.vendor}: {generator.written:,} entries in {generator.revision:,} change sets, {tables:,} tables, "
        f"{tables * generator.accesses_each:,} accesses, generated in {time.perf_counter() - start:.0f} s"
    )
    viewer = User.objects.create_user("bench")
    viewer.groups.add(Group.objects.get(name=VIEWERS))
    client = Client()
    client.force_login(viewer)

    def ask(name: str, times: int, address: Callable[[int], str]) -> None:
        def get(number: int) -> None:
            response = client.get(address(number))
            assert response.status_code == 200, (address(number), response.content[:500])

        print(f"{taken(get, times)}  {name}")

    last, middle = generator.revision, generator.revision // 2
    ask(
        "a table's timeline page in the admin",
        20,
        lambda n: f"/admin/ownership/table/{1 + n * 3}/history/",
    )
    ask("tables/{name}/history/", 20, lambda n: f"/api/v1/tables/table-{1 + n * 3}/history/")
    ask("services/{name}/history/", 20, lambda n: f"/api/v1/services/service-{1 + n}/history/")
    ask(
        "changes/?after=… from the middle, 100 entries",
        20,
        lambda n: f"/api/v1/changes/?after={middle + n}&page_size=100",
    )
    ask("changes/?after=… at the end", 20, lambda n: f"/api/v1/changes/?after={last - n}")
    ask(
        "a change set's page in the admin",
        20,
        lambda n: f"/admin/ownership/changeset/{1 + n * 9}/change/",
    )
    past = f"revision={middle}"
    for address in (
        "map/",
        f"map/?{past}",
        f"tables/?{past}",
        f"tables/?{past}&service=service-7&mode=read&ordering=-owner",
        f"tables/table-77/?{past}",
        f"accesses/?{past}&search=reads",
        f"services/?{past}",
        f"compare/?from={middle}&to={middle + 100}",
        f"compare/?from={middle}",
    ):
        ask(address, 3, lambda n, address=address: f"/api/v1/{address}")
    start = time.perf_counter()
    found = sum(1 for _ in Verification().run())
    print(f"{time.perf_counter() - start:9.0f} s   verify_history, {found} findings")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:9d} MB  most memory")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "entries", type=int, nargs="?", default=1_000_000, help="entries of history (1,000,000)"
    )
    parser.add_argument("--tables", type=int, default=10_000, help="tables of the map (10,000)")
    arguments = parser.parse_args()
    with empty_database():
        measure(arguments.entries, arguments.tables)
