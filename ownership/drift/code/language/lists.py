"""Lists, and functions that are called with their items."""

from typing import TYPE_CHECKING

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
from ownership.drift.code.values import one

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


MAX_ALONE = 12  # texts of a list that are followed one by one


def new_list(calls: "Calls", site: "CallSite", items: CodeValue, kind: str = "list") -> CodeValue:
    interpreter = calls.interpreter
    obj = interpreter.object_at((site.node, kind), interpreter.stack[-1], site.line, is_list=True)
    interpreter.add(obj.rest, items)
    return one(obj)


def functions_in(value: CodeValue) -> CodeValue:
    return frozenset(item for item in value if isinstance(item, Func | Bound | Partial | Method | External))


def lists_in(value: CodeValue) -> CodeValue:
    return frozenset(item for item in value if isinstance(item, Obj) and item.is_list)


def one_by_one(items: CodeValue) -> list[CodeValue]:
    """A few texts, each alone, so that ``[name, process.env[name]]`` stay together; anything else as a whole."""
    if 1 < len(items) <= MAX_ALONE and all(isinstance(item, Str) for item in items):
        return [one(item) for item in items]
    return [items]
