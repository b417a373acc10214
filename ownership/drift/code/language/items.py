"""Items: ``owner[key]``, read and written."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ownership.drift.code.frames import Arguments
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
from ownership.drift.code.values import one, union

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
    method = calls.interpreter.member_of(owner, name, line)
    bound = frozenset(item for item in method if isinstance(item, Bound))
    return calls.call_at((owner, name, line), bound, arguments, line) if bound else None


def index_of(
    calls: "Calls",
    owner: Possibility,
    key: Possibility,
    line: int,
    affixes: tuple[str, str] = ("", ""),
) -> CodeValue:
    interpreter = calls.interpreter
    if isinstance(owner, Class) and owner.definition.body is not None and not interpreter.is_enumeration(owner):
        return one(owner)  # `Store[Meter]`, with types in brackets
    if isinstance(key, Str) and key.literal is not None:
        return interpreter.member_of(owner, key.literal, line)
    if isinstance(owner, Namespace | Class) or (isinstance(owner, Obj) and owner.cls is not None):
        return interpreter.members_like(owner, affixes, line)
    if isinstance(owner, Obj):
        if isinstance(key, Str):
            value = interpreter.read_field(owner, key) or _chosen_by_environment(calls, owner, key)
            if value:
                return value
        if any(affixes):
            value = interpreter.members_like(owner, affixes, line)
            if value:
                return value
        # Which of the fields it is can't be told, so it may be any.
        return interpreter.items(one(owner)) | UNKNOWN_VALUE if owner.is_open else interpreter.items(one(owner))
    if isinstance(owner, External):
        return one(owner)
    return UNKNOWN_VALUE


def _chosen_by_environment(calls: "Calls", owner: Obj, key: Str) -> CodeValue:
    """``settings[process.env.STAGE]``: the fields that infrastructure chooses; nothing if that is not known."""
    names = calls.interpreter.known_texts(key)
    if names is None or not names <= set(calls.interpreter.field_names(owner)):
        return NOTHING
    return union(calls.interpreter.read_field(owner, name) for name in names)


def write_index(calls: "Calls", owner: CodeValue, key: CodeValue, value: CodeValue, line: int) -> None:
    """``owner[key] = value``."""
    interpreter = calls.interpreter
    for possibility in owner:
        if not isinstance(possibility, Obj):
            continue
        if _item_by_method(calls, possibility, "__setitem__", Arguments([key, value]), line) is not None:
            continue
        for name in key:
            if isinstance(name, Str):
                interpreter.write_field(possibility, name, value)
            else:
                interpreter.add(possibility.rest, value)
                interpreter.add(possibility.keys, UNKNOWN_VALUE)


def copy_fields(calls: "Calls", target: Obj, source: CodeValue) -> None:
    """Add all fields of a value to an object: ``{...source}``, ``Object.assign(target, source)``."""
    interpreter = calls.interpreter
    for possibility in source:
        if isinstance(possibility, Obj):
            for name in interpreter.field_names(possibility):
                key: str | Str = name
                named_at = possibility.named_at.get(name)
                if named_at is not None:
                    key = replace(name, named_at=named_at) if isinstance(name, Str) else Str((name,), named_at)
                interpreter.write_field(target, key, interpreter.read(possibility.fields[name]))
            interpreter.add(target.rest, interpreter.read(possibility.rest))
            if possibility.is_open:
                interpreter.open(target)
        elif isinstance(possibility, Namespace):
            for name in possibility.module.exports:
                interpreter.write_field(
                    target,
                    name,
                    interpreter.exported(possibility.module, name, 1),
                )
        elif possibility is ENVIRONMENT or isinstance(possibility, External) or possibility is UNKNOWN:
            interpreter.open(target)


def spread_into(calls: "Calls", arguments: Arguments, value: CodeValue) -> None:
    """Add ``...value`` to arguments: by position as far as the positions are known."""
    interpreter = calls.interpreter
    if len(value) == 1:
        (only,) = value
        if isinstance(only, Obj) and only.is_list and not interpreter.read(only.rest) and not arguments.rest:
            names = interpreter.field_names(only)
            if all(str(position) in only.fields for position in range(len(names))):
                for position in range(len(names)):
                    arguments.positional.append(interpreter.read(only.fields[str(position)]))
                return
    arguments.rest = arguments.rest | interpreter.items(value)


def positional_items(calls: "Calls", value: CodeValue) -> Arguments:
    """The items of a list as arguments."""
    arguments = Arguments([])
    spread_into(calls, arguments, value)
    return arguments
