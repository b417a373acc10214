"""The database's own index for parts of texts: trigrams, in PostgreSQL with pg_trgm and in SQLite with FTS5.

The indexes are no part of the models, because each database has its own kind; ``create_text_indexes`` makes them
after every ``migrate``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func, Q, TextField
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
    matches = RawSQL(f"SELECT rowid FROM {table} WHERE {table} MATCH %s", [phrase(word)])
    return Q(pk__in=matches)


def holding(model: type[models.Model], fields: Iterable[str], word: str) -> Q:
    """The same, by whichever index of these texts the database has."""
    if can_index(word):
        return indexed(model, word)
    return contained(fields, word)


def newest_with(
    model: type[models.Model], fields: tuple[str, ...], words: list[str], limit: int
) -> models.QuerySet:
    """The newest rows, at most ``limit``, whose texts contain every word; for models whose rows are only added."""
    condition = Q()
    for word in words:
        condition &= contained(fields, word)
    rows = model._default_manager.order_by("-pk")
    long_words = [word for word in words if can_index(word)]
    if long_words:
        table = f"{model._meta.db_table}_text"
        # FTS5 reads its matches from the newest on, and stops at the limit: so a frequent word takes no longer.
        newest = RawSQL(
            f"SELECT rowid FROM {table} WHERE {table} MATCH %s ORDER BY rowid DESC LIMIT %s",
            [" ".join(phrase(word) for word in long_words), limit],
        )
        rows = rows.filter(pk__in=newest)
    return rows.filter(condition)[:limit]


class TextsInside(Func):
    """All texts among the values of a JSON field, as one text: of changes, without the names of the fields."""

    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The texts among the values."""
        values = "(SELECT group_concat(value, char(10)) FROM json_tree(%(expressions)s) WHERE type = 'text')"
        return self.as_sql(compiler, connection, template=values, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The texts among the values."""
        values = (
            "(SELECT string_agg(piece #>> '{}', chr(10)) FROM jsonb_path_query(%(expressions)s, 'strict $.**') AS piece"
            " WHERE jsonb_typeof(piece) = 'string')"
        )
        return self.as_sql(compiler, connection, template=values, **context)


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
        cursor.execute(
            "SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_trgm'",
        )
        row = cursor.fetchone()
        if row is None:
            return
        (schema,) = row
        for model, fields in texts.items():
            table = model._meta.db_table
            columns = ", ".join(f"UPPER({field}) {schema}.gin_trgm_ops" for field in fields)
            cursor.execute(
                f"CREATE INDEX IF NOT EXISTS {table}_text ON {table} USING gin ({columns})",
            )


def _create_for_sqlite(connection: BaseDatabaseWrapper, texts: IndexedTexts) -> None:
    for model, fields in texts.items():
        Fts5Index.of(model, fields).create(connection)


def stale_text_indexes(texts: IndexedTexts) -> Iterator[str]:
    """A sentence for each index whose words are not those of its rows. Writes to temporary tables alone.

    PostgreSQL maintains its indexes itself, so only those of SQLite can be emptied or changed.
    """
    if connection.vendor != "sqlite":
        return
    for model, fields in texts.items():
        index = Fts5Index.of(model, fields)
        try:
            is_stale = index.is_stale()
        except DatabaseError:
            is_stale = True
        if is_stale:
            yield (
                f"{index.name}: the search index differs from the rows. To make it anew, "
                f"drop the trigger {index.name}_insert and run `manage.py migrate`."
            )


@dataclass(frozen=True)
class Fts5Index:
    """SQLite's index of some texts of a table: a table of FTS5's beside it, which triggers keep up to date.

    FTS5 calls this an external content table: it keeps the terms, and reads the texts from the table.
    """

    table: str
    key: str
    fields: tuple[str, ...]

    @classmethod
    def of(cls, model: type[models.Model], fields: tuple[str, ...]) -> Fts5Index:
        """The index of these texts of a model."""
        return cls(model._meta.db_table, str(model._meta.pk.column), fields)

    @property
    def name(self) -> str:
        """The name of FTS5's table, with which those of its triggers begin."""
        return f"{self.table}_text"

    @property
    def columns(self) -> str:
        """The texts' columns, for SQL."""
        return ", ".join(self.fields)

    def create(self, connection: BaseDatabaseWrapper) -> None:
        """Make the index and its triggers. It is filled anew where a trigger was missing or different."""
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(
                f"CREATE VIRTUAL TABLE IF NOT EXISTS {self.name} USING fts5"
                f"({self.columns}, content='{self.table}',"
                f" content_rowid='{self.key}', tokenize='trigram')"
            )
            if create_sqlite_triggers(connection, self._triggers()):
                cursor.execute(f"INSERT INTO {self.name} ({self.name}) VALUES ('rebuild')")

    def _triggers(self) -> dict[str, str]:
        """The triggers that repeat each write in the index, by name."""
        old = ", ".join(f"old.{field}" for field in self.fields)
        new = ", ".join(f"new.{field}" for field in self.fields)
        changed = " OR ".join(f"old.{field} IS NOT new.{field}" for field in self.fields)
        add = f"INSERT INTO {self.name} (rowid, {self.columns}) VALUES (new.{self.key}, {new});"
        # To take a row out, FTS5 wants the texts that were indexed.
        columns = f"{self.name}, rowid, {self.columns}"
        remove = f"INSERT INTO {self.name} ({columns}) VALUES ('delete', old.{self.key}, {old});"
        return {
            f"{self.name}_insert": f"AFTER INSERT ON {self.table} BEGIN {add} END",
            f"{self.name}_delete": f"AFTER DELETE ON {self.table} BEGIN {remove} END",
            f"{self.name}_update": (
                f"AFTER UPDATE ON {self.table} WHEN {changed} BEGIN {remove} {add} END"
            ),
        }

    def is_stale(self) -> bool:
        """Whether the index has other rows, or other terms, than its table.

        To compare term by term, an index is made anew, which would take minutes for a long history: there, the
        number of terms has to do.
        """
        if self._has_other_rows():
            return True
        terms = f"{self.table}_terms"
        with connection.cursor() as cursor:
            try:
                cursor.execute(
                    f"CREATE VIRTUAL TABLE temp.{terms} USING fts5vocab('main', '{self.name}', 'row')"
                )
                # A text has a term for each character but the last two.
                length = " + ".join(f"max(length({field}) - 2, 0)" for field in self.fields)
                cursor.execute(
                    f"SELECT coalesce(sum({length}), 0), count(*) FROM {self.table}",
                )
                expected_terms, rows = cursor.fetchone()
                cursor.execute(f"SELECT coalesce(sum(cnt), 0) FROM temp.{terms}")
                (indexed_terms,) = cursor.fetchone()
                if indexed_terms != expected_terms:
                    return True
                return rows <= COMPARED_ROWS and self._has_other_terms(terms)
            finally:
                cursor.execute(f"DROP TABLE IF EXISTS temp.{terms}")

    def _has_other_rows(self) -> bool:
        rows = f"SELECT {self.key} FROM {self.table}"
        indexed_rows = f"SELECT id FROM {self.name}_docsize"
        return _differ(rows, indexed_rows)

    def _has_other_terms(self, terms: str) -> bool:
        """Whether an index made from the rows of now has other terms, or a search finds any of them in other rows.

        The list of terms comes from reading the whole index, a search from looking a term up: both may be torn.
        """
        fresh = f"{self.table}_fresh"
        fresh_terms = f"{fresh}_terms"
        with connection.cursor() as cursor:
            try:
                cursor.execute(
                    f"CREATE VIRTUAL TABLE temp.{fresh} USING fts5({self.columns}, content='', tokenize='trigram')"
                )
                cursor.execute(
                    f"INSERT INTO temp.{fresh} (rowid, {self.columns})"
                    f" SELECT {self.key}, {self.columns} FROM {self.table}"
                )
                cursor.execute(
                    f"CREATE VIRTUAL TABLE temp.{fresh_terms} USING fts5vocab('temp', '{fresh}', 'row')"
                )
                columns = "term, doc, cnt"
                if _differ(
                    f"SELECT {columns} FROM temp.{terms}",
                    f"SELECT {columns} FROM temp.{fresh_terms}",
                ):
                    return True
                quoted_term = """'"' || replace(term, '"', '""') || '"'"""
                hits = f"SELECT count(*) FROM {self.name} WHERE {self.name} MATCH {quoted_term}"
                cursor.execute(
                    f"SELECT term FROM temp.{fresh_terms} WHERE ({hits}) <> doc LIMIT 1",
                )
                return cursor.fetchone() is not None
            finally:
                for name in (fresh_terms, fresh):
                    cursor.execute(f"DROP TABLE IF EXISTS temp.{name}")


def _differ(left: str, right: str) -> bool:
    """Whether two queries have different rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT * FROM ({left} EXCEPT {right}) UNION ALL SELECT * FROM ({right} EXCEPT {left}) LIMIT 1"
        )
        return cursor.fetchone() is not None
