"""Backups: the whole database in one file, made while people keep working. ``restore.py`` reads it.

The file is what the database's own tool makes (SQLite's backup API, pg_dump's custom format), gzipped: gzip's
checksum detects damage.
"""

import gzip
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from django.db import DatabaseError, connection
from django.db.backends.postgresql.client import DatabaseClient

from ownership.audit.verification import unchanging_view
from ownership.history.head import Head
from ownership.history.models import current_head

# What only the administrator of the server may restore.
NOT_DUMPED = ["--no-owner", "--no-privileges", "--no-comments"]


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
        "--encoding=UTF8",
        *NOT_DUMPED,
        f"--snapshot={snapshot}",
        *connection_arguments,
    ]
    with output_of("pg_dump", arguments, environment) as dump:
        shutil.copyfileobj(dump, archive)


@contextmanager
def output_of(
    program: str, arguments: list[str], environment: dict[str, str] | None = None
) -> Iterator[IO[bytes]]:
    """Run one of PostgreSQL's programs and read its output. If it fails, BackupError has its message."""
    path = shutil.which(program)
    if path is None:
        raise BackupError(
            f"{program} is not installed (Debian: apt-get install postgresql-client)."
        )
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
