"""States of registry rows: read from the database with all that they name, compared, and put in words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from itertools import islice
from typing import Any, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

YES_OR_NO = {True: "yes", False: "no"}
# Fields of a key: `partition_key_type` is the partition key type.
PARTS_OF_KEYS = ("_key_type", "_key_format")
BATCH = 500  # rows to a statement; larger batches save little
NO_VALUES: tuple = (None, "", [])  # stored values that pages show as nothing

Row = TypeVar("Row", bound=models.Model)
Item = TypeVar("Item")
Changes = dict[str, list]  # {field: [old, new]}, as an entry keeps it

_NO_ROW = object()  # differs from every value


def fetch_row(model: type[Row], pk: object) -> Row | None:
    """The row as the database holds it, with the rows that its label and its changes name."""
    rows = model._base_manager.select_related(*foreign_keys(model))
    return rows.filter(pk=pk).first()


def fetch_rows(model: type[Row], pks: Iterable[object]) -> dict[object, Row]:
    """Like ``fetch_row`` for many: {id: row}. Ids without a row are left out."""
    rows = model._base_manager.select_related(*foreign_keys(model))
    by_id = {}
    for batch in in_batches(pks):
        for row in rows.filter(pk__in=batch):
            by_id[row.pk] = row
    return by_id


def in_batches(values: Iterable[Item]) -> list[list[Item]]:
    """The values in their order, in lists that are short enough for one query each."""
    remaining = iter(values)
    batches: list[list[Item]] = []
    while batch := list(islice(remaining, BATCH)):
        batches.append(batch)
    return batches


def foreign_keys(model: type[models.Model]) -> list[str]:
    """Names of the fields that refer to other rows."""
    return [field.name for field in model._meta.fields if field.is_relation]


def recorded_value(row: models.Model | None, name: str) -> object:
    """A field's value as history records it: the label of a related row instead of its id; None without a row."""
    value = getattr(row, name, None)
    if isinstance(value, models.Model):
        return str(value)
    return value


def changed_fields(before: models.Model | None, after: models.Model | None) -> list[str]:
    """Names of the fields that differ between two states of a row; of all fields where one of them is None."""
    row = before or after
    if row is None:
        return []
    changed = []
    for field in row._meta.fields:
        if field.primary_key:
            continue
        # Ids are compared, not related rows: those would be fetched one by one.
        old = getattr(before, field.attname, _NO_ROW)
        new = getattr(after, field.attname, _NO_ROW)
        if old != new:
            changed.append(field.name)
    return changed


def differences(before: models.Model | None, after: models.Model | None) -> Changes:
    """{field: [old, new]} between two states of a row; every field where one of them is None."""
    changes = {}
    for name in changed_fields(before, after):
        changes[name] = [recorded_value(before, name), recorded_value(after, name)]
    return changes


def as_json(value: object) -> Any:
    """A value as it comes back from a JSON column."""
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))


def describe_field(model: type[models.Model], name: str) -> str:
    """The field as people call it; a field that the model no longer has keeps its name."""
    if name.endswith(PARTS_OF_KEYS):
        return name.replace("_", " ")
    field = _field(model, name)
    if field is None:
        return name
    return str(field.verbose_name)


def describe_day(day: date) -> str:
    """A day as people read it: 28 Nov 2026."""
    return f"{day.day} {day:%b %Y}"


def describe_value(model: type[models.Model], name: str, value: object) -> str | None:
    """A stored value as people read it; None where there is none."""
    if value in NO_VALUES:
        return None
    if isinstance(value, bool):
        return YES_OR_NO[value]
    if isinstance(value, list):
        return ", ".join(map(str, value))
    field = _field(model, name)
    if field is None:
        return str(value)
    if isinstance(field, models.DateField):
        return describe_day(date.fromisoformat(str(value)))
    return str(dict(field.flatchoices).get(value, value))


def _field(model: type[models.Model], name: str) -> models.Field | None:
    """The model's field of that name; None if it no longer has one."""
    # Not get_field(): that also finds what other models call their way back to this one.
    for field in model._meta.fields:
        if field.name == name:
            return field
    return None
