"""What a migrated database needs besides its tables: triggers, indexes of texts, lock row, groups, permissions, grants.

One post_migrate handler makes them all, each time: permissions don't exist while migrations run, SQLite
drops a table's triggers when the table is altered, and ``flush`` empties the lock's table.
"""

from typing import Any

from django.apps import AppConfig, apps
from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ownership.catalog import search_index
from ownership.history.append_only import append_only_tables, create_triggers
from ownership.history.lock import RegistryLock
from ownership.history.models import ChangeSet, entry_models, registry_models
from ownership.models.roles import TEAM_LEADS, VIEWERS

# PostgreSQL's role for a web server that can't change history (docs/operations.md).
APP_ROLE = "ownership_app"


def prepare_database(app_config: AppConfig, using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Make triggers, indexes of texts, lock row, groups and permissions where they are missing."""
    connection = connections[using]
    present = set(connection.introspection.table_names())
    if not {ChangeSet._meta.db_table, RegistryLock._meta.db_table} <= present:
        return  # migrated backwards, to before the first migration
    create_triggers(connection)
    search_index.create_search_indexes(connection)
    if connection.vendor == "postgresql":
        grant_to_app_role(connection)
    RegistryLock.objects.using(using).get_or_create(pk=1)
    _create_groups(kwargs.get("apps", apps), using)


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
