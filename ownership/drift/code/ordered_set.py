"""A set that keeps the order in which its items came, so that the same code is always read in the same order.

A ``frozenset`` gives its items in an order that depends on their addresses and on ``PYTHONHASHSEED``: of two calls that
reach a table, now one and now the other would be followed first, and named in the report.
"""

from collections.abc import Container, Iterable, Iterator
from typing import Generic, Never, TypeVar

Item = TypeVar("Item", covariant=True)
Other = TypeVar("Other")


class OrderedSet(Generic[Item]):
    """An immutable set in the order of its items. Two are equal if they have the same items, in whatever order."""

    __slots__ = ("_hash", "_items")

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._items: dict[Item, None] = dict.fromkeys(items)
        self._hash: int | None = None

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OrderedSet):
            return NotImplemented
        return self._items == other._items

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._items))
        return self._hash

    def __le__(self, other: "OrderedSet[object]") -> bool:
        """Whether the other one has all items of this one."""
        return self._items.keys() <= other._items.keys()

    def __or__(self, other: "OrderedSet[Other]") -> "OrderedSet[Item | Other]":
        """The items of this one, then those that only the other one has."""
        if not other._items:
            return self
        if not self._items:
            return other
        return OrderedSet((*self._items, *other._items))

    def __and__(self, other: Container[object]) -> "OrderedSet[Item]":
        """The items that the other one has, too."""
        return OrderedSet([item for item in self._items if item in other])

    def __sub__(self, other: Container[object]) -> "OrderedSet[Item]":
        """The items that the other one does not have."""
        kept = [item for item in self._items if item not in other]
        if len(kept) == len(self._items):
            return self
        return OrderedSet(kept)


EMPTY: OrderedSet[Never] = OrderedSet()
