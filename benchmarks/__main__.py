"""All that docs/benchmarks.md shows, in one command: ``python -m benchmarks [NAME …]``, about an hour.

Runs the benchmarks one after the other, each on SQLite and, where this machine has one, on PostgreSQL, and writes what
they print into that file, with the day, the machine's load and how long it took; machine and versions they print
themselves. Given names, it runs those alone and leaves the other sections as they are.
"""

import os
import re
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs/benchmarks.md"
GROWTH = ["benchmarks/growth.py", "--plot", "docs/growth.svg"]
# What is run by these names, on which databases.
RUNS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "map": (["benchmarks/map.py"], ("SQLite", "PostgreSQL")),
    "growth": (GROWTH, ("SQLite", "PostgreSQL")),
    "pages": (["benchmarks/pages.py", "--times", "25"], ("SQLite",)),
    "import": (["-m", "benchmarks.import_map"], ("SQLite", "PostgreSQL")),
    "history": (["benchmarks/history.py"], ("SQLite", "PostgreSQL")),
    "leads": (["benchmarks/leads.py"], ("SQLite", "PostgreSQL")),
    "drift": (["-m", "benchmarks.drift"], ("SQLite",)),
}
HEAD = """# Results of the benchmarks

`python -m benchmarks` writes this file. Rates are of a small machine that did other work, too: read the ratios.
[performance.md](performance.md) says what they mean.
"""


def run(name: str, database: str) -> str:
    """What it prints, under a heading. SystemExit where it fails."""
    arguments, _ = RUNS[name]
    if database != "SQLite" and "--plot" in arguments:
        arguments = arguments[:-2]
    prefix = [sys.executable, "-m", "tests.with_postgres"] if database == "PostgreSQL" else []
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"} | {"DEBUG": "1"}
    start, load = time.monotonic(), os.getloadavg()[0]
    done = subprocess.run(
        [*prefix, sys.executable, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        sys.exit(f"{name} on {database} failed:\n{done.stdout}")
    took = (time.monotonic() - start) / 60
    about = f"`{' '.join(arguments)}`, {date.today()}, {took:.0f} min; load average {load:.1f} before."
    # A table is one, all else stands as it was printed.
    parts = re.split(r"((?:^\|.*\n)+)", done.stdout, flags=re.MULTILINE)
    shown = [part if part.startswith("|") else f"```\n{part.strip()}\n```\n" for part in parts if part.strip()]
    return f"## {name}, {database}\n\n{about}\n\n" + "\n".join(shown)


def main(names: list[str]) -> None:
    """Run them and write each one's section as soon as it is there."""
    if unknown := set(names) - RUNS.keys():
        sys.exit(f"No benchmark is called {', '.join(unknown)}. There are {', '.join(RUNS)}.")
    written = RESULTS.read_text() if RESULTS.exists() else ""
    sections = {part.split("\n")[0]: part for part in re.split(r"^(?=## )", written, flags=re.MULTILINE)[1:]}
    wanted = [(name, database) for name, (_, databases) in RUNS.items() for database in databases]
    for name, database in wanted:
        if not names or name in names:
            sections[f"## {name}, {database}"] = run(name, database).rstrip() + "\n\n"
        kept = [sections[heading] for heading in (f"## {n}, {d}" for n, d in wanted) if heading in sections]
        RESULTS.write_text("\n".join([HEAD, "".join(kept)]).rstrip() + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
