"""What importing a file would change: its statements compared with the registry, row by row, as a plan."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from ownership.catalog.queries import WholeMap, current_map
from ownership.exchange.imports.sameness import difference, folded
from ownership.exchange.imports.statements import (
    KINDS,
    MODELS,
    Fields,
    FieldValue,
    FilePlace,
    Key,
    RowStatement,
    Statements,
    describe_place,
    row_label,
)
from ownership.exchange.texts import with_unix_line_ends
from ownership.history.models import TrackedRow
from ownership.models import Service
from ownership.plans.plan import Plan
from ownership.plans.steps import Step, copy_of, unsaved_references

# The fields that a row is named by, in the order of ``Statement.names``.
NAME_FIELDS = {
    "environment": ["name"],
    "group": ["name"],
    "team": ["name"],
    "service": ["name"],
    "table": ["name"],
    "index": ["table", "name"],
    "access": ["table", "service"],
}
# The fields that refer to another row, and the kind of that row.
LINKS = {
    "group": "group",
    "owner": "service",
    "part_of": "service",
    "team": "team",
    "service": "service",
    "table": "table",
}
# Kinds that are listed by name.
WITHOUT_POSITION = ("team", "service")
# What a new row must have.
REQUIRED = {"table": ["group", "owner"], "access": ["mode"]}


@dataclass
class ImportPlan:
    """The plan, the places in the file that its steps come from, and what keeps it from being applied.

    ``kept`` counts the rows that the file could list and does not, by kind: without pruning they are kept.
    """

    plan: Plan
    places: dict[Step, FilePlace]
    problems: list[str]
    kept: dict[str, int]


def plan_import(
    statements: Statements, *, prune: bool = False, create_only: bool = False
) -> ImportPlan:
    """Plan what makes the registry match the file. Problems are the file's own mistakes and the rules it would break.

    ``prune`` deletes what the file could list and does not. ``create_only`` leaves alone each row that the registry
    has, or once had under that name.
    """
    return _Comparison(statements, create_only=create_only).run(prune=prune)


@dataclass
class _Draft:
    """A row that a statement creates or changes, before it is checked."""

    statement: RowStatement
    before: TrackedRow | None
    after: TrackedRow
    fields: Fields  # to set: those that differ, of a new row all that are stated


class _Comparison:
    """One comparison of a file with the registry as it is now."""

    def __init__(self, statements: Statements, *, create_only: bool) -> None:
        self.statements = statements
        self.problems = [*statements.problems]
        head, rows = current_map()
        self.revision = head.revision
        self.live = _rows_by_key(rows)
        self.rows = dict(self.live)  # with the new ones
        self.next_position = _next_positions(self.live)
        self.once_had: dict[str, set[str]] | None = None
        if create_only:
            self.once_had = _labels_in_history()

    def run(self, *, prune: bool) -> ImportPlan:
        """Compare, and plan."""
        statements = self.statements.in_order()
        places: dict[Step, FilePlace] = {}
        for draft in self._parents_first(self._valid_drafts(statements)):
            step = Step(draft.before, draft.after)
            places[step] = draft.statement.place
        steps = list(places)
        missing = self._missing({statement.key for statement in statements})
        if prune:
            self._refuse_ignored_lines()
            steps += [Step(self.live[key], None) for key in reversed(missing)]
        plan = Plan(steps, self.revision)
        # Rules between rows: what they would break belongs to a place in the file.
        for blocker in plan.blockers:
            label = f"{blocker.step.model._meta.verbose_name} {blocker.step.label}"
            self._problem(places.get(blocker.step, ""), f"{label}: {blocker.why}")
        return ImportPlan(plan, places, self.problems, _count_by_kind(missing))

    def _problem(self, place: FilePlace, words: str) -> None:
        self.problems.append(self.statements.message(place, words))

    def _valid_drafts(self, statements: list[RowStatement]) -> list[_Draft]:
        """The rows that differ. For invalid ones, problems are noted instead."""
        drafts = []
        for statement in statements:
            if self.once_had is not None and self._is_known(statement, self.once_had):
                continue
            before = self.live.get(statement.key)
            draft = self._new_row(statement) if before is None else _changed_row(statement, before)
            if draft.fields:
                drafts.append(draft)
        self._ask_about_similar(drafts)
        valid = []
        # Only now are all rows there that a draft may refer to.
        for draft in drafts:
            linked = self._link(draft)
            correct = self._check(draft)
            if linked and correct:
                valid.append(draft)
        return _without_invalid_targets(valid)

    def _new_row(self, statement: RowStatement) -> _Draft:
        row = MODELS[statement.kind]()
        if statement.kind not in WITHOUT_POSITION:
            row.position = self._take_position(statement.key)
        self.rows[statement.key] = row
        fields: Fields = {}
        fields.update(zip(NAME_FIELDS[statement.kind], statement.names, strict=True))
        fields.update(statement.fields)
        return _Draft(statement, None, row, fields)

    def _ask_about_similar(self, drafts: list[_Draft]) -> None:
        """Note each new row that is named like another one, but for case, width or white space.

        Like one that is there, or like another new one: in files that make rows by naming them, either may be a
        mistyped other. JSON and YAML list each row, so there a mistyped name is an unknown one.
        """
        live: dict[Key, str] = {}
        for kind, (*parents, name) in self.live:
            live.setdefault((kind, (*parents, folded(name))), name)
        new: dict[Key, RowStatement] = {}
        for draft in drafts:
            statement = draft.statement
            # An access is named by rows that are asked about themselves.
            if draft.before is not None or statement.kind == "access":
                continue
            *parents, name = statement.names
            alike = statement.kind, (*parents, folded(name))
            if alike in live:
                like = live[alike]
                self._report(
                    statement,
                    f"is almost the name of {statement.kind} {like}, which exists: {difference(like, name)}. "
                    f"Write {like}, or rename that one in the admin first.",
                )
            elif isinstance(statement.place, int):
                first = new.setdefault(alike, statement)
                if first is not statement:
                    self._report_alike(first, statement)

    def _report_alike(self, first: RowStatement, second: RowStatement) -> None:
        *_, like = first.names
        *_, name = second.names
        self._report(
            second,
            f"is almost the name of {like} in {describe_place(first.place)}: {difference(like, name)}. "
            "Write both alike. If both are meant, add them in the admin first.",
        )

    def _is_known(self, statement: RowStatement, once_had: dict[str, set[str]]) -> bool:
        """Whether the registry has or once had the row, or once had its table."""
        kind, names = statement.key
        if row_label(kind, names) in once_had[kind]:
            return True
        return kind in ("index", "access") and ("table", names[:1]) not in self.rows

    def _link(self, draft: _Draft) -> bool:
        """Set the references to other rows; False, with a problem noted, if there is no such row."""
        linked = True
        for name in draft.fields.keys() & LINKS.keys():
            kind, target_name = LINKS[name], draft.fields[name]
            if target_name is None:
                setattr(draft.after, name, None)
                continue
            target = self.rows.get((kind, (str(target_name),)))
            if target is None:
                linked = False
                self._report(draft.statement, self._unknown(kind, str(target_name)))
            setattr(draft.after, name, target)
        return linked

    def _unknown(self, kind: str, name: str) -> str:
        if self.once_had is not None and name in self.once_had[kind]:
            return f"the registry has renamed or deleted the {kind} {name!r}: use its current name."
        for live_kind, names in self.live:
            if live_kind == kind and folded(names[0]) == folded(name):
                return (
                    f"unknown {kind} {name!r}: write {names[0]!r} ({difference(names[0], name)})."
                )
        return f"unknown {kind} {name!r}."

    def _check(self, draft: _Draft) -> bool:
        """Set the other fields and validate the row on its own; False, with problems noted, if it is invalid."""
        for name in draft.fields.keys() - LINKS.keys():
            setattr(draft.after, name, draft.fields[name])
        missing = _missing_fields(draft)
        for name in missing:
            self._report(draft.statement, f"is new, so it needs {_with_article(name)}.")
        try:
            draft.after.clean_fields(exclude={*LINKS, *missing})
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                words = name.removesuffix("_name").replace("_", " ")
                self._report(draft.statement, f"{words}: {' '.join(messages)}")
            return False
        return not missing

    def _report(self, statement: RowStatement, words: str) -> None:
        self._problem(statement.place, f"{statement.label}: {words}")

    def _take_position(self, key: Key) -> int:
        """New rows come after existing ones, in the file's order."""
        siblings = _siblings(key)
        position = self.next_position.get(siblings, 0)
        self.next_position[siblings] = position + 1
        return position

    def _parents_first(self, drafts: list[_Draft]) -> list[_Draft]:
        """The drafts, with each service after the one that it is part of. Circles are noted as problems."""
        by_key = {draft.statement.key: draft for draft in drafts}
        ordered: dict[Key, _Draft] = {}
        for draft in drafts:
            if draft.statement.key in ordered:
                continue
            for key in reversed(self._chain_of_parents(draft, by_key)):
                if key in by_key:
                    ordered.setdefault(key, by_key[key])
        return list(ordered.values())

    def _chain_of_parents(self, draft: _Draft, by_key: dict[Key, _Draft]) -> list[Key]:
        """A row, the one that it is part of, and so on. Only services are part of others."""
        chain: list[Key] = []
        key: Key | None = draft.statement.key
        while key is not None:
            if key in chain:
                names = [names[0] for _, names in [*chain[chain.index(key) :], key]]
                self._report(draft.statement, f"parts go in a circle: {' → '.join(names)}.")
                break
            chain.append(key)
            row = by_key[key].after if key in by_key else self.live.get(key)
            key = _key_of_parent(row)
        return chain

    def _missing(self, stated: set[Key]) -> list[Key]:
        """Rows that the file could list and does not, in the order in which rows are created."""
        missing = [key for key in self.live if self._could_list(key) and key not in stated]
        return sorted(missing, key=lambda key: KINDS.index(key[0]))

    def _could_list(self, key: Key) -> bool:
        """Whether the file lists all rows of this kind, or of this kind and table."""
        kind, names = key
        if kind in self.statements.complete_kinds:
            return True
        return (kind, names[0]) in self.statements.complete_parts

    def _refuse_ignored_lines(self) -> None:
        if self.statements.ignored:
            lines = ", ".join(str(number) for number, _ in self.statements.ignored)
            self._problem(
                "",
                "with --prune every line must be understood, because what it describes could be deleted: "
                f"correct or remove line {lines}.",
            )


