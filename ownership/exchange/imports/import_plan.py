"""What importing a file would change: its statements compared with the registry, row by row, as a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from ownership.catalog.queries import WholeMap, current_map
from ownership.exchange.imports.statements import (
    KINDS,
    MODELS,
    Fields,
    Key,
    Place,
    Statement,
    Statements,
    Value,
    row_label,
)
from ownership.history.models import TrackedRow
from ownership.models import Service
from ownership.plans.plan import Plan
from ownership.plans.steps import Step, copy_of

# The fields that a row is named by, in the order of ``Statement.names``.
NAME_FIELDS = {
    "environment": ["name"],
    "group": ["name"],
    "service": ["name"],
    "table": ["name"],
    "index": ["table", "name"],
    "access": ["table", "service"],
}
# The fields that name another row, and the kind of that row.
LINKS = {
    "group": "group",
    "owner": "service",
    "part_of": "service",
    "service": "service",
    "table": "table",
}
# What a new row can't do without.
REQUIRED = {"table": ["group", "owner"], "access": ["mode"]}


@dataclass
class ImportPlan:
    """The plan, the places in the file that its steps come from, and what keeps it from being applied.

    ``kept`` counts the rows that the file could list and does not, by kind: without pruning they stay.
    """

    plan: Plan
    places: dict[Step, Place]
    problems: list[str]
    kept: dict[str, int]


def plan_import(statements: Statements, *, prune: bool = False, create_only: bool = False) -> ImportPlan:
    """Plan what makes the registry say what the file says. Problems are the file's own and the rules it would break.

    ``prune`` deletes what the file could list and does not. ``create_only`` leaves alone each row that the registry
    has, or once had under that name.
    """
    return _Comparison(statements, create_only=create_only).run(prune=prune)


@dataclass
class _Draft:
    """A row that a statement creates or changes, before it is checked."""

    statement: Statement
    before: TrackedRow | None
    after: TrackedRow
    fields: Fields  # those that differ; of a new row all that are stated


class _Comparison:
    """One comparison of a file with the registry as it is now."""

    def __init__(self, statements: Statements, *, create_only: bool) -> None:
        self.statements = statements
        self.problems = [*statements.problems]
        head, rows = current_map()
        self.revision = head[0]
        self.live = _rows_by_key(rows)
        self.rows = dict(self.live)  # with the new ones
        self.next_position = _next_positions(self.live)
        self.once_had: dict[str, set[str]] | None = None
        if create_only:
            self.once_had = _labels_in_history()

    def run(self, *, prune: bool) -> ImportPlan:
        """Compare, and plan."""
        statements = self.statements.in_order()
        drafts = []
        for statement in statements:
            draft = self._draft(statement)
            if draft is not None:
                drafts.append(draft)
        valid = []
        for draft in drafts:  # only now are all rows there that a draft may name
            linked, correct = self._link(draft), self._check(draft)
            if linked and correct:
                valid.append(draft)
        places: dict[Step, Place] = {}
        for draft in self._wholes_first(valid):
            step = Step(draft.before, draft.after)
            places[step] = draft.statement.place
        steps = list(places)
        missing = self._missing({statement.key for statement in statements})
        if prune:
            self._refuse_ignored_lines()
            steps += [Step(self.live[key], None) for key in reversed(missing)]
        plan = Plan(steps, self.revision)
        for blocker in plan.blockers:
            label = f"{blocker.step.model._meta.verbose_name} {blocker.step.label}"
            self._problem(places.get(blocker.step, ""), f"{label}: {blocker.why}")
        return ImportPlan(plan, places, self.problems, _count_by_kind(missing))

    def _problem(self, place: Place, words: str) -> None:
        self.problems.append(self.statements.message(place, words))

    def _draft(self, statement: Statement) -> _Draft | None:
        """The row with the plain fields that the statement gives it; None where nothing differs."""
        if self.once_had is not None and self._is_known(statement, self.once_had):
            return None
        before = self.live.get(statement.key)
        model = MODELS[statement.kind]
        if before is None:
            names = zip(NAME_FIELDS[statement.kind], statement.names, strict=True)
            fields = dict(names) | statement.fields
            after = model()
            if statement.kind != "service":
                after.position = self._take_position(statement.key)
            self.rows[statement.key] = after
        else:
            fields = {}
            for name, value in statement.fields.items():
                if _stated_value(before, name) != value:
                    fields[name] = value
            if not fields:
                return None
            after = copy_of(before)
        for name in fields.keys() - LINKS.keys():
            setattr(after, name, fields[name])
        return _Draft(statement, before, after, fields)

    def _is_known(self, statement: Statement, once_had: dict[str, set[str]]) -> bool:
        """Whether the registry has the row or once had it, or once had the table that it belongs to."""
        kind, names = statement.key
        if row_label(kind, names) in once_had[kind]:
            return True
        return kind in ("index", "access") and ("table", names[:1]) not in self.rows

    def _link(self, draft: _Draft) -> bool:
        """Set the fields that name other rows; False, with a problem noted, where there is no such row."""
        linked = True
        for name in draft.fields.keys() & LINKS.keys():
            kind, target_name = LINKS[name], draft.fields[name]
            target = None
            if target_name:
                target = self.rows.get((kind, (str(target_name),)))
                if target is None:
                    self._report(draft.statement, self._unknown(kind, str(target_name)))
                    linked = False
            setattr(draft.after, name, target)
        return linked

    def _unknown(self, kind: str, name: str) -> str:
        if self.once_had is not None and name in self.once_had[kind]:
            return f"the registry renamed or deleted its {kind} {name!r}: use its present name."
        return f"unknown {kind} {name!r}."

    def _check(self, draft: _Draft) -> bool:
        """Whether the row holds what it must, as far as it can be looked at alone; else problems are noted."""
        missing = []
        if draft.before is None:
            for name in REQUIRED.get(draft.statement.kind, []):
                if not draft.fields.get(name):
                    missing.append(name)
                    self._report(draft.statement, f"is new, so it needs {_with_article(name)}.")
        try:
            draft.after.clean_fields(exclude={*LINKS, *missing})
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                words = name.removesuffix("_name").replace("_", " ")
                self._report(draft.statement, f"{words}: {' '.join(messages)}")
            return False
        return not missing

    def _report(self, statement: Statement, words: str) -> None:
        self._problem(statement.place, f"{statement.label}: {words}")

    def _take_position(self, key: Key) -> int:
        """New rows come after those that are there, in the file's order."""
        siblings = _siblings(key)
        position = self.next_position.get(siblings, 0)
        self.next_position[siblings] = position + 1
        return position

    def _wholes_first(self, drafts: list[_Draft]) -> list[_Draft]:
        """The drafts with each service after the one that it is part of; circles are noted as problems."""
        services = {draft.statement.names[0]: draft for draft in drafts if draft.statement.kind == "service"}
        ordered: list[_Draft] = []
        placed: set[str] = set()
        for draft in drafts:
            if draft.statement.kind != "service":
                ordered.append(draft)
                continue
            if draft.statement.names[0] in placed:
                continue
            chain = self._chain_of_wholes(draft, services)
            for name in reversed(chain):
                if name in services and name not in placed:
                    placed.add(name)
                    ordered.append(services[name])
        return ordered

    def _chain_of_wholes(self, draft: _Draft, services: dict[str, _Draft]) -> list[str]:
        """The names of a service, the one that it is part of, and so on."""
        chain: list[str] = []
        name: str | None = draft.statement.names[0]
        while name is not None:
            if name in chain:
                circle = " → ".join([*chain[chain.index(name) :], name])
                self._report(draft.statement, f"parts go in a circle: {circle}.")
                break
            chain.append(name)
            service = services[name].after if name in services else self.live.get(("service", (name,)))
            name = _name_of_whole(service)
        return chain

    def _missing(self, stated: set[Key]) -> list[Key]:
        """Rows that the file could list and does not, in the order in which rows are created."""
        tables = {names[0] for kind, names in stated if kind == "table"}
        missing = []
        for kind, names in self.live:
            in_complete_part = (
                kind,
                names[0],
            ) in self.statements.complete_parts and names[0] in tables
            listed = kind in self.statements.complete_kinds or in_complete_part
            if listed and (kind, names) not in stated:
                missing.append((kind, names))
        return sorted(missing, key=lambda key: KINDS.index(key[0]))

    def _refuse_ignored_lines(self) -> None:
        if self.statements.ignored:
            lines = ", ".join(str(number) for number, _ in self.statements.ignored)
            self._problem(
                "",
                "with --prune every line must be understood, for what it says would be deleted: "
                f"correct or remove line {lines}.",
            )


