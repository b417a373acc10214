"""How fast history is when there is much of it: ``python benchmarks/history.py [ENTRIES]``.

Fills a throw-away database with 10,000 tables, 20,000 accesses and so many entries of history (1,000,000 unless
said), with a valid chain of digests, and prints what people wait for. SQLite in a temporary directory, or the
empty database that DATABASE_URL names: ``python -m tests.with_postgres python benchmarks/history.py``.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

TABLES, SERVICES, ACCESSES_EACH = 10_000, 200, 2
BATCH = 2_000
EDITS_EACH = 5  # entries of a change set that edits


class Generator:
    """Writes rows and history past the models, but as they would: verification finds nothing."""

    def __init__(self) -> None:
        from django.db import connection

        from ownership.history import chain_digest, entry_content, registry_models

        self.connection, self.chain_digest, self.entry_content = connection, chain_digest, entry_content
        self.time, self.digest, self.revision = datetime(2026, 1, 1, tzinfo=UTC), "", 0
        self.written = 0
        self.labels: dict[tuple[Any, int], str] = {}
        self.pending: dict[Any, list[Any]] = {}
        # The registry's own managers refuse bulk writes; these are made for that purpose only.
        self.live = {model: [] for model in registry_models()}

    def change_set(self, rows: list[tuple[Any, Any]]) -> None:
        """(row before or None, row after) of each entry."""
        from ownership.history import CHANGED, CREATED, ChangeSet, differences

        self.revision += 1
        self.time += timedelta(seconds=1)
        entries = []
        for sequence, (before, after) in enumerate(rows, start=1):
            lost, gained = (row.service_reference_id() if row else None for row in (before, after))
            entries.append(
                type(after).history.model(
                    history_type=CHANGED if before else CREATED,
                    history_date=self.time,
                    change_set_id=self.revision,
                    sequence=sequence,
                    label=str(after),
                    changes=differences(before, after),
                    lost_by=lost if lost != gained else None,
                    gained_by=gained if lost != gained else None,
                    **{field.attname: getattr(after, field.attname) for field in after._meta.fields},
                )
            )
        change = ChangeSet(
            revision=self.revision,
            time=self.time,
            user_name=f"lead-{self.revision % 7}",
            reason=f"Reason number {self.revision}",
            source="import",
        )
        change.digest = self.digest = self.chain_digest(self.digest, change, [self.entry_content(e) for e in entries])
        self.pending.setdefault(ChangeSet, []).append(change)
        for entry in entries:
            self.pending.setdefault(type(entry), []).append(entry)
        self.written += len(entries)
        if len(self.pending[ChangeSet]) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what is pending."""
        from ownership.history import ChangeSet

        for model in sorted(self.pending, key=lambda model: model is not ChangeSet):
            model._base_manager.bulk_create(self.pending[model], batch_size=BATCH)
        self.pending = {}

    def run(self, total: int) -> None:
        """The map, then edits spread evenly over its tables and accesses until there are ``total`` entries."""
        from django.db import transaction
        from django.db.models import QuerySet

        from ownership.models import Access, Mode, Service, Table, TableGroup

        group = TableGroup(pk=1, name="Group")
        services = [Service(pk=n, name=f"service-{n}") for n in range(1, SERVICES + 1)]
        tables = [
            Table(pk=n, name=f"table-{n}", group=group, owner=services[n % SERVICES], position=n, description="0")
            for n in range(1, TABLES + 1)
        ]
        accesses = [
            Access(
                pk=n,
                table=tables[n % TABLES],
                service=services[(n + n // TABLES) % SERVICES],
                mode=Mode.READ,
                notes=f"Reads table {n} for its records, and says so in a sentence.",
            )
            for n in range(1, TABLES * ACCESSES_EACH + 1)
        ]
        with transaction.atomic():
            self.change_set([(None, row) for row in [group, *services]])
            for start in range(0, TABLES, 100):
                self.change_set([(None, row) for row in tables[start : start + 100]])
            for start in range(0, len(accesses), 100):
                self.change_set([(None, row) for row in accesses[start : start + 100]])
            number = 0
            while self.written < total:
                edits = []
                for _ in range(min(EDITS_EACH, total - self.written)):
                    number += 1
                    edits.append(self.edited(number, tables, accesses))
                self.change_set(edits)
            self.flush()
            for model, rows in ((TableGroup, [group]), (Service, services), (Table, tables), (Access, accesses)):
                QuerySet(model).bulk_create(rows, batch_size=500)
        with self.connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def edited(self, number: int, tables: list[Any], accesses: list[Any]) -> tuple[Any, Any]:
        """The row before and after; every fifth edit a table's, the others accesses'."""
        from copy import copy

        rows = tables if number % 5 == 0 else accesses
        # A stride that shares no factor with the number of rows comes by each of them in turn.
        row = rows[number * 7_919 % len(rows)]
        before = copy(row)
        if rows is tables:
            row.description = f"Edited {number} times over."
        else:
            row.notes = f"Reads table {row.table_id} for its records; edit number {number} says so."
        return before, row


def milliseconds(act: Callable[[int], Any], times: int = 50) -> str:
    """Median and slowest of some runs, each of another thing."""
    taken = []
    for number in range(times + 1):
        start = time.perf_counter()
        act(number)
        taken.append((time.perf_counter() - start) * 1_000)
    return f"{median(taken[1:]):.1f} ms (slowest {max(taken[1:]):.1f})"


def measure(total: int) -> None:
    """Fill the empty database and print what it takes."""
    from django.core.management import call_command
    from django.db import connection

    from ownership.models import Access, Service, Table
    from ownership.timeline import Timeline, change_set_entries
    from ownership.verify import Verification

    call_command("migrate", verbosity=0)
    if Table.history.exists():
        raise SystemExit("The database is not empty: give a throw-away one.")
    start = time.perf_counter()
    generator = Generator()
    generator.run(total)
    print(f"\n{connection.vendor}, {generator.written:,} entries, {generator.revision:,} change sets,", end=" ")
    print(f"{Table.objects.count():,} tables, {Access.objects.count():,} accesses")
    print(f"  generated in                 {time.perf_counter() - start:.0f} s")
    print("  a table's timeline page     ", milliseconds(lambda n: Timeline.of(Table, 1 + n * 37).page()))
    print("  a service's timeline page   ", milliseconds(lambda n: Timeline.of(Service, 1 + n).page()))
    last = generator.revision
    print("  a change set's entries      ", milliseconds(lambda n: change_set_entries(last - n * (last // 60))))
    start = time.perf_counter()
    found = sum(1 for _ in Verification().run())
    print(f"  verify_history               {time.perf_counter() - start:.0f} s, {found} findings")
    if sys.platform == "linux":
        import resource

        print(f"  most memory                  {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


def main() -> None:
    """Choose the database, then fill and measure it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("entries", type=int, nargs="?", default=1_000_000, help="entries of history (1,000,000)")
    total = parser.parse_args().entries
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
    os.environ["DEBUG"] = "1"
    with tempfile.TemporaryDirectory(prefix="registry-benchmark-") as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/registry.sqlite3")
        import django
        from django.conf import settings

        django.setup()
        settings.DEBUG = False  # or Django keeps every query in memory
        from django.db import connection

        connection.ensure_connection()
        version = (
            ".".join(map(str, connection.Database.sqlite_version_info))
            if connection.vendor == "sqlite"
            else str(connection.pg_version)
        )
        print(
            f"Python {platform.python_version()}, Django {django.__version__}, {connection.vendor} {version}, "
            f"{os.cpu_count()} CPUs {platform.machine()}, load {os.getloadavg()[0]:.1f}"
        )
        measure(total)
        connection.close()


if __name__ == "__main__":
    main()
