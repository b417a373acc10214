"""What would stand in the way of leaving rows in another state: known before anything is written.

Of the map's rules those that other rows may break: names are unique, what a row names is there, what others name
stays. And those that a row may break by itself, where it would be put together of old and new. A few queries for
five hundred rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import CASCADE, PROTECT, CheckConstraint, UniqueConstraint
from django.urls import reverse

from ownership.audit.descriptions import history_url
from ownership.history.row_states import fetch_all, foreign_keys, in_parts

NAMED = 3  # of the rows that stand in the way


@dataclass(frozen=True)
class Outcome:
    """A row as it is now and as it would be: None where it is not there."""

    step: Any  # what asks for it
    label: str
    model: Any
    pk: int
    before: Any
    after: Any


@dataclass(frozen=True)
class Obstacle:
    """A rule that stands in the way; and what to go to, to do something about it: what it is called, and where."""

    step: Any
    label: str
    why: str
    cause: str = ""
    url: str = ""

    def __str__(self) -> str:
        return f"{self.label}: {self.why}"


def edit_url(row: Any) -> str:
    """Where a row is edited."""
    return reverse(f"admin:ownership_{row._meta.model_name}_change", args=[row.pk])


def find_obstacles(outcomes: list[Outcome]) -> list[Obstacle]:
    """What stands in the way of all of these together, in their order."""
    after = {(one.model, one.pk): one.after for one in outcomes}
    found: list[Obstacle] = []
    for model in dict.fromkeys(one.model for one in outcomes):
        of_model = [one for one in outcomes if one.model is model]
        coming = [one for one in of_model if one.after is not None]
        found += _gone_references(model, coming, after)
        found += _taken_names(model, coming, after)
        found += _still_used(model, [one for one in of_model if one.after is None], after)
        found += (Obstacle(one.step, one.label, why) for one in coming for why in _broken_rules(one))
    order = {id(one.step): place for place, one in enumerate(outcomes)}
    return sorted(found, key=lambda obstacle: order[id(obstacle.step)])


def natural_columns(model: Any) -> list[str]:
    """The columns of a model's natural key, which no two of its rows share."""
    return [model._meta.get_field(lookup.split("__")[0]).attname for lookup in model.natural_key_lookups]


def natural_key(row: Any) -> tuple:
    """The natural key of a row, or of what an entry says of one, in ids."""
    return _values(row, natural_columns(getattr(row, "instance_type", type(row))))


def namesakes(model: Any, rows: list[Any]) -> dict[tuple, Any]:
    """The live rows that have the natural keys of these rows or entries: {key: row}."""
    keys = {natural_key(row) for row in rows}
    first, found = natural_columns(model)[0], {}
    for part in in_parts({key[0] for key in keys}):
        for row in model.objects.select_related(*foreign_keys(model)).filter(**{f"{first}__in": part}):
            if (key := natural_key(row)) in keys:
                found[key] = row
    return found


def still_used(users: list[str], number: int) -> str:
    """Why a row can't be deleted that so many others name, some of them these; and what to do."""
    more = f" and {number - len(users[:NAMED]):,} more" if number > NAMED else ""
    return f"it is still used: {', '.join(users[:NAMED])}{more}. Change or delete these first."


def _gone_references(model: Any, coming: list[Outcome], after: dict) -> Iterator[Obstacle]:
    for name in foreign_keys(model):
        column = model._meta.get_field(name)
        asked = [one for one in coming if getattr(one.after, column.attname) is not None]
        asked = [one for one in asked if _value(one.before, column.attname) != getattr(one.after, column.attname)]
        target = column.related_model
        wanted = {getattr(one.after, column.attname) for one in asked}
        there = {
            pk for part in in_parts(wanted) for pk in target.objects.filter(pk__in=part).values_list("pk", flat=True)
        }
        for one in asked:
            pk = getattr(one.after, column.attname)
            if after.get((target, pk), pk if pk in there else None) is None:
                called = one.step.fields.get(name, ["", ""])[1]
                why = f"its {column.verbose_name} {called} was deleted since; restore that first."
                yield Obstacle(one.step, one.label, why, called, history_url(target, pk))


