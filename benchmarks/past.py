"""How fast is the map as it was? Makes a registry with a long history and asks for old maps; run by hand:

    DEBUG=1 .venv/bin/python benchmarks/past.py
    DEBUG=1 .venv/bin/python -m tests.with_postgres .venv/bin/python benchmarks/past.py

10,000 tables, 20,000 accesses, 100 services and a million history rows, unless TABLES and ROWS say otherwise, in a
database of its own (Django's test database) that is taken away again. History is written in bulk, with SQL that
no part of the application uses: an entry per row and round, every row changed in every round.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.utils import timezone  # noqa: E402

from ownership.history import ChangeSet  # noqa: E402
from ownership.models import Access, Service, Table, TableGroup  # noqa: E402

TABLES, ROWS = int(os.environ.get("TABLES", "10000")), int(os.environ.get("ROWS", "1000000"))
SERVICES, GROUPS = 100, 20


def live_rows() -> list[tuple[Any, list[dict[str, Any]]]]:
    """Each model with the columns of its rows; ids from 1."""
    keys = dict.fromkeys(f"{key}_key_{part}" for key in ("partition", "sort") for part in ("name", "type", "format"))
    keys = dict.fromkeys(keys, "") | {"partition_key_name": "id", "partition_key_type": "S"}
    return [
        (
            TableGroup,
            [{"name": f"Group {n}", "description": "", "position": n} for n in range(GROUPS)],
        ),
        (
            Service,
            [
                {"name": f"service-{n}", "part_of_id": None, "description": "", "contact": "", "repository": ""}
                | {"aliases": "[]"}
                for n in range(SERVICES)
            ],
        ),
        (
            Table,
            [
                {"name": f"table{n}", "group_id": n % GROUPS + 1, "owner_id": n % SERVICES + 1, "position": n}
                | {"description": "What its records are.", "more_title": "", "more_url": ""}
                | keys
                for n in range(TABLES)
            ],
        ),
        (
            Access,
            [
                {"table_id": n // 2 + 1, "service_id": (n * 7 + n % 2) % SERVICES + 1, "mode": "read", "notes": "Reads"}
                | {"indirect": False, "position": n % 2}
                for n in range(TABLES * 2)
            ],
        ),
    ]


def insert(table: str, rows: list[dict[str, Any]]) -> None:
    """Insert rows, raw."""
    columns = ", ".join(f'"{name}"' for name in rows[0])
    values = ", ".join(["%s"] * len(rows[0]))
    with connection.cursor() as cursor:
        cursor.executemany(
            f'INSERT INTO "{table}" ({columns}) VALUES ({values})', [tuple(row.values()) for row in rows]
        )


def grow() -> int:
    """Fill the database; the revision halfway through its history."""
    models = live_rows()
    rounds = max(1, ROWS // sum(len(rows) for _, rows in models))
    now = timezone.now()
    # A change set per 50 entries.
    revision = sequence = 0
    with transaction.atomic():
        for round_ in range(rounds):
            for model, rows in models:
                batch = []
                for number, row in enumerate(rows, 1):
                    if sequence % 50 == 0 or number == 1:
                        revision, sequence = revision + 1, 0
                    sequence += 1
                    batch.append(
                        {"id": number, **row}
                        | ({"notes": f"Reads {round_}"} if "notes" in row else {"description": f"Round {round_}"})
                        | {"history_date": str(now), "history_type": "~" if round_ else "+", "change_set_id": revision}
                        | {
                            "sequence": sequence,
                            "label": row.get("name", "an access"),
                            "changes": '{"notes": ["a", "b"]}',
                        }
                        | {"gained_by": None, "lost_by": None}
                    )
                insert(model.history.model._meta.db_table, batch)
                if round_ == rounds - 1:
                    columns = [field.column for field in model._meta.concrete_fields]
                    insert(model._meta.db_table, [{name: row[name] for name in columns} for row in batch])
        ChangeSet.objects.bulk_create(
            ChangeSet(revision=n, time=now, user_name="bench", reason="Grow", source="command", digest=f"{n:064x}")
            for n in range(1, revision + 1)
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return revision // 2


def took(action: Callable[[], Any], times: int = 3) -> str:
    """Medians: seconds in all, and those of this process's own work (on PostgreSQL the rest is the server's)."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter(), time.process_time()
        action()
        seconds.append((time.perf_counter() - began[0], time.process_time() - began[1]))
    whole, own = (statistics.median(column) for column in zip(*seconds, strict=True))
    return f"{whole:8.3f} s {own:8.3f} s"


def main() -> None:
    """Grow, ask, print."""
    from ownership.past import head

    began = time.perf_counter()
    middle = grow()
    print(f"{connection.vendor}: grown to revision {head()[0]} in {time.perf_counter() - began:.0f} s")
    client = Client()
    client.force_login(User.objects.create_user("bench"))

    def get(address: str) -> None:
        response = client.get(f"/api/v1/{address}")
        assert response.status_code == 200, (address, response.content[:500])

    for address in os.environ.get("ADDRESSES", "").split() or [
        "map/",
        f"map/?revision={middle}",
        "tables/",
        f"tables/?revision={middle}",
        f"tables/?revision={middle}&service=service-7&mode=read&ordering=-owner",
        f"tables/table77/?revision={middle}",
        f"accesses/?revision={middle}&search=reads",
        f"services/?revision={middle}",
        f"compare/?from={middle}&to={middle + 100}",
        f"compare/?from={middle}",
    ]:
        print(f"{took(lambda address=address: get(address))}  {address}")


if __name__ == "__main__":
    from django.test.runner import DiscoverRunner

    with override_settings(SECURE_SSL_REDIRECT=False, ALLOWED_HOSTS=["*"]):
        runner = DiscoverRunner(verbosity=0, interactive=False)
        databases = runner.setup_databases()
        try:
            main()
        finally:
            runner.teardown_databases(databases)
