"""Lists, and functions that are called with their items."""

from typing import TYPE_CHECKING

from ownership.drift.code.ordered_set import OrderedSet
from ownership.drift.code.possibilities import (
    Bound,
    CodeValue,
    External,
    Func,
    Method,
    Obj,
    Partial,
    Str,
)
from ownership.drift.code.values import one, only

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


MAX_ALONE = 12  # texts of a list that are followed one by one


def new_list(calls: "Calls", site: "CallSite", items: CodeValue, kind: str = "list") -> CodeValue:
    """The list that a call makes; ``kind`` tells those apart that one call makes."""
    obj = calls.object_of(site, kind, is_list=True)
    calls.interpreter.add(obj.rest, items)
    return one(obj)


def functions_in(value: CodeValue) -> CodeValue:
    """What can be called in a value, including what packages have."""
    return only(value, Func, Bound, Partial, Method, External)


def lists_in(value: CodeValue) -> OrderedSet[Obj]:
    """The lists in a value."""
    return OrderedSet([item for item in only(value, Obj) if item.is_list])


def one_by_one(items: CodeValue) -> list[CodeValue]:
    """A few texts, each alone, so that ``[name, process.env[name]]`` stay together; anything else as a whole."""
    is_few = 1 < len(items) <= MAX_ALONE
    if is_few and items == only(items, Str):
        return [one(item) for item in items]
    return [items]
