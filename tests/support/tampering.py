"""Tampering with history past everything that guards it, as somebody could who owns the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection

from ownership.audit.verification import Head, Verification
from ownership.history.append_only import drop_triggers
from ownership.history.change_sets import chain_digest, entry_content
from ownership.history.models import ChangeSet, entries_of
from ownership.models import Access, Table


def findings(kept: Head | None = None) -> list[str]:
    """What verification finds, in sentences; with a head that was kept elsewhere, held against that as well."""
    heads = [kept] if kept else []
    return [str(finding) for finding in Verification(heads).run()]


def head() -> Head:
    """The history's head, from its rows."""
    change = ChangeSet.objects.latest("revision")
    return Head(change.revision, change.digest)


@contextmanager
def owner_of_the_database() -> Iterator[Callable[[str], None]]:
    """Raw SQL past all triggers and foreign keys, as the owner of the database could."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            drop_triggers(connection)
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        else:
            drop_triggers(connection)
        yield cursor.execute


def set_value(row: Any, column: str, value: Any) -> str:
    """UPDATE of one value of the row."""
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None)  # UTC, as Django writes it on SQLite
    text = str(value).replace("'", "''").replace("%", "%%")
    return f"UPDATE {row._meta.db_table} SET {column} = '{text}' WHERE {row._meta.pk.column} = {row.pk}"


def entry(revision: int, sequence: int = 1) -> Any:
    """An entry of that change set."""
    return entries_of([revision])[sequence - 1]


def revision(number: int) -> ChangeSet:
    """The change set of that revision."""
    return ChangeSet.objects.get(revision=number)


def rewrite_chain() -> None:
    """Make every digest right again, as somebody who reads our code could."""
    previous = ""
    for change in ChangeSet.objects.order_by("revision"):
        contents = [entry_content(row) for row in entries_of([change.revision])]
        previous = chain_digest(previous, change, contents)
        with owner_of_the_database() as execute:
            execute(set_value(change, "digest", previous))


def copied_row(model: Any, **values: str) -> str:
    """INSERT of a copy of a row, other values in some columns (SQL expressions)."""
    columns = [field.column for field in model._meta.concrete_fields if field.name != "history_id"]
    chosen = ", ".join(values.get(column, column) for column in columns)
    return f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) SELECT {chosen} FROM {model._meta.db_table}"


# The tables in which entries of tables and accesses are.
TABLE_ENTRY, ACCESS_ENTRY = (model.history.model._meta.db_table for model in (Table, Access))
NOT_ITS_DIGEST = "digest does not match its content"
