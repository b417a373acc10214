"""Evaluates policies: what the roles of a service permit it to do with the items of tables.

A role with these statements::

    Allow  dynamodb:GetItem, dynamodb:PutItem   table/biztech*
    Deny   dynamodb:PutItem                     table/biztechUsers

grants a service ``read`` on ``biztechUsers``, and ``read`` and ``write`` on every other known table whose name
begins with ``biztech``.
Source: IAM User Guide, "Policy evaluation logic": an explicit Deny overrides every Allow of the same principal.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from ownership.drift.diagnostics import Diagnostics
from ownership.drift.iam.actions import ACTION_MODES, INDEX_ACTIONS, SPELLED
from ownership.drift.iam.patterns import has_wildcard, matches
from ownership.drift.iam.statements import PolicyStatement, ResourcePattern, Role
from ownership.drift.naming import Names
from ownership.drift.physical_names import NamePattern
from ownership.drift.types import ActionOn, GrantedAccess, Location, ReadOrWrite
from ownership.drift.values import Text


@dataclass
class PolicyGrant:
    """What grants one access: the locations, in order, and the actions that they permit."""

    locations: dict[Location, None] = field(default_factory=dict)
    actions: set[ActionOn] = field(default_factory=set)


Grants = dict[GrantedAccess, PolicyGrant]

INDEX = "/index/"
ALL_INDEXES = f"{INDEX}*"
BASE_NAME = NamePattern()
WILDCARD = re.compile(r"[*?]")


@dataclass(frozen=True)
class GrantTarget:
    """A table, or some of its indexes: ``index`` is empty, ``/index/by-name`` or ``/index/*``."""

    table: str
    index: str
    location: Location

    def path(self, pattern: NamePattern = BASE_NAME) -> str:
        """The path that a resource must match, in an environment with that pattern."""
        return f"table/{pattern.physical(self.table)}{self.index}"


class KnownTables:
    """The base names that patterns are matched with: tables of the map and those deployed."""

    def __init__(self, names: Iterable[str], patterns: Iterable[NamePattern] = ()) -> None:
        self.names = sorted(names)
        self._as_set = frozenset(self.names)
        self._prefixes = {BASE_NAME.before}.union(pattern.before for pattern in patterns)

    def candidates(self, pattern: str) -> Iterable[str]:
        """The tables, in order, that a pattern might match, found by the pattern's beginning.

        Matching every pattern with every table would take time in the product of their numbers.
        """
        beginning = _literal_beginning(pattern)
        tables: set[str] = set()
        for prefix in self._prefixes:
            # `prod-ord*` and `pr*` match `orders` where an environment puts `prod-` in front.
            if beginning.startswith(prefix):
                tables.update(self._beginning_with(beginning.removeprefix(prefix)))
            elif prefix.startswith(beginning):
                return self.names
        return sorted(tables)

    def _beginning_with(self, beginning: str) -> Iterator[str]:
        # The beginning may include a suffix: `biztechUsersP*` matches `biztechUsers` in production.
        for end in range(1, len(beginning)):
            if beginning[:end] in self._as_set:
                yield beginning[:end]
        # In sorted order, the names with the same beginning follow one another.
        first = bisect_left(self.names, beginning)
        for position in range(first, len(self.names)):
            name = self.names[position]
            if not name.startswith(beginning):
                break
            yield name


class PolicyEvaluator:
    """Evaluates roles. What can't be resolved goes into the diagnostics."""

    def __init__(self, known_tables: KnownTables, names: Names, diagnostics: Diagnostics) -> None:
        self.known_tables = known_tables
        self.diagnostics = diagnostics
        self.physical_patterns = names.physical_patterns
        self.patterns_or_none = {*names.physical_patterns, BASE_NAME}
        self.map_has_tables = bool(names.tables)

    def grants(self, service: str, roles: Iterable[Role]) -> Grants:
        """What a service may do with items: each access with what grants it.

        A Deny applies to its own role alone. A pattern that matches no known table is reported as unresolved.
        """
        grants: Grants = defaultdict(PolicyGrant)
        for role in roles:
            for target, actions in self._permissions(service, role):
                index = target.index.removeprefix(INDEX)
                for mode, on_target in _actions_by_mode(actions, index).items():
                    grant = grants[GrantedAccess(service, target.table, mode)]
                    grant.locations[target.location] = None
                    grant.actions |= on_target
        return dict(grants)

    def _permissions(
        self, service: str, role: Role
    ) -> Iterator[tuple[GrantTarget, frozenset[str]]]:
        allows = []
        denies = []
        for statement in role:
            if statement.allow:
                allows.append(statement)
            else:
                denies.append(statement)
        for allow in allows:
            for target in self._targets(service, allow):
                yield target, self._permitted(allow, target, denies)

    def _permitted(
        self, allow: PolicyStatement, target: GrantTarget, denies: Iterable[PolicyStatement]
    ) -> frozenset[str]:
        """The actions that an Allow permits on its target and no Deny takes away."""
        actions = allow.actions
        if target.index:
            # The other actions, such as GetItem, work on tables alone.
            actions &= INDEX_ACTIONS
        for deny in denies:
            if self._denies(deny, target):
                actions -= deny.actions
        return actions

    def _targets(self, service: str, allow: PolicyStatement) -> Iterator[GrantTarget]:
        """The tables and indexes that an Allow reaches."""
        if allow.not_resource:
            yield from self._targets_left_out(allow)
            return
        for resource in allow.resources:
            if _is_exact_table(resource.path):
                yield from _exact_targets(resource)
                continue
            targets = self._matching_targets(resource)
            # On a map without tables no pattern could match, and to report each would say nothing.
            if not targets and self.map_has_tables:
                pattern = Text(resource.path, resource.location)
                reason = "the pattern matches no known table"
                self.diagnostics.add_unresolved(pattern, reason, service)
            yield from targets

    def _targets_left_out(self, allow: PolicyStatement) -> Iterator[GrantTarget]:
        """What NotResource doesn't list, and an Allow therefore reaches."""
        for table in self.known_tables.names:
            for index in ("", ALL_INDEXES):
                target = GrantTarget(table, index, allow.location)
                is_listed = any(self._reaches(resource, target) for resource in allow.resources)
                if not is_listed:
                    yield target

    def _matching_targets(self, resource: ResourcePattern) -> list[GrantTarget]:
        """The tables that a pattern matches, and their indexes."""
        indexes = ALL_INDEXES
        _, slash, index_name = resource.path.partition("/index/")
        if slash:
            indexes = f"/index/{index_name}"
        targets = []
        for table in self.known_tables.candidates(resource.path):
            for index in ("", indexes):
                target = GrantTarget(table, index, resource.location)
                if self._reaches(resource, target):
                    targets.append(target)
        return targets

    def _reaches(self, resource: ResourcePattern, target: GrantTarget) -> bool:
        """Whether a resource matches the target in any of the environments that are read."""
        return any(
            matches(resource.path, target.path(pattern)) for pattern in self.patterns_or_none
        )

    def _denies(self, deny: PolicyStatement, target: GrantTarget) -> bool:
        """Whether a Deny applies to the target in all of the environments that are read."""
        for pattern in self.physical_patterns:
            is_listed = _lists(deny.resources, target, pattern)
            # With NotResource, what is listed is what the Deny leaves out.
            if is_listed == deny.not_resource:
                return False
        return True


@lru_cache(maxsize=4096)
def _actions_by_mode(actions: frozenset[str], index: str) -> dict[ReadOrWrite, frozenset[ActionOn]]:
    """The actions, in lower case, as a grant keeps them."""
    by_mode: dict[ReadOrWrite, set[ActionOn]] = defaultdict(set)
    for action in actions:
        by_mode[ACTION_MODES[action]].add(ActionOn(SPELLED[action], index))
    return {mode: frozenset(on_target) for mode, on_target in by_mode.items()}


def _lists(resources: Iterable[ResourcePattern], target: GrantTarget, pattern: NamePattern) -> bool:
    """Whether one of the resources matches the target in an environment with that pattern.

    A table's name without wildcards is the base name already, and so matches in each environment. What follows it
    may have wildcards all the same (``table/orders/index/*``).
    """
    base_path = target.path()
    physical_path = target.path(pattern)
    for resource in resources:
        if _is_exact_table(resource.path) and matches(resource.path, base_path):
            return True
        if matches(resource.path, physical_path):
            return True
    return False


def _is_exact_table(path: str) -> bool:
    """Whether a path names one table, though perhaps many of its indexes."""
    if not path.startswith("table/"):
        return False
    name = path.removeprefix("table/").partition("/")[0]
    return not has_wildcard(name)


def _exact_targets(resource: ResourcePattern) -> list[GrantTarget]:
    """The table that a path names, or its indexes; nothing for ``table/NAME/stream/…``."""
    name, _, rest = resource.path.removeprefix("table/").partition("/")
    if not rest:
        return [GrantTarget(name, "", resource.location)]
    if rest.startswith("index/"):
        return [GrantTarget(name, f"/{rest}", resource.location)]
    if matches(rest, "index/*"):
        return [GrantTarget(name, ALL_INDEXES, resource.location)]
    return []


def _literal_beginning(pattern: str) -> str:
    """What a table's name begins with if ``table/…`` matches it: the characters before the first wildcard."""
    if not pattern.startswith("table/"):
        return ""
    name = pattern.removeprefix("table/")
    return WILDCARD.split(name, maxsplit=1)[0]
