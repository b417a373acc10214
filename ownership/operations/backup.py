"""Backups: the whole database in one file, made while people keep working, restored only after it is checked.

The file is what the database's own tool makes (SQLite's backup API, pg_dump's custom format), gzipped: gzip's
checksum detects damage. A restore is one transaction, so it happens completely or not at all.
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
from ownership.history.head import Head
from ownership.history.models import ChangeSet, current_head

# How the content of a backup begins, by database.
SIGNATURES = {
    "sqlite": b"SQLite format 3\x00",
    "postgresql": b"PGDMP",
}
LONGEST_SIGNATURE = 16  # bytes
# How long a restore on PostgreSQL waits for requests under way.
LOCK_TIMEOUT = "10s"
# What only the administrator of the server may restore.
NOT_RESTORED = ["--no-owner", "--no-privileges", "--no-comments"]
# Verification may find thousands of inconsistencies; an error message quotes this many.
QUOTED = 5


class BackupError(Exception):
    """The backup can't be made or restored; nothing was changed. The message says why and what to do."""


def backup(out: BinaryIO) -> Head:
    """Write the database as it is at one moment, without blocking writers. Return the head of its history then.

    Raises BackupError if the database can't be read.
    """
    try:
        with (
            unchanging_view(),
            gzip.GzipFile(filename="", mode="wb", compresslevel=3, fileobj=out) as archive,
        ):
            # The first query fixes the moment: all that follows sees the same state.
            head = current_head()
            if connection.vendor == "postgresql":
                _dump_postgresql(archive)
            else:
                _dump_sqlite(archive)
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise BackupError(f"The database could not be read: {error}") from error
    return head


def restore(archive: BinaryIO) -> Head:
    """Replace the whole database with a backup. Return the head of its history.

    A backup of an older version of the registry is migrated. Raises BackupError, with nothing changed, if the file
    is damaged, from another kind of database or from a newer version, or if its history does not verify.
    """
    with tempfile.TemporaryDirectory(prefix="registry-restore-") as folder:
        path = Path(folder, "unpacked")
        _unpack(archive, path)
        try:
            if connection.vendor == "postgresql":
                return _load_postgresql(path)
            return _load_sqlite(path)
        except (DatabaseError, sqlite3.DatabaseError) as error:
            raise BackupError(f"The backup could not be restored: {error}") from error
        finally:
            # Ids of content types may differ between the two databases.
            ContentType.objects.clear_cache()


def holds_data() -> bool:
    """Whether the database has change sets or accounts, which a restore would replace."""
    tables = connection.introspection.table_names()
    for model in (ChangeSet, get_user_model()):
        if model._meta.db_table in tables and model._base_manager.exists():
            return True
    return False


def _unpack(archive: BinaryIO, path: Path) -> None:
    """Write the content of a backup to a file, if it is undamaged and from our kind of database."""
    try:
        with gzip.GzipFile(fileobj=archive) as content, path.open("wb") as file:
            shutil.copyfileobj(content, file)
    except (OSError, EOFError, zlib.error) as error:
        raise BackupError(f"The file is damaged or not a backup: {error}") from error
    vendor = _vendor_of(path)
    if vendor != connection.vendor:
        raise BackupError(f"The backup is from {vendor}, but DATABASE_URL names a {connection.vendor} database.")


def _vendor_of(path: Path) -> str:
    """The kind of database that wrote the file."""
    with path.open("rb") as file:
        start = file.read(LONGEST_SIGNATURE)
    for vendor, signature in SIGNATURES.items():
        if start.startswith(signature):
            return vendor
    raise BackupError("The file is not a backup. `manage.py backup FILE` makes one.")


def _migrate_and_verify() -> Head:
    """Migrate the database that was just loaded, and verify its history. Return its head."""
    loader = MigrationLoader(connection)
    applied = set(loader.applied_migrations)
    if ("ownership", "0001_initial") not in applied:
        raise BackupError("The file contains no registry.")
    unknown = applied - set(loader.disk_migrations)
    if unknown:
        names = ", ".join(f"{app}.{name}" for app, name in sorted(unknown))
        raise BackupError(
            f"The backup is from a newer version of the registry, with the migrations {names}. "
            "Restore it with that version."
        )
    ContentType.objects.clear_cache()
    call_command("migrate", verbosity=0, interactive=False)
    connection.check_constraints()
    inconsistencies = list(Verification().run())
    if inconsistencies:
        text = " ".join(str(inconsistency) for inconsistency in inconsistencies[:QUOTED])
        if len(inconsistencies) > QUOTED:
            text += f" … and {len(inconsistencies) - QUOTED} more"
        raise BackupError(f"The history in the backup does not verify: {text}")
    return current_head()


