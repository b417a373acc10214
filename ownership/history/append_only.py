"""Triggers that refuse any change of history."""

from collections.abc import Iterator

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from ownership.history.lock import RegistryLock
from ownership.history.models import ChangeSet, entry_models

_FUNCTION = "ownership_refuse_history_change"
_SENTENCE = "History is append-only: its rows are never changed or deleted."


def _append_only_models() -> list[type[models.Model]]:
    return [ChangeSet, *entry_models()]


def append_only_tables() -> list[str]:
    """The database tables whose rows are never changed or deleted."""
    return [model._meta.db_table for model in _append_only_models()]


def create_triggers(connection: BaseDatabaseWrapper) -> None:
    """Refuse UPDATE and DELETE (on PostgreSQL also TRUNCATE) of history, whoever asks."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{_SENTENCE}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
            )
            for table in append_only_tables():
                cursor.execute(
                    f"CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                    f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
                )
        else:
            for table in append_only_tables():
                for verb in ("UPDATE", "DELETE"):
                    cursor.execute(
                        f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                        f"BEGIN SELECT RAISE(ABORT, '{_SENTENCE}'); END"
                    )
            # INSERT OR REPLACE deletes what stands in its way without the triggers of DELETE.
            for model in _append_only_models():
                table, key = model._meta.db_table, model._meta.pk.column
                place = (
                    "digest = NEW.digest"
                    if model is ChangeSet
                    else ("change_set_id = NEW.change_set_id AND sequence = NEW.sequence")
                )
                cursor.execute(
                    f"CREATE TRIGGER IF NOT EXISTS {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608
                    f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key} OR ({place})) "
                    f"BEGIN SELECT RAISE(ABORT, '{_SENTENCE}'); END"
                )


def missing_guards(connection: BaseDatabaseWrapper) -> Iterator[str]:
    """What ``prepare_database`` made and somebody took away: triggers, the lock's row. ``migrate`` makes them again."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only' AND tgenabled = 'O'"
            )
            guarded = [name for (name,) in cursor.fetchall()]
            missing = [table for table in append_only_tables() if table not in guarded]
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            present = {name for (name,) in cursor.fetchall()}
            verbs = ("update", "delete", "replace")
            missing = [t for t in append_only_tables() if not {f"{t}_no_{verb}" for verb in verbs} <= present]
    for table in missing:
        yield f"{table}: a trigger that refuses changes is missing or switched off. `manage.py migrate` makes it again."
    if not RegistryLock.objects.using(connection.alias).exists():
        yield "The row that writes lock is missing. `manage.py migrate` makes it again."


def drop_triggers(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away; only tests that flush the database have a reason to."""
    with connection.cursor() as cursor:
        for table in append_only_tables():
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP TRIGGER IF EXISTS append_only ON {table}")
            else:
                for verb in ("update", "delete", "replace"):
                    cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")


def drop_function(connection: BaseDatabaseWrapper) -> None:
    """Take away what the triggers call, once all tables are gone; PostgreSQL alone has it."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP FUNCTION IF EXISTS {_FUNCTION}()")
