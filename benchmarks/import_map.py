"""How long an import of a large map takes: ``python -m benchmarks.import_map``, TABLES=10000 with five accesses each.

The map comes as CSV, into an empty registry: SQLite in a temporary folder, or PostgreSQL by
``tests.support.postgres``.
Prints the seconds for reading and comparing, for applying (with history), and for comparing again.
"""

import os
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from benchmarks.generator import empty_database

TABLES = int(os.environ.get("TABLES", "10000"))


def a_map() -> dict:
    """Tables in 40 groups, used by 200 services."""
    keys = {"partition_key": {"name": "id", "type": "S", "format": None}, "sort_key": None}
    tables = [
        {
            "name": f"table{number}",
            "group": f"Group {number % 40}",
            "description": "Records of something.",
            "owner": f"service-{number % 200}",
            "key_schema": keys,
            "more": None,
            "indexes": [],
            "accesses": [
                {
                    "service": f"service-{(number * 7 + place * 13) % 200}",
                    "mode": "read",
                    "indirect": False,
                    "notes": f"Reads what table{number} says, for the {place}th reason",
                }
                for place in range(5)
            ],
        }
        for number in range(TABLES)
    ]
    return {"environment": None, "services": [], "tables": tables}


def main() -> None:
    """Import, and say how long each step took."""
    with empty_database(), tempfile.TemporaryDirectory() as folder:
        from django.db import connection

        from ownership.exchange.exports import to_csv
        from ownership.exchange.imports.formats import read
        from ownership.exchange.imports.import_plan import plan_import
        from ownership.history.models import ChangeSet

        file = Path(folder) / "map.csv"
        file.write_bytes(b"".join(to_csv.render(a_map())))
        times = [time.perf_counter()]
        plan = plan_import(read(file)).plan
        times.append(time.perf_counter())
        plan.apply(user=None, reason="A large map", source=ChangeSet.Source.IMPORT)
        times.append(time.perf_counter())
        left = plan_import(read(file), prune=True).plan.steps
        times.append(time.perf_counter())
        steps = [f"{after - before:.1f} s" for before, after in pairwise(times)]
        print(
            f"{connection.vendor}: {len(plan.steps)} rows: compare {steps[0]}, apply {steps[1]}, again {steps[2]}"
        )
        print(f"{len(left)} differences left; load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
