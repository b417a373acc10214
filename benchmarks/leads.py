"""Do edits hold when many leads save at once? ``python benchmarks/leads.py [--leads 16 64] [--seconds 60]``

So many leads, each signed in, open and save forms of the admin as fast as they are answered, served by gunicorn with
production settings, while readers poll the map. A quarter of the leads share a table with another one, so that some
meet conflict pages, as they should; the others have one each. Then every edit that was acknowledged is looked for in
the history, and ``verify_history`` runs. (What saving alone costs: saves.py.) SQLite in a temporary directory;
``python -m tests.support.postgres python benchmarks/leads.py`` for PostgreSQL. It fails where anything is wrong, or an
answer is a 5xx.
"""

import argparse
import os
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import server
from benchmarks.saving import Lead, Reader, check, counted, registry, sessions


def measure(leads: int, readers: int, seconds: float) -> bool:
    """Let them save for so long; print what came of it, and whether all is well."""
    with registry() as environment:
        stop, keys = threading.Event(), sessions(leads)
        with server.serving(["gunicorn"], environment) as (address, process):
            alone = leads - leads // 4
            tables = [n if n < alone else alone + (n - alone) // 2 for n in range(leads)]
            people = [Lead(address, n, tables[n] + 1, keys[n], stop) for n in range(leads)]
            polling = [Reader(address, stop) for _ in range(readers)]
            begun, client, used = (
                time.perf_counter(),
                time.process_time(),
                server.processor_seconds(process),
            )
            for thread in (*people, *polling):
                thread.start()
            time.sleep(seconds)
            stop.set()
            for thread in (*people, *polling):
                thread.join()
            took, client = time.perf_counter() - begun, time.process_time() - client
            used = server.processor_seconds(process) - used
        saved = [edit for lead in people for edit in lead.saved]
        wrong, counts = (
            check(saved, [edit for lead in people for edit in lead.unanswered]),
            counted(people + polling),
        )
        rate = len(saved) / took
        print(
            f"{leads} leads ({leads - alone} of them two to a table), {readers} readers, {took:.0f} s"
        )
        print(
            f"  {len(saved):,} saves acknowledged, {rate:.1f} a second; load average {os.getloadavg()[0]:.1f}"
        )
        for what in ("open", "save"):
            taken = sorted(each for lead in people for each in lead.seconds[what])
            print(
                f"  {what}: median {statistics.median(taken) * 1000:,.0f} ms, "
                f"p99 {taken[int(len(taken) * 0.99)] * 1000:,.0f} ms, longest {taken[-1] * 1000:,.0f} ms"
            )
        print(f"  twice {leads} / saves per second: {2000 * leads / rate:,.0f} ms")
        print(
            f"  processor: server {used / took:.2f}, this process {client / took:.2f} of {os.cpu_count()} cores"
        )
        print(f"  seen: {listed(counts)}\n  wrong: {listed(wrong)}", flush=True)
        failed = [
            what
            for what in counts
            if "no answer" in what or what.rpartition(" ")[2].startswith("5")
        ]
        return not wrong and not failed


def listed(counts: Counter[str]) -> str:
    """The counts in one line."""
    return ", ".join(f"{what} {number:,}" for what, number in sorted(counts.items())) or "nothing"


def main() -> None:
    """Each number of leads on a database of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leads", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    if len(options.leads) == 1:
        sys.exit(not measure(options.leads[0], options.readers, options.seconds))
    # A DATABASE_URL given to this process names a server: each run begins with an empty database of it.
    prefix = [sys.executable, "-m", "tests.support.postgres"] * (
        "postgres" in os.environ.pop("DATABASE_URL", "")
    )
    again = [
        sys.executable,
        __file__,
        f"--readers={options.readers}",
        f"--seconds={options.seconds}",
    ]
    sys.exit(
        max(
            [
                subprocess.run([*prefix, *again, f"--leads={number}"]).returncode
                for number in options.leads
            ]
        )
    )


if __name__ == "__main__":
    main()
