"""Maps names in infrastructure to names on the map: tables by base name, services by name or alias.

With the environments ``dev`` (suffix empty) and ``production`` (suffix ``PROD``)::

    biztechUsers${opt:stage}              table biztechUsers
    ${opt:stage}-users                    table users
    shop-${opt:stage}-users               table users, if an environment has the pattern shop-{stage}-{name}
    biztechUsersPROD                      table biztechUsers, if the map has it
    services/users, club-users            service users: the folder's name, or the project's without its prefix
    role club-payments-dev-lambdaRole     service payments: the only one whose name is among its words
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from ownership.drift.physical_names import NamePattern
from ownership.drift.types import DeclaredMap, printable
from ownership.drift.values import PLACEHOLDER, SEPARATORS, Text, Variable

MAX_SERVICE_NAME = 255  # what a kept run and a waiver can hold
MAX_ROLE_NAME = 128  # of a role's name, what is searched for services; IAM allows 64
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")  # `clubAPI-users` is club, API, users


def unregistered_service_name(name: str) -> str:
    """The name of a service that the map doesn't have, as a run and a waiver can keep it."""
    return printable(name[:MAX_SERVICE_NAME])


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
        aliases = {}
        service_names = {}
        for service in declared.services:
            service_names[service.name.lower()] = service.name
            for alias in service.aliases:
                aliases[alias.lower()] = service.name
        pattern = None
        if environment is not None:
            pattern = declared.environments[environment]
        patterns = set(declared.environments.values())
        indexes: set[str] = set()
        for table in declared.tables:
            indexes.update(name for name, _ in table.indexes)
        return cls(
            tables=frozenset(table.name for table in declared.tables),
            # A name wins over another service's alias.
            services=aliases | service_names,
            # The longest first: `-prod` is more specific than `prod`.
            patterns=tuple(sorted(patterns, key=lambda pattern: (-pattern.length, pattern.before, pattern.after))),
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
        if text.endswith("*"):
            base = self._before_wildcard(text)
            if base:
                return base
        name = self._by_varying_pattern(text) or self._without_variables(text)
        if name not in self.tables:
            name = self._without_written_pattern(name)
        if not name or PLACEHOLDER in name or self._means_unknown_tables(text, name):
            return None
        return self.given.get(name, name)

    def index(self, text: Text) -> str | None:
        """The base name of an index: a variable that is the environment is taken off; None if it can't be resolved.

        Only a variable: the end of ``by-typePROD`` might be a part of the name.
        """
        if text in self.indexes or not text.variables:
            return str(text)
        name = self._without_variables(text)
        if not name or PLACEHOLDER in name:
            return None
        return name

    def _before_wildcard(self, text: Text) -> str | None:
        """The base name in ``users${opt:stage}*``: a wildcard after a suffix matches no other table."""
        stem = text.part(0, len(text.rstrip("*")))
        if not stem:
            return None
        base = self.table(stem)
        if base is None or stem.endswith(base):
            return None  # no suffix was taken off, so `users*` may match other tables
        return base

    def _by_varying_pattern(self, text: Text) -> str | None:
        """The base name by the map's patterns, whatever environment it is that the text's variables are."""
        spans = _varying_spans(text)
        if not spans:
            return None
        bases: list[str] = []
        for pattern in self.patterns:
            # A suffix is taken off without being asked for, whatever the map's suffixes are.
            if pattern.before:
                bases += _bases_by_pattern(text, spans, pattern)
        for base in bases:
            if base in self.tables:
                return base
        # The shortest: of `.users` and `users`, the pattern that knows the separator.
        return min(bases, key=len, default=None)

    def _without_variables(self, text: Text) -> str:
        """The text without a variable at either end that is the environment, and without its separators."""
        start, end = self._start_after_variable(text), self._end_before_variable(text)
        if end <= start:
            return str(text)
        return text[start:end]

    def _end_before_variable(self, text: Text) -> int:
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
        value = text[variable.start :]
        is_map_suffix = any(pattern.after == value for pattern in self.patterns if not pattern.before)
        if variable.varies or is_map_suffix:
            return True
        # An input may be anything. It is no part of the name if the map has the rest.
        rest = text[: variable.start].rstrip(SEPARATORS)
        return variable.may_vary and rest in self.tables

    def _start_after_variable(self, text: Text) -> int:
        ends = []
        for variable in text.variables:
            if variable.start == 0 and variable.end < len(text) and variable.varies:
                ends.append(variable.end)
        if not ends:
            return 0
        name = text[max(ends) :].lstrip(SEPARATORS)
        start = len(text) - len(name)
        is_separate = text[:start].endswith(tuple(SEPARATORS)) or name in self.tables
        # Which tables `${opt:stage}-*` means, only a pattern of the map knows.
        if not is_separate or name.startswith("*"):
            return 0
        return start

    def _means_unknown_tables(self, text: Text, name: str) -> bool:
        """Whether only a pattern of the map could say which tables are meant: ``${opt:stage}-*``, without one."""
        prefix, wildcard, _ = name.partition("*")
        if not wildcard or not prefix or not text.startswith(prefix):
            return False
        stem = len(prefix.rstrip(SEPARATORS))
        is_environment = any(v.varies and v.start == 0 and v.end >= stem for v in text.variables)
        return is_environment and not any(table.startswith(prefix) for table in self.tables)

    def _without_written_pattern(self, name: str) -> str:
        for pattern in self.patterns:
            if not pattern.length:
                continue
            base = pattern.base(name)
            if base and (pattern == self.pattern or base in self.tables):
                return base
        return name

    def service(self, folders: Sequence[str], own_name: str | None) -> str | None:
        """The map's name of the service in these folders, innermost first, that has this name itself.

        Its folder comes first, then its own name, whole or without a prefix (``biztechApi-users``), then the
        outer folders. None: the map knows none of them.
        """
        own_name = (own_name or "").lower()
        inner_folder, outer_folders = folders[:1], folders[1:]
        candidates = [*inner_folder, own_name]
        # `x-admin-users` in the folder `admin-users` repeats the folder's name, and is not the service `users`.
        repeats_folder = own_name.endswith(tuple(folder.lower() for folder in inner_folder))
        if not repeats_folder:
            candidates += _without_prefixes(own_name)
        candidates += outer_folders
        for candidate in candidates:
            name = self.services.get(candidate.lower())
            if name:
                return name
        return None

    def role(self, names: Sequence[str]) -> str | None:
        """The one service whose name is among the words of a role's names; None for none or several."""
        services: set[str] = set()
        for name in names:
            mentioned = self._services_in(name)
            services |= mentioned
        if len(services) == 1:
            return services.pop()
        return None

    def _services_in(self, name: str) -> set[str]:
        mentioned = _runs_of_words(name) & self.services.keys()
        services = set()
        for run in mentioned:
            # Of `admin-users` and `users` the longer one is meant.
            longer_runs = [other for other in mentioned if run in other and run != other]
            if not longer_runs:
                services.add(self.services[run])
        return services


def _varying_spans(text: Text) -> list[tuple[int, int]]:
    """Where the text has variables that are the environment, in order; those that overlap as one."""
    spans: list[tuple[int, int]] = []
    for variable in sorted(text.variables, key=lambda variable: (variable.start, -variable.end)):
        if not variable.varies:
            continue
        if spans and variable.start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], variable.end))
        else:
            spans.append((variable.start, variable.end))
    return spans


