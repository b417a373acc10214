"""What a reader reports besides grants and tables: what it could not resolve, notes, and errors.

Each is kept once, in the order in which it was met. For a statement whose resource is ``${ssm:/tables/users}``::

    diagnostics.add_unresolved(resource, "can't be resolved", "users", {"read"})

becomes, in the report, the line that holds the resource, its text, and why it is unresolved.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ownership.drift.role_names import role_name
from ownership.drift.types import (
    READ_AND_WRITE,
    Location,
    Note,
    ReadError,
    ReadOrWrite,
    Unresolved,
    shortened,
)
from ownership.drift.values import Text, readable


class RoleUse(NamedTuple):
    """A role that a service acts by, or may assume: ``role`` is its name. Whose that is shows when all is read."""

    role: str
    text: Text
    location: Location
    reason: str
    service: str | None


@dataclass
class Diagnostics:
    """Collects diagnostics; the dicts serve as ordered sets."""

    unresolved: dict[Unresolved, None] = field(default_factory=dict)
    role_uses: dict[RoleUse, None] = field(default_factory=dict)
    notes: dict[Note, None] = field(default_factory=dict)
    errors: dict[tuple[Location, str], ReadError] = field(default_factory=dict)
    _texts_noted_once: set[str] = field(default_factory=set)

    def add_unresolved(
        self,
        text: Text,
        reason: str,
        service: str | None = None,
        modes: Iterable[ReadOrWrite] = (),
    ) -> None:
        """Report a text that can't be resolved; ``modes`` are what it might grant the service.

        ``reason`` applies where the text does not say itself why it is unresolved.
        """
        if text.reason:
            reason = text.reason.text
        quote = shortened(readable(text))
        unresolved = Unresolved(text.location, quote, shortened(reason), service, frozenset(modes))
        self.unresolved[unresolved] = None

    def add_role_use(self, text: Text, reason: str, service: str | None) -> None:
        """Report a role, by ARN or name, that is not known to be the service's: ``reason`` says why it matters."""
        role = role_name(text)
        if role:
            self.role_uses[RoleUse(role, text, text.location, reason, service)] = None
        else:
            self.add_unresolved(text, reason, service, READ_AND_WRITE)

    def add_note(self, location: Location, text: str) -> None:
        """Report something worth knowing."""
        self.notes[Note(location, shortened(text))] = None

    def add_note_once(self, location: Location, text: str) -> None:
        """Report something that applies in many locations, at the first of them."""
        if text not in self._texts_noted_once:
            self._texts_noted_once.add(text)
            self.add_note(location, text)

    def add_error(self, error: ReadError) -> None:
        """Report a file that can't be read."""
        self.errors[error.location, error.reason] = error

    def update(self, other: "Diagnostics") -> None:
        """Take over what another has collected."""
        self.unresolved |= other.unresolved
        self.role_uses |= other.role_uses
        self.notes |= other.notes
        self.errors |= other.errors
