"""Restoring a backup: its rows alone are taken, and replace the database only after they were verified.

A backup is not trusted. Nothing that it contains is executed: our own migrations make the tables in a scratch place,
the rows of these tables are copied from the file, and the history is verified there. Then the scratch place takes the
place of the live database in one transaction. Until then nothing of the live database is touched.
"""

import gzip
import logging
import re
import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from ownership.audit.text_index import add_trigram_extension
from ownership.audit.verification import Verification
from ownership.history.append_only import FUNCTIONS
from ownership.history.head import Head
from ownership.history.models import ChangeSet, current_head
from ownership.operations.backup import BackupError, output_of
from ownership.operations.schema import Objects, schema_objects, scratch_schema
from ownership.operations.setup import grant_to_app_role

LOG = logging.getLogger("ownership.history")
# How the content of a backup begins, by database.
SIGNATURES = {
    "sqlite": b"SQLite format 3\x00",
    "postgresql": b"PGDMP",
}
LONGEST_SIGNATURE = 16  # bytes
# How long a restore on PostgreSQL waits for requests under way.
LOCK_TIMEOUT = "10s"
# There may be thousands of inconsistencies or unknown objects; an error message quotes this many.
QUOTED = 5

Migration = tuple[str, str]  # app and name


class BackupContent(Protocol):
    """An unpacked backup."""

    def migrations(self) -> set[Migration]:
        """The migrations that were applied to the database that it was made of."""

    def objects(self) -> set[str]:
        """What the schema in the file consists of, named as in ``schema_objects``; not what follows from tables."""

    def copy_rows(self, columns: dict[str, set[str]]) -> None:
        """Copy the rows of these tables, {table: its columns}, and the numbers that their sequences reached."""


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
    LOG.info("Restored, up to revision %d", head.revision, extra={"head": str(head), "restored": True})
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
        raise BackupError(f"The backup is from {vendor}, but DATABASE_URL names a {connection.vendor} database.")


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
            f"The backup contains what the registry does not make: {_quoted(unknown, ', ')}. "
            "Remove that from the database that it was made of, and make a new backup."
        )
    inconsistencies = [str(inconsistency) for inconsistency in Verification().run()]
    if inconsistencies:
        raise BackupError(f"The history in the backup does not verify: {_quoted(inconsistencies, ' ')}")
    return current_head()


def _quoted(texts: list[str], separator: str) -> str:
    quoted = separator.join(texts[:QUOTED])
    if len(texts) > QUOTED:
        quoted += f" … and {len(texts) - QUOTED} more"
    return quoted


def _make_tables(applied: set[Migration]) -> None:
    """Make the tables as these migrations leave them, without rows."""
    executor = MigrationExecutor(connection)
    if ("ownership", "0001_initial") not in applied:
        raise BackupError("The file contains no registry.")
    unknown = applied - set(executor.loader.disk_migrations)
    if unknown:
        names = ", ".join(f"{app}.{name}" for app, name in sorted(unknown))
        raise BackupError(
            f"The backup is from a newer version of the registry, with the migrations {names}. "
            "Restore it with that version."
        )
    executor.migrate(_latest_of_each_app(executor, applied))
    made = set(executor.recorder.applied_migrations())
    if made != applied:
        names = ", ".join(f"{app}.{name}" for app, name in sorted(made - applied))
        raise BackupError(f"The backup's list of migrations lacks {names}, on which others depend.")
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            # What migrations wrote is in the backup, too.
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608


def _latest_of_each_app(executor: MigrationExecutor, applied: set[Migration]) -> list[Migration]:
    latest = []
    for migration in sorted(applied):
        children = executor.loader.graph.node_map[migration].children
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


def _check_columns(table: str, in_file: list[str], known: set[str]) -> None:
    """The file's table has the columns that the registry's has, in any order."""
    for column in in_file:
        if column not in known:
            raise BackupError(f"The backup contains what the registry does not make: column {table} {column}.")
    missing = sorted(known - set(in_file))
    if missing:
        raise BackupError(f"The backup's table {table} lacks the columns {', '.join(missing)}.")


def _refuse_without(tables: set[str]) -> None:
    """BackupError if there are tables that the file does not have."""
    if tables:
        raise BackupError(f"The backup lacks the tables {_quoted(sorted(tables), ', ')}.")


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


