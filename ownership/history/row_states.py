"""Registry rows as history needs them: with all that they name, many at once, and two states of one compared."""

from collections.abc import Iterable
from typing import Any

from django.db import models


def fetch(model: type[models.Model], pk: Any) -> Any:
    """The row as the database holds it, with the rows that its label and its changes name."""
    return model._base_manager.select_related(*foreign_keys(model)).filter(pk=pk).first()


def fetch_all(model: type[models.Model], pks: list[Any]) -> dict[Any, Any]:
    """As ``fetch``, of many, five hundred to a query: {id: row}; ids without a row are left out."""
    related = model._base_manager.select_related(*foreign_keys(model))
    return {row.pk: row for part in in_parts(pks) for row in related.filter(pk__in=part)}


def in_parts(values: Iterable[Any]) -> list[list[Any]]:
    """The values in their order, five hundred to a list: as many as one query is asked for."""
    every = list(values)
    return [every[start : start + 500] for start in range(0, len(every), 500)]


def foreign_keys(model: type[models.Model]) -> list[str]:
    """Names of the fields that name other rows."""
    return [field.name for field in model._meta.fields if field.is_relation]


def stated(row: models.Model | None, name: str) -> Any:
    """A field's value as history states it: the related row's label instead of its id; None without a row."""
    value = getattr(row, name) if row is not None else None
    return str(value) if isinstance(value, models.Model) else value


def differences(before: models.Model | None, after: models.Model | None) -> dict[str, list]:
    """{field: [old, new]} between two states of a row; all fields where one of them is None."""
    fields = (before or after)._meta.fields  # type: ignore[union-attr]
    names = changed_columns(before, after)
    return {
        field.name: [stated(before, field.name), stated(after, field.name)] for field in fields if field.name in names
    }


def changed_columns(before: models.Model | None, after: models.Model | None) -> set[str]:
    """Names of the fields in which two states of a row differ; of all fields where one of them is None."""
    fields = (before or after)._meta.fields  # type: ignore[union-attr]
    return {
        field.name
        for field in fields
        if not field.primary_key
        and (before is None or after is None or getattr(before, field.attname) != getattr(after, field.attname))
    }
