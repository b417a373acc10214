"""Collects what a run reads, project by project or template by template, into one Infrastructure.

Two projects that both deploy ``biztechUsers`` become one table with two locations, and the roles of a service in
several templates are evaluated together. What one project imports from another (``Fn::ImportValue``) resolves in
whichever order they are read.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TypeVar

from ownership.drift.diagnostics import Diagnostics
from ownership.drift.iam.policies import Grants, KnownTables, PolicyEvaluator
from ownership.drift.iam.statements import PolicyStatement, Role
from ownership.drift.naming import Names
from ownership.drift.readers.resource_types import unread
from ownership.drift.readers.template import Exports, Template
from ownership.drift.types import READ_AND_WRITE, Infrastructure, ReadError, TableShape
from ownership.drift.values import Text


@dataclass(frozen=True)
class ServiceRole:
    """A role and the service that it belongs to. ``name`` is its logical name, where the template has it."""

    service: str
    statements: list[PolicyStatement]
    name: str | None = None


@dataclass(frozen=True)
class Part:
    """What one project or template has. ``service`` is whose project it is; a template may have several.

    ``permitted`` is what its tables permit; that a table permits a service something says nothing of the service's
    other permissions. ``denied`` is what its tables deny to everyone. ``nested`` are the stacks that are nested in the
    template's. ``misses_role``: it permits something to a role that no template read before it has.
    """

    service: str | None
    template: Template
    roles: list[ServiceRole]
    tables: list[TableShape]
    diagnostics: Diagnostics
    permitted: list[ServiceRole] = field(default_factory=list)
    denied: list[PolicyStatement] = field(default_factory=list)
    nested: list["Part"] = field(default_factory=list)
    misses_role: bool = False

    @property
    def is_early(self) -> bool:
        """Whether it, or a part nested in it, needs an export or a role that nothing read before it has."""
        is_early = self.template.misses_export or self.misses_role
        return is_early or any(part.is_early for part in self.nested)


MAX_PASSES = 6  # of reading what imports from others that import themselves

Source = TypeVar("Source")  # what a part is read from: a file or a stack


class Collector:
    """Collects the parts of one run. ``exports`` are those of all templates read so far, by name."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.exports = Exports()
        self.diagnostics = Diagnostics()
        self.roles: dict[str, list[Role]] = {}
        self._permitted: dict[str, list[Role]] = {}
        self._denied: list[PolicyStatement] = []
        self._services_of_roles: dict[str, set[str]] = {}  # by the roles' names
        self.unread: set[str] = set()  # services of which a project can't be read
        self._tables: dict[str, TableShape] = {}

    def read_all(self, sources: Iterable[Source], read: Callable[[Source], Part | None]) -> None:
        """Read each source; those that import what isn't exported yet, or name a role that wasn't read yet, are read
        again after all others.

        Again and again, where what they export in turn may be what others wait for.

        ``read`` gives None if it fails, and reports why to the collector.
        """
        waiting = list(sources)
        is_last = False
        for number in range(1, MAX_PASSES + 1):
            missing = []
            may_give_more = False
            for source in waiting:
                part = read(source)
                if part is None:
                    continue
                # A part read too early is discarded whole, with its diagnostics.
                if part.is_early and not is_last:
                    missing.append(source)
                    may_give_more = may_give_more or bool(part.template.outputs)
                else:
                    self._add(part)
            made_progress = number == 1 or len(missing) < len(waiting)
            is_last = not may_give_more or not made_progress or number == MAX_PASSES - 1
            waiting = missing

    def services_of_role(self, name: str) -> list[str]:
        """The services whose role has the name, by what was read so far."""
        return sorted(self._services_of_roles.get(name, ()))

    def add_error(self, error: ReadError) -> None:
        """Report a file that can't be read."""
        self.diagnostics.add_error(error)

    def add_unreadable_template(self, error: ReadError) -> None:
        """Report a template or plan that can't be read: it may permit anything to anyone."""
        self.add_error(error)
        name = Text(PurePath(error.location.file).name, error.location)
        reason = "this file can't be read, and may permit something"
        self.diagnostics.add_unresolved(name, reason, None, READ_AND_WRITE)

    def result(self, reader: str) -> Infrastructure:
        """All that was read, with the roles' policies evaluated.

        Patterns are matched with the tables of the map and those deployed.
        """
        self._report_role_uses()
        known_tables = KnownTables(
            self.names.tables | self._tables.keys(), self.names.physical_patterns
        )
        evaluator = PolicyEvaluator(known_tables, self.names, self.diagnostics)
        grants: Grants = {}
        for service in dict.fromkeys([*self.roles, *self._permitted]):
            roles = self.roles.get(service, []) + self._permitted.get(service, [])
            grants |= evaluator.grants(service, [[*role, *self._denied] for role in roles])
        return Infrastructure(
            reader=reader,
            grants={access: tuple(grant.locations) for access, grant in grants.items()},
            actions={access: frozenset(grant.actions) for access, grant in grants.items()},
            tables=tuple(self._tables.values()),
            services=frozenset(self.roles),
            unread=frozenset(self.unread),
            unresolved=tuple(self.diagnostics.unresolved),
            notes=tuple(self.diagnostics.notes),
            errors=tuple(self.diagnostics.errors.values()),
        )

    def _add(self, part: Part) -> None:
        _report_not_mappings(part)
        _report_unread(part)
        if part.service is not None:
            self.roles.setdefault(part.service, [])  # the service was read, even if it has no role
        for role in part.roles:
            self.roles.setdefault(role.service, []).append(role.statements)
            if role.name is not None:
                name = part.template.role_name(role.name)
                self._services_of_roles.setdefault(name, set()).add(role.service)
        for permitted in part.permitted:
            self._permitted.setdefault(permitted.service, []).append(permitted.statements)
        self._denied += part.denied
        for table in part.tables:
            self._add_table(table)
        self.diagnostics.update(part.diagnostics)
        for nested in part.nested:
            self._add(nested)

    def _report_role_uses(self) -> None:
        """Report roles that services act by, unless the run has read them and they are those services' own."""
        for use in self.diagnostics.role_uses:
            services = self._services_of_roles.get(use.role, set())
            is_own = use.service in services or (use.service is None and bool(services))
            if is_own:
                continue
            reason = use.reason
            if services:
                reason = f"the role is that of {', '.join(sorted(services))}"
            self.diagnostics.add_unresolved(use.text, reason, use.service, READ_AND_WRITE)

    def _add_table(self, table: TableShape) -> None:
        """Add a table. One that is deployed in several templates has the keys and indexes of the last."""
        earlier = self._tables.get(table.name)
        if earlier is None:
            self._tables[table.name] = table
            return
        if (earlier.key_schema, earlier.indexes) != (table.key_schema, table.indexes):
            self.diagnostics.add_note(
                table.locations[0],
                f"{table.name} has different keys or indexes in {earlier.locations[-1]}; those here are used",
            )
        self._tables[table.name] = replace(table, locations=earlier.locations + table.locations)


def _report_not_mappings(part: Part) -> None:
    """Report what is no mapping where one belongs, unless something else was reported in its location."""
    reported = set()
    for unresolved in part.diagnostics.unresolved:
        if unresolved.service == part.service:
            reported.add(unresolved.location)
    for text in part.template.not_mappings.values():
        if text.location not in reported:
            part.diagnostics.add_unresolved(text, "is not a mapping", part.service, READ_AND_WRITE)


def _report_unread(part: Part) -> None:
    """Report what no reader has read of the part's template: it may grant anything, to anyone in a plain template."""
    for text, reason in unread(part.template):
        part.diagnostics.add_unresolved(text, reason, part.service, READ_AND_WRITE)
