"""What a file for ``--tables`` or ``--roles`` says, and what of it no reader has asked for.

::

    OrdersTable: orders     # --tables: a logical id or name in the infrastructure → a table of the map
    shared-role: shop       # --roles: a role → a service of the map
"""

from collections import UserDict
from collections.abc import Collection, Iterator, Mapping

from ownership.drift.types import Location, Note, shortened


class GivenNames(UserDict[str, str]):
    """A name in the infrastructure → a name on the map. ``places`` has the place of each in the file."""

    def __init__(self, names: Mapping[str, str], places: Mapping[str, Location]) -> None:
        super().__init__(names)
        self._places = places
        self._used: set[str] = set()

    def __getitem__(self, name: str) -> str:
        given = self.data[name]
        self._used.add(name)
        return given

    def notes(self, kind: str, known: Collection[str]) -> Iterator[Note]:
        """A note for each name that nothing read is called by, and for each table or service that is not ``known``."""
        for name, given in self.data.items():
            if name not in self._used:
                text = f"{name}: nothing that was read is called so, so this has no effect"
                yield Note(self._places[name], shortened(text))
            elif given not in known:
                text = f"{name}: the map has no {kind} {given}"
                yield Note(self._places[name], shortened(text))
