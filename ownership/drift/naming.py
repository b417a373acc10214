"""Maps names in infrastructure to names on the map: tables by base name, services by name or alias.

With the environments ``dev`` (suffix empty) and ``production`` (suffix ``PROD``)::

    biztechUsers${opt:stage}              table biztechUsers
    ${opt:stage}-users                    table users
    shop-${opt:stage}-users               table users, if an environment has the pattern shop-{stage}-{name}
    biztechUsersPROD                      table biztechUsers, if the map has it
    services/users, club-users            service users: the folder's name, or the project's without its prefix
    role club-payments-dev-lambdaRole     service payments: the only one whose name is among its words
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ownership.drift.environment_words import SEPARATORS
from ownership.drift.physical_names import NamePattern
from ownership.drift.service_names import (
    service_in_folders,
    service_of_role,
    unregistered_service_name,
)
from ownership.drift.types import DeclaredMap
from ownership.drift.values import PLACEHOLDER, Text, Variable
from ownership.drift.varying_names import bases_by_patterns


@dataclass(frozen=True)
class Names:
    """The names on a map.

    - ``patterns``: how each environment makes physical names. ``pattern``: how the chosen one does; None where none
      is chosen.
    - ``indexes``: the names of indexes.
    - ``given``: what ``--tables`` says: logical id or physical name → table.
    """

    tables: frozenset[str] = frozenset()
    services: dict[str, str] = field(default_factory=dict)  # name or alias in lower case → name
    patterns: tuple[NamePattern, ...] = ()
    pattern: NamePattern | None = None
    indexes: frozenset[str] = frozenset()
    given: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        declared: DeclaredMap,
        environment: str | None = None,
        given: Mapping[str, str] | None = None,
    ) -> "Names":
        """The names of a map. Raises KeyError for an environment that the map doesn't have."""
        pattern = None
        if environment is not None:
            pattern = declared.environments[environment]
        tables: set[str] = set()
        indexes: set[str] = set()
        for table in declared.tables:
            tables.add(table.name)
            indexes.update(dict(table.indexes))
        return cls(
            tables=frozenset(tables),
            services=_service_names(declared),
            patterns=_most_specific_first(declared.environments.values()),
            pattern=pattern,
            indexes=frozenset(indexes),
            given=given or {},
        )

    @property
    def physical_patterns(self) -> tuple[NamePattern, ...]:
        """How a base name may become a physical one: as in the chosen environment, or as in any."""
        if self.pattern is not None:
            return (self.pattern,)
        return (*self.patterns, NamePattern())

    def table(self, text: Text) -> str | None:
        """The base name of a physical name, or of a pattern of such names; None if it can't be resolved.

        ``--tables`` comes first, then a table of the map that is called so. A variable that is the environment is
        taken off, where one of the map's patterns has it, or at either end. What an environment adds is taken off
        where it is written out, too, for the chosen environment; otherwise only if that gives a table of the map,
        because ``biztechUsersPROD`` might be a table of its own.
        """
        if text in self.given:
            return self.given[text]
        if text in self.tables:
            return str(text)
        base = self._before_wildcard(text)
        if base:
            return base
        name = self._by_pattern(text) or self._without_variables(text)
        if name not in self.tables:
            name = self._without_written_pattern(name)
        if not name or PLACEHOLDER in name or self._means_unknown_tables(text, name):
            return None
        return self.given.get(name, name)

    def index(self, text: Text) -> str | None:
        """The base name of an index: a variable that is the environment is taken off; None if it can't be resolved.

        Only a variable: the end of ``by-typePROD`` might be a part of the name.
        """
        if text in self.indexes:
            return str(text)
        name = self._without_variables(text)
        if not name or PLACEHOLDER in name:
            return None
        return name

    def _before_wildcard(self, text: Text) -> str | None:
        """The base name in ``users${opt:stage}*``: a wildcard after a suffix matches no other table."""
        stem = text.part(0, len(text.rstrip("*")))
        if stem == text:
            return None
        base = self.table(stem)
        if base is None or stem.endswith(base):
            return None  # no suffix was taken off, so `users*` may match other tables
        return base

    def _by_pattern(self, text: Text) -> str | None:
        """The base name by the map's patterns, whatever environment it is that the text's variables are."""
        bases = bases_by_patterns(text, self.patterns)
        for base in bases:
            if base in self.tables:
                return base
        # The shortest: of `.users` and `users`, the pattern that knows the separator.
        return min(bases, key=len, default=None)

    def _without_variables(self, text: Text) -> str:
        """The text without a variable at either end that is the environment, and without its separators."""
        start = self._start_after_variable(text)
        end = self._end_before_variable(text)
        return text[start:end] or str(text)

    def _end_before_variable(self, text: Text) -> int:
        """Where the base name ends: before ``${opt:stage}`` in ``users-${opt:stage}``."""
        starts = []
        for variable in text.variables:
            # A variable that is the whole name is no suffix.
            is_at_end = variable.end == len(text) and variable.start > 0
            if is_at_end and self._is_suffix(variable, text):
                starts.append(variable.start)
        if not starts:
            return len(text)
        # One of several may be part of another: `-${opt:stage}` in a variable of its own.
        return len(text[: min(starts)].rstrip(SEPARATORS))

    def _is_suffix(self, variable: Variable, text: Text) -> bool:
        """Whether a variable at the end of a name is the environment's suffix and no part of the name."""
        suffix = NamePattern(after=text[variable.start :])
        if variable.is_environment or suffix in self.patterns:
            return True
        # An input may be anything. It is no part of the name if the map has the rest.
        rest = text[: variable.start].rstrip(SEPARATORS)
        return variable.may_vary and rest in self.tables

    def _start_after_variable(self, text: Text) -> int:
        """Where the base name begins: behind ``${opt:stage}-`` in ``${opt:stage}-users``."""
        # A variable that is the whole name is no prefix.
        ends = [end for end in _ends_of_environment(text) if end < len(text)]
        if not ends:
            return 0
        # One of several may be part of another.
        name = text[max(ends) :].lstrip(SEPARATORS)
        start = len(text) - len(name)
        # Which tables `${opt:stage}-*` means, only a pattern of the map knows.
        if name.startswith("*"):
            return 0
        is_separate = text[:start].endswith(tuple(SEPARATORS))
        if is_separate or name in self.tables:
            return start
        return 0

    def _means_unknown_tables(self, text: Text, name: str) -> bool:
        """Whether only a pattern of the map could say which tables are meant: ``${opt:stage}-*``, without one."""
        prefix, wildcard, _ = name.partition("*")
        if not wildcard or not prefix or not text.startswith(prefix):
            return False
        end = max(_ends_of_environment(text), default=-1)
        is_environment = end >= len(prefix.rstrip(SEPARATORS))
        return is_environment and not any(table.startswith(prefix) for table in self.tables)

    def _without_written_pattern(self, name: str) -> str:
        """The name without what an environment adds to it, where that is written out: ``usersPROD``."""
        for pattern in self.patterns:
            base = pattern.base(name)
            if base and (pattern == self.pattern or base in self.tables):
                return base
        return name

    # Services

    def tagged_service(self, tag: str) -> str:
        """The service that a resource's tag says, which the map may not have."""
        return self.service((), tag) or unregistered_service_name(tag)

    def service(self, folders: Sequence[str], own_name: str | None) -> str | None:
        """The map's name of the service in these folders, innermost first, that has this name itself."""
        return service_in_folders(self.services, folders, own_name)

    def role(self, names: Sequence[str]) -> str | None:
        """The one service whose name is among the words of a role's names; None for none or several."""
        return service_of_role(self.services, names)


def _ends_of_environment(text: Text) -> list[int]:
    """Where the variables end that are the environment and that a text begins with."""
    return [variable.end for variable in text.environment if variable.start == 0]


def _service_names(declared: DeclaredMap) -> dict[str, str]:
    """Each name and alias of a service, in lower case → its name. A name wins over another service's alias."""
    aliases: dict[str, str] = {}
    names: dict[str, str] = {}
    for service in declared.services:
        names[service.name.lower()] = service.name
        for alias in service.aliases:
            aliases[alias.lower()] = service.name
    return aliases | names


def _most_specific_first(patterns: Iterable[NamePattern]) -> tuple[NamePattern, ...]:
    """The longest first: ``-prod`` is more specific than ``prod``."""
    ordered = sorted(
        set(patterns), key=lambda pattern: (-pattern.length, pattern.before, pattern.after)
    )
    return tuple(ordered)
