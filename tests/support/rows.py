"""All that a database holds, row by row, for tests and benchmarks that compare two of them."""

from typing import Any

from django.db import connection

from ownership.history.models import ChangeSet, entry_models, registry_models

# How SQLite's search index lays out its terms depends on the order of all writes, not on its content.
LAYOUT_OF_INDEX = ("_text_data", "_text_idx")


def all_rows() -> dict[str, list[tuple[Any, ...]]]:
    """{table: its rows in a fixed order}, of all tables, Django's own among them; not the layout of search indexes."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            if table.endswith(LAYOUT_OF_INDEX):
                continue
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found[table] = sorted((tuple(row) for row in cursor.fetchall()), key=repr)
    return found


def registry_rows() -> list[list[dict[str, Any]]]:
    """The registry's rows and their history, model by model."""
    models = [*registry_models(), *entry_models(), ChangeSet]
    return [list(model._default_manager.order_by("pk").values()) for model in models]
