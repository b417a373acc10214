"""Restoring a backup: its rows alone are taken, and replace the database only after they were verified.

A backup is not trusted. Nothing that it contains is executed: our own migrations make the tables in a scratch place,
the rows of these tables are copied from the file, and the history is verified there. Then the scratch place takes the
place of the live database in one transaction. Until then nothing of the live database is touched.
"""

import gzip
import logging
import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.loader import MigrationLoader

from ownership.audit.text_index import add_trigram_extension
from ownership.audit.verification import Verification
from ownership.history.append_only import FUNCTIONS
from ownership.history.head import Head
from ownership.history.models import ChangeSet, current_head
from ownership.operations.backup import BackupError
from ownership.operations.backup_content import BackupContent, Migration, quoted
from ownership.operations.postgres_content import PostgresDump
from ownership.operations.schema import Objects, schema_objects, scratch_schema
from ownership.operations.setup import grant_to_app_role
from ownership.operations.sqlite_content import SqliteFile

LOG = logging.getLogger("ownership.history")
# How the content of a backup begins, by database.
SIGNATURES = {
    "sqlite": b"SQLite format 3\x00",
    "postgresql": b"PGDMP",
}
LONGEST_SIGNATURE = 16  # bytes
# How long a restore on PostgreSQL waits for requests under way.
LOCK_TIMEOUT = "10s"


def restore(archive: BinaryIO) -> Head:
    """Replace the whole database with a backup. Return the head of its history.

    A backup of an older version of the registry is migrated. Raises BackupError, with nothing changed, if the file
    is damaged, from another kind of database or from a newer version, if it contains what the registry does not
    make, or if its history does not verify.
    """
    with tempfile.TemporaryDirectory(prefix="registry-restore-") as folder:
        path = Path(folder, "unpacked")
        _unpack(archive, path)
        try:
            if connection.vendor == "postgresql":
                head = _load_postgresql(path)
            else:
                head = _load_sqlite(path, Path(folder, "restored"))
        except (DatabaseError, sqlite3.DatabaseError) as error:
            raise BackupError(f"The backup could not be restored: {error}") from error
        finally:
            # Ids of content types may differ between the two databases.
            ContentType.objects.clear_cache()
    LOG.info(
        "Restored, up to revision %d", head.revision, extra={"head": str(head), "restored": True}
    )
    return head


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
        raise BackupError(
            f"The backup is from {vendor}, but DATABASE_URL names a {connection.vendor} database."
        )


def _vendor_of(path: Path) -> str:
    """The kind of database that wrote the file."""
    with path.open("rb") as file:
        start = file.read(LONGEST_SIGNATURE)
    for vendor, signature in SIGNATURES.items():
        if start.startswith(signature):
            return vendor
    raise BackupError("The file is not a backup. `manage.py backup FILE` makes one.")


def _rebuild(content: BackupContent) -> Head:
    """Make the database anew in an empty place, with the rows of the backup, and verify it. Return its head."""
    ContentType.objects.clear_cache()
    _make_tables(content.migrations())
    before = schema_objects(connection)
    content.copy_rows(_columns_by_table(before))
    connection.check_constraints()
    call_command("migrate", verbosity=0, interactive=False)
    connection.check_constraints()
    # The file may name what its own version made, and what the versions since then added.
    known = before.keys() | schema_objects(connection).keys()
    unknown = sorted(content.objects() - known)
    if unknown:
        raise BackupError(
            f"The backup contains what the registry does not make: {quoted(unknown, ', ')}. "
            "Remove that from the database that it was made of, and make a new backup."
        )
    inconsistencies = [str(inconsistency) for inconsistency in Verification().run()]
    if inconsistencies:
        raise BackupError(
            f"The history in the backup does not verify: {quoted(inconsistencies, ' ')}"
        )
    return current_head()


