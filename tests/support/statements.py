"""Statements that differ between the databases, for tests that count them."""

from django.db import connection


def wakings() -> int:
    """How many statements of a change set wake the deliverers of news: PostgreSQL's NOTIFY, and none on SQLite."""
    return 1 if connection.vendor == "postgresql" else 0