def _bases_by_pattern(text: Text, spans: Sequence[tuple[int, int]], pattern: NamePattern) -> Iterator[str]:
    """The base names in a text that a pattern fits, if the variables may have any value.

    Of ``shop-${opt:stage}-users``, with what ``shop-{stage}-{name}`` adds in production: ``users``.
    """
    for number in range(len(spans) + 1):
        first, last = spans[:number], spans[number:]
        start = _longest_match(text, first, pattern.before)
        # The end is read backwards, so that the same search finds its beginning.
        mirrored = [(len(text) - end, len(text) - begin) for begin, end in reversed(last)]
        tail = _longest_match(text[::-1], mirrored, pattern.after[::-1])
        if start is None or tail is None or start + tail >= len(text):
            continue
        base = text[start : len(text) - tail]
        if PLACEHOLDER not in base:
            yield base


def _longest_match(text: str, spans: Sequence[tuple[int, int]], addition: str) -> int | None:
    """How much of the text's beginning, with these variables in it, may be the addition; None if none can."""
    if not spans:
        return len(addition) if text.startswith(addition) else None
    expression = ""
    position = 0
    for start, end in spans:
        expression += re.escape(text[position:start]) + "[^\0]*"
        position = end
    longest = None
    for end in range(position, min(len(text), position + len(addition)) + 1):
        behind_variables = text[position:end]
        if not addition.endswith(behind_variables):
            continue
        if re.fullmatch(expression, addition.removesuffix(behind_variables)):
            longest = end
    return longest


def _without_prefixes(name: str) -> list[str]:
    """What is left of a name behind each separator: of ``club-api-users``, ``api-users`` and ``users``."""
    rests = []
    for separator in re.finditer(r"[-_./]", name):
        rest = name[separator.end() :]
        rests.append(rest)
    return rests


def _runs_of_words(name: str) -> set[str]:
    """Every run of successive words of a name, in lower case, joined in each way that names are."""
    words = [word.lower() for word in WORD.findall(name[:MAX_ROLE_NAME])]
    runs = set()
    for start, end in combinations(range(len(words) + 1), 2):
        run = words[start:end]
        runs.add("".join(run))
        runs.add("-".join(run))
        runs.add("_".join(run))
    return runs
