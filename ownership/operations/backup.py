"""Backups: the whole database in one file, taken while people write, and put back only after it proved sound.

A backup is what the database's own tool makes (SQLite's backup API, pg_dump's custom format), gzipped as a whole:
gzip's checksum finds any damage. It is put back in one transaction: it is there whole, or what was there before is.
"""

import gzip
import os
import shutil
import sqlite3
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.backends.postgresql.client import DatabaseClient
from django.db.migrations.loader import MigrationLoader

from ownership.audit.verification import Verification, unchanging_view
from ownership.history.append_only import drop_function
from ownership.history.models import ChangeSet, Head, current_head

_MAGIC = {"sqlite": b"SQLite format 3\x00", "postgresql": b"PGDMP"}
# How long a restore waits for those who use the database.
_PATIENCE = "10s"


class BackupError(Exception):
    """The backup can't be made or can't be used; nothing was changed. The message says why and what to do."""


def backup(out: BinaryIO) -> Head:
    """Write the database as it is at one moment; the head of its history then. Holds up nobody who writes."""
    try:
        with unchanging_view(), gzip.GzipFile(filename="", mode="wb", compresslevel=3, fileobj=out) as packed:
            head = current_head()  # begins the view: what is written is of the same moment
            (_dump_postgresql if connection.vendor == "postgresql" else _dump_sqlite)(packed)
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise BackupError(f"The database can't be read: {error}") from error
    return head


def restore(packed: BinaryIO) -> Head:
    """Replace the whole database by a backup's; the head of its history. BackupError, and nothing changed, if the
    file is damaged, of another kind of database or of a newer registry, or its history does not verify.

    One of an older registry is migrated on the way.
    """
    with tempfile.TemporaryDirectory(prefix="registry-restore-") as folder:
        path = Path(folder, "unpacked")
        _unpack(packed, path)
        try:
            return _load_postgresql(path) if connection.vendor == "postgresql" else _load_sqlite(path)
        except (DatabaseError, sqlite3.DatabaseError) as error:
            raise BackupError(f"It can't be restored: {error}") from error
        finally:
            ContentType.objects.clear_cache()


def holds_data() -> bool:
    """Whether there is something in the database that a restore would replace."""
    tables = connection.introspection.table_names()
    return any(
        model._meta.db_table in tables and model._base_manager.exists() for model in (ChangeSet, get_user_model())
    )


def _unpack(packed: BinaryIO, path: Path) -> None:
    """To that path, if it is whole and of our kind of database."""
    try:
        with gzip.GzipFile(fileobj=packed) as content, path.open("wb") as file:
            shutil.copyfileobj(content, file)
    except (OSError, EOFError, zlib.error) as error:
        raise BackupError(f"The file is damaged, or no backup: {error}") from error
    with path.open("rb") as file:
        begins = file.read(16)
    kind = next((vendor for vendor, magic in _MAGIC.items() if begins.startswith(magic)), None)
    if kind is None:
        raise BackupError("The file is no backup: make one with `manage.py backup FILE`.")
    if kind != connection.vendor:
        raise BackupError(f"The backup is of a {kind} database; DATABASE_URL names a {connection.vendor} one.")


def _prove() -> Head:
    """Bring the database that was just loaded up to this code's migrations, and verify its history."""
    loader = MigrationLoader(connection)
    applied = set(loader.applied_migrations)
    if ("ownership", "0001_initial") not in applied:
        raise BackupError("The file holds no registry.")
    if newer := applied - set(loader.disk_migrations):
        names = ", ".join(f"{app}.{name}" for app, name in sorted(newer))
        raise BackupError(f"The backup is of a newer registry, with the migrations {names}: restore it with that code.")
    ContentType.objects.clear_cache()
    call_command("migrate", verbosity=0, interactive=False)
    connection.check_constraints()
    findings = [str(finding) for finding in Verification().run()]
    if findings:
        more = f" … and {len(findings) - 5} more" if len(findings) > 5 else ""
        raise BackupError("Its history does not verify: " + " ".join(findings[:5]) + more)
    return current_head()


