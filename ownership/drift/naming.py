"""From physical names to the map's: tables without the environment's suffix, services by name or alias."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ownership.drift.readers.yaml_values import HOLE, SEPARATORS, Text
from ownership.drift.types import DeclaredMap, printable


def stranger(name: str) -> str:
    """What a service that the map doesn't know is called: its name, as far as a run and a waiver can keep it."""
    return printable(name[:255])


@dataclass(frozen=True)
class Names:
    """What the map calls things.

    ``suffixes`` are those of all environments, ``suffix`` that of the chosen one; None where none is chosen.
    """

    tables: frozenset[str] = frozenset()
    services: dict[str, str] = field(default_factory=dict)  # name or alias in lower case → name
    suffixes: frozenset[str] = frozenset()
    suffix: str | None = None

    @classmethod
    def of(cls, declared: DeclaredMap, environment: str | None = None) -> "Names":
        """The names of a map. Raises KeyError for an environment that it doesn't know."""
        services = {alias.lower(): s.name for s in declared.services for alias in s.aliases}
        services |= {s.name.lower(): s.name for s in declared.services}
        suffix = None if environment is None else declared.environments[environment]
        tables = frozenset(table.name for table in declared.tables)
        return cls(tables, services, frozenset(declared.environments.values()), suffix)

    @property
    def physical_suffixes(self) -> frozenset[str]:
        """What may follow a base name in a physical one."""
        return self.suffixes | {""} if self.suffix is None else frozenset({self.suffix})

    def table(self, text: Text) -> str | None:
        """The base name, or a pattern, of a physical one; None where it can't be told.

        A variable at the end is the environment's suffix if its value varies with the environment or is a
        suffix of the map. A suffix written out is taken off for the chosen environment, and otherwise only
        where that gives a table of the map: ``biztechUsersPROD`` might be a table of its own.
        """
        if text in self.tables:
            return str(text)
        if text.endswith("*"):  # `users${opt:stage}*`: behind a suffix the wildcard reaches no other table
            stem = text.part(0, len(text.rstrip("*")))
            if (base := self.table(stem)) and base != stem:
                return base
        starts = [
            v.start
            for v in text.variables
            if v.end == len(text) and v.start > 0 and (v.varies or text[v.start :] in self.suffixes)
        ]
        base = text[: min(starts)].rstrip(SEPARATORS) if starts else str(text)
        if base not in self.tables:
            for suffix in sorted(filter(None, self.suffixes), key=len, reverse=True):
                if base.endswith(suffix) and (suffix == self.suffix or base.removesuffix(suffix) in self.tables):
                    base = base.removesuffix(suffix)
                    break
        return None if HOLE in base or not base else base

    def service(self, folders: Sequence[str], declared: str | None) -> str | None:
        """The map's name of a service by its folders, innermost first, and its own name.

        Its folder decides; then its own name, whole or less a prefix (``biztechApi-users``), unless that
        repeats the folder's (``x-admin-users`` in ``admin-users`` is no ``users``); then the
        folders around. None: the map knows none of them.
        """
        own = (declared or "").lower()
        candidates = [*folders[:1], own]
        if not (folders and own.endswith(folders[0].lower())):
            candidates += [own[m.end() :] for m in re.finditer(r"[-_./]", own)]
        for candidate in (*candidates, *folders[1:]):
            if name := self.services.get(candidate.lower()):
                return name
        return None

    def role(self, names: Sequence[str]) -> str | None:
        """The one service that a role's names speak of, word by word; None for none and for several."""
        found = set()
        for name in names:
            words = [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name[:128])]
            spans = [words[i:j] for i in range(len(words)) for j in range(i + 1, len(words) + 1)]
            runs = {separator.join(span) for separator in ("", "-", "_") for span in spans}
            hits = {run for run in runs if run in self.services}
            longest = {run for run in hits if not any(run != other and run in other for other in hits)}
            found |= {self.services[run] for run in longest}
        return found.pop() if len(found) == 1 else None
