"""Makes registries of any size with a history of any length, for the benchmarks beside this file."""

import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

BATCH = 2_000
EDITS_EACH = 5  # entries of a change set that edits


@contextmanager
def empty_database() -> Iterator[None]:
    """Django set up with a migrated, empty database: SQLite in a temporary folder, or the one DATABASE_URL names.

    Prints on what machine and with which versions all that follows is measured. SystemExit where it is not empty.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
    os.environ["DEBUG"] = "1"
    with tempfile.TemporaryDirectory(prefix="registry-benchmark-") as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/registry.sqlite3")
        import django
        from django.conf import settings
        from django.core.management import call_command

        django.setup()
        settings.DEBUG = False  # or Django keeps every query in memory
        settings.ALLOWED_HOSTS = ["*"]
        from django.db import connection

        from ownership.models import Table

        connection.ensure_connection()
        sqlite = connection.vendor == "sqlite"
        version = (
            connection.Database.sqlite_version_info
            if sqlite
            else divmod(connection.pg_version, 10_000)
        )
        print(
            f"Python {platform.python_version()}, Django {django.__version__}, {connection.vendor} "
            f"{'.'.join(map(str, version))}, {os.cpu_count()} CPUs {platform.machine()}, load {os.getloadavg()[0]:.1f}"
        )
        call_command("migrate", verbosity=0)
        if Table.history.exists():
            raise SystemExit("The database is not empty: give a throw-away one.")
        yield
        connection.close()


class Generator:
    """Writes rows and history past the models, but as they would: verification finds nothing.

    Tables and services are called table-1, service-1, …; ids begin at 1.
    """

    def __init__(
        self, *, tables: int, accesses_each: int = 2, services: int = 200, groups: int = 1
    ) -> None:
        self.tables, self.accesses_each, self.services, self.groups = (
            tables,
            accesses_each,
            services,
            groups,
        )
        from django.db import connection

        from ownership.history.change_sets import chain_digest, entry_content

        self.connection, self.chain_digest, self.entry_content = (
            connection,
            chain_digest,
            entry_content,
        )
        self.time, self.digest, self.revision = datetime(2026, 1, 1, tzinfo=UTC), "", 0
        self.written = 0
        self.labels: dict[tuple[Any, int], str] = {}
        self.pending: dict[Any, list[Any]] = {}

    def change_set(self, rows: list[tuple[Any, Any]]) -> None:
        """(row before or None, row after) of each entry."""
        from ownership.history.models import CHANGED, CREATED, ChangeSet
        from ownership.history.row_states import differences

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
                    **{
                        field.attname: getattr(after, field.attname) for field in after._meta.fields
                    },
                )
            )
        change = ChangeSet(
            revision=self.revision,
            time=self.time,
            user_name=f"lead-{self.revision % 7}",
            reason=f"Reason number {self.revision}",
            source="import",
        )
        change.digest = self.digest = self.chain_digest(
            self.digest, change, [self.entry_content(e) for e in entries]
        )
        self.pending.setdefault(ChangeSet, []).append(change)
        for entry in entries:
            self.pending.setdefault(type(entry), []).append(entry)
        self.written += len(entries)
        if len(self.pending[ChangeSet]) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what is pending."""
        from ownership.history.models import ChangeSet

        for model in sorted(self.pending, key=lambda model: model is not ChangeSet):
            model._base_manager.bulk_create(self.pending[model], batch_size=BATCH)
        self.pending = {}

    def run(self, entries: int = 0) -> None:
        """The map, then edits spread evenly over its tables and accesses until there are so many entries."""
        from django.db import transaction
        from django.db.models import QuerySet

        from ownership.models import Access, Mode, Service, Table, TableGroup

        groups = [
            TableGroup(pk=n, name=f"Group {n}", position=n) for n in range(1, self.groups + 1)
        ]
        services = [Service(pk=n, name=f"service-{n}") for n in range(1, self.services + 1)]
        tables = [
            Table(
                pk=n,
                name=f"table-{n}",
                group=groups[n % self.groups],
                owner=services[n % self.services],
                position=n,
                description="0",
            )
            for n in range(1, self.tables + 1)
        ]
        accesses = [
            Access(
                pk=n,
                table=tables[n % self.tables],
                service=services[(n + n // self.tables) % self.services],
                mode=Mode.READ,
                notes=f"Reads table {n} for its records, and says so in a sentence.",
            )
            for n in range(1, self.tables * self.accesses_each + 1)
        ]
        with transaction.atomic():
            self.change_set([(None, row) for row in [*groups, *services]])
            for start in range(0, self.tables, 100):
                self.change_set([(None, row) for row in tables[start : start + 100]])
            for start in range(0, len(accesses), 100):
                self.change_set([(None, row) for row in accesses[start : start + 100]])
            number = 0
            while self.written < entries:
                edits = []
                for _ in range(min(EDITS_EACH, entries - self.written)):
                    number += 1
                    edits.append(self.edited(number, tables, accesses))
                self.change_set(edits)
            self.flush()
            # The registry's own managers refuse bulk writes.
            for model, rows in (
                (TableGroup, groups),
                (Service, services),
                (Table, tables),
                (Access, accesses),
            ):
                QuerySet(model).bulk_create(rows, batch_size=500)
        with self.connection.cursor() as cursor:
            if self.connection.vendor == "postgresql":
                # Rows came with their ids: the next one is to follow them.
                for model in (TableGroup, Service, Table, Access):
                    table = model._meta.db_table
                    cursor.execute(
                        f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}))"
                    )
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