# SQLite


def _dump_sqlite(out: gzip.GzipFile) -> None:
    with tempfile.TemporaryDirectory(prefix="registry-backup-") as folder:
        path = Path(folder, "copy")
        with closing(sqlite3.connect(path)) as copy:
            connection.connection.backup(copy)  # sees what the open transaction sees
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without companions
        with path.open("rb") as file:
            shutil.copyfileobj(file, out)


def _load_sqlite(path: Path) -> Head:
    with _connected_to(path):
        with connection.cursor() as cursor:
            said = cursor.execute("PRAGMA integrity_check(5)").fetchall()
        if said != [("ok",)]:
            raise BackupError(f"The file is damaged: {'; '.join(line for (line,) in said)}")
        head = _prove()
    connection.ensure_connection()
    with closing(sqlite3.connect(path)) as copy:
        # Through SQLite's own locks: others who have the database open see the old one whole, then the new one.
        copy.backup(connection.connection)
    return head


@contextmanager
def _connected_to(path: Path) -> Iterator[None]:
    """Let Django's connection be one to that file."""
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name


# PostgreSQL

_LEFT_OUT = ["--no-owner", "--no-privileges", "--no-comments"]  # what a role that is not the server's owner can't set


def _dump_postgresql(out: gzip.GzipFile) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
    # Django's way to call psql: the password goes by the environment, which the process list doesn't show.
    (_, *where), environment = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    what = [
        "--format=custom",
        "--compress=0",
        "--no-owner",
        "--no-privileges",
        "--no-comments",
        f"--snapshot={snapshot}",
    ]
    with _program("pg_dump", [*what, *where], environment or {}) as dump:
        shutil.copyfileobj(dump, out)


def _load_postgresql(path: Path) -> Head:
    """All in one transaction, the verification too: nobody sees it, and nothing of it stays, until it is proven."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
        if tables := connection.introspection.table_names(cursor):
            names = ", ".join(connection.ops.quote_name(table) for table in tables)
            cursor.execute(f"DROP TABLE {names} CASCADE")
        drop_function(connection)
        with _program("pg_restore", ["--file=-", *_LEFT_OUT, str(path)], {}) as script:
            _run_script(script)
        cursor.execute("RESET search_path")  # the script took all schemas away
        head = _prove()
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # the script set more than that
    return head


def _run_script(script: IO[bytes]) -> None:
    """Run what pg_restore writes for psql: SQL, rows after COPY … FROM stdin, psql's own commands (not needed here)."""
    statements: list[bytes] = []
    with connection.connection.cursor() as cursor:
        for line in script:
            if line.startswith(b"COPY ") and line.endswith(b" FROM stdin;\n"):
                cursor.execute(b"".join(statements))
                statements = []
                with cursor.copy(line) as rows:
                    for row in iter(script.readline, b"\\.\n"):
                        if not row:
                            raise BackupError("The file is damaged: it ends within a table's rows.")
                        rows.write(row)
            elif not line.startswith(b"\\"):
                statements.append(line)
        cursor.execute(b"".join(statements))


@contextmanager
def _program(name: str, arguments: list[str], environment: dict[str, str]) -> Iterator[IO[bytes]]:
    """Run one of PostgreSQL's programs and read what it writes; BackupError with its own words where it fails."""
    program = shutil.which(name)
    if program is None:
        raise BackupError(f"{name} is not installed (Debian: apt-get install postgresql-client).")
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603 (arguments of ours, and no shell)
            [program, *arguments], env=os.environ | environment, stdout=subprocess.PIPE, stderr=said
        ) as process,
    ):
        assert process.stdout is not None  # noqa: S101 (for the type checker)
        try:
            yield process.stdout
        except BaseException:
            process.kill()
            raise
        if process.wait():
            said.seek(0)
            raise BackupError(said.read().decode(errors="replace").strip())
