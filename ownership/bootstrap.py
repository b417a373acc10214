"""What a migrated database needs besides its tables: triggers, indexes of texts, lock row, groups, permissions, grants.

One post_migrate handler makes them all, each time: permissions don't exist while migrations run, SQLite
drops a table's triggers when the table is altered, and ``flush`` empties the lock's table.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import AppConfig, apps
from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ownership import text_index
from ownership.history import ChangeSet, entry_models, registry_models
from ownership.lock import RegistryLock

TEAM_LEADS, VIEWERS = "Team leads", "Viewers"
# PostgreSQL's role for a web server that can't change history (docs/operations.md).
APP_ROLE = "ownership_app"
_FUNCTION = "ownership_refuse_history_change"
_SENTENCE = "History is append-only: its rows are never changed or deleted."


def prepare_database(app_config: AppConfig, using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Make triggers, indexes of texts, lock row, groups and permissions where they are missing."""
    connection = connections[using]
    present = set(connection.introspection.table_names())
    if not {ChangeSet._meta.db_table, RegistryLock._meta.db_table} <= present:
        return  # migrated backwards, to before the first migration
    create_triggers(connection)
    text_index.create(connection)
    if connection.vendor == "postgresql":
        grant_to_app_role(connection)
    RegistryLock.objects.using(using).get_or_create(pk=1)
    _create_groups(kwargs.get("apps", apps), using)


def append_only_tables() -> list[str]:
    """The database tables whose rows are never changed or deleted."""
    return [model._meta.db_table for model in [ChangeSet, *entry_models()]]


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
            for model in [ChangeSet, *entry_models()]:
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


def grant_to_app_role(connection: BaseDatabaseWrapper) -> None:
    """Where the server has the role: let it do all that the application does, and nothing to history but add to it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema() FROM pg_roles WHERE rolname = %s", [APP_ROLE])
        if (row := cursor.fetchone()) is None:
            return
        schema = connection.ops.quote_name(row[0])
        cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO {APP_ROLE}")
        cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {APP_ROLE}")
        rights = dict.fromkeys(append_only_tables(), "SELECT, INSERT") | {"django_migrations": "SELECT"}
        for table in connection.introspection.table_names(cursor):
            name, given = connection.ops.quote_name(table), rights.get(table, "SELECT, INSERT, UPDATE, DELETE")
            cursor.execute(f"REVOKE ALL ON {name} FROM {APP_ROLE}")
            cursor.execute(f"GRANT {given} ON {name} TO {APP_ROLE}")


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


def _create_groups(apps: Apps, using: str) -> None:
    """*Team leads* edit the registry, *Viewers* see it; both see history and keep tokens of their own.

    Permissions are added, never taken away: what an administrator granted besides stays.
    """
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    ContentType = apps.get_model("contenttypes", "ContentType")

    registry = [model._meta.model_name for model in registry_models()]
    seen = [*registry, "changeset", *(model._meta.model_name for model in entry_models())]
    view = [f"view_{name}" for name in seen]
    own_tokens = [f"{verb}_apitoken" for verb in ("view", "add", "delete")]
    edit = [f"{verb}_{name}" for name in registry for verb in ("add", "change", "delete")]
    ours = ContentType.objects.using(using).filter(app_label="ownership")
    for name, codenames in ((TEAM_LEADS, view + own_tokens + edit), (VIEWERS, view + own_tokens)):
        group, _ = Group.objects.using(using).get_or_create(name=name)
        group.permissions.add(*Permission.objects.using(using).filter(content_type__in=ours, codename__in=codenames))