def _make_tables(applied: set[Migration]) -> None:
    """Make the tables as these migrations leave them, without rows."""
    executor = MigrationExecutor(connection)
    squashed = _squashed(executor.loader)
    taken = applied
    if not {*squashed, *chain.from_iterable(squashed.values())} <= applied:
        # From before they were squashed, or migrated backwards since: by those migrations that it had.
        executor.loader = MigrationLoader(connection, replace_migrations=False)
        taken = applied - squashed.keys()
    loader = executor.loader
    if ("ownership", "0001_initial") not in applied:
        raise BackupError("The file contains no registry.")
    unknown = applied - set(loader.disk_migrations)
    if unknown:
        names = ", ".join(f"{app}.{name}" for app, name in sorted(unknown))
        raise BackupError(
            f"The backup is from a newer version of the registry, with the migrations {names}. "
            "Restore it with that version."
        )
    executor.migrate(_latest_of_each_app(loader.graph, taken))
    # Django records a squashed migration as soon as all that it replaces are applied.
    lacking = executor.recorder.applied_migrations().keys() - applied - squashed.keys()
    if lacking:
        names = ", ".join(f"{app}.{name}" for app, name in sorted(lacking))
        raise BackupError(f"The backup's list of migrations lacks {names}, on which others depend.")
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            # What migrations wrote is in the backup, too.
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608


def _squashed(loader: MigrationLoader) -> dict[Migration, Sequence[Migration]]:
    """The migrations that replace others: {its name: theirs}."""
    replaced: dict[Migration, Sequence[Migration]] = {}
    for name, migration in loader.disk_migrations.items():
        if migration.replaces:
            replaced[name] = migration.replaces
    return replaced


def _latest_of_each_app(graph: MigrationGraph, applied: set[Migration]) -> list[Migration]:
    latest = []
    for migration in sorted(applied & graph.nodes.keys()):
        children = graph.node_map[migration].children
        later = [child for child in children if child[0] == migration[0] and child in applied]
        if not later:
            latest.append(migration)
    return latest


def _columns_by_table(objects: Objects) -> dict[str, set[str]]:
    columns: dict[str, set[str]] = {}
    for name in objects:
        kind, _, rest = name.partition(" ")
        if kind == "column":
            table, _, column = rest.partition(" ")
            columns.setdefault(table, set()).add(column)
    return columns


# SQLite


def _load_sqlite(path: Path, restored: Path) -> Head:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source:
        # The file's schema may call only functions without side effects, and nothing writes.
        source.execute("PRAGMA trusted_schema = OFF")
        source.execute("PRAGMA query_only = ON")
        lines = [line for (line,) in source.execute("PRAGMA integrity_check(5)")]
        if lines != ["ok"]:
            raise BackupError(f"The file is damaged: {'; '.join(lines)}")
        with _connected_to(restored):
            with connection.cursor() as cursor:
                # Nobody misses this file if the machine fails meanwhile.
                cursor.execute("PRAGMA synchronous = OFF")
            head = _rebuild(SqliteFile(source))
            with connection.cursor() as cursor:
                # Without WAL it is one file.
                cursor.execute("PRAGMA journal_mode=DELETE")
    connection.ensure_connection()
    with closing(sqlite3.connect(restored)) as rebuilt:
        # One transaction of SQLite's own: other connections see the old content, then the new.
        rebuilt.backup(connection.connection)
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


def _load_postgresql(path: Path) -> Head:
    """One transaction: until it commits nobody sees the backup, and an error undoes everything."""
    with transaction.atomic():
        # An extension stays in the schema that it was added to, so not in the scratch schema.
        add_trigram_extension(connection)
        with scratch_schema() as scratch:
            head = _rebuild(PostgresDump(path))
        _swap_in(scratch)
        grant_to_app_role(connection)
    return head


def _swap_in(scratch: str) -> None:
    """Put the tables and functions of the scratch schema in the place of the live ones."""
    with connection.cursor() as cursor:
        # Only from here on do requests wait for us, and we for them.
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute("SELECT quote_ident(current_schema())")
        (live,) = cursor.fetchone()
        old_tables = _quoted_tables(live)
        if old_tables:
            cursor.execute(f"DROP TABLE {', '.join(old_tables)} CASCADE")
        for function in FUNCTIONS:
            cursor.execute(f"DROP FUNCTION IF EXISTS {live}.{function}()")
            cursor.execute(f"ALTER FUNCTION {scratch}.{function}() SET SCHEMA {live}")
        for table in _quoted_tables(scratch):
            cursor.execute(f"ALTER TABLE {table} SET SCHEMA {live}")
        # Not CASCADE: should something be left in it, all is undone.
        cursor.execute(f"DROP SCHEMA {scratch}")


def _quoted_tables(schema: str) -> list[str]:
    """The tables of a schema, as SQL names them; not those of extensions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE quote_ident(n.nspname) = %s AND c.relkind IN ('r', 'p') AND NOT EXISTS"
            " (SELECT 1 FROM pg_depend d"
            " WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')",
            [schema],
        )
        return [name for (name,) in cursor.fetchall()]
