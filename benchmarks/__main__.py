"""Writes benchmarks/results/latest.md: ``python -m benchmarks [NAME …]``, about two hours on two cores.

Runs the benchmarks one after another, each in its own process on its own database: SQLite and, if this machine has it,
PostgreSQL. Each benchmark's output goes into that file as soon as it finishes, with the date, machine, load average and
duration; the benchmarks print versions themselves. With names, only those run and other sections stay as they are. A
failed benchmark is reported in its section and at the end, and the others still run. Needs wrk and nginx (Debian:
apt-get install wrk nginx).
"""

import os
import re
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from benchmarks import server
from tests.support.postgres import server_binaries

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks/results/latest.md"
BOTH, OWN = ("SQLite", "PostgreSQL"), ("",)  # OWN: the benchmark starts its databases itself
# Name: (arguments, databases), in the order of the sections in the results.
RUNS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "map": (["benchmarks/map.py"], BOTH),
    "saves": (["benchmarks/saves.py"], BOTH),
    "queue": (["-m", "benchmarks.lock_queue"], BOTH),
    "leads": (["benchmarks/leads.py"], BOTH),
    "growth": (["benchmarks/growth.py"], BOTH),
    "pages": (["benchmarks/pages.py", "--times", "25"], ("SQLite",)),
    "import": (["-m", "benchmarks.import_map"], BOTH),
    "history": (["benchmarks/history.py"], BOTH),
    "replicas, synchronous": (["benchmarks/replicas.py", "--synchronous"], OWN),
    "replicas, asynchronous": (["benchmarks/replicas.py"], OWN),
    "backup": (["benchmarks/backup.py"], BOTH),
    "drift": (["-m", "benchmarks.drift"], OWN),
    "code": (["-m", "benchmarks.code"], OWN),
    "server": (["benchmarks/server.py"], OWN),
}
PLOT = ["--plot", "benchmarks/results/growth.svg"]  # drawn by growth on SQLite
HEAD = """# Benchmark results

Written by `python -m benchmarks`. Rates are from one machine on one day: read the ratios.
[docs/performance.md](../../docs/performance.md) explains what they mean.
"""


def headings(name: str) -> list[tuple[str, str]]:
    """(database, heading) of each run of this benchmark."""
    return [(database, f"{name}, {database}".rstrip(", ")) for database in RUNS[name][1]]


def run(name: str, database: str, heading: str) -> tuple[str, bool]:
    """The section of the results, and whether the run succeeded."""
    arguments = RUNS[name][0] + (PLOT if heading == "growth, SQLite" else [])
    prefix = [sys.executable, "-m", "tests.support.postgres"] if database == "PostgreSQL" else []
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"} | {
        "DEBUG": "1"
    }
    start, load = time.monotonic(), os.getloadavg()[0]
    command = [*prefix, sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    took = (time.monotonic() - start) / 60
    about = f"`{' '.join(arguments)}`, {date.today()}, {took:.0f} min; {server.processor()}, load average {load:.1f}."
    if done.returncode:
        about = f"**Failed** with status {done.returncode}. {about}"
    # Tables stay Markdown; everything else goes into a code block.
    parts = re.split(r"((?:^\|.*\n)+)", done.stdout, flags=re.MULTILINE)
    shown = [
        part if part.startswith("|") else f"```\n{part.strip()}\n```\n"
        for part in parts
        if part.strip()
    ]
    print(f"{heading}: {'failed after' if done.returncode else 'took'} {took:.1f} min", flush=True)
    return f"## {heading}\n\n{about}\n\n" + "\n".join(shown).rstrip() + "\n\n", not done.returncode


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all; SystemExit names those that failed."""
    if unknown := set(names) - RUNS.keys():
        sys.exit(f"No benchmark is called {', '.join(unknown)}. There are: {'; '.join(RUNS)}.")
    written = RESULTS.read_text() if RESULTS.exists() else ""
    sections = {
        part.split("\n")[0][3:]: part
        for part in re.split(r"^(?=## )", written, flags=re.MULTILINE)[1:]
    }
    order, failed = [heading for name in RUNS for _, heading in headings(name)], []
    for name in names or RUNS:
        for database, heading in headings(name):
            if database == "PostgreSQL" and server_binaries() is None:
                print(f"{heading}: this machine has no PostgreSQL", flush=True)
                continue
            sections[heading], succeeded = run(name, database, heading)
            failed += [] if succeeded else [heading]
            kept = [sections[one].rstrip() + "\n\n" for one in order if one in sections]
            RESULTS.write_text("\n".join([HEAD, "".join(kept)]).rstrip() + "\n")
    if failed:
        sys.exit(f"Failed: {'; '.join(failed)}.")


if __name__ == "__main__":
    main(sys.argv[1:])