# SQLite


def _dump_sqlite(archive: gzip.GzipFile) -> None:
    with tempfile.TemporaryDirectory(prefix="registry-backup-") as folder:
        path = Path(folder, "copy")
        with closing(sqlite3.connect(path)) as copy:
            # Copies what our open transaction sees, whatever others write meanwhile.
            connection.connection.backup(copy)
            # Without WAL the copy is one file.
            copy.execute("PRAGMA journal_mode=DELETE")
        with path.open("rb") as file:
            shutil.copyfileobj(file, archive)


def _load_sqlite(path: Path) -> Head:
    # Everything is checked in the unpacked file, before the database is touched.
    with _connected_to(path):
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check(5)")
            lines = [line for (line,) in cursor.fetchall()]
        if lines != ["ok"]:
            raise BackupError(f"The file is damaged: {'; '.join(lines)}")
        head = _migrate_and_verify()
    connection.ensure_connection()
    with closing(sqlite3.connect(path)) as source:
        # One transaction of SQLite's own: other connections see the old content, then the new.
        source.backup(connection.connection)
    return head


@contextmanager
def _connected_to(path: Path) -> Iterator[None]:
    """Use this SQLite file as Django's database."""
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name


# PostgreSQL


def _dump_postgresql(archive: gzip.GzipFile) -> None:
    # pg_dump has a connection of its own: with this snapshot it sees what our transaction sees.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
    # Django builds these arguments for psql, and pg_dump takes the same. The password goes into the
    # environment, because other users of the machine can read a process' arguments.
    command, environment = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    connection_arguments = command[1:]
    arguments = [
        "--format=custom",
        "--compress=0",
        *NOT_RESTORED,
        f"--snapshot={snapshot}",
        *connection_arguments,
    ]
    with _output_of("pg_dump", arguments, environment) as dump:
        shutil.copyfileobj(dump, archive)


def _load_postgresql(path: Path) -> Head:
    """Load and verify in one transaction: until it commits nobody sees the backup, and an error undoes it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        tables = connection.introspection.table_names(cursor)
        if tables:
            names = ", ".join(connection.ops.quote_name(table) for table in tables)
            cursor.execute(f"DROP TABLE {names} CASCADE")
        drop_function(connection)
        # pg_restore could connect by itself, but then verification would be in another transaction.
        with _output_of("pg_restore", ["--file=-", *NOT_RESTORED, str(path)]) as script:
            _run_script(script)
        # The script empties the search path.
        cursor.execute("RESET search_path")
        head = _migrate_and_verify()
    # The script changed other settings, too, so this connection is not used again.
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    return head


def _run_script(script: IO[bytes]) -> None:
    """Run a script that pg_restore writes for psql.

    It consists of SQL statements, of ``COPY … FROM stdin;`` with the table's rows below it up to a line ``\\.``, and
    of psql's own commands, which begin with a backslash and are not needed here.
    """
    statements: list[bytes] = []
    # Django's cursors have no COPY; the driver's have.
    with connection.connection.cursor() as cursor:
        for line in script:
            if line.startswith(b"COPY ") and line.endswith(b" FROM stdin;\n"):
                cursor.execute(b"".join(statements))
                statements = []
                with cursor.copy(line) as copy:
                    for row in _rows_of_copy(script):
                        copy.write(row)
            elif not line.startswith(b"\\"):
                statements.append(line)
        cursor.execute(b"".join(statements))


def _rows_of_copy(script: IO[bytes]) -> Iterator[bytes]:
    """The lines of the script up to the one that ends a table's rows."""
    for line in script:
        if line == b"\\.\n":
            return
        yield line
    raise BackupError("The file is damaged: it ends within a table's rows.")


@contextmanager
def _output_of(program: str, arguments: list[str], environment: dict[str, str] | None = None) -> Iterator[IO[bytes]]:
    """Run one of PostgreSQL's programs and read its output. If it fails, BackupError has its message."""
    path = shutil.which(program)
    if path is None:
        raise BackupError(f"{program} is not installed (Debian: apt-get install postgresql-client).")
    # Errors go to a file: nobody reads a second pipe, and the program would stop when it is full.
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 (no shell, and all arguments are ours)
            [path, *arguments],
            env=os.environ | (environment or {}),
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        with process:
            assert process.stdout is not None  # noqa: S101 (for the type checker)
            try:
                yield process.stdout
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            errors.seek(0)
            raise BackupError(errors.read().decode(errors="replace").strip())
