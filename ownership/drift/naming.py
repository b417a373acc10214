"""Maps names in infrastructure to names on the map: tables without the suffix, services by name or alias.

With the environments ``dev`` (suffix empty) and ``production`` (suffix ``PROD``)::

    biztechUsers${opt:stage}              table biztechUsers
    biztechUsersPROD                      table biztechUsers, if the map has it
    services/users, club-users            service users: the folder's name, or the project's without its prefix
    role club-payments-dev-lambdaRole     service payments: the only one whose name is among its words
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

from ownership.drift.types import DeclaredMap, printable
from ownership.drift.values import PLACEHOLDER, SEPARATORS, Text

MAX_SERVICE_NAME = 255  # what a kept run and a waiver can hold
MAX_ROLE_NAME = 128  # of a role's name, what is searched for services; IAM allows 64
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")  # `clubAPI-users` is club, API, users


def unregistered_service_name(name: str) -> str:
    """The name of a service that the map doesn't have, as a run and a waiver can keep it."""
    return printable(name[:MAX_SERVICE_NAME])


@dataclass(frozen=True)
class Names:
    """The names on a map.

    ``suffixes`` are those of all environments, ``suffix`` that of the chosen one; None where none is chosen.
    """

    tables: frozenset[str] = frozenset()
    services: dict[str, str] = field(default_factory=dict)  # name or alias in lower case → name
    suffixes: frozenset[str] = frozenset()
    suffix: str | None = None

    @classmethod
    def of(cls, declared: DeclaredMap, environment: str | None = None) -> "Names":
        """The names of a map. Raises KeyError for an environment that the map doesn't have."""
        aliases = {}
        service_names = {}
        for service in declared.services:
            service_names[service.name.lower()] = service.name
            for alias in service.aliases:
                aliases[alias.lower()] = service.name
        suffix = None
        if environment is not None:
            suffix = declared.environments[environment]
        tables = [table.name for table in declared.tables]
        return cls(
            tables=frozenset(tables),
            # A name wins over another service's alias.
            services=aliases | service_names,
            suffixes=frozenset(declared.environments.values()),
            suffix=suffix,
        )

    @property
    def physical_suffixes(self) -> frozenset[str]:
        """What may follow a base name in a physical one."""
        if self.suffix is not None:
            return frozenset({self.suffix})
        return self.suffixes | {""}

    def table(self, text: Text) -> str | None:
        """The base name of a physical name, or of a pattern of such names; None if it can't be resolved.

        A variable at the end is the environment's suffix if its value varies with the environment, or is one
        of the map's suffixes. A suffix written out is removed for the chosen environment; otherwise only if
        that gives a table of the map, because ``biztechUsersPROD`` might be a table of its own.
        """
        if text in self.tables:
            return str(text)
        if text.endswith("*"):
            base = self._before_wildcard(text)
            if base:
                return base
        name = self._without_variable_suffix(text)
        if name not in self.tables:
            name = self._without_written_suffix(name)
        if not name or PLACEHOLDER in name:
            return None
        return name

    def _before_wildcard(self, text: Text) -> str | None:
        """The base name in ``users${opt:stage}*``: a wildcard after a suffix matches no other table."""
        stem = text.part(0, len(text.rstrip("*")))
        base = self.table(stem)
        if base == stem:
            return None  # there is no suffix, so `users*` may match other tables
        return base

    def _without_variable_suffix(self, text: Text) -> str:
        starts = []
        for variable in text.variables:
            # A variable that is the whole name is no suffix.
            is_at_end = variable.end == len(text) and variable.start > 0
            value = text[variable.start :]
            if is_at_end and (variable.varies or value in self.suffixes):
                starts.append(variable.start)
        if not starts:
            return str(text)
        # One of several may be part of another: `-${opt:stage}` in a variable of its own.
        name = text[: min(starts)]
        return name.rstrip(SEPARATORS)

    def _without_written_suffix(self, name: str) -> str:
        written_suffixes = filter(None, self.suffixes)
        longest_first = sorted(written_suffixes, key=len, reverse=True)
        for suffix in longest_first:
            if not name.endswith(suffix):
                continue
            base = name.removesuffix(suffix)
            if suffix == self.suffix or base in self.tables:
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
