"""What history costs a save: the admin beside Django's bare one. ``python benchmarks/saves.py [--rounds 5]``

Sixteen leads, each with a table of their own whose form they keep open, save it as fast as they are answered: by turns
in this admin and, of other tables, in Django's bare admin of the same models (``benchmarks/bare``: the same fields and
inlines on the same rows, no history, no reason, no check of what others changed). Both are served by the same processes
of gunicorn with production settings. The ratio is the median over the rounds of one rate beside the other in the same
round. Then every save that this admin acknowledged is looked for in the history. SQLite in a temporary directory;
``python -m tests.support.postgres python benchmarks/saves.py`` for PostgreSQL.
"""

import argparse
import os
import sys
import threading
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import server
from benchmarks.saving import Lead, check, counted, registry, sessions

LEADS, SECONDS = 16, 10
ADMINS = {"this admin": "/admin/ownership", "bare admin": "/bare/bare"}


def turn(leads: list[Lead], seconds: float, process: int) -> tuple[float, float]:
    """Let them save for so long: saves a second, and milliseconds of the server's processor for each."""
    stop, before, used = (
        threading.Event(),
        sum(len(lead.saved) for lead in leads),
        server.processor_seconds(process),
    )
    threads = [threading.Thread(target=lead.run) for lead in leads]
    begun = time.perf_counter()
    for lead, thread in zip(leads, threads, strict=True):
        lead.stop_event = stop
        thread.start()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    saved = sum(len(lead.saved) for lead in leads) - before
    return saved / (time.perf_counter() - begun), 1000 * (
        server.processor_seconds(process) - used
    ) / max(saved, 1)


def measure(rounds: int, seconds: float) -> bool:
    """Let them take turns; print what came of it, and whether all is well."""
    with registry() as environment:
        from django.contrib.auth.models import User

        keys, event = sessions(2 * LEADS), threading.Event()
        # The bare admin's models have no permissions to give: its leads may everything, which asks less.
        bare = [f"lead-{number}" for number in range(LEADS, 2 * LEADS)]
        User.objects.filter(username__in=bare).update(is_staff=True, is_superuser=True)
        with server.serving(
            ["gunicorn"], environment | {"DJANGO_SETTINGS_MODULE": "benchmarks.yardstick"}
        ) as (
            address,
            process,
        ):
            leads = {
                name: [
                    Lead(address, n, n + 1, keys[n], event, once=True, admin=path)
                    for n in range(LEADS * place, LEADS * (place + 1))
                ]
                for place, (name, path) in enumerate(ADMINS.items())
            }
            for people in leads.values():  # opens the forms, and wakes the processes up
                turn(people, 2, process)
                for lead in people:
                    lead.seconds["save"].clear()
            turns: dict[str, list[tuple[float, float]]] = {name: [] for name in leads}
            for _ in range(rounds):
                for name, people in leads.items():
                    turns[name].append(turn(people, seconds, process))
        print(
            f"{LEADS} leads, {rounds} rounds of {seconds:.0f} s each; load average {os.getloadavg()[0]:.1f}"
        )
        for name, rates in turns.items():
            rate, used = (median(column) for column in zip(*rates, strict=True))
            ratio = median(
                one[0] / yard[0] for one, yard in zip(rates, turns["bare admin"], strict=True)
            )
            taken = sorted(each for lead in leads[name] for each in lead.seconds["save"])
            print(
                f"  {name}: {rate:6.1f} saves/s, {ratio:5.2f} of the bare admin's; {used:5.1f} ms of processor each; "
                f"median {1000 * median(taken):,.0f} ms, p99 {1000 * taken[int(len(taken) * 0.99)]:,.0f} ms"
            )
        ours = leads["this admin"]
        wrong = check(
            [edit for lead in ours for edit in lead.saved],
            [e for lead in ours for e in lead.unanswered],
        )
        del wrong[
            "findings of verify_history"
        ]  # of the rows that the bare admin wrote without history
        seen = counted([lead for people in leads.values() for lead in people])
        print(f"  seen: {dict(seen)}; wrong: {dict(wrong) or 'nothing'}", flush=True)
        return not wrong and seen["edits begun"] == sum(
            len(lead.saved) for people in leads.values() for lead in people
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    sys.exit(not measure(options.rounds, options.seconds))
