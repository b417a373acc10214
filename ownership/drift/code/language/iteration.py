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
from ownership.drift.code.values import only, union

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite

CONTINUATIONS = {"then", "catch", "finally"}  # of promises
COLLECTING = {"flatMap", "forEach", "map", "reduce"}  # methods that call a function with each item
PYTHON_MAPS = {"imap", "imap_unordered", "map", "map_async"}


def continuation(calls: "Calls", owner: CodeValue, name: str, site: "CallSite") -> CodeValue:
    """``promise.then(function)``: a promise is treated as its result."""
    results: list[CodeValue] = []
    for position, value in enumerate(site.arguments.positional):
        given = UNKNOWN_VALUE
        if name == "then" and position == 0:
            given = owner
        functions = only(value, Func, Bound, Partial, Method)
        results.append(calls.call(functions, site.with_arguments(Arguments([given]))))
    if name != "then":
        results.append(owner)
    return union(results) or UNKNOWN_VALUE


def collected_by(calls: "Calls", name: str, site: "CallSite") -> CodeValue | None:
    """``unknown.map(function)``: what the function gives for items of which nothing is known; None for other calls."""
    functions = functions_in(site.arguments.at(0))
    if name not in COLLECTING or not functions:
        return None
    if name in PYTHON_MAPS and lists_in(site.arguments.at(1)):
        return map_items(calls, site)
    if name == "reduce":
        start = site.arguments.at(1) or UNKNOWN_VALUE
        return reduced(calls, functions, start, UNKNOWN_VALUE, site)
    unknown = Arguments([UNKNOWN_VALUE, UNKNOWN_VALUE])
    result = calls.call(functions, site.with_arguments(unknown))
    if name == "flatMap":
        result = calls.interpreter.items(result)
    return new_list(calls, site, result)


def reduced(
    calls: "Calls",
    functions: CodeValue,
    start: CodeValue,
    items: CodeValue,
    site: "CallSite",
) -> CodeValue:
    """What a function collects that is called with what it gave before, and an item."""
    collected = start
    # Twice, so that the function gets what it made itself.
    for _ in range(2):
        arguments = Arguments([collected, items])
        collected = collected | calls.call(functions, site.with_arguments(arguments))
    return collected


def iterated_by_package(calls: "Calls", name: str, site: "CallSite") -> CodeValue | None:
    """``pMap(tables, scan)``, ``_.map(tables, scan)`` and ``executor.map(scan, tables)``; None for other calls."""
    first, second = site.arguments.at(0), site.arguments.at(1)
    if name in PYTHON_MAPS and functions_in(first) and lists_in(second):
        return map_items(calls, site)
    functions = only(second, Func, Bound, Partial)
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
