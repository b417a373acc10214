"""What a database needs besides tables: triggers, search indexes, the lock's row, groups, permissions, grants.

``prepare_database`` runs after every ``migrate``, not in a migration: permissions do not exist while migrations run,
SQLite drops a table's triggers when the table is altered, and ``flush`` empties the lock's table.
"""

from typing import Any

from django.apps import AppConfig, apps
from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ownership.audit import log_search
from ownership.audit.text_index import IndexedTexts, create_text_indexes
from ownership.catalog import search_index
from ownership.history.append_only import append_only_tables, create_triggers
from ownership.history.lock import RegistryLock
from ownership.history.models import ChangeSet, entry_models, registry_models
from ownership.models.rights import TEAM_LEADS, VIEWERS

# PostgreSQL's role for a web server that can't change history (docs/operations.md).
APP_ROLE = "ownership_app"


def prepare_database(app_config: AppConfig, using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Create what is missing. A receiver of ``post_migrate``."""
    connection = connections[using]
    tables = connection.introspection.table_names()
    for model in (ChangeSet, RegistryLock):
        if model._meta.db_table not in tables:
            # Migrated backwards, to before the first migration.
            return
    create_triggers(connection)
    create_text_indexes(connection, indexed_texts())
    if connection.vendor == "postgresql":
        grant_to_app_role(connection)
    RegistryLock.objects.using(using).get_or_create(pk=1)
    _create_groups(kwargs.get("apps", apps), using)


def indexed_texts() -> IndexedTexts:
    """The texts that search has an index for, of the map and of history."""
    return search_index.INDEXED_TEXTS | log_search.indexed_history_texts()


def grant_to_app_role(connection: BaseDatabaseWrapper) -> None:
    """If the server has the role, grant it what the application needs: history it may only read and add to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema() FROM pg_roles WHERE rolname = %s", [APP_ROLE])
        row = cursor.fetchone()
        if row is None:
            return
        schema = connection.ops.quote_name(row[0])
        cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO {APP_ROLE}")
        cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {APP_ROLE}")
        append_only = append_only_tables()
        for table in connection.introspection.table_names(cursor):
            if table in append_only:
                privileges = "SELECT, INSERT"
            elif table == "django_migrations":
                privileges = "SELECT"
            else:
                privileges = "SELECT, INSERT, UPDATE, DELETE"
            name = connection.ops.quote_name(table)
            cursor.execute(f"REVOKE ALL ON {name} FROM {APP_ROLE}")
            cursor.execute(f"GRANT {privileges} ON {name} TO {APP_ROLE}")


def _create_groups(installed: Apps, using: str) -> None:
    """*Team leads* edit the registry, *Viewers* see it and suggest; both see history and have API tokens of their own.

    Permissions are only added: others that an administrator granted remain.
    """
    viewer_permissions = [
        "view_changeset",
        "add_suggestion",
        "view_apitoken",
        "add_apitoken",
        "delete_apitoken",
    ]
    lead_permissions = []
    for model in registry_models():
        name = model._meta.model_name
        viewer_permissions.append(f"view_{name}")
        lead_permissions += [f"add_{name}", f"change_{name}", f"delete_{name}"]
    for entry_model in entry_models():
        viewer_permissions.append(f"view_{entry_model._meta.model_name}")

    # post_migrate passes the models as they are after the migration, which may be an older one.
    Group = installed.get_model("auth", "Group")
    Permission = installed.get_model("auth", "Permission")
    for group_name, codenames in (
        (TEAM_LEADS, viewer_permissions + lead_permissions),
        (VIEWERS, viewer_permissions),
    ):
        group, _ = Group.objects.using(using).get_or_create(name=group_name)
        permissions = Permission.objects.using(using).filter(
            content_type__app_label="ownership",
            codename__in=codenames,
        )
        group.permissions.add(*permissions)
