"""The rules that a plan would break, all of them at once and before anything is written.

Rules between rows: names are unique, references exist, a row in use is kept. And rules
within one row, where a plan combines old and new values. The cost is a few queries for
500 rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.db.models import (
    CASCADE,
    PROTECT,
    CheckConstraint,
    ForeignKey,
    UniqueConstraint,
)
from django.db.models.fields.reverse_related import ForeignObjectRel

from ownership.history.models import Entry, TrackedRow, entry_model
from ownership.history.row_states import fetch_rows, foreign_keys
from ownership.plans.steps import (
    Step,
    attname,
    filtered,
    foreign_key_fields,
    ids_of,
    steps_by_model,
    target_model,
    tracked_relations,
    unsaved_references,
)

NAMED = 3  # rows that a message names

RowKey = tuple[type[TrackedRow], int]  # (model, id)


@dataclass(frozen=True)
class Cause:
    """The row that is in the way, for a link to it."""

    model: type[TrackedRow]
    pk: int
    label: str
    deleted: bool = False


@dataclass(frozen=True)
class Blocker:
    """A rule in the way of a step: the sentence, and the row to do something about."""

    step: Step
    why: str
    cause: Cause | None = None

    def __str__(self) -> str:
        return f"{self.step.label}: {self.why}"


class Outcome:
    """What all steps together leave behind: rows as they would be, and those deleted."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.saved: dict[RowKey, TrackedRow] = {}
        self.deleted: set[RowKey] = set()
        for step in steps:
            if step.pk is None:
                continue
            key = (step.model, step.pk)
            if step.after is None:
                self.deleted.add(key)
            else:
                self.saved[key] = step.after

    def still_refers(self, key: RowKey, column: str, value: int) -> bool:
        """Whether a row keeps the value that it has in a column now."""
        if key in self.deleted:
            return False
        return key not in self.saved or getattr(self.saved[key], column) == value


def find_blockers(steps: Sequence[Step]) -> list[Blocker]:
    """What blocks these steps taken together, in their order."""
    outcome = Outcome(steps)
    blockers: list[Blocker] = []
    for model, of_model in steps_by_model(steps).items():
        saving = [step for step in of_model if step.after is not None]
        deleting = [step for step in of_model if step.after is None]
        blockers += _missing_references(model, saving, outcome)
        blockers += _taken_names(model, saving, outcome)
        blockers += _rows_in_use(model, deleting, outcome)
        blockers += _broken_checks(model, saving)
    places = {step: place for place, step in enumerate(steps)}
    return sorted(blockers, key=lambda blocker: places[blocker.step])


def natural_columns(model: type[TrackedRow]) -> list[str]:
    """The columns of a model's natural key, which no two of its rows share."""
    return [attname(model, lookup.split("__")[0]) for lookup in model.natural_key_lookups]


def natural_key(row: TrackedRow | Entry) -> tuple:
    """The natural key of a row, or of the row that an entry is about, in ids."""
    model = row.instance_type if isinstance(row, Entry) else type(row)
    return _values(row, natural_columns(model))


def namesakes(
    model: type[TrackedRow],
    rows: Iterable[TrackedRow | Entry],
) -> dict[tuple, TrackedRow]:
    """The live rows with the natural keys of these rows or entries: {key: row}."""
    keys = set(map(natural_key, rows))
    live = model._default_manager.select_related(*foreign_keys(model))
    by_key = {}
    for row in filtered(live, natural_columns(model)[0], {key[0] for key in keys}):
        key = natural_key(row)
        if key in keys:
            by_key[key] = row
    return by_key


def still_used(users: Sequence[str], number: int) -> str:
    """Why a row with ``number`` users can't be deleted. ``users`` names some of them."""
    return f"still used by {in_short(users, number)}. Change or delete these first."


def in_short(names: Sequence[str], number: int) -> str:
    """The first of the names, and how many more of the ``number`` rows there are."""
    text = ", ".join(names[:NAMED])
    if number > NAMED:
        text += f" and {number - NAMED:,} more"
    return text


