"""What code does with each table: the third side of the comparison, in the form that pairs are compared in."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace

from ownership.drift.types import (
    READ_AND_WRITE,
    ActionOn,
    CodeAccess,
    CodeUsage,
    InCode,
    Location,
    NeededAction,
    ReadOrWrite,
)

Modes = frozenset[ReadOrWrite]
NO_MODES: Modes = frozenset()
ALL_MODES: Modes = frozenset(READ_AND_WRITE)
IN_CODE: dict[Modes, InCode] = {
    NO_MODES: "none",
    frozenset({"read"}): "read",
    frozenset({"write"}): "write",
    ALL_MODES: "read_write",
}


@dataclass(frozen=True)
class CodeSide:
    """What code does with one table for one service.

    A service's code counts for the services that are part of it, as a grant does. Of a mode that is in no code,
    ``unknown`` says whether something that could not be followed may do it after all.
    """

    own: Modes = NO_MODES  # this service's code
    effective: Modes = NO_MODES  # its code, or that of a service that it is part of
    by_parts: Modes = NO_MODES  # the code of the services that are part of it
    unknown: Modes = NO_MODES  # may be in the effective code
    unknown_with_parts: Modes = NO_MODES  # may be in its own code or in a part's
    accesses: tuple[CodeAccess, ...] = ()  # the effective ones, this service's first

    def in_code(self, modes: Modes) -> InCode | None:
        """What the effective code does; None if that is nothing so far, and it may do one of these modes."""
        if not self.effective and self.unknown & modes:
            return None
        return IN_CODE[self.effective]

    def own_only(self, service: str) -> "CodeSide":
        """The side of what is granted to the service itself: its own code alone."""
        return CodeSide(
            own=self.own,
            effective=self.own,
            unknown=self.unknown_with_parts,
            accesses=tuple(access for access in self.accesses if access.service == service),
        )

    def only(self, actions: Set[ActionOn]) -> "CodeSide":
        """The same side with the accesses that need one of these actions alone."""
        return replace(
            self,
            accesses=tuple(
                access for access in self.accesses if not actions.isdisjoint(access.calls)
            ),
        )

    def evidence(self, first: Modes = NO_MODES) -> tuple[Location, ...]:
        """Where the code does it, each place once; the places of these modes first."""
        locations: dict[Location, None] = {}
        for access in sorted(self.accesses, key=lambda access: access.mode not in first):
            locations.update(dict.fromkeys(access.evidence))
        return tuple(locations)

    def needed(self, modes: Modes) -> tuple[NeededAction, ...]:
        """The actions that these modes need, each with the functions that need it."""
        functions: dict[tuple[ActionOn, str], set[str]] = {}
        for access in self.accesses:
            if access.mode in modes:
                for call in access.calls:
                    functions.setdefault((call, access.service), set()).add(access.function)
        needed = []
        for (action, service), names in sorted(functions.items()):
            needed.append(NeededAction(action, service, tuple(sorted(names))))
        return tuple(needed)

    def indirect_paths(self, modes: Modes) -> tuple[tuple[ReadOrWrite, tuple[str, ...]], ...]:
        """For those of the modes that only code outside the service's own folder uses, one of the ways there."""
        paths = []
        for mode in sorted(modes):
            of_mode = [access for access in self.accesses if access.mode == mode]
            if of_mode and not any(access.direct for access in of_mode):
                paths.append((mode, of_mode[0].path))
        return tuple(paths)


class CodeSides:
    """The sides of all pairs. Functions that nobody deploys do not count.

    ``wholes`` are, for each service, those that it is part of, nearest first; ``parts`` the other way round.
    """

    def __init__(
        self, usage: CodeUsage, wholes: Mapping[str, list[str]], parts: Mapping[str, list[str]]
    ) -> None:
        self.wholes, self.parts = wholes, parts
        self.services = usage.services
        self.accesses: dict[tuple[str, str], list[CodeAccess]] = defaultdict(list)
        for access in usage.accesses:
            if access.reachable:
                self.accesses[access.table, access.service].append(access)
        self.tables = {table for table, _ in self.accesses}
        # Under None, what may be in the code of any service.
        self.unresolved: dict[str | None, Modes] = defaultdict(frozenset)
        for unresolved in usage.unresolved:
            self.unresolved[unresolved.service] |= unresolved.modes

    def of(self, table: str, service: str) -> CodeSide:
        """What code does with the table for the service."""
        service_and_wholes = (service, *self.wholes.get(service, ()))
        parts = self.parts.get(service, ())
        own = self._modes(table, [service])
        effective = self._modes(table, service_and_wholes)
        by_parts = self._modes(table, parts)
        accesses: list[CodeAccess] = []
        for user in service_and_wholes:
            accesses.extend(self.accesses.get((table, user), ()))
        return CodeSide(
            own=own,
            effective=effective,
            by_parts=by_parts,
            # A part without a project of its own runs in its whole's. So the outermost whole must have been read.
            unknown=self._unresolved(service_and_wholes, service_and_wholes[-1]) - effective,
            unknown_with_parts=self._unresolved((service, *parts), service) - own - by_parts,
            accesses=tuple(accesses),
        )

    def _modes(self, table: str, services: Iterable[str]) -> Modes:
        modes: set[ReadOrWrite] = set()
        for service in services:
            modes.update(access.mode for access in self.accesses.get((table, service), ()))
        return frozenset(modes)

    def _unresolved(self, services: Iterable[str], must_be_read: str) -> Modes:
        """What the code of these services may do besides what was found: everything, if one was not read."""
        if must_be_read not in self.services:
            return ALL_MODES
        modes = self.unresolved.get(None, NO_MODES)
        for service in services:
            modes |= self.unresolved.get(service, NO_MODES)
        return modes
