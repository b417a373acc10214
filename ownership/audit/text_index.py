"""The database's own index for parts of texts: trigrams, in PostgreSQL with pg_trgm and in SQLite with FTS5.

The indexes are no part of the models, because each database has its own kind; ``create_text_indexes`` makes them
after every ``migrate``.
"""

from collections.abc import Iterable, Iterator, Mapping

from django.db import DatabaseError, connection, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from django.db.models.expressions import RawSQL

from ownership.history.append_only import create_sqlite_triggers

# Which texts of a model are indexed.
IndexedTexts = Mapping[type[models.Model], tuple[str, ...]]

# Characters of the shortest word that an index of trigrams can find.
SHORTEST_WORD = 3
# Up to so many rows, verification compares an index term by term.
COMPARED_ROWS = 50_000


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


def add_trigram_extension(connection: BaseDatabaseWrapper) -> None:
    """Add pg_trgm to the current schema, if this account may and it is in none."""
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError:
        return


def _create_for_postgresql(connection: BaseDatabaseWrapper, texts: IndexedTexts) -> None:
    """Without pg_trgm, and without the right to add it, there is no index; search then reads every row."""
    add_trigram_extension(connection)
    with connection.cursor() as cursor:
        # It may be in a schema that is not in the search path.
        cursor.execute("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_trgm'")
        row = cursor.fetchone()
        if row is None:
            return
        (schema,) = row
        for model, fields in texts.items():
            table = model._meta.db_table
            columns = ", ".join(f"UPPER({field}) {schema}.gin_trgm_ops" for field in fields)
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {table}_text ON {table} USING gin ({columns})")


def _create_for_sqlite(connection: BaseDatabaseWrapper, texts: IndexedTexts) -> None:
    """Keep each index up to date by triggers; fill it anew where a trigger was missing or different."""
    for model, fields in texts.items():
        table = model._meta.db_table
        key = model._meta.pk.column
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(
                f"CREATE VIRTUAL TABLE IF NOT EXISTS {table}_text USING fts5"
                f"({', '.join(fields)}, content='{table}', content_rowid='{key}', tokenize='trigram')"
            )
            if create_sqlite_triggers(connection, _fts5_triggers(table, key, fields)):
                cursor.execute(f"INSERT INTO {table}_text ({table}_text) VALUES ('rebuild')")  # noqa: S608


def stale_text_indexes(texts: IndexedTexts) -> Iterator[str]:
    """A sentence for each index whose words are not those of its rows. Writes to temporary tables alone.

    PostgreSQL maintains its indexes itself, so only those of SQLite can be emptied or changed.
    """
    if connection.vendor != "sqlite":
        return
    for model, fields in texts.items():
        table = model._meta.db_table
        try:
            is_stale = _is_stale(table, str(model._meta.pk.column), fields)
        except DatabaseError:
            is_stale = True
        if is_stale:
            yield (
                f"{table}_text: the search index differs from the rows. To make it anew, drop the trigger "
                f"{table}_text_insert and run `manage.py migrate`."
            )


def _is_stale(table: str, key: str, fields: tuple[str, ...]) -> bool:
    """Whether the index has other rows, or other terms, than its table.

    To compare term by term, an index is made anew, which would take minutes for a long history: there, the number of
    terms has to do.
    """
    rows, indexed_rows = f"SELECT {key} FROM {table}", f"SELECT id FROM {table}_text_docsize"  # noqa: S608
    # A text has a term for each character but the last two.
    length = " + ".join(f"max(length({field}) - 2, 0)" for field in fields)
    terms = f"{table}_terms"
    with connection.cursor() as cursor:
        cursor.execute(f"{_only_in(rows, indexed_rows)} UNION ALL {_only_in(indexed_rows, rows)} LIMIT 1")
        if cursor.fetchone() is not None:
            return True
        try:
            cursor.execute(f"CREATE VIRTUAL TABLE temp.{terms} USING fts5vocab('main', '{table}_text', 'row')")
            cursor.execute(f"SELECT coalesce(sum({length}), 0), count(*) FROM {table}")  # noqa: S608
            expected, number_of_rows = cursor.fetchone()
            cursor.execute(f"SELECT coalesce(sum(cnt), 0) FROM temp.{terms}")  # noqa: S608
            (indexed_terms,) = cursor.fetchone()
            if indexed_terms != expected:
                return True
            return number_of_rows <= COMPARED_ROWS and _has_other_terms(table, key, ", ".join(fields), terms)
        finally:
            cursor.execute(f"DROP TABLE IF EXISTS temp.{terms}")


def _has_other_terms(table: str, key: str, columns: str, terms: str) -> bool:
    """Whether an index made from the rows of now has other terms, or a search finds any of them in other rows.

    The list of terms comes from reading the whole index, a search from looking a term up: both may be torn.
    """
    fresh = f"{table}_fresh"
    fresh_terms = f"{fresh}_terms"
    old, new = (f"SELECT term, doc, cnt FROM temp.{name}" for name in (terms, fresh_terms))  # noqa: S608
    quoted_term = """'"' || replace(term, '"', '""') || '"'"""
    hits = f"SELECT count(*) FROM {table}_text WHERE {table}_text MATCH {quoted_term}"  # noqa: S608
    with connection.cursor() as cursor:
        try:
            cursor.execute(f"CREATE VIRTUAL TABLE temp.{fresh} USING fts5({columns}, content='', tokenize='trigram')")
            cursor.execute(f"INSERT INTO temp.{fresh} (rowid, {columns}) SELECT {key}, {columns} FROM {table}")  # noqa: S608
            cursor.execute(f"CREATE VIRTUAL TABLE temp.{fresh_terms} USING fts5vocab('temp', '{fresh}', 'row')")
            cursor.execute(f"{_only_in(old, new)} UNION ALL {_only_in(new, old)} LIMIT 1")
            if cursor.fetchone() is not None:
                return True
            cursor.execute(f"SELECT term FROM temp.{fresh_terms} WHERE ({hits}) <> doc LIMIT 1")  # noqa: S608
            return cursor.fetchone() is not None
        finally:
            for name in (fresh_terms, fresh):
                cursor.execute(f"DROP TABLE IF EXISTS temp.{name}")


def _only_in(query: str, other: str) -> str:
    return f"SELECT * FROM ({query} EXCEPT {other})"  # noqa: S608


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
