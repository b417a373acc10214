"""How registry rows refer to each other, also to rows that are not saved yet."""

from collections.abc import Callable, Iterable, Iterator

from django.db.models import ForeignKey, QuerySet
from django.db.models.fields.reverse_related import ForeignObjectRel

from ownership.history.models import TrackedRow
from ownership.history.row_states import in_batches


def filtered(rows: QuerySet, column: str, values: Iterable) -> Iterator:
    """The rows that have one of the values in a column; a query for 500 values."""
    for batch in in_batches(values):
        yield from rows.filter(**{f"{column}__in": batch})


def unsaved_references(row: TrackedRow) -> dict[str, TrackedRow]:
    """The rows that this row names and that have no id yet, by field."""
    targets: dict[str, TrackedRow] = {}
    for column in foreign_key_fields(type(row)):
        target: TrackedRow | None = column.get_cached_value(row, default=None)  # type: ignore[assignment]
        if target is not None and target.pk is None:
            targets[column.name] = target
    return targets


def take_ids_of_references(row: TrackedRow) -> None:
    """Give the row the ids of rows that were new when it was made to name them."""
    for column in foreign_key_fields(type(row)):
        target = column.get_cached_value(row, default=None)
        if target is not None:
            # Django copies an id when a row is assigned, and not when that one gets it.
            setattr(row, column.attname, target.pk)


def foreign_key_fields(model: type[TrackedRow]) -> list[ForeignKey]:
    """The fields of a model that name other rows."""
    return [column for column in model._meta.fields if isinstance(column, ForeignKey)]


def tracked_relations(
    model: type[TrackedRow],
    on_delete: Callable,
) -> list[ForeignObjectRel]:
    """How rows with history name rows of the model, where deleting these does that."""
    relations = []
    for relation in model._meta.related_objects:
        tracked = hasattr(relation.related_model, "history")
        if tracked and relation.on_delete is on_delete:
            relations.append(relation)
    return relations


def target_model(column: ForeignKey) -> type[TrackedRow]:
    """The model of the rows that a foreign key names; all of them have history."""
    return column.related_model  # type: ignore[return-value]


def attname(model: type[TrackedRow], name: str) -> str:
    """The attribute that holds a field's own value: ``owner_id`` for ``owner``."""
    return model._meta.get_field(name).attname  # type: ignore[union-attr]
