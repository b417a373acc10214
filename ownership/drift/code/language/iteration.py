"""Promises, and functions that packages call with the items of lists."""

from typing import TYPE_CHECKING

from ownership.drift.code.frames import Arguments
from ownership.drift.code.language.lists import functions_in, lists_in, new_list
from ownership.drift.code.possibilities import (
    UNKNOWN_VALUE,
    Bound,
    CodeValue,
    Func,
    Method,
    Partial,
)
from ownership.drift.code.values import union

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite

CONTINUATIONS = {"then", "catch", "finally"}  # of promises
PYTHON_MAPS = {"imap", "imap_unordered", "map", "map_async"}


def continuation(calls: "Calls", owner: CodeValue, name: str, site: "CallSite") -> CodeValue:
    """``promise.then(function)``: a promise is treated as its result."""
    argument = owner if name == "then" else UNKNOWN_VALUE
    results: list[CodeValue] = []
    for position, value in enumerate(site.arguments.positional):
        given = argument if position == 0 else UNKNOWN_VALUE
        functions = frozenset(item for item in value if isinstance(item, Func | Bound | Partial | Method))
        results.append(calls.call(functions, site.with_arguments(Arguments([given]))))
    if name != "then":
        results.append(owner)
    return union(results) or UNKNOWN_VALUE


def collected_by(calls: "Calls", name: str, site: "CallSite") -> CodeValue | None:
    """``unknown.map(function)``: what the function gives for items of which nothing is known; None for other calls."""
    functions = functions_in(site.arguments.at(0))
    if name not in ("map", "flatMap", "reduce", "forEach") or not functions:
        return None
    if name in PYTHON_MAPS and lists_in(site.arguments.at(1)):
        return map_items(calls, site)
    if name == "reduce":
        collected = site.arguments.at(1) or UNKNOWN_VALUE
        for _ in range(2):
            arguments = Arguments([collected, UNKNOWN_VALUE])
            collected = collected | calls.call(functions, site.with_arguments(arguments))
        return collected
    result = calls.call(
        functions,
        site.with_arguments(Arguments([UNKNOWN_VALUE, UNKNOWN_VALUE])),
    )
    if name == "flatMap":
        result = calls.interpreter.items(result)
    return new_list(calls, site, result)


def iterated_by_package(calls: "Calls", name: str, site: "CallSite") -> CodeValue | None:
    """``pMap(tables, scan)``, ``_.map(tables, scan)`` and ``executor.map(scan, tables)``; None for other calls."""
    first, second = site.arguments.at(0), site.arguments.at(1)
    if name in PYTHON_MAPS and functions_in(first) and lists_in(second):
        return map_items(calls, site)
    functions = frozenset(item for item in second if isinstance(item, Func | Bound | Partial))
    lists = lists_in(first)
    if not functions or not lists:
        return None
    items = calls.interpreter.items(lists)
    arguments = Arguments([items, UNKNOWN_VALUE, UNKNOWN_VALUE])
    return new_list(calls, site, calls.call(functions, site.with_arguments(arguments)))


def map_items(calls: "Calls", site: "CallSite") -> CodeValue:
    """Python's ``map(function, items)``."""
    items = [calls.interpreter.items(value) for value in site.arguments.positional[1:]]
    result = calls.call(functions_in(site.arguments.at(0)), site.with_arguments(Arguments(items)))
    return new_list(calls, site, result)
