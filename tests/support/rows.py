"""All that a database holds, row by row, for tests and benchmarks that compare two of them."""

from typing import Any

from django.db import connection

from ownership.history.models import ChangeSet, entry_models, registry_models

# How SQLite's search index lays out its terms depends on the order of all writes, not on its content.
LAYOUT_OF_INDEX = ("_text_data", "_text_idx")


def all_rows() -> dict[str, list[tuple[Any, ...]]]:
    """{table: its rows}, of all tables, Django's own among them; not the layout of search indexes.

    Rows are in a fixed order, and so are the values of a row: columns stand in the order of the migrations that made
    them.
    """
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            if table.endswith(LAYOUT_OF_INDEX):
                continue
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            columns = [column[0] for column in cursor.description]
            places = sorted(range(len(columns)), key=columns.__getitem__)
            rows = [tuple(row[place] for place in places) for row in cursor.fetchall()]
            found[table] = sorted(rows, key=repr)
    return found


def registry_rows() -> list[list[dict[str, Any]]]:
    """The registry's rows and their history, model by model."""
    models = [*registry_models(), *entry_models(), ChangeSet]
    return [list(model._default_manager.order_by("pk").values()) for model in models]
