"""The rules that a plan would break, all of them at once and before anything is written.

Rules between rows: names are unique, a row that is named exists, a row that is in use
stays. And rules within one row, where a plan puts old and new values together. The cost
is a few queries for five hundred rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.db.models import CASCADE, PROTECT, CheckConstraint, ForeignKey, UniqueConstraint
from django.db.models.fields.reverse_related import ForeignObjectRel

from ownership.history.models import Entry, TrackedRow, entry_model
from ownership.history.row_states import fetch_rows, foreign_keys, in_batches
from ownership.plans.steps import Step, attname, foreign_key_fields, target_model, unsaved_references

NAMED = 3  # rows that a sentence names

Key = tuple[type[TrackedRow], int]  # (model, id)
Outcome = dict[Key, "TrackedRow | None"]  # rows as they would be; None where deleted


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


def find_blockers(steps: Sequence[Step]) -> list[Blocker]:
    """What is in the way of all these steps together, in their order."""
    outcome: Outcome = {}
    for step in steps:
        if step.pk is not None:
            outcome[step.model, step.pk] = step.after
    blockers: list[Blocker] = []
    for model, of_model in steps_by_model(steps).items():
        saving = [step for step in of_model if step.after is not None]
        deleting = [step for step in of_model if step.after is None]
        blockers += _missing_references(model, saving, outcome)
        blockers += _taken_names(model, saving, outcome)
        blockers += _rows_in_use(model, deleting, outcome)
        blockers += _broken_checks(model, saving)
    order = {id(step): place for place, step in enumerate(steps)}
    return sorted(blockers, key=lambda blocker: order[id(blocker.step)])


def steps_by_model(steps: Iterable[Step]) -> dict[type[TrackedRow], list[Step]]:
    """The steps in their order, by model."""
    by_model: dict[type[TrackedRow], list[Step]] = {}
    for step in steps:
        by_model.setdefault(step.model, []).append(step)
    return by_model


def natural_columns(model: type[TrackedRow]) -> list[str]:
    """The columns of a model's natural key, which no two of its rows share."""
    return [attname(model, lookup.split("__")[0]) for lookup in model.natural_key_lookups]


def natural_key(row: TrackedRow | Entry) -> tuple:
    """The natural key of a row, or of the row that an entry is about, in ids."""
    model = row.instance_type if isinstance(row, Entry) else type(row)
    return _values(row, natural_columns(model))


def namesakes(model: type[TrackedRow], rows: Iterable[TrackedRow | Entry]) -> dict[tuple, TrackedRow]:
    """The live rows that have the natural keys of these rows or entries: {key: row}."""
    keys = {natural_key(row) for row in rows}
    first_column = natural_columns(model)[0]
    live = model._default_manager.select_related(*foreign_keys(model))
    by_key = {}
    for part in in_batches({key[0] for key in keys}):
        for row in live.filter(**{f"{first_column}__in": part}):
            key = natural_key(row)
            if key in keys:
                by_key[key] = row
    return by_key


def still_used(users: Sequence[str], number: int) -> str:
    """Why a row stays that ``number`` others use, some of which are named; and the cure."""
    names = ", ".join(users[:NAMED])
    if number > NAMED:
        names += f" and {number - NAMED:,} more"
    return f"still used by {names}. Change or delete these first."


def _missing_references(model: type[TrackedRow], saving: list[Step], outcome: Outcome) -> Iterator[Blocker]:
    """Rows that would name a row that is not there."""
    for column in foreign_key_fields(model):
        steps_by_target: dict[int, list[Step]] = {}
        for step in saving:
            target = getattr(step.after, column.attname)
            if target is not None and target != _value(step.before, column.attname):
                steps_by_target.setdefault(target, []).append(step)
        missing = _missing_rows(target_model(column), list(steps_by_target), outcome)
        for target, label in missing.items():
            why = f"its {column.verbose_name} {label} has been deleted. Restore that first."
            cause = Cause(target_model(column), target, label, deleted=True)
            for step in steps_by_target[target]:
                yield Blocker(step, why, cause)


def _missing_rows(model: type[TrackedRow], pks: list[int], outcome: Outcome) -> dict[int, str]:
    """Those of the rows that would not be there, with what they were called last."""
    there: set[int] = set()
    for part in in_batches(pks):
        there.update(model._default_manager.filter(pk__in=part).values_list("pk", flat=True))
    missing = []
    for pk in pks:
        if (model, pk) in outcome:
            if outcome[model, pk] is None:
                missing.append(pk)
        elif pk not in there:
            missing.append(pk)
    labels = dict.fromkeys(missing, "")
    for part in in_batches(missing):
        entries = entry_model(model).objects.filter(id__in=part).order_by("history_id")
        labels.update(entries.values_list("id", "label"))  # the last one wins
    return labels


def _taken_names(model: type[TrackedRow], saving: list[Step], outcome: Outcome) -> Iterator[Blocker]:
    """Rows that would have the natural key of another row."""
    renamed = []
    for step in saving:
        if step.after is None or unsaved_references(step.after):
            continue  # what belongs to a new row has no namesake
        if step.before is None or natural_key(step.before) != natural_key(step.after):
            renamed.append(step)
    live = namesakes(model, [step.row for step in renamed])
    for step in renamed:
        key = natural_key(step.row)
        other = live.get(key)
        if other is None or other.pk == step.pk:
            continue
        # The other row may be one of the plan's, and give the name up.
        becomes = outcome.get((model, other.pk), other)
        if becomes is not None and natural_key(becomes) == key:
            why = f"{_uniqueness_message(model)} {_cure(model)} that one first."
            yield Blocker(step, why, Cause(model, other.pk, str(other)))


