"""The database's own index for parts of texts: trigrams, in PostgreSQL with pg_trgm and in SQLite with FTS5.

The indexes are no part of the models, because each database has its own kind; ``create_text_indexes`` makes them
after every ``migrate``.
"""

from collections.abc import Iterable, Mapping

from django.db import DatabaseError, connection, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from django.db.models.expressions import RawSQL

# Which texts of a model are indexed.
IndexedTexts = Mapping[type[models.Model], tuple[str, ...]]

# Characters of the shortest word that an index of trigrams can find.
SHORTEST_WORD = 3


def can_index(word: str) -> bool:
    """Whether SQLite's index can be asked for the word."""
    return connection.vendor == "sqlite" and len(word) >= SHORTEST_WORD and "\x00" not in word


def phrase(word: str) -> str:
    """The word as FTS5 takes it: none of its characters means anything else."""
    doubled = word.replace('"', '""')
    return f'"{doubled}"'


def contained(fields: Iterable[str], word: str) -> Q:
    """The condition that one of the texts contains the word, in upper or lower case.

    PostgreSQL answers it from its index, which is over UPPER(…), as the condition is.
    """
    condition = Q()
    for field in fields:
        condition |= Q(**{f"{field}__icontains": word})
    return condition


def indexed(model: type[models.Model], word: str) -> Q:
    """The same by SQLite's index, which ``can_index`` the word."""
    table = f"{model._meta.db_table}_text"
    matches = RawSQL(f"SELECT rowid FROM {table} WHERE {table} MATCH %s", [phrase(word)])  # noqa: S608, S611
    return Q(pk__in=matches)


def newest_with(model: type[models.Model], fields: tuple[str, ...], words: list[str], limit: int) -> models.QuerySet:
    """The newest rows, at most ``limit``, whose texts contain every word; for models whose rows are only added."""
    condition = Q()
    for word in words:
        condition &= contained(fields, word)
    rows = model._default_manager.order_by("-pk")
    long_words = [word for word in words if can_index(word)]
    if long_words:
        table = f"{model._meta.db_table}_text"
        # FTS5 reads its matches from the newest on, and stops at the limit: so a frequent word takes no longer.
        newest = RawSQL(  # noqa: S611
            f"SELECT rowid FROM {table} WHERE {table} MATCH %s ORDER BY rowid DESC LIMIT %s",  # noqa: S608
            [" ".join(phrase(word) for word in long_words), limit],
        )
        rows = rows.filter(pk__in=newest)
    return rows.filter(condition)[:limit]


def create_text_indexes(connection: BaseDatabaseWrapper, texts: IndexedTexts) -> None:
    """Make the indexes that are missing."""
    if connection.vendor == "postgresql":
        _create_for_postgresql(connection, texts)
    else:
        _create_for_sqlite(connection, texts)


def _create_for_postgresql(connection: BaseDatabaseWrapper, texts: IndexedTexts) -> None:
    """Without pg_trgm, and without the right to add it, there is no index; search then reads every row."""
    with connection.cursor() as cursor:
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError:
            return
        for model, fields in texts.items():
            table = model._meta.db_table
            columns = ", ".join(f"UPPER({field}) gin_trgm_ops" for field in fields)
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {table}_text ON {table} USING gin ({columns})")


def _create_for_sqlite(connection: BaseDatabaseWrapper, texts: IndexedTexts) -> None:
    """Keep each index up to date by triggers; fill it anew where a trigger was missing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        existing = {name for (name,) in cursor.fetchall()}
        for model, fields in texts.items():
            table = model._meta.db_table
            key = model._meta.pk.column
            triggers = _fts5_triggers(table, key, fields)
            if triggers.keys() <= existing:
                continue
            cursor.execute(
                f"CREATE VIRTUAL TABLE IF NOT EXISTS {table}_text USING fts5"
                f"({', '.join(fields)}, content='{table}', content_rowid='{key}', tokenize='trigram')"
            )
            for name, body in triggers.items():
                cursor.execute(f"CREATE TRIGGER IF NOT EXISTS {name} {body}")
            cursor.execute(f"INSERT INTO {table}_text ({table}_text) VALUES ('rebuild')")  # noqa: S608


def _fts5_triggers(table: str, key: str | None, fields: tuple[str, ...]) -> dict[str, str]:
    """Return the triggers that repeat each write in the index, by name.

    FTS5 calls such an index an external content table: to take a row out, it wants the texts that were indexed.
    """
    columns = ", ".join(fields)
    old = ", ".join(f"old.{field}" for field in fields)
    new = ", ".join(f"new.{field}" for field in fields)
    add = f"INSERT INTO {table}_text (rowid, {columns}) VALUES (new.{key}, {new});"  # noqa: S608
    remove = f"INSERT INTO {table}_text ({table}_text, rowid, {columns}) VALUES ('delete', old.{key}, {old});"  # noqa: S608
    changed = " OR ".join(f"old.{field} IS NOT new.{field}" for field in fields)
    return {
        f"{table}_text_insert": f"AFTER INSERT ON {table} BEGIN {add} END",
        f"{table}_text_delete": f"AFTER DELETE ON {table} BEGIN {remove} END",
        f"{table}_text_update": f"AFTER UPDATE ON {table} WHEN {changed} BEGIN {remove} {add} END",
    }