def _taken_names(model: Any, coming: list[Outcome], after: dict) -> Iterator[Obstacle]:
    asked = [one for one in coming if one.before is None or natural_key(one.before) != natural_key(one.after)]
    live = namesakes(model, [one.after for one in asked])
    rule = next(rule for rule in model._meta.constraints if isinstance(rule, UniqueConstraint))
    first = "Rename or delete" if len(natural_columns(model)) == 1 else "Change or delete"
    for one in asked:
        row = live.get(natural_key(one.after))
        if row is None or row.pk == one.pk:
            continue
        # Another row of these, that gives the name up itself?
        becomes = after.get((model, row.pk), row)
        if becomes is not None and natural_key(becomes) == natural_key(one.after):
            why = f"{rule.get_violation_error_message()} {first} that one first."
            yield Obstacle(one.step, one.label, why, str(row), edit_url(row))


def _still_used(model: Any, going: list[Outcome], after: dict) -> Iterator[Obstacle]:
    users: dict[int, list[tuple[Any, int]]] = {}
    for relation in model._meta.related_objects:
        user, column = relation.related_model, relation.field.attname
        if relation.on_delete is not PROTECT or not hasattr(user, "history"):
            continue
        # What is deleted together with another, as an access is with its table.
        owners = [one for one in user._meta.fields if one.is_relation and one.remote_field.on_delete is CASCADE]
        columns = ["pk", column, *(one.attname for one in owners)]
        for part in in_parts(one.pk for one in going):
            for pk, used, *owned_by in user.objects.filter(**{f"{column}__in": part}).values_list(*columns):
                goes_along = any(
                    after.get((owner.related_model, owner_pk), owner) is None
                    for owner, owner_pk in zip(owners, owned_by, strict=True)
                )
                gives_up = (user, pk) in after and _value(after[user, pk], column) != used
                if not goes_along and not gives_up:
                    users.setdefault(used, []).append((user, pk))
    rows: dict[tuple[Any, int], Any] = {}
    for user in {user for some in users.values() for user, _ in some}:
        named = [pk for some in users.values() for of, pk in some[:NAMED] if of is user]
        rows |= {(user, pk): row for pk, row in fetch_all(user, named).items()}
    for one in going:
        if some := users.get(one.pk):
            found = [rows[key] for key in some[:NAMED]]
            users_named = list(map(str, found))
            yield Obstacle(one.step, one.label, still_used(users_named, len(some)), users_named[0], edit_url(found[0]))


def _broken_rules(one: Outcome) -> Iterator[str]:
    """What the row's own constraints say, where some of its columns are of then and others of now."""
    previous = one.step.previous
    for rule in one.model._meta.constraints:
        if one.before is None or not isinstance(rule, CheckConstraint):
            continue
        columns = sorted(
            one.model._meta.pk.attname if name == "pk" else one.model._meta.get_field(name).attname
            for name in rule.condition.referenced_base_fields  # type: ignore[union-attr]
        )
        values = _values(one.after, columns)
        # Both were allowed.
        if values not in (_values(one.before, columns), _values(previous, columns)) and not _allowed(
            one.model, rule.name, tuple(columns), values
        ):
            yield str(rule.get_violation_error_message())


@lru_cache(maxsize=1_000)
def _allowed(model: Any, name: str, columns: tuple[str, ...], values: tuple) -> bool:
    """Whether the constraint allows these values. Each asks the database, and most rows have one of a few."""
    rule = next(rule for rule in model._meta.constraints if rule.name == name)
    try:
        rule.validate(model, model(**dict(zip(columns, values, strict=True))))
    except ValidationError:
        return False
    return True


def _values(row: Any, columns: list[str]) -> tuple:
    return tuple(getattr(row, column) for column in columns)


def _value(row: Any, column: str) -> Any:
    return None if row is None else getattr(row, column)