class SqliteFile:
    """The content of a backup of SQLite."""

    def __init__(self, source: sqlite3.Connection) -> None:
        self.source = source

    def _tables(self) -> set[str]:
        """Ordinary tables: to read a view or a virtual table would run what the file says."""
        rows = self.source.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        )
        return {name for (name,) in rows}

    def migrations(self) -> set[Migration]:
        """The rows of Django's own table."""
        if "django_migrations" not in self._tables():
            raise BackupError("The file contains no registry.")
        return set(self.source.execute("SELECT app, name FROM django_migrations"))

    def objects(self) -> set[str]:
        """All that has a name of its own."""
        rows = self.source.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
        return {f"{kind} {name}" for kind, name in rows}

    def copy_rows(self, columns: dict[str, set[str]]) -> None:
        """Copy them as they are stored: what Django would not have written, verification has to find."""
        tables = self._tables()
        _refuse_without(columns.keys() - tables)
        connection.ensure_connection()
        target: sqlite3.Connection = connection.connection
        with transaction.atomic(), connection.wrap_database_errors:
            for table, known in columns.items():
                in_file = [row[1] for row in self.source.execute(f'PRAGMA table_xinfo("{table}")')]
                _check_columns(table, in_file, known)
                self._copy(target, table, in_file)
            if "sqlite_sequence" in tables:
                numbers = self.source.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
                target.execute("DELETE FROM sqlite_sequence")
                known_numbers = [(name, number) for name, number in numbers if name in columns]
                target.executemany("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", known_numbers)

    def _copy(self, target: sqlite3.Connection, table: str, columns: list[str]) -> None:
        names = ", ".join(f'"{column}"' for column in columns)
        places = ", ".join("?" for _ in columns)
        rows = self.source.execute(f'SELECT {names} FROM "{table}"')  # noqa: S608
        target.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({places})', rows)  # noqa: S608


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


_NAME = r'(?:"(?:[^"]|"")*"|[a-z_][a-z0-9_$]*)'
_COPY = re.compile(
    rf"COPY (?P<schema>{_NAME})\.(?P<table>{_NAME}) \((?P<columns>{_NAME}(?:, {_NAME})*)\) FROM stdin;\n"
)
_SEQUENCE = re.compile(
    r"SELECT pg_catalog\.setval\('[a-z0-9_]+\.([a-z0-9_]+)', ([0-9]{1,18}), (true|false)\);\n",
)
# An entry of pg_restore's list: number; two oids, kind, schema, name, owner. Kinds are in capitals.
_ENTRY = re.compile(r"[0-9]+; [0-9]+ [0-9]+ (?P<kind>[A-Z]+(?: [A-Z]+)*) (?P<schema>\S+) (?P<rest>.*)")
# What belongs to a table or is never taken from a file.
_NO_OBJECTS = {
    "TABLE DATA",
    "MATERIALIZED VIEW DATA",
    "SEQUENCE SET",
    "SEQUENCE OWNED BY",
    "EXTENSION",
    "SCHEMA",
    "COMMENT",
    "ACL",
}
_CONSTRAINTS = {"FK CONSTRAINT", "CHECK CONSTRAINT"}
# In the script, a table's checks are lines of its statement. The list does not have them.
_CREATE_TABLE = re.compile(rf"CREATE (?:UNLOGGED )?TABLE {_NAME}\.(?P<table>{_NAME}) \(\n")
_CHECK = re.compile(rf"    CONSTRAINT (?P<name>{_NAME}) CHECK .*\n")


