"""Items: ``owner[key]``, read and written."""

from collections.abc import Container
from dataclasses import replace
from typing import TYPE_CHECKING

from ownership.drift.code.frames import Arguments
from ownership.drift.code.language.lists import lists_in
from ownership.drift.code.possibilities import (
    ENVIRONMENT,
    NOTHING,
    UNKNOWN,
    UNKNOWN_VALUE,
    Bound,
    Class,
    CodeValue,
    External,
    Namespace,
    Obj,
    Possibility,
    Str,
)
from ownership.drift.code.values import literal_of, one, only, union

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls


def index(
    calls: "Calls",
    owner: CodeValue,
    key: CodeValue,
    line: int,
    affixes: tuple[str, str] = ("", ""),
) -> CodeValue:
    """``owner[key]``. ``affixes``: what the key begins and ends with, also where the rest is unknown."""
    interpreter = calls.interpreter
    results: list[CodeValue] = []
    for possibility in owner:
        given = _item_by_method(calls, possibility, "__getitem__", Arguments([key]), line)
        if given is not None:
            results.append(given)
            continue
        for name in key:
            results.append(index_of(calls, possibility, name, line, affixes))
    if interpreter.stack and not key:
        return NOTHING
    return union(results)


def _item_by_method(
    calls: "Calls",
    owner: Possibility,
    name: str,
    arguments: Arguments,
    line: int,
) -> CodeValue | None:
    """What ``__getitem__`` and the like give; None for anything but an instance of a class that has them."""
    if not isinstance(owner, Obj) or owner.cls is None:
        return None
    methods = only(calls.interpreter.member_of(owner, name, line), Bound)
    if not methods:
        return None
    return calls.call_at((owner, name, line), methods, arguments, line)


def index_of(
    calls: "Calls",
    owner: Possibility,
    key: Possibility,
    line: int,
    affixes: tuple[str, str] = ("", ""),
) -> CodeValue:
    """One item of one possibility."""
    interpreter = calls.interpreter
    if (
        isinstance(owner, Class)
        and owner.definition.is_python
        and not interpreter.is_enumeration(owner)
    ):
        return one(owner)  # `Store[Meter]`, with types in brackets
    name = literal_of(key)
    if name is not None:
        return interpreter.member_of(owner, name, line)
    match owner:
        case Namespace() | Class():
            return interpreter.members_like(owner, affixes, line)
        case Obj():
            return _item_of_object(calls, owner, key, line, affixes)
        case External():
            return one(owner)
    return UNKNOWN_VALUE


def _item_of_object(
    calls: "Calls",
    obj: Obj,
    key: Possibility,
    line: int,
    affixes: tuple[str, str],
) -> CodeValue:
    """An item whose name is not known, or has environment variables in it."""
    interpreter = calls.interpreter
    if obj.cls is not None:
        return interpreter.members_like(obj, affixes, line)
    value = NOTHING
    if isinstance(key, Str):
        value = interpreter.read_field(obj, key) or _chosen_by_environment(calls, obj, key)
    if not value and any(affixes):
        value = interpreter.members_like(obj, affixes, line)
    if value:
        return value
    # Which of the fields it is can't be told, so it may be any.
    items = interpreter.items(one(obj))
    if obj.is_open:
        return items | UNKNOWN_VALUE
    return items


def _chosen_by_environment(calls: "Calls", owner: Obj, key: Str) -> CodeValue:
    """``settings[process.env.STAGE]``: the fields that infrastructure chooses; nothing if that is not known."""
    names = calls.interpreter.known_texts(key)
    if names is None or not names <= set(calls.interpreter.field_names(owner)):
        return NOTHING
    return union(calls.interpreter.read_field(owner, name) for name in sorted(names))


def write_index(
    calls: "Calls", owner: CodeValue, key: CodeValue, value: CodeValue, line: int
) -> None:
    """``owner[key] = value``."""
    for obj in only(owner, Obj):
        by_method = _item_by_method(calls, obj, "__setitem__", Arguments([key, value]), line)
        if by_method is not None:
            continue
        for name in key:
            _write_item(calls, obj, name, value)


def _write_item(calls: "Calls", obj: Obj, key: Possibility, value: CodeValue) -> None:
    interpreter = calls.interpreter
    if isinstance(key, Str):
        interpreter.write_field(obj, key, value)
    else:
        interpreter.add(obj.rest, value)
        interpreter.add(obj.keys, UNKNOWN_VALUE)


def copy_fields(
    calls: "Calls", target: Obj, source: CodeValue, besides: Container[object] = ()
) -> None:
    """Add the fields of a value to an object, besides some: ``{...source}``, ``Object.assign(target, source)``."""
    for possibility in source:
        if isinstance(possibility, Obj):
            _copy_object(calls, target, possibility, besides)
        elif isinstance(possibility, Namespace):
            _copy_exports(calls, target, possibility, besides)
        elif isinstance(possibility, External) or possibility in (ENVIRONMENT, UNKNOWN):
            calls.interpreter.open(target)


def _copy_object(calls: "Calls", target: Obj, source: Obj, besides: Container[object]) -> None:
    interpreter = calls.interpreter
    for name, value in interpreter.fields(source):
        if name in besides:
            continue
        named_at = source.named_at.get(name)
        key = name
        if named_at is not None:
            text = Str((name,)) if isinstance(name, str) else name
            key = replace(text, named_at=named_at)
        interpreter.write_field(target, key, value)
    interpreter.add(target.rest, interpreter.read(source.rest))
    if source.is_open:
        interpreter.open(target)


def _copy_exports(
    calls: "Calls", target: Obj, source: Namespace, besides: Container[object]
) -> None:
    interpreter = calls.interpreter
    for name in source.module.exports:
        if name not in besides:
            value = interpreter.exported(source.module, name, 1)
            interpreter.write_field(target, name, value)


def spread_into(calls: "Calls", arguments: Arguments, value: CodeValue) -> None:
    """Add ``...value`` to arguments: by position as far as the positions are known."""
    items = None if arguments.rest else ordered_items(calls, value)
    if items is not None:
        arguments.positional += items
    else:
        arguments.rest = arguments.rest | calls.interpreter.items(value)


def ordered_items(calls: "Calls", value: CodeValue) -> list[CodeValue] | None:
    """The items of a list by position; None where it is not one list, or not all positions are known."""
    interpreter = calls.interpreter
    lists = lists_in(value)
    if len(value) != 1 or not lists:
        return None
    [items] = lists
    if interpreter.read(items.rest):
        return None
    number = len(interpreter.field_names(items))
    positions = [str(position) for position in range(number)]
    if not items.fields.keys() >= set(positions):
        return None
    return [interpreter.read(items.fields[position]) for position in positions]


def positional_items(calls: "Calls", value: CodeValue) -> Arguments:
    """The items of a list as arguments."""
    arguments = Arguments([])
    spread_into(calls, arguments, value)
    return arguments