def _without_invalid_targets(drafts: list[_Draft]) -> list[_Draft]:
    """The drafts that refer to none but stored rows and new ones among them.

    Others refer to a new row that is invalid, whose problem is noted already.
    """
    while True:
        new_rows = {id(draft.after) for draft in drafts if draft.before is None}
        kept = []
        for draft in drafts:
            targets = unsaved_references(draft.after).values()
            if all(id(target) in new_rows for target in targets):
                kept.append(draft)
        if len(kept) == len(drafts):
            return kept
        # What refers to a row that was just left out has to go, too.
        drafts = kept


def _missing_fields(draft: _Draft) -> list[str]:
    """What a new row must have, and the file does not state."""
    if draft.before is not None:
        return []
    required = REQUIRED.get(draft.statement.kind, [])
    return [name for name in required if not draft.fields.get(name)]


def _changed_row(statement: RowStatement, row: TrackedRow) -> _Draft:
    """A copy of the row, and the fields to set on it: those that differ, if any."""
    fields: Fields = {}
    for name, value in statement.fields.items():
        stored = _stated_value(row, name)
        if isinstance(stored, str):
            stored = with_unix_line_ends(stored)
        if stored != value:
            fields[name] = value
    after = copy_of(row) if fields else row
    return _Draft(statement, row, after, fields)


def _rows_by_key(rows: WholeMap) -> dict[Key, TrackedRow]:
    by_key: dict[Key, TrackedRow] = {}
    for kind, plural in (
        ("environment", "environments"),
        ("group", "groups"),
        ("team", "teams"),
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
        if key[0] not in WITHOUT_POSITION:
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


def _stated_value(row: TrackedRow, name: str) -> FieldValue:
    """A field of a row as files have it: a name where it refers to another row."""
    value = getattr(row, name)
    if name in LINKS and value is not None:
        return value.name
    return value


def _key_of_parent(row: TrackedRow | None) -> Key | None:
    if isinstance(row, Service) and row.part_of is not None:
        return "service", (row.part_of.name,)
    return None


def _count_by_kind(keys: list[Key]) -> dict[str, int]:
    return Counter(kind for kind, _ in keys)


def _with_article(name: str) -> str:
    article = "an" if name[0] in "aeiou" else "a"
    return f"{article} {name}"
