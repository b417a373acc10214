"""How values are stored: rows with a form that Django never writes, found before anything reads them as values.

SQLite keeps whatever it is given: a text, a BLOB or a number in a column of any type. Such a value may read as another
one (a time with a ``T`` sorts after all others of its day), or can't be read at all. PostgreSQL's types leave fewer
odd forms: times without a year that Python knows, and ids below 1.
"""

import json
from collections.abc import Iterator

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models

from ownership.history.models import ChangeSet, entry_models, registry_models

# Of each table, so many rows are named.
NAMED = 100

_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_SECOND = f"{_DAY} [0-9][0-9]:[0-9][0-9]:[0-9][0-9]"
_MICROSECOND = f"{_SECOND}.[0-9][0-9][0-9][0-9][0-9][0-9]"

# Conditions that a value meets, by the kind of field; {c} is the column.
_TEXT = "typeof({c}) = 'text' AND instr({c}, char(0)) = 0"
_INTEGER = "typeof({c}) = 'integer'"
_SQLITE_FORMS = {
    "CharField": _TEXT,
    "TextField": _TEXT,
    "JSONField": "registry_json({c})",
    "BooleanField": "typeof({c}) = 'integer' AND {c} IN (0, 1)",
    "BigIntegerField": _INTEGER,
    "PositiveIntegerField": _INTEGER + " AND {c} >= 0",
    "PositiveBigIntegerField": _INTEGER + " AND {c} >= 0",
    "BigAutoField": _INTEGER + " AND {c} > 0",
    "ForeignKey": _INTEGER,
    # With a modifier, date() turns 31 February into 3 March: a day that does not exist comes back as another one.
    "DateField": (
        f"typeof({{c}}) = 'text' AND {{c}} GLOB '{_DAY}' AND date({{c}}, '+0 days') = {{c}} AND {{c}} > '0001'"
    ),
    "DateTimeField": (
        f"typeof({{c}}) = 'text' AND ({{c}} GLOB '{_SECOND}' OR {{c}} GLOB '{_MICROSECOND}')"
        " AND date({c}, '+0 days') = substr({c}, 1, 10) AND substr({c}, 20) <> '.000000' AND {c} > '0001'"
    ),
}
_POSTGRESQL_FORMS = {
    "BigAutoField": "{c} > 0",
    "PositiveBigIntegerField": "{c} > 0",
    "DateField": "{c} BETWEEN '0001-01-01' AND '9999-12-31'",
    "DateTimeField": "{c} BETWEEN '0001-01-02 00:00+00' AND '9999-12-30 00:00+00'",
}


def unreadable_rows() -> Iterator[tuple[str, str]]:
    """(where, what) for values that Django would not have written. One query per table."""
    forms = _POSTGRESQL_FORMS
    if connection.vendor == "sqlite":
        forms = _SQLITE_FORMS
        connection.ensure_connection()
        connection.connection.create_function(
            "registry_json", 1, is_json_of_django, deterministic=True
        )
    tables: list[type[models.Model]] = [ChangeSet, *registry_models(), *entry_models()]
    for model in tables:
        yield from _unreadable_rows_of(model, forms)


def _unreadable_rows_of(
    model: type[models.Model], forms: dict[str, str]
) -> Iterator[tuple[str, str]]:
    quote = connection.ops.quote_name
    table = model._meta.db_table
    key_column = str(model._meta.pk.column)
    key = quote(key_column)
    wrong = {}  # {column: the condition that its value has another form}
    for field in model._meta.concrete_fields:
        form = forms.get(field.get_internal_type())
        if form is not None:
            column = str(field.column)
            wrong[column] = _other_form(quote(column), form, field.null)
    rule = " OR ".join(wrong.values())
    with connection.cursor() as cursor:
        # The key as text: it may be stored in a form that can't be read, too.
        cursor.execute(
            f"SELECT CAST({key} AS text), {', '.join(wrong.values())} FROM {quote(table)} "  # noqa: S608
            f"WHERE {rule} ORDER BY {key} LIMIT {NAMED}"
        )
        for row_key, *is_wrong in cursor.fetchall():
            for column, column_is_wrong in zip(wrong, is_wrong, strict=True):
                if column_is_wrong:
                    where = f"{table}, {key_column} {row_key}"
                    yield where, f"its {column} is stored in a form that the registry never writes."


def last_number_given(table: str) -> int:
    """The last ``history_id`` that the database gave out for a table of entries; 0 before the first."""
    statement = "SELECT seq FROM sqlite_sequence WHERE name = %s"
    if connection.vendor == "postgresql":
        statement = "SELECT pg_sequence_last_value(pg_get_serial_sequence(%s, 'history_id'))"
    with connection.cursor() as cursor:
        cursor.execute(statement, [table])
        row = cursor.fetchone()
    return (row and row[0]) or 0


def _other_form(column: str, form: str, may_be_null: bool) -> str:
    """The condition that a value is not of the form. For NULL, a form is neither true nor false."""
    condition = f"({form.format(c=column)}) IS NOT TRUE"
    if may_be_null:
        return f"({column} IS NOT NULL AND {condition})"
    return f"({condition})"


def is_json_of_django(text: object) -> bool:
    """Whether the text is as Django writes it: as a text, no key twice, no other blanks or escapes."""
    if not isinstance(text, str):
        return False
    try:
        return json.dumps(json.loads(text), cls=DjangoJSONEncoder) == text
    except (ValueError, RecursionError):
        return False