def _uniqueness_message(model: type[TrackedRow]) -> str:
    for rule in model._meta.constraints:
        if isinstance(rule, UniqueConstraint):
            return str(rule.get_violation_error_message())
    raise LookupError(f"{model.__name__} has no rule that keeps its names unique.")


def _cure(model: type[TrackedRow]) -> str:
    if len(natural_columns(model)) == 1:
        return "Rename or delete"
    return "Change or delete"


def _rows_in_use(model: type[TrackedRow], deleting: list[Step], outcome: Outcome) -> Iterator[Blocker]:
    """Rows that would be deleted though others that stay name them."""
    users: dict[int, list[Key]] = {}
    pks = [step.pk for step in deleting if step.pk is not None]
    for relation in model._meta.related_objects:
        tracked = hasattr(relation.related_model, "history")
        if tracked and relation.on_delete is PROTECT:
            for part in in_batches(pks):
                for used, user in _users(relation, part, outcome):
                    users.setdefault(used, []).append(user)
    named = _named_rows(users.values())
    for step in deleting:
        keys = users.get(step.pk or 0, [])
        if keys:
            first = named[keys[0]]
            labels = [str(named[key]) for key in keys[:NAMED]]
            cause = Cause(type(first), first.pk, labels[0])
            yield Blocker(step, still_used(labels, len(keys)), cause)


def _users(relation: ForeignObjectRel, used_pks: list[int], outcome: Outcome) -> Iterator[tuple[int, Key]]:
    """(id of the row in use, what uses it) for those users that the plan leaves as they are."""
    user_model: type[TrackedRow] = relation.related_model  # type: ignore[assignment]
    column = relation.field.attname
    # What a user is deleted together with, as an access is with its table.
    owners = [field for field in foreign_key_fields(user_model) if field.remote_field.on_delete is CASCADE]
    columns = ["pk", column, *(owner.attname for owner in owners)]
    users = user_model._default_manager.filter(**{f"{column}__in": used_pks})
    for pk, used, *owner_pks in users.values_list(*columns):
        key = (user_model, pk)
        gives_up = key in outcome and _value(outcome[key], column) != used
        if not gives_up and not _goes_with_owner(owners, owner_pks, outcome):
            yield used, key


def _goes_with_owner(owners: list[ForeignKey], owner_pks: list[int], outcome: Outcome) -> bool:
    for owner, pk in zip(owners, owner_pks, strict=True):
        key = (target_model(owner), pk)
        if key in outcome and outcome[key] is None:
            return True
    return False


def _named_rows(users: Iterable[list[Key]]) -> dict[Key, TrackedRow]:
    """The rows that sentences name: the first few users of each row in use."""
    pks_by_model: dict[type[TrackedRow], list[int]] = {}
    for keys in users:
        for model, pk in keys[:NAMED]:
            pks_by_model.setdefault(model, []).append(pk)
    rows = {}
    for model, pks in pks_by_model.items():
        for row in fetch_rows(model, pks).values():
            rows[model, row.pk] = row
    return rows


def _broken_checks(model: type[TrackedRow], saving: list[Step]) -> Iterator[Blocker]:
    """Check constraints that do not hold where old and new values come together."""
    for rule in model._meta.constraints:
        if not isinstance(rule, CheckConstraint):
            continue
        columns = _columns_of(model, rule)
        for step in saving:
            if _needs_check(step, columns):
                values = _values(step.row, columns)
                if not _allowed(model, rule.name, tuple(columns), values):
                    yield Blocker(step, str(rule.get_violation_error_message()))


def _columns_of(model: type[TrackedRow], rule: CheckConstraint) -> list[str]:
    columns = []
    for name in rule.condition.referenced_base_fields:  # type: ignore[union-attr]
        columns.append(attname(model, model._meta.pk.name if name == "pk" else name))
    return sorted(columns)


def _needs_check(step: Step, columns: list[str]) -> bool:
    """Whether the registry has not accepted these values of the row together before.

    A new row's single values are checked where they come from, by their validators:
    each check costs a query, and all names of a large import differ.
    """
    values = _values(step.row, columns)
    for accepted in (step.before, step.earlier):
        if accepted is not None and _values(accepted, columns) == values:
            return False
    return step.before is not None or (step.earlier is None and len(columns) > 1)


@lru_cache(maxsize=1_000)
def _allowed(model: type[TrackedRow], name: str, columns: tuple[str, ...], values: tuple) -> bool:
    """Whether a constraint holds; kept, for each costs a query and most rows have one of a few values."""
    rule = next(rule for rule in model._meta.constraints if rule.name == name)
    row = model(**dict(zip(columns, values, strict=True)))
    try:
        rule.validate(model, row)
    except ValidationError:
        return False
    return True


def _values(row: TrackedRow | Entry, columns: list[str]) -> tuple:
    return tuple(getattr(row, column) for column in columns)


def _value(row: TrackedRow | None, column: str) -> object:
    return None if row is None else getattr(row, column)
