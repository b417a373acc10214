"""What importing a file would change: compared with the registry row by row, in words; and doing it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import CheckConstraint

from ownership.catalog.queries import current_map
from ownership.exchange.imports.statements import KEY_FIELDS, KINDS, Stated, Statement, in_a_line, label
from ownership.history.bulk import RowRefused, delete_rows, save_rows
from ownership.history.change_sets import change_set
from ownership.history.models import Head, current_head
from ownership.models import Access, ChangeSet, Environment, SecondaryIndex, Service, Table, TableGroup

MODELS: dict[str, Any] = {
    "environment": Environment,
    "group": TableGroup,
    "service": Service,
    "table": Table,
    "index": SecondaryIndex,
    "access": Access,
}
# Fields that name another row, and its kind; and what a new row can't do without.
_LINKS = {"group": "group", "owner": "service", "part_of": "service", "service": "service", "table": "table"}
_NEEDED = {"table": ["group", "owner"], "access": ["mode"]}
Key = tuple[str, tuple[str, ...]]


class NotApplied(RuntimeError):
    """The registry changed after the file was compared with it, or refused a change; nothing was applied."""


@dataclass
class Change:
    """One row to create, change or delete; ``fields`` are {field: [old, new]}, names instead of rows."""

    verb: str
    kind: str
    key: tuple[str, ...]
    row: Any
    line: int | None = None
    fields: dict[str, list[Any]] = field(default_factory=dict)

    def __str__(self) -> str:
        where = f" (line {self.line})" if self.line else ""
        said = "; ".join(self._said())
        return in_a_line(f"{self.verb} {label(self.kind, self.key)}{where}{': ' if said else ''}{said}")

    def linked(self, rows: dict[Key, Any]) -> Any:
        """The row, with the rows that it names; it is put beside them."""
        for name in self.fields.keys() & _LINKS.keys():
            target = self.fields[name][1]
            setattr(self.row, name, None if target is None else rows[(_LINKS[name], (target,))])
        rows[(self.kind, self.key)] = self.row
        return self.row

    def _said(self) -> Iterator[str]:
        for name, (old, new) in self.fields.items():
            if name in _NAMES[self.kind]:
                continue  # the label has them
            words = MODELS[self.kind]._meta.get_field(name)
            said = [_words(words, value) for value in (old, new)]
            title = f"{name.removesuffix('_name').replace('_', ' ')}"
            if self.verb == "change":
                yield f"{title} {said[0]} → {said[1]}"
            elif new not in ("", None, False):
                yield f"{title} {said[1]}"


def _words(column: Any, value: Any) -> str:
    if value is True or value is False:
        return "yes" if value else "no"
    return str(dict(column.flatchoices).get(value, value)) if value not in ("", None) else "nothing"


@dataclass
class Plan:
    """The changes in the order in which they are made, with the rows, revision and digest that they were compared with.

    ``kept`` counts the rows that the file could tell of and does not, by kind: without pruning they stay.
    """

    head: Head
    changes: list[Change]
    problems: list[str]
    kept: dict[str, int]
    rows: dict[Key, Any]

    def apply(self, *, user: Any, reason: str, written: Callable[[int], None] = lambda number: None) -> int:
        """Make all changes, as one change set; its revision. NotApplied, and none of them, where the registry is not as
        compared.

        ``written`` is told now and then how many more changes were made.
        """
        with change_set(user=user, reason=reason, source=ChangeSet.Source.IMPORT) as draft:
            if current_head() != self.head:
                raise NotApplied(
                    f"The registry moved on from revision {self.head[0]} to {current_head()[0]} meanwhile: "
                    "run again, and look at the difference anew."
                )
            rows = dict(self.rows)
            try:
                for deletes, changes in groupby(self.changes, lambda change: change.verb == "delete"):
                    if deletes:
                        delete_rows((change.row for change in changes), written)
                    for together in [] if deletes else _ready_together(changes):
                        save_rows([change.linked(rows) for change in together], written)
            except RowRefused as refused:
                change = next(change for change in self.changes if change.row is refused.row)
                raise NotApplied(f"The registry refused this: {change}. {refused.why}") from refused
        return draft.revision or self.head[0]


def _ready_together(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """The changes in their order, cut before each that names a row of the list before it: that one must be there."""
    together: list[Change] = []
    waiting: set[Key] = set()
    for change in changes:
        if waiting & {(_LINKS[name], (change.fields[name][1],)) for name in change.fields.keys() & _LINKS.keys()}:
            yield together
            together, waiting = [], set()
        together.append(change)
        waiting.add((change.kind, change.key))
    yield together


def compare(stated: Stated, *, prune: bool) -> Plan:
    """What differs from the registry of now. Problems are those of the file, and what its rows would break."""
    return _Comparison(stated, *current_map()).run(prune)


class _Comparison:
    """One comparison: the live rows by kind and names, and the places that new rows get."""

    def __init__(self, stated: Stated, head: Head, rows: dict[str, list[Any]]) -> None:
        # A copy, for comparing adds problems of its own.
        self.stated, self.head = replace(stated, problems=[*stated.problems]), head
        self.live: dict[Key, Any] = {
            (kind, (row.name,)): row
            for kind, name in (("environment", "environments"), ("group", "groups"), ("service", "services"))
            for row in rows[name]
        }
        for table in rows["tables"]:
            self.live[("table", (table.name,))] = table
            self.live |= {("index", (table.name, index.name)): index for index in table.indexes.all()}
            self.live |= {("access", (table.name, access.service.name)): access for access in table.accesses.all()}
        # The next place by kind and, of what hangs on a table, that table.
        self.places: dict[tuple[str, str], int] = {}
        for (kind, key), row in self.live.items():
            if kind != "service":
                place = (kind, _above(kind, key))
                self.places[place] = max(self.places.get(place, 0), row.position + 1)

    def run(self, prune: bool) -> Plan:
        statements = self.stated.ordered()
        changes = [change for one in statements if (change := self._change(one)) is not None]
        services = self._wholes_first([change for change in changes if change.kind == "service"])
        changes = [
            change
            for kind in KINDS
            for change in (services if kind == "service" else [one for one in changes if one.kind == kind])
        ]
        missing = list(self._missing({(one.kind, one.key) for one in statements}))
        if prune and self.stated.ignored:
            lines = ", ".join(str(number) for number, _ in self.stated.ignored)
            self.stated.problems.append(
                f"{self.stated.name}: with --prune every line must be understood, for what stands there would be "
                f"deleted: correct or remove line {lines}."
            )
        kept = {kind: sum(key[0] == kind for key in missing) for kind in KINDS}
        if prune:
            changes += [Change("delete", kind, key, self.live[(kind, key)]) for kind, key in reversed(missing)]
        kept = {kind: number for kind, number in kept.items() if number}
        return Plan(self.head, changes, self.stated.problems, kept, self.live)

    def _change(self, one: Statement) -> Change | None:
        """What the statement changes; its row has the new values already, but for those that name other rows."""
        row = self.live.get((one.kind, one.key))
        names = {} if row is not None else dict(zip(_NAMES[one.kind], one.key, strict=True))
        fields = {
            name: [None if row is None else _value(row, name), value] for name, value in (names | one.fields).items()
        }
        if row is not None:
            fields = {name: pair for name, pair in fields.items() if pair[0] != pair[1]}
            if not fields:
                return None
        change = Change("change" if row is not None else "create", one.kind, one.key, row, one.line, fields)
        needed = [] if row is not None else [name for name in _NEEDED.get(one.kind, []) if name not in one.fields]
        for name in needed:
            self._problem(one, f"is new, so say its {name}, too.")
        if row is None:
            change.row = MODELS[one.kind](**({} if one.kind == "service" else {"position": self._place(one)}))
        for name in fields.keys() - _LINKS.keys():
            setattr(change.row, name, fields[name][1])
        for problem in _problems(change.row, needed):
            self._problem(one, problem)
        return change

    def _problem(self, one: Statement, words: str) -> None:
        self.stated.problem(one.line, f"{one.label}: {words}")

    def _place(self, one: Statement) -> int:
        """New rows stand after those that are there, in the file's order."""
        place = (one.kind, _above(one.kind, one.key))
        number = self.places.get(place, 0)
        self.places[place] = number + 1
        return number

    def _wholes_first(self, changes: list[Change]) -> list[Change]:
        """A whole before its parts; a problem where parts go in a circle."""
        part_of = {key[0]: _value(row, "part_of") for (kind, key), row in self.live.items() if kind == "service"}
        waiting = {change.key[0]: change for change in changes}
        part_of |= {name: one.fields["part_of"][1] for name, one in waiting.items() if "part_of" in one.fields}
        ordered: list[Change] = []
        for first in list(waiting):
            chain: list[str] = []
            name: str | None = first
            while name is not None and name not in chain:
                chain.append(name)
                name = part_of.get(name)
            if name is not None:
                circle = " → ".join([*chain[chain.index(name) :], name])
                self.stated.problem(waiting[first].line or 0, f"parts go in a circle: {circle}.")
            ordered += [waiting.pop(name) for name in reversed(chain) if name in waiting]
        return ordered

    def _missing(self, told: set[Key]) -> Iterator[Key]:
        """Rows that the file could tell of and does not, in the order of kinds."""
        tables = {key[0] for kind, key in told if kind == "table"}
        for kind, key in sorted(self.live, key=lambda one: KINDS.index(one[0])):
            inside = (kind, key[0]) in self.stated.parts and key[0] in tables
            if (kind, key) not in told and (kind in self.stated.lists or inside):
                yield kind, key


