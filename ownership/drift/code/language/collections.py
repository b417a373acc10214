"""Methods of lists, dicts, maps and sets."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ownership.drift.code.frames import Arguments
from ownership.drift.code.language.items import copy_fields, index, ordered_items, write_index
from ownership.drift.code.language.iteration import reduced
from ownership.drift.code.language.lists import functions_in, lists_in, new_list, one_by_one
from ownership.drift.code.language.texts import bounds_of, joined_items
from ownership.drift.code.ordered_set import OrderedSet
from ownership.drift.code.possibilities import (
    ABSENT,
    NOTHING,
    UNKNOWN_VALUE,
    CodeValue,
    Obj,
    Possibility,
)
from ownership.drift.code.values import name_value, one, text, union

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite

DICT_METHODS = {"copy", "get", "items", "keys", "pop", "setdefault", "update", "values"}


def call_object_method(calls: "Calls", owner: Obj, name: str, site: "CallSite") -> CodeValue:
    method = OBJECT_METHODS.get(name)
    if method is None:
        return NOTHING  # `__init__` and `__exit__`, which do nothing in a plain object
    return method(calls, owner, site)


def _enter(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    """What ``with owner as …`` gives: a generator that is a context manager gives what it yields."""
    if owner.is_list:
        return calls.interpreter.items(one(owner))
    return one(owner)


def _push(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    for value in site.arguments.all():
        calls.interpreter.add(owner.rest, value)
    return one(owner)


def _insert(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    calls.interpreter.add(owner.rest, site.arguments.at(1))
    return NOTHING


def _extend(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    calls.interpreter.add(owner.rest, calls.interpreter.items(site.arguments.at(0)))
    return NOTHING


def _concat(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    items: list[CodeValue] = [calls.interpreter.items(one(owner))]
    for value in site.arguments.positional:
        items.append(_flattened(calls, value))
    return new_list(calls, site, union(items))


def _flattened(calls: "Calls", value: CodeValue) -> CodeValue:
    """The items of the lists in a value, and everything else in it as it is."""
    lists = lists_in(value)
    return (value - lists) | calls.interpreter.items(lists)


def _with_items(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    """Call a function with each item."""
    functions = functions_in(site.arguments.at(0))
    results: list[CodeValue] = []
    for item in one_by_one(calls.interpreter.items(one(owner))):
        results.append(calls.call(functions, site.with_arguments(Arguments([item, UNKNOWN_VALUE]))))
    return union(results)


def _map(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    return new_list(calls, site, _with_items(calls, owner, site))


def _flat_map(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    return new_list(calls, site, calls.interpreter.items(_with_items(calls, owner, site)))


def _for_each(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    _with_items(calls, owner, site)
    return NOTHING


def _filter(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    _with_items(calls, owner, site)
    return one(owner)


def _find(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    _with_items(calls, owner, site)
    return calls.interpreter.items(one(owner))


def _test_items(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    _with_items(calls, owner, site)
    return UNKNOWN_VALUE


def _reduce(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    items = calls.interpreter.items(one(owner))
    start = site.arguments.at(1) or items
    return reduced(calls, functions_in(site.arguments.at(0)), start, items, site)


def _same_object(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    return one(owner)


def _reordered(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    """``list.sort()``: any item may be at any position afterwards."""
    calls.interpreter.add(owner.rest, calls.interpreter.items(one(owner)))
    return one(owner)


def _splice(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    """``list.splice(position, number, …items)``."""
    calls.interpreter.add(owner.rest, union(site.arguments.positional[2:]))
    return _reordered(calls, owner, site)


def _slice(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    """``list.slice(1)`` and ``list[1:]``; any items where the positions are not known."""
    items = ordered_items(calls, one(owner))
    bounds = bounds_of(site.arguments)
    if items is None or bounds is None:
        return new_list(calls, site, calls.interpreter.items(one(owner)))
    part = calls.object_of(site, ("part", owner), is_list=True)
    for position, value in enumerate(items[bounds]):
        calls.interpreter.write_field(part, str(position), value)
    return one(part)


def _flat(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    items = calls.interpreter.items(one(owner))
    return new_list(calls, site, _flattened(calls, items))


def _pop(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    if not site.arguments.positional:
        return calls.interpreter.items(one(owner))
    # Python's `dict.pop(key, default)` and `list.pop(0)`
    return _shift(calls, owner, site) if owner.is_list else _get(calls, owner, site)


def _shift(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    return calls.interpreter.items(_reordered(calls, owner, site))


def _join(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    separator = site.arguments.at(0) or text(",")
    return joined_items(calls, one(owner), separator)


def _get(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    """``dict.get(key, default)`` and ``map.get(key)``."""
    value = index(calls, one(owner), site.arguments.at(0), site.line)
    default = site.arguments.at(1)
    if default and (ABSENT in value or not value):
        return (value - {ABSENT}) | default
    return value


def _set(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    write_index(calls, one(owner), site.arguments.at(0), site.arguments.at(1), site.line)
    return one(owner)


def _set_default(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    _set(calls, owner, site)
    return index(calls, one(owner), site.arguments.at(0), site.line)


def _update(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    for value in site.arguments.positional:
        copy_fields(calls, owner, value)
    for name, value in site.arguments.keywords.items():
        calls.interpreter.write_field(owner, name, value)
    return NOTHING


def _copy(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    obj = calls.object_of(site, "copy", owner.is_list)
    copy_fields(calls, obj, one(owner))
    return one(obj)


def keys_of(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    return new_list(calls, site, _names_of(calls, owner))


def _names_of(calls: "Calls", owner: Obj) -> CodeValue:
    names: CodeValue = union([name_value(name) for name in calls.interpreter.field_names(owner)])
    if calls.interpreter.has_more(owner):
        return names | UNKNOWN_VALUE
    return names


def values_of(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    return new_list(calls, site, calls.interpreter.items(one(owner)))


def pairs_of(calls: "Calls", owner: Obj, site: "CallSite") -> CodeValue:
    """``dict.items()``: names and values, each pair of its own."""
    interpreter = calls.interpreter
    pairs: list[Possibility] = []
    for name, value in interpreter.fields(owner):
        pairs.append(_pair(calls, site, ("pair", name), name_value(name), value))
    if interpreter.has_more(owner):
        rest = interpreter.read(owner.rest) or UNKNOWN_VALUE
        pairs.append(_pair(calls, site, "pair", UNKNOWN_VALUE, rest))
    return new_list(calls, site, OrderedSet(pairs))


def _pair(calls: "Calls", site: "CallSite", kind: object, key: CodeValue, value: CodeValue) -> Obj:
    pair = calls.object_of(site, kind, is_list=True)
    calls.interpreter.write_field(pair, "0", key)
    calls.interpreter.write_field(pair, "1", value)
    return pair


OBJECT_METHODS: dict[str, Callable[["Calls", Obj, "CallSite"], CodeValue]] = {
    "__enter__": _enter,
    "add": _push,
    "append": _push,
    "concat": _concat,
    "copy": _copy,
    "entries": pairs_of,
    "every": _test_items,
    "extend": _extend,
    "filter": _filter,
    "find": _find,
    "findIndex": _test_items,
    "findLast": _find,
    "flat": _flat,
    "flatMap": _flat_map,
    "forEach": _for_each,
    "get": _get,
    "insert": _insert,
    "items": pairs_of,
    "join": _join,
    "keys": keys_of,
    "map": _map,
    "pop": _pop,
    "promise": _same_object,
    "push": _push,
    "reduce": _reduce,
    "reduceRight": _reduce,
    "reverse": _reordered,
    "set": _set,
    "setdefault": _set_default,
    "shift": _shift,
    "slice": _slice,
    "some": _test_items,
    "sort": _reordered,
    "splice": _splice,
    "unshift": _push,
    "update": _update,
    "values": values_of,
}
