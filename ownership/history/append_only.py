"""Triggers in the database that guard history.

They refuse any change of change sets and entries, and a change set that is not the next one. So a role that may only
add to history can't leave a gap in it, nor take a number far ahead.
"""

from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from ownership.history.models import ChangeSet, entry_models

_REFUSE_CHANGE = "ownership_refuse_history_change"
_TAKE_NEXT = "ownership_refuse_other_than_next"
# PostgreSQL's functions that the triggers call.
FUNCTIONS = (_REFUSE_CHANGE, _TAKE_NEXT)
_SENTENCE = "History is append-only: its rows are never changed or deleted."
_NEXT_SENTENCE = "A new change set takes the next revision."


def append_only_tables() -> list[str]:
    """The database tables whose rows are never changed or deleted."""
    return [model._meta.db_table for model in _append_only_models()]


def _append_only_models() -> list[type[models.Model]]:
    return [ChangeSet, *entry_models()]


def create_triggers(connection: BaseDatabaseWrapper) -> None:
    """Refuse UPDATE and DELETE of history, on PostgreSQL also TRUNCATE, and a revision that is not the next one.

    A trigger that is missing, switched off or has another body is made again.
    """
    if connection.vendor == "postgresql":
        _create_postgresql_triggers(connection)
    else:
        create_sqlite_triggers(connection, _sqlite_triggers())


def _create_postgresql_triggers(connection: BaseDatabaseWrapper) -> None:
    change_set = ChangeSet._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {_REFUSE_CHANGE}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{_SENTENCE}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        # The table is named by its oid: a temporary table of the same name would come first in the search path.
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {_TAKE_NEXT}() RETURNS trigger LANGUAGE plpgsql "  # noqa: S608
            "SET search_path = pg_catalog, pg_temp AS $$ DECLARE last bigint; BEGIN "
            "EXECUTE format('SELECT coalesce(max(revision), 0) FROM %s', TG_RELID::regclass) INTO last; "
            "IF NEW.revision <> last + 1 THEN "
            f"RAISE EXCEPTION '{_NEXT_SENTENCE}' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
            "RETURN NEW; END $$"
        )
        for table in append_only_tables():
            cursor.execute(
                "CREATE OR REPLACE TRIGGER append_only "
                f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {_REFUSE_CHANGE}()"
            )
        cursor.execute(
            f"CREATE OR REPLACE TRIGGER next_revision BEFORE INSERT ON {change_set} "
            f"FOR EACH ROW EXECUTE FUNCTION {_TAKE_NEXT}()"
        )


def _sqlite_triggers() -> dict[str, str]:
    """{name: what follows it in CREATE TRIGGER}."""
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_SENTENCE}'); END"
    triggers = {}
    for model in _append_only_models():
        table = model._meta.db_table
        for verb in ("update", "delete"):
            triggers[f"{table}_no_{verb}"] = f"BEFORE {verb} ON {table} {refuse}"
        # INSERT OR REPLACE deletes the row it replaces without firing the trigger for DELETE.
        triggers[f"{table}_no_replace"] = (
            f"BEFORE INSERT ON {table} WHEN EXISTS ({_row_to_replace(model)}) {refuse}"
        )
    change_set = ChangeSet._meta.db_table
    last = f"SELECT coalesce(max(revision), 0) FROM {change_set}"  # noqa: S608
    triggers[f"{change_set}_next_revision"] = (
        # Revisions up to the last are taken: the trigger against replacing, or the primary key, refuses them.
        f"BEFORE INSERT ON {change_set} WHEN NEW.revision NOT BETWEEN 1 AND ({last}) + 1 "
        f"BEGIN SELECT RAISE(ABORT, '{_NEXT_SENTENCE}'); END"
    )
    return triggers


def create_sqlite_triggers(connection: BaseDatabaseWrapper, triggers: dict[str, str]) -> bool:
    """Make the triggers that are missing or different, in one transaction. Return whether there were any."""
    wanted = {name: f"CREATE TRIGGER {name} {body}" for name, body in triggers.items()}
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        existing = dict(cursor.fetchall())
        different = [name for name, statement in wanted.items() if existing.get(name) != statement]
        for name in different:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            cursor.execute(wanted[name])
    return bool(different)


def _row_to_replace(model: type[models.Model]) -> str:
    """SQL for the row that a new one would replace: the one with the same primary key, or the same unique columns."""
    key = model._meta.pk.column
    same_place = "change_set_id = NEW.change_set_id AND sequence = NEW.sequence"
    if model is ChangeSet:
        same_place = "digest = NEW.digest"
    return f"SELECT 1 FROM {model._meta.db_table} WHERE {key} = NEW.{key} OR ({same_place})"  # noqa: S608


def drop_triggers(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away; only tests that flush the database have a reason to."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            for name in _sqlite_triggers():
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            return
        for table in append_only_tables():
            cursor.execute(f"DROP TRIGGER IF EXISTS append_only ON {table}")
        cursor.execute(f"DROP TRIGGER IF EXISTS next_revision ON {ChangeSet._meta.db_table}")