def _rows_by_key(rows: WholeMap) -> dict[Key, TrackedRow]:
    by_key: dict[Key, TrackedRow] = {}
    for kind, plural in (
        ("environment", "environments"),
        ("group", "groups"),
        ("service", "services"),
    ):
        for row in rows[plural]:
            by_key[kind, (row.name,)] = row
    for table in rows["tables"]:
        by_key["table", (table.name,)] = table
        for index in table.indexes.all():
            by_key["index", (table.name, index.name)] = index
        for access in table.accesses.all():
            by_key["access", (table.name, access.service.name)] = access
    return by_key


def _next_positions(rows: dict[Key, Any]) -> dict[Key, int]:
    positions: dict[Key, int] = {}
    for key, row in rows.items():
        if key[0] != "service":
            siblings = _siblings(key)
            positions[siblings] = max(positions.get(siblings, 0), row.position + 1)
    return positions


def _siblings(key: Key) -> Key:
    """The rows among which a row has its position: those of its kind, and of its table where it has one."""
    kind, names = key
    return kind, names[:-1]


def _labels_in_history() -> dict[str, set[str]]:
    """{kind: all that rows of the kind were ever called}"""
    labels = {}
    for kind, model in MODELS.items():
        labels[kind] = set(model.history.order_by().values_list("label", flat=True).distinct())
    return labels


def _stated_value(row: TrackedRow, name: str) -> Value:
    """A field of a row as files have it: a name where it names another row."""
    value = getattr(row, name)
    if name in LINKS and value is not None:
        return value.name
    return value


def _name_of_whole(service: TrackedRow | None) -> str | None:
    if isinstance(service, Service) and service.part_of is not None:
        return service.part_of.name
    return None


def _count_by_kind(keys: list[Key]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for kind, _ in keys:
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def _with_article(name: str) -> str:
    article = "an" if name[0] in "aeiou" else "a"
    return f"{article} {name}"
