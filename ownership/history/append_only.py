"""Triggers in the database that refuse any change of history: of change sets and of entries."""

from collections.abc import Iterator

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from ownership.history.lock import RegistryLock
from ownership.history.models import ChangeSet, entry_models

_FUNCTION = "ownership_refuse_history_change"
_SENTENCE = "History is append-only: its rows are never changed or deleted."
# One SQLite trigger per table for each.
_SQLITE_TRIGGERS = ("update", "delete", "replace")


def append_only_tables() -> list[str]:
    """The database tables whose rows are never changed or deleted."""
    return [model._meta.db_table for model in _append_only_models()]


def _append_only_models() -> list[type[models.Model]]:
    return [ChangeSet, *entry_models()]


def create_triggers(connection: BaseDatabaseWrapper) -> None:
    """Refuse UPDATE and DELETE of history, and on PostgreSQL TRUNCATE, whoever asks."""
    if connection.vendor == "postgresql":
        _create_postgresql_triggers(connection)
    else:
        _create_sqlite_triggers(connection)


def _create_postgresql_triggers(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{_SENTENCE}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        for table in append_only_tables():
            cursor.execute(
                "CREATE OR REPLACE TRIGGER append_only "
                f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
            )


def _create_sqlite_triggers(connection: BaseDatabaseWrapper) -> None:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_SENTENCE}'); END"
    with connection.cursor() as cursor:
        for model in _append_only_models():
            table = model._meta.db_table
            for verb in ("update", "delete"):
                cursor.execute(f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb} BEFORE {verb} ON {table} {refuse}")
            # INSERT OR REPLACE deletes the row it replaces without firing the trigger for DELETE.
            cursor.execute(
                f"CREATE TRIGGER IF NOT EXISTS {table}_no_replace BEFORE INSERT ON {table} "
                f"WHEN EXISTS ({_row_to_replace(model)}) {refuse}"
            )


def _row_to_replace(model: type[models.Model]) -> str:
    """SQL for the row that a new one would replace: the one with the same primary key, or the same unique columns."""
    key = model._meta.pk.column
    same_place = "change_set_id = NEW.change_set_id AND sequence = NEW.sequence"
    if model is ChangeSet:
        same_place = "digest = NEW.digest"
    return f"SELECT 1 FROM {model._meta.db_table} WHERE {key} = NEW.{key} OR ({same_place})"  # noqa: S608


def missing_guards(connection: BaseDatabaseWrapper) -> Iterator[str]:
    """A sentence for each guard of history that is missing or switched off: the triggers, and the lock's row."""
    for table in _unguarded_tables(connection):
        yield f"{table}: a trigger that refuses changes is missing or switched off. `manage.py migrate` makes it again."
    if not RegistryLock.objects.using(connection.alias).exists():
        yield "The row that every write locks is missing. `manage.py migrate` makes it again."


def _unguarded_tables(connection: BaseDatabaseWrapper) -> list[str]:
    if connection.vendor == "postgresql":
        query = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only' AND tgenabled = 'O'"
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        present = {name for (name,) in cursor.fetchall()}
    unguarded = []
    for table in append_only_tables():
        needed = {table}  # PostgreSQL lists the tables that have the trigger
        if connection.vendor != "postgresql":
            needed = {f"{table}_no_{verb}" for verb in _SQLITE_TRIGGERS}
        if not needed <= present:
            unguarded.append(table)
    return unguarded


def drop_triggers(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away; only tests that flush the database have a reason to."""
    with connection.cursor() as cursor:
        for table in append_only_tables():
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP TRIGGER IF EXISTS append_only ON {table}")
                continue
            for verb in _SQLITE_TRIGGERS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")


def drop_function(connection: BaseDatabaseWrapper) -> None:
    """Drop the function that PostgreSQL's triggers call, once all tables are gone."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP FUNCTION IF EXISTS {_FUNCTION}()")
