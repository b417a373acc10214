"""Evaluates policies: what the roles of a service permit it to do with the items of tables.

A role with these statements::

    Allow  dynamodb:GetItem, dynamodb:PutItem   table/biztech*
    Deny   dynamodb:PutItem                     table/biztechUsers

grants a service ``read`` on ``biztechUsers``, and ``read`` and ``write`` on every other known table whose name
begins with ``biztech``.
Source: IAM User Guide, "Policy evaluation logic": an explicit Deny overrides every Allow of the same principal.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ownership.drift.diagnostics import Diagnostics
from ownership.drift.iam.actions import INDEX_ACTIONS, modes_of
from ownership.drift.iam.patterns import has_wildcard, matches
from ownership.drift.iam.statements import Resource, Role, Statement
from ownership.drift.naming import Names
from ownership.drift.types import GrantedAccess, Location
from ownership.drift.values import Text

Grants = dict[GrantedAccess, tuple[Location, ...]]

ALL_INDEXES = "/index/*"


@dataclass(frozen=True)
class Target:
    """A table, or some of its indexes: ``index`` is empty, ``/index/by-name`` or ``/index/*``."""

    table: str
    index: str
    location: Location

    def path(self, suffix: str = "") -> str:
        """The path that a resource must match, in the environment with that suffix."""
        return f"table/{self.table}{suffix}{self.index}"


class PolicyEvaluator:
    """Evaluates roles. ``known_tables`` are the base names, sorted, that patterns are matched with."""

    def __init__(self, known_tables: Sequence[str], names: Names, diagnostics: Diagnostics) -> None:
        self.known_tables = known_tables
        self.diagnostics = diagnostics
        self.physical_suffixes = names.physical_suffixes
        self.suffixes_or_none = names.physical_suffixes | {""}
        self.map_has_tables = bool(names.tables)

    def grants(self, service: str, roles: Iterable[Role]) -> Grants:
        """What a service may do with items: each access with the locations that grant it.

        A Deny applies to its own role alone. A pattern that matches no known table is reported as unresolved.
        """
        locations: dict[GrantedAccess, dict[Location, None]] = defaultdict(dict)
        for role in roles:
            denies = [statement for statement in role if not statement.allow]
            for statement in role:
                if not statement.allow:
                    continue
                for target in self._targets(service, statement):
                    for mode in modes_of(self._permitted(statement, target, denies)):
                        access = GrantedAccess(service, target.table, mode)
                        locations[access][target.location] = None
        return {access: tuple(found) for access, found in locations.items()}

    def _permitted(self, allow: Statement, target: Target, denies: Iterable[Statement]) -> frozenset[str]:
        """The actions that an Allow permits on its target and no Deny takes away."""
        actions = allow.actions
        if target.index:
            actions &= INDEX_ACTIONS
        for deny in denies:
            if self._denies(deny, target):
                actions -= deny.actions
        return actions

    def _targets(self, service: str, allow: Statement) -> Iterator[Target]:
        """The tables and indexes that an Allow reaches."""
        if allow.inverted:
            yield from self._targets_left_out(allow)
            return
        for resource in allow.resources:
            if _is_exact_table(resource.path):
                yield from _exact_targets(resource)
                continue
            targets = self._matching_targets(resource)
            if not targets and self.map_has_tables:
                pattern = Text(resource.path, resource.location)
                self.diagnostics.add_unresolved(pattern, "the pattern matches no known table", service)
            yield from targets

    def _targets_left_out(self, allow: Statement) -> Iterator[Target]:
        """What NotResource doesn't list, and an Allow therefore reaches."""
        for table in self.known_tables:
            for index in ("", ALL_INDEXES):
                target = Target(table, index, allow.location)
                if not any(self._reaches(resource, target) for resource in allow.resources):
                    yield target

    def _matching_targets(self, resource: Resource) -> list[Target]:
        """The tables that a pattern matches, and their indexes."""
        _, slash, index_name = resource.path.partition("/index/")
        index = f"/index/{index_name}" if slash else ALL_INDEXES
        targets = []
        for table in self._candidates(resource.path):
            for target in (
                Target(table, "", resource.location),
                Target(table, index, resource.location),
            ):
                if self._reaches(resource, target):
                    targets.append(target)
        return targets

    def _candidates(self, pattern: str) -> Iterator[str]:
        """The known tables, in order, that a pattern might match, found by the pattern's beginning.

        Testing all tables with each pattern would take time in the product of their numbers.
        """
        beginning = _literal_beginning(pattern)
        # The beginning may include a suffix: `biztechUsersP*` matches `biztechUsers` in production.
        for end in range(1, len(beginning)):
            name = beginning[:end]
            position = bisect_left(self.known_tables, name)
            if position < len(self.known_tables) and self.known_tables[position] == name:
                yield name
        position = bisect_left(self.known_tables, beginning)
        while position < len(self.known_tables) and self.known_tables[position].startswith(beginning):
            yield self.known_tables[position]
            position += 1

    def _reaches(self, resource: Resource, target: Target) -> bool:
        """Whether a resource matches the target in any of the environments that are read."""
        return any(matches(resource.path, target.path(suffix)) for suffix in self.suffixes_or_none)

    def _denies(self, deny: Statement, target: Target) -> bool:
        """Whether a Deny applies to the target in all of the environments that are read."""
        for suffix in self.physical_suffixes:
            is_listed = _lists(deny.resources, target, suffix)
            if is_listed == deny.inverted:
                return False
        return True


def _lists(resources: Iterable[Resource], target: Target, suffix: str) -> bool:
    """Whether one of the resources matches the target in the environment with that suffix.

    A path without wildcards has the base name already, and so matches in each environment.
    """
    base_path, physical_path = target.path(), target.path(suffix)
    return any(resource.path == base_path or matches(resource.path, physical_path) for resource in resources)


def _is_exact_table(path: str) -> bool:
    """Whether a path names one table, though perhaps many of its indexes."""
    if not path.startswith("table/"):
        return False
    name = path.removeprefix("table/").partition("/")[0]
    return not has_wildcard(name)


def _exact_targets(resource: Resource) -> list[Target]:
    """The table that a path names, or its indexes; nothing for ``table/NAME/stream/…``."""
    name, _, rest = resource.path.removeprefix("table/").partition("/")
    if not rest:
        return [Target(name, "", resource.location)]
    if rest.startswith("index/"):
        return [Target(name, f"/{rest}", resource.location)]
    if matches(rest, "index/*"):
        return [Target(name, ALL_INDEXES, resource.location)]
    return []


def _literal_beginning(pattern: str) -> str:
    """What a table's name begins with if ``table/…`` matches it: the characters before the first wildcard."""
    if not pattern.startswith("table/"):
        return ""
    name = pattern.removeprefix("table/")
    for position, character in enumerate(name):
        if has_wildcard(character):
            return name[:position]
    return name
