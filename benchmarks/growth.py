"""What grows with the registry, and how fast? ``python benchmarks/growth.py [--tables 100 1000 10000 100000]``

Each size has a database of its own: five accesses a table, a service for each 50 tables, a group for each 100, history
for every row. The real addresses are requested in one process, templates included, as somebody signed in; medians of
``--times`` requests (9; fewer of what takes more than two seconds). The import reads a CSV of the whole map into an
empty registry. On SQLite, or by ``tests.support.postgres`` on PostgreSQL.

Prints a table with each row's exponent: the slope between the two largest sizes, both on logarithmic scales. 0: does
not grow; 1: grows as the registry does. ``--json FILE`` keeps the figures, ``--plot FILE`` draws them (by matplotlib,
which is installed for it in a temporary folder).
"""

import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.generator import Generator, empty_database

ACCESSES_EACH = 5
# What people and programs wait for. {n} is another number in each request; {s}, {g} and {p} follow from it.
ADDRESSES = {
    "a table's page": "/tables/table-{n}/",
    "its timeline": "/tables/table-{n}/history/",
    "its form in the admin": "/admin/ownership/table/{n}/change/",
    "its trace, two hops": "/tables/table-{n}/trace/?depth=2",
    "tables/{name}/": "/api/v1/tables/table-{n}/",
    "search, a physical name": "/search/?q=table-{n}PROD",
    "search, part of a name": "/search/?q=ble-{n}",
    "search, a word of notes": "/search/?q=records+sentence+{n}",
    "search, a word of all": "/search/?q=table",
    "a service's page": "/services/service-{s}/",
    "a group's page": "/groups/Group%20{g}/",
    "the first page": "/",
    "the matrix, its start": "/matrix/",
    "tables/, 100 of them": "/api/v1/tables/?page_size=100&page={p}",
    "changes/, 100 entries": "/api/v1/changes/?page_size=100&after={p}",
    "admin: tables": "/admin/ownership/table/?p={p}",
    "admin: tables, searched": "/admin/ownership/table/?q=table-{n}",
    "admin: accesses": "/admin/ownership/access/?p={p}",
    "admin: recent changes": "/admin/ownership/changeset/",
    "the map, unchanged (304)": "/api/v1/map/",
}


def median(times: int, ask) -> float:
    """Milliseconds; ``ask`` gets a number that differs from time to time."""
    ask(0)  # fills caches, as the first request after a start does
    taken = []
    for number in range(1, times + 1):
        start = time.perf_counter()
        ask(number)
        taken.append(1000 * (time.perf_counter() - start))
        if taken[-1] > 2_000:
            break
    return statistics.median(taken)


