"""All that a database holds, row by row, for tests and benchmarks that compare two of them."""

from typing import Any

from django.db import connection


def all_rows() -> dict[str, list[tuple[Any, ...]]]:
    """{table: its rows in a fixed order}, of all tables, Django's own among them."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found[table] = sorted((tuple(row) for row in cursor.fetchall()), key=repr)
    return found
