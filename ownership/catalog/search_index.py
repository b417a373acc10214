"""The databases' own indexes for parts of texts: trigrams, on PostgreSQL by pg_trgm and on SQLite by FTS5.

They are no part of the models, for each database has its own; ``create`` makes them after every ``migrate``.
"""

from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from django.db.models.expressions import RawSQL

from ownership.history.time_travel import looks_back
from ownership.models import Access, SecondaryIndex, Table

# What there may be many of. Services and groups are few: those are looked through.
INDEXED: dict[Any, tuple[str, ...]] = {
    Table: ("name", "description"),
    SecondaryIndex: ("name",),
    Access: ("notes",),
}
SHORTEST = 3  # characters of a word that has a trigram


def holding(model: Any, word: str, fields: tuple[str, ...] = ()) -> Q:
    """Rows one of whose texts holds the word, in any case; ``fields`` for models that are not indexed."""
    indexed = model in INDEXED and connection.vendor == "sqlite" and not looks_back()  # it knows today's texts alone
    if indexed and len(word) >= SHORTEST and "\x00" not in word:
        name, phrase = f"{model._meta.db_table}_text", word.replace('"', '""')
        found = RawSQL(f"SELECT rowid FROM {name} WHERE {name} MATCH %s", [f'"{phrase}"'])  # noqa: S608, S611
        return Q(pk__in=found)
    # On PostgreSQL the index serves just this: UPPER(name) LIKE UPPER('%word%').
    return Q(*((f"{field}__icontains", word) for field in INDEXED.get(model, fields)), _connector=Q.OR)


def create(connection: BaseDatabaseWrapper) -> None:
    """Make what is missing. Without pg_trgm, and the right to add it, PostgreSQL has none: search then reads all."""
    (_create_postgresql if connection.vendor == "postgresql" else _create_sqlite)(connection)


def _create_postgresql(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError:
            return
        for model, fields in INDEXED.items():
            table = model._meta.db_table
            parts = ", ".join(f"UPPER({field}) gin_trgm_ops" for field in fields)
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {table}_text ON {table} USING gin ({parts})")


def _create_sqlite(connection: BaseDatabaseWrapper) -> None:
    """An index beside the table, kept up by triggers; filled anew where one of these was missing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        present = {name for (name,) in cursor.fetchall()}
        for model, fields in INDEXED.items():
            table, names = model._meta.db_table, ", ".join(fields)
            old, new = (", ".join(f"{row}.{field}" for field in fields) for row in ("old", "new"))
            add = f"INSERT INTO {table}_text (rowid, {names}) VALUES (new.id, {new});"  # noqa: S608
            take = f"INSERT INTO {table}_text ({table}_text, rowid, {names}) VALUES ('delete', old.id, {old});"  # noqa: S608
            differs = " OR ".join(f"old.{field} IS NOT new.{field}" for field in fields)
            triggers = {
                f"{table}_text_insert": f"AFTER INSERT ON {table} BEGIN {add} END",
                f"{table}_text_delete": f"AFTER DELETE ON {table} BEGIN {take} END",
                f"{table}_text_update": f"AFTER UPDATE ON {table} WHEN {differs} BEGIN {take} {add} END",
            }
            if triggers.keys() <= present:
                continue
            cursor.execute(
                f"CREATE VIRTUAL TABLE IF NOT EXISTS {table}_text USING fts5"
                f"({names}, content='{table}', content_rowid='id', tokenize='trigram')"
            )
            for name, body in triggers.items():
                cursor.execute(f"CREATE TRIGGER IF NOT EXISTS {name} {body}")
            cursor.execute(f"INSERT INTO {table}_text ({table}_text) VALUES ('rebuild')")  # noqa: S608
