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
        services = {}
        for service in declared.services:
            for alias in service.aliases:
                services[alias.lower()] = service.name
        # Names are entered after all aliases: a name wins over another service's alias.
        for service in declared.services:
            services[service.name.lower()] = service.name
        return cls(
            tables=frozenset(table.name for table in declared.tables),
            services=services,
            suffixes=frozenset(declared.environments.values()),
            suffix=None if environment is None else declared.environments[environment],
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
        return base if base != stem else None

    def _without_variable_suffix(self, text: Text) -> str:
        starts = []
        for variable in text.variables:
            is_at_end = variable.end == len(text) and variable.start > 0
            if is_at_end and (variable.varies or text[variable.start :] in self.suffixes):
                starts.append(variable.start)
        if not starts:
            return str(text)
        return text[: min(starts)].rstrip(SEPARATORS)

    def _without_written_suffix(self, name: str) -> str:
        for suffix in sorted(self.suffixes, key=len, reverse=True):
            if suffix and name.endswith(suffix):
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
        candidates = [*folders[:1], own_name]
        # `x-admin-users` in the folder `admin-users` repeats the folder's name, and is not the service `users`.
        repeats_folder = bool(folders) and own_name.endswith(folders[0].lower())
        if not repeats_folder:
            candidates += _without_prefixes(own_name)
        candidates += folders[1:]
        for candidate in candidates:
            name = self.services.get(candidate.lower())
            if name:
                return name
        return None

    def role(self, names: Sequence[str]) -> str | None:
        """The one service whose name is among the words of a role's names; None for none or several."""
        services: set[str] = set()
        for name in names:
            services |= self._services_in(name)
        return services.pop() if len(services) == 1 else None

    def _services_in(self, name: str) -> set[str]:
        mentioned = _runs_of_words(name) & self.services.keys()
        services = set()
        for run in mentioned:
            # Of `admin-users` and `users` the longer one is meant.
            is_part_of_another = any(run != other and run in other for other in mentioned)
            if not is_part_of_another:
                services.add(self.services[run])
        return services


def _without_prefixes(name: str) -> list[str]:
    """What is left of a name behind each separator: of ``club-api-users``, ``api-users`` and ``users``."""
    return [name[separator.end() :] for separator in re.finditer(r"[-_./]", name)]


def _runs_of_words(name: str) -> set[str]:
    """Every run of successive words of a name, in lower case, joined in each way that names are."""
    words = [word.lower() for word in WORD.findall(name[:MAX_ROLE_NAME])]
    runs = set()
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            for separator in ("", "-", "_"):
                runs.add(separator.join(words[start:end]))
    return runs