def measure(tables: int, times: int) -> dict[str, float]:
    """Milliseconds, by what was asked."""
    from django.contrib.auth.models import User
    from django.test import Client

    from ownership.models import Environment, Table

    found: dict[str, float] = {}
    services, groups = max(5, tables // 50), max(2, tables // 100)
    Generator(tables=tables, accesses_each=ACCESSES_EACH, services=services, groups=groups).run()
    Environment.objects.create(name="production", suffix="PROD")
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    etag = client.get("/api/v1/map/")["ETag"]
    for what, address in ADDRESSES.items():
        headers = {"if-none-match": etag} if "304" in what else {}

        def ask(number: int, address: str = address, headers: dict[str, str] = headers) -> None:
            n = 1 + number * 7_919 % tables
            url = address.format(
                n=n, s=n % services + 1, g=n % groups + 1, p=n % max(1, tables // 100) + 1
            )
            answer = client.get(url, headers=headers)
            assert answer.status_code == (304 if headers else 200), (url, answer.status_code)
            b"".join(answer) if answer.streaming else answer.content

        found[what] = median(times, ask)

    def edit(number: int) -> None:
        table = Table.objects.get(pk=1 + number * 7_919 % tables)
        table.description = f"Edited {number} times {time.time()}"
        table.save()

    found["a save"] = median(times, edit)
    made = []
    for number in range(3):
        edit(number + 1_000)
        start = time.perf_counter()
        assert client.get("/api/v1/map/").status_code == 200
        made.append(1000 * (time.perf_counter() - start))
    found["the map, after an edit"] = statistics.median(made)
    from ownership.api.snapshot import Snapshots
    from ownership.history.models import current_head

    os.environ.pop("SNAPSHOT_DIR")
    start = time.perf_counter()
    Snapshots()._build(current_head(), None)
    found["the map, made whole"] = 1000 * (time.perf_counter() - start)
    return found


def imported(tables: int, prefix: list[str]) -> float:
    """Milliseconds to read, compare and apply a map of that size, in a process and a database of its own."""
    run = [*prefix, sys.executable, "-m", "benchmarks.import_map"]
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"} | {
        "TABLES": str(tables)
    }
    output = subprocess.run(run, env=environment, check=True, capture_output=True, text=True).stdout
    return 1000 * sum(
        map(float, re.search(r"compare ([\d.]+) s, apply ([\d.]+) s", output).groups())
    )


def exponent(sizes: list[int], taken: list[float]) -> float:
    """The slope between the last two, on logarithmic scales."""
    return math.log(taken[-1] / taken[-2]) / math.log(sizes[-1] / sizes[-2])


def shown(milliseconds: float) -> str:
    """In the unit that reads best."""
    return f"{milliseconds / 1000:,.1f} s" if milliseconds >= 1_000 else f"{milliseconds:.1f} ms"


def table(found: dict[int, dict[str, float]]) -> str:
    """The figures as Markdown."""
    sizes = sorted(found)
    lines = [
        f"| tables | {' | '.join(f'{size:,}' for size in sizes)} | exponent |",
        "|---|" + "---:|" * (len(sizes) + 1),
    ]
    for what in dict.fromkeys(name for size in sizes for name in found[size]):
        had = [size for size in sizes if what in found[size]]
        cells = [shown(found[size][what]) if size in had else "" for size in sizes]
        grows = f"{exponent(had, [found[size][what] for size in had]):.2f}" if len(had) > 1 else ""
        lines.append(f"| {what} | {' | '.join(cells)} | {grows} |")
    return "\n".join(lines)


DRAW = """
import json, sys
import matplotlib
matplotlib.use("svg")
matplotlib.rcParams |= {"svg.hashsalt": "growth", "svg.fonttype": "none", "font.size": 8}
from matplotlib import pyplot
found = {int(size): rows for size, rows in json.load(open(sys.argv[1])).items()}
figure, axes = pyplot.subplots(figsize=(9, 6))
for number, what in enumerate(next(iter(found.values()))):
    sizes = [size for size in sorted(found) if what in found[size]]
    style = ["-", "--", ":"][number // 10 % 3]
    axes.plot(sizes, [found[size][what] for size in sizes], style, marker=".", label=what)
axes.set(xscale="log", yscale="log", xlabel="tables", ylabel="milliseconds")
axes.grid(alpha=0.3)
axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
figure.savefig(sys.argv[2], bbox_inches="tight", metadata={"Date": None})
"""


def plot(figures: str, picture: str) -> None:
    """Draw a file of figures."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([f"{folder}/bin/pip", "install", "--quiet", "matplotlib>=3.9"], check=True)
        subprocess.run([f"{folder}/bin/python", "-c", DRAW, figures, picture], check=True)


def main() -> None:
    """Each size in a process and a database of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, nargs="+", default=[100, 1_000, 10_000, 100_000])
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--json")
    parser.add_argument("--plot")
    parser.add_argument("--one", help=argparse.SUPPRESS)  # the file for the figures of one size
    options = parser.parse_args()
    if options.one:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["SNAPSHOT_DIR"] = folder
            with empty_database():
                Path(options.one).write_text(json.dumps(measure(options.tables[0], options.times)))
        return
    prefix = [sys.executable, "-m", "tests.support.postgres"] * (
        "postgres" in os.environ.pop("DATABASE_URL", "")
    )
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        one = Path(folder, "one.json")
        for size in options.tables:
            again = [
                sys.executable,
                __file__,
                "--tables",
                str(size),
                "--times",
                str(options.times),
                "--one",
                str(one),
            ]
            subprocess.run([*prefix, *again], check=True)
            found[size] = json.loads(one.read_text())
            found[size] |= {"import of the whole map": imported(size, prefix)}
            print(f"{size:,} tables; load average {os.getloadavg()[0]:.1f}", flush=True)
        print(table(found))
        figures = Path(options.json or Path(folder, "figures.json"))
        figures.write_text(json.dumps(found, indent=1) + "\n")
        if options.plot:
            plot(str(figures), options.plot)


if __name__ == "__main__":
    main()
