"""The content of a backup of PostgreSQL, as pg_restore prints it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.db import connection

from ownership.operations.backup import BackupError, output_of
from ownership.operations.backup_content import Migration, check_columns, refuse_without

_NAME = r'(?:"(?:[^"]|"")*"|[a-z_][a-z0-9_$]*)'
_COPY = re.compile(
    rf"COPY (?P<schema>{_NAME})\.(?P<table>{_NAME}) \((?P<columns>{_NAME}(?:, {_NAME})*)\) FROM stdin;\n"
)
_SEQUENCE = re.compile(
    r"SELECT pg_catalog\.setval\('[a-z0-9_]+\.([a-z0-9_]+)', ([0-9]{1,18}), (true|false)\);\n",
)
# An entry of pg_restore's list: number; two oids, kind, schema, name, owner. Kinds are in capitals.
_ENTRY = re.compile(
    r"[0-9]+; [0-9]+ [0-9]+ (?P<kind>[A-Z]+(?: [A-Z]+)*) (?P<schema>\S+) (?P<rest>.*)"
)
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
                check_columns(table, in_file, columns[table])
                _copy_to_postgresql(table, in_file, rows)
        refuse_without(missing)
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
    with (
        connection.connection.cursor() as cursor,
        cursor.copy(f"COPY {quote(table)} ({names}) FROM STDIN") as copy,
    ):
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
                cursor.execute(
                    "SELECT setval(%s::regclass, %s, %s)", [name, int(number), is_called == "true"]
                )