def _missing_references(
    model: type[TrackedRow],
    saving: list[Step],
    outcome: Outcome,
) -> Iterator[Blocker]:
    """References to rows that would not exist."""
    for column in foreign_key_fields(model):
        steps_by_target: dict[int, list[Step]] = {}
        for step in saving:
            target = getattr(step.after, column.attname)
            target_before = getattr(step.before, column.attname, None)
            if target is not None and target != target_before:
                steps_by_target.setdefault(target, []).append(step)
        if not issubclass(column.related_model, TrackedRow):
            yield from _missing_accounts(column, steps_by_target)
            continue
        missing = _missing_rows(target_model(column), steps_by_target, outcome)
        for target, label in missing.items():
            why = f"its {column.verbose_name} {label} has been deleted. Restore that first."
            cause = Cause(target_model(column), target, label, deleted=True)
            for step in steps_by_target[target]:
                yield Blocker(step, why, cause)


def _missing_accounts(
    column: ForeignKey, steps_by_target: dict[int, list[Step]]
) -> Iterator[Blocker]:
    """References to rows without history that are gone: to accounts. Nothing can restore those."""
    stored = column.related_model._default_manager.values_list("pk", flat=True)
    there = set(filtered(stored, "pk", steps_by_target))
    for target, steps in steps_by_target.items():
        if target not in there:
            for step in steps:
                yield Blocker(step, f"its {column.verbose_name} has been deleted.")


def _missing_rows(
    model: type[TrackedRow],
    pks: Iterable[int],
    outcome: Outcome,
) -> dict[int, str]:
    """Those of the rows that would not exist, with their last labels."""
    stored = model._default_manager.values_list("pk", flat=True)
    # Stored now or saved by the plan, and not deleted by it.
    there = {(model, pk) for pk in filtered(stored, "pk", pks)}
    there |= outcome.saved.keys()
    there -= outcome.deleted
    missing = [pk for pk in pks if (model, pk) not in there]
    labels = dict.fromkeys(missing, "")
    entries = entry_model(model).objects.order_by("history_id")
    for pk, label in filtered(entries.values_list("id", "label"), "id", missing):
        labels[pk] = label  # the last one stays
    return labels


def _taken_names(
    model: type[TrackedRow],
    saving: list[Step],
    outcome: Outcome,
) -> Iterator[Blocker]:
    """Rows that would have the natural key of another row."""
    renamed = list(filter(_gets_new_name, saving))
    live = namesakes(model, [step.row for step in renamed])
    for step in renamed:
        key = natural_key(step.row)
        other = live.get(key)
        if other is None or other.pk == step.pk or (model, other.pk) in outcome.deleted:
            continue
        # The other row may be one of the plan's, and give the name up.
        becomes = outcome.saved.get((model, other.pk), other)
        if natural_key(becomes) == key:
            why = f"{_uniqueness_message(model)} Change or delete that one first."
            yield Blocker(step, why, Cause(model, other.pk, str(other)))


def _gets_new_name(step: Step) -> bool:
    """Whether the row gets a natural key that another row may have."""
    if unsaved_references(step.row):
        return False  # what belongs to a new row has no namesake
    return step.before is None or natural_key(step.before) != natural_key(step.row)


def _uniqueness_message(model: type[TrackedRow]) -> str:
    """What the model's first rule of that kind says; each model has one for its natural key."""
    rules = [rule for rule in model._meta.constraints if isinstance(rule, UniqueConstraint)]
    return str(rules[0].get_violation_error_message())


def _rows_in_use(
    model: type[TrackedRow],
    deleting: list[Step],
    outcome: Outcome,
) -> Iterator[Blocker]:
    """Rows that would be deleted although others still refer to them."""
    users: dict[int, list[RowKey]] = {}
    for relation in tracked_relations(model, PROTECT):
        for used, user in _users(relation, ids_of(deleting), outcome):
            users.setdefault(used, []).append(user)
    # Labels include other rows, so only the rows that a message names are read.
    named = _named_rows(users.values())
    for step in deleting:
        keys = users.get(step.row.pk)
        if keys:
            first = named[keys[0]]
            labels = [str(named[key]) for key in keys[:NAMED]]
            cause = Cause(type(first), first.pk, labels[0])
            yield Blocker(step, still_used(labels, len(keys)), cause)