class PostgresDump:
    """The content of a backup of PostgreSQL: pg_dump's custom format.

    pg_restore, without a connection, prints it as a script for psql. Of the script we take the rows, which stand
    between ``COPY table (columns) FROM stdin;`` and a line ``\\.``, and the numbers of sequences. The statements are
    not executed: ours, with the names of tables that we know, are executed in their place.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def migrations(self) -> set[Migration]:
        """The rows of Django's own table."""
        applied = set()
        with self._script("--data-only", "--table=django_migrations") as script:
            for table, columns, rows in _tables_in(script):
                if table != "django_migrations":
                    continue
                for row in rows:
                    values = dict(zip(columns, row.decode().rstrip("\n").split("\t"), strict=False))
                    applied.add((values.get("app", ""), values.get("name", "")))
        return applied

    def objects(self) -> set[str]:
        """The entries of the file's own list, and the checks of its tables."""
        objects = self._checks()
        with output_of("pg_restore", ["--list", str(self.path)]) as lines:
            for line in lines:
                entry = _ENTRY.fullmatch(line.decode(errors="replace").rstrip("\n"))
                if entry is None or entry["kind"] in _NO_OBJECTS:
                    continue
                kind = entry["kind"]
                if kind in _CONSTRAINTS:
                    kind = "CONSTRAINT"
                # The last word is the owner, or nothing.
                name = entry["rest"].rpartition(" ")[0]
                objects.add(f"{kind.lower()} {name}")
        return objects

    def _checks(self) -> set[str]:
        checks = set()
        table = ""
        with self._script("--schema-only") as script:
            for line in script:
                text = line.decode(errors="replace")
                if begin := _CREATE_TABLE.fullmatch(text):
                    table = _unquoted(begin["table"])
                elif check := _CHECK.fullmatch(text):
                    checks.add(f"constraint {table} {_unquoted(check['name'])}")
        return checks

    def copy_rows(self, columns: dict[str, set[str]]) -> None:
        """Send the rows to PostgreSQL as they are in the file."""
        missing = set(columns)
        with connection.cursor() as cursor:
            # Tables come in any order. Migrations leave the foreign keys that they made immediate.
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        with self._script("--data-only") as script, connection.wrap_database_errors:
            for table, in_file, rows in _tables_in(script):
                if table not in columns:
                    continue  # an unknown table, which is refused by its name
                if table not in missing:
                    raise BackupError(f"The backup has the table {table} twice.")
                missing.remove(table)
                _check_columns(table, in_file, columns[table])
                _copy_to_postgresql(table, in_file, rows)
        _refuse_without(missing)
        with self._script("--data-only") as script:
            _set_sequences(script)

    @contextmanager
    def _script(self, *options: str) -> Iterator[IO[bytes]]:
        arguments = [*options, "--file=-", str(self.path)]
        with output_of("pg_restore", arguments) as script:
            yield script


def _tables_in(script: IO[bytes]) -> Iterator[tuple[str, list[str], Iterator[bytes]]]:
    """Each table in the script: its name, its columns and its rows."""
    for line in script:
        if not line.startswith(b"COPY "):
            continue
        copy = _COPY.fullmatch(line.decode(errors="replace"))
        if copy is None:
            continue
        columns = [_unquoted(name) for name in re.findall(_NAME, copy["columns"])]
        rows = _rows_of_copy(script)
        yield _unquoted(copy["table"]), columns, rows
        # Whatever was not wanted is skipped: it must not be taken for statements.
        for _ in rows:
            pass


def _rows_of_copy(script: IO[bytes]) -> Iterator[bytes]:
    """The lines of the script up to the one that ends a table's rows."""
    for line in script:
        if line == b"\\.\n":
            return
        yield line
    raise BackupError("The file is damaged: it ends within a table's rows.")


def _unquoted(name: str) -> str:
    if name.startswith('"'):
        return name[1:-1].replace('""', '"')
    return name


def _copy_to_postgresql(table: str, columns: list[str], rows: Iterator[bytes]) -> None:
    quote = connection.ops.quote_name
    names = ", ".join(quote(column) for column in columns)
    # Django's cursors have no COPY; the driver's have.
    with connection.connection.cursor() as cursor, cursor.copy(f"COPY {quote(table)} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write(row)


def _set_sequences(script: IO[bytes]) -> None:
    """Let each sequence go on where it was, so that ids of deleted rows are not given again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = current_schema()::regnamespace"
        )
        known = {name for (name,) in cursor.fetchall()}
        for line in script:
            sequence = _SEQUENCE.fullmatch(line.decode(errors="replace"))
            if sequence and sequence[1] in known:
                name, number, is_called = sequence.groups()
                cursor.execute("SELECT setval(%s::regclass, %s, %s)", [name, int(number), is_called == "true"])
