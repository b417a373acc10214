"""Does a backup hold one moment, whatever is written meanwhile? ``python benchmarks/backup.py [TIMES]``.

Takes backups (100 by default) with `ownership.operations.backup` while two other processes write all the time,
restores each into a second database, and compares all tables row by row with what the first held at that moment.
SQLite in a temporary directory; `python -m tests.support.postgres python benchmarks/backup.py` for PostgreSQL.
"""

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))


def write() -> None:
    """Hand tables to and fro, add services and delete them, until killed."""
    from ownership.history.change_sets import change_set
    from ownership.models import Service, Table

    number = 0
    while True:
        number += 1
        time.sleep(0.01)  # SQLite's lock is not fair: without a pause one of two may wait for ever
        with change_set(reason=f"Written during a backup, {number}"):
            service = Service.objects.create(name=f"passing-{os.getpid()}-{number}")
            for table in Table.objects.order_by("?")[:3]:
                table.owner = service
                table.save()
        with change_set(reason="And back"):
            owner = Service.objects.exclude(pk=service.pk).first()
            for table in Table.objects.filter(owner=service):
                table.owner = owner
                table.save()
            if not Table.objects.filter(owner=service).exists():
                service.delete()


@contextmanager
def connected_to(name: str) -> Iterator[None]:
    """Another database of the same server, or another file."""
    from django.db import connection

    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def measure(times: int, folder: str) -> None:
    """Back up, restore, compare, and count."""
    from django.core.management import call_command
    from django.db import connection

    from ownership.audit.verification import unchanging_view
    from ownership.history.models import ChangeSet
    from ownership.operations.backup import backup
    from ownership.operations.restore import restore
    from tests.support.rows import all_rows

    second = f"{folder}/second.sqlite3"
    call_command("migrate", verbosity=0)
    call_command("seed", verbosity=0)
    if connection.vendor == "postgresql":
        second = "benchmark_second"
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {second}")
            cursor.execute(f"CREATE DATABASE {second}")
    writers = [subprocess.Popen([sys.executable, __file__, "write"]) for _ in range(2)]
    equal, taken, put_back, seen = 0, [], [], set()
    while ChangeSet.objects.count() < 10:
        time.sleep(0.1)
    try:
        for _ in range(times):
            file = io.BytesIO()
            with unchanging_view():
                rows = all_rows()
                start = time.monotonic()
                head = backup(file)
                taken.append(time.monotonic() - start)
            seen.add(head.revision)
            file.seek(0)
            with connected_to(second):
                start = time.monotonic()
                restored = restore(file)
                put_back.append(time.monotonic() - start)
                equal += all_rows() == rows and restored == head
        assert all(writer.poll() is None for writer in writers), "a writer failed"
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    written = ChangeSet.objects.latest("revision").revision
    print(f"{connection.vendor}: {equal} of {times} backups restored equal, row by row")
    print(f"  {written} change sets written meanwhile; {len(seen)} different revisions backed up")
    print(
        f"  slowest backup {max(taken):.2f} s, slowest restore {max(put_back):.2f} s, {len(file.getvalue()):,} bytes"
    )
    if equal != times:
        sys.exit(1)


def main() -> None:
    """Choose the database, then run."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "registry.settings",
        "DEBUG": "1",
        "DATABASE_POOL_SIZE": "0",
    }
    with tempfile.TemporaryDirectory(prefix="registry-benchmark-") as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/registry.sqlite3")
        import django
        from django.conf import settings

        django.setup()
        settings.DEBUG = False  # or Django keeps every query in memory
        if sys.argv[1:] == ["write"]:
            write()
        measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100, folder)


if __name__ == "__main__":
    main()