def _users(
    relation: ForeignObjectRel,
    used_pks: list[int],
    outcome: Outcome,
) -> Iterator[tuple[int, RowKey]]:
    """(id of the row in use, its user) for users that still refer to it afterwards."""
    model: type[TrackedRow] = relation.related_model  # type: ignore[assignment]
    column = relation.field.attname
    owners = _owners(model)
    columns = ["pk", column, *(owner.attname for owner in owners)]
    rows = model._default_manager.values_list(*columns)
    for pk, used, *owner_pks in filtered(rows, column, used_pks):
        # A user that is deleted with its owner does not count.
        owner_keys = zip(map(target_model, owners), owner_pks, strict=True)
        deleted_with_owner = not outcome.deleted.isdisjoint(owner_keys)
        if not deleted_with_owner and outcome.still_refers((model, pk), column, used):
            yield used, (model, pk)


def _owners(model: type[TrackedRow]) -> list[ForeignKey]:
    """What a row is deleted together with, as an access is with its table."""
    columns = foreign_key_fields(model)
    return [column for column in columns if column.remote_field.on_delete is CASCADE]


def _named_rows(users: Iterable[list[RowKey]]) -> dict[RowKey, TrackedRow]:
    """The rows that messages name: the first few users of each row in use."""
    pks_by_model: dict[type[TrackedRow], list[int]] = {}
    for keys in users:
        for model, pk in keys[:NAMED]:
            pks_by_model.setdefault(model, []).append(pk)
    return fetch_by_key(pks_by_model)


def fetch_by_key(
    pks_by_model: Mapping[type[TrackedRow], Iterable[int]],
) -> dict[RowKey, TrackedRow]:
    """The rows with these ids, of several models, with the rows that they refer to."""
    rows: dict[RowKey, TrackedRow] = {}
    for model, pks in pks_by_model.items():
        for row in fetch_rows(model, pks).values():
            rows[model, row.pk] = row
    return rows


def _broken_checks(model: type[TrackedRow], saving: list[Step]) -> Iterator[Blocker]:
    """Check constraints that old and new values together would violate."""
    for rule in model._meta.constraints:
        if not isinstance(rule, CheckConstraint):
            continue
        columns = _columns_of(model, rule)
        for step in saving:
            values = _values(step.row, columns)
            is_accepted = _accepted_before(step, columns, values)
            if not is_accepted and not _allowed(model, rule.name, columns, values):
                yield Blocker(step, str(rule.get_violation_error_message()))


def _columns_of(model: type[TrackedRow], rule: CheckConstraint) -> tuple[str, ...]:
    names = rule.condition.referenced_base_fields  # type: ignore[union-attr]
    columns = {"id" if name == "pk" else attname(model, name) for name in names}
    return tuple(sorted(columns))


def _accepted_before(step: Step, columns: tuple[str, ...], values: tuple) -> bool:
    """Whether the registry, or a field's validator, has accepted these values before.

    Each check costs a query. A new row's single value is left to the field's validators:
    all names of a large import differ.
    """
    for state in (step.before, step.earlier):
        if state is not None and _values(state, columns) == values:
            return True
    is_new = step.before is None
    return is_new and (step.earlier is not None or len(columns) == 1)


@lru_cache(maxsize=1_000)
def _allowed(
    model: type[TrackedRow],
    name: str,
    columns: tuple[str, ...],
    values: tuple,
) -> bool:
    """Whether a constraint holds. Cached: each costs a query, and most rows are alike."""
    [rule] = [rule for rule in model._meta.constraints if rule.name == name]
    row = model(**dict(zip(columns, values, strict=True)))
    try:
        rule.validate(model, row)
    except ValidationError:
        return False
    return True


def _values(row: TrackedRow | Entry, columns: Iterable[str]) -> tuple:
    return tuple(getattr(row, column) for column in columns)
