"""The content of a backup of SQLite, which is a database file."""

import sqlite3

from django.db import connection, transaction

from ownership.operations.backup import BackupError
from ownership.operations.backup_content import Migration, check_columns, refuse_without


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
        rows = self.source.execute(
            "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        return {f"{kind} {name}" for kind, name in rows}

    def copy_rows(self, columns: dict[str, set[str]]) -> None:
        """Copy them as they are stored: what Django would not have written, verification has to find."""
        tables = self._tables()
        refuse_without(columns.keys() - tables)
        connection.ensure_connection()
        target: sqlite3.Connection = connection.connection
        with transaction.atomic(), connection.wrap_database_errors:
            for table, known in columns.items():
                in_file = [row[1] for row in self.source.execute(f'PRAGMA table_xinfo("{table}")')]
                check_columns(table, in_file, known)
                self._copy(target, table, in_file)
            if "sqlite_sequence" in tables:
                numbers = self.source.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
                target.execute("DELETE FROM sqlite_sequence")
                known_numbers = [(name, number) for name, number in numbers if name in columns]
                target.executemany(
                    "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", known_numbers
                )

    def _copy(self, target: sqlite3.Connection, table: str, columns: list[str]) -> None:
        names = ", ".join(f'"{column}"' for column in columns)
        places = ", ".join("?" for _ in columns)
        rows = self.source.execute(f'SELECT {names} FROM "{table}"')  # noqa: S608
        target.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({places})', rows)  # noqa: S608