_NAMES = {
    "environment": ["name"],
    "group": ["name"],
    "service": ["name"],
    "table": ["name"],
    "index": ["table", "name"],
    "access": ["table", "service"],
}


def _above(kind: str, key: tuple[str, ...]) -> str:
    """The table that a row has its place under, if any."""
    return key[0] if kind in ("index", "access") else ""


def _value(row: Any, name: str) -> Any:
    value = getattr(row, name)
    return value.name if name in _LINKS and value is not None else value


def _problems(row: Any, needed: Iterable[str]) -> list[str]:
    """What the registry's rules say against the row, as far as a row can be looked at alone, besides what it lacks."""
    try:
        row.clean_fields(exclude={*_LINKS, *needed})
        if isinstance(row, Table | SecondaryIndex):
            broken = _broken(type(row), *(getattr(row, name) for name in KEY_FIELDS))
            return list(broken)
    except ValidationError as error:
        return [
            f"{name.removesuffix('_name').replace('_', ' ')}: {' '.join(words)}"
            for name, words in error.message_dict.items()
        ]
    return []


@cache
def _broken(model: Any, *keys: str) -> tuple[str, ...]:
    """What the constraints say against a key schema. Each asks the database, and most tables have one of a few."""
    row = model(name="only-keys-count", **dict(zip(KEY_FIELDS, keys, strict=True)))
    found = []
    for constraint in model._meta.constraints:
        if isinstance(constraint, CheckConstraint):
            try:
                constraint.validate(model, row)
            except ValidationError as error:
                found += error.messages
    return tuple(found)
