"""The database's own index for parts of texts: trigrams, in PostgreSQL with pg_trgm and in SQLite with FTS5.

The indexes are no part of the models, because each database has its own kind; ``create_search_indexes`` makes them
after every ``migrate``.
"""

from django.db import DatabaseError, connection, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from django.db.models.expressions import RawSQL

from ownership.history.time_travel import looks_back
from ownership.models import Access, SecondaryIndex, Table

# Models with many rows. Services and groups are few, and searched without an index.
INDEXED: dict[type[models.Model], tuple[str, ...]] = {
    Table: ("name", "description"),
    SecondaryIndex: ("name",),
    Access: ("notes",),
}
# Characters of the shortest word that an index of trigrams can find.
SHORTEST_WORD = 3


def contains(model: type[models.Model], word: str, fields: tuple[str, ...] = ()) -> Q:
    """Return the condition that one of the row's texts contains the word, in upper or lower case.

    ``fields`` names the texts of a model that has no index.
    """
    if _can_use_fts5(model, word):
        table = f"{model._meta.db_table}_text"
        phrase = word.replace('"', '""')
        matches = RawSQL(f"SELECT rowid FROM {table} WHERE {table} MATCH %s", [f'"{phrase}"'])  # noqa: S608, S611
        return Q(pk__in=matches)
    # PostgreSQL answers this from its index, which is over UPPER(…), as the condition is.
    condition = Q()
    for field in INDEXED.get(model, fields):
        condition |= Q(**{f"{field}__icontains": word})
    return condition


def _can_use_fts5(model: type[models.Model], word: str) -> bool:
    # The index holds today's texts only.
    if connection.vendor != "sqlite" or looks_back():
        return False
    return model in INDEXED and len(word) >= SHORTEST_WORD and "\x00" not in word


def create_search_indexes(connection: BaseDatabaseWrapper) -> None:
    """Make the indexes that are missing."""
    if connection.vendor == "postgresql":
        _create_for_postgresql(connection)
    else:
        _create_for_sqlite(connection)


def _create_for_postgresql(connection: BaseDatabaseWrapper) -> None:
    """Without pg_trgm, and without the right to add it, there is no index; search then reads every row."""
    with connection.cursor() as cursor:
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError:
            return
        for model, fields in INDEXED.items():
            table = model._meta.db_table
            columns = ", ".join(f"UPPER({field}) gin_trgm_ops" for field in fields)
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {table}_text ON {table} USING gin ({columns})")


def _create_for_sqlite(connection: BaseDatabaseWrapper) -> None:
    """Keep each index up to date by triggers; fill it again if a trigger was missing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        existing = {name for (name,) in cursor.fetchall()}
        for model, fields in INDEXED.items():
            table = model._meta.db_table
            triggers = _fts5_triggers(table, fields)
            if triggers.keys() <= existing:
                continue
            cursor.execute(
                f"CREATE VIRTUAL TABLE IF NOT EXISTS {table}_text USING fts5"
                f"({', '.join(fields)}, content='{table}', content_rowid='id', tokenize='trigram')"
            )
            for name, body in triggers.items():
                cursor.execute(f"CREATE TRIGGER IF NOT EXISTS {name} {body}")
            cursor.execute(f"INSERT INTO {table}_text ({table}_text) VALUES ('rebuild')")  # noqa: S608


def _fts5_triggers(table: str, fields: tuple[str, ...]) -> dict[str, str]:
    """Return the triggers that repeat each write in the index, by name.

    FTS5 calls such an index an external content table: to take a row out, it wants the texts that were indexed.
    """
    columns = ", ".join(fields)
    old = ", ".join(f"old.{field}" for field in fields)
    new = ", ".join(f"new.{field}" for field in fields)
    add = f"INSERT INTO {table}_text (rowid, {columns}) VALUES (new.id, {new});"  # noqa: S608
    remove = f"INSERT INTO {table}_text ({table}_text, rowid, {columns}) VALUES ('delete', old.id, {old});"  # noqa: S608
    changed = " OR ".join(f"old.{field} IS NOT new.{field}" for field in fields)
    return {
        f"{table}_text_insert": f"AFTER INSERT ON {table} BEGIN {add} END",
        f"{table}_text_delete": f"AFTER DELETE ON {table} BEGIN {remove} END",
        f"{table}_text_update": f"AFTER UPDATE ON {table} WHEN {changed} BEGIN {remove} {add} END",
    }
