"""How long an import of a large map takes: 10,000 tables with five accesses each, as CSV, into an empty registry.

    DEBUG=1 TABLES=10000 .venv/bin/python -m tests.with_postgres .venv/bin/python -m benchmarks.import_map

Prints the seconds for reading and comparing, for applying (with history), and for comparing again. Only for an empty
database: it refuses another.
"""

import os
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from ownership import past  # noqa: E402
from ownership.exports import csv  # noqa: E402
from ownership.imports.files import read  # noqa: E402
from ownership.imports.plan import compare  # noqa: E402

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
    call_command("migrate", verbosity=0)
    if past.head()[0]:
        raise SystemExit("This registry has history already: take an empty database.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "map.csv"
        file.write_bytes(b"".join(csv.lines(a_map())))
        times = [time.perf_counter()]
        plan = compare(read(file), prune=False)
        times.append(time.perf_counter())
        plan.apply(user=None, reason="A large map")
        times.append(time.perf_counter())
        left = compare(read(file), prune=True).changes
        times.append(time.perf_counter())
    steps = [f"{after - before:.1f} s" for before, after in pairwise(times)]
    print(f"{connection.vendor}: {len(plan.changes)} rows: compare {steps[0]}, apply {steps[1]}, again {steps[2]}")
    print(f"{len(left)} differences left; load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
