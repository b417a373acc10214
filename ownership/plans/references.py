"""How registry rows refer to each other, also to rows that are not saved yet."""

from collections.abc import Callable, Iterable, Iterator

from django.db.models import ForeignKey, QuerySet
from django.db.models.fields.reverse_related import ForeignObjectRel

from ownership.history.models import TrackedRow
from ownership.history.row_states import in_batches


def filtered(rows: QuerySet, column: str, values: Iterable) -> Iterator:
    """The rows with one of the values in a column; one query for 500 values."""
    for batch in in_batches(values):
        yield from rows.filter(**{f"{column}__in": batch})


def unsaved_references(row: TrackedRow) -> dict[str, TrackedRow]:
    """The unsaved rows that this row refers to, by field."""
    targets: dict[str, TrackedRow] = {}
    for column in foreign_key_fields(type(row)):
        target: TrackedRow | None = column.get_cached_value(row, default=None)  # type: ignore[assignment]
        if target is not None and target.pk is None:
            targets[column.name] = target
    return targets


def take_ids_of_references(row: TrackedRow) -> None:
    """Copy the ids of rows that were unsaved when this row was made to refer to them."""
    for column in foreign_key_fields(type(row)):
        target = column.get_cached_value(row, default=None)
        if target is not None:
            # Django copies an id when the reference is assigned, not when the other row is saved.
            setattr(row, column.attname, target.pk)


def foreign_key_fields(model: type[TrackedRow]) -> list[ForeignKey]:
    """The foreign keys of a model."""
    return [column for column in model._meta.fields if isinstance(column, ForeignKey)]


def tracked_relations(
    model: type[TrackedRow],
    on_delete: Callable,
) -> list[ForeignObjectRel]:
    """The relations from models with history to this model, with that on_delete rule."""
    relations = []
    for relation in model._meta.related_objects:
        tracked = hasattr(relation.related_model, "history")
        if tracked and relation.on_delete is on_delete:
            relations.append(relation)
    return relations


def target_model(column: ForeignKey) -> type[TrackedRow]:
    """The model that a foreign key refers to; all of them have history."""
    return column.related_model  # type: ignore[return-value]


def attname(model: type[TrackedRow], name: str) -> str:
    """The attribute that holds a field's own value: ``owner_id`` for ``owner``."""
    return model._meta.get_field(name).attname  # type: ignore[union-attr]
