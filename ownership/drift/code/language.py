"""Built-in functions and methods of JavaScript and Python, as far as functions and names pass through them.

``tables.map((table) => db.scan(table))`` calls the function with each table, and ``"-".join([a, b])`` makes a name.
What isn't here is treated like a package's function: see ``calls``.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ownership.drift.code import syntax
from ownership.drift.code.frames import Arguments
from ownership.drift.code.values import (
    ABSENT,
    ENVIRONMENT,
    FALSE,
    NO_VALUES,
    NOTHING,
    TRUE,
    UNKNOWN,
    UNKNOWN_VALUE,
    Bound,
    Class,
    Derived,
    EnvironmentVariable,
    External,
    Func,
    Method,
    Namespace,
    Obj,
    Partial,
    Pieces,
    Possibility,
    Record,
    Str,
    TextPart,
    Value,
    joined,
    one,
    text,
    union,
)

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite

DICT_METHODS = {"copy", "get", "items", "keys", "pop", "setdefault", "update", "values"}
MAX_ALONE = 12  # texts of a list that are followed one by one
PYTHON_MAPS = {"imap", "imap_unordered", "map", "map_async"}
CONTINUATIONS = {"then", "catch", "finally"}  # of promises
FORMAT_FIELD = re.compile(r"\{(\w*)(?:![rsa])?(?::[^{}]*)?\}")
PERCENT_FIELD = re.compile(r"%(?:\((\w+)\))?[-+ #0]*\d*(?:\.\d+)?[sdr]")


def continuation(calls: "Calls", owner: Value, name: str, site: "CallSite") -> Value:
    """``promise.then(function)``: a promise is treated as its result."""
    argument = owner if name == "then" else UNKNOWN_VALUE
    results: list[Value] = []
    for position, value in enumerate(site.arguments.positional):
        given = argument if position == 0 else UNKNOWN_VALUE
        functions = frozenset(item for item in value if isinstance(item, Func | Bound | Partial | Method))
        results.append(calls.call(functions, site.with_arguments(Arguments([given]))))
    if name != "then":
        results.append(owner)
    return union(results) or UNKNOWN_VALUE


def collected_by(calls: "Calls", name: str, site: "CallSite") -> Value | None:
    """``unknown.map(function)``: what the function gives for items of which nothing is known; None for other calls."""
    functions = _functions(site.arguments.at(0))
    if name not in ("map", "flatMap", "reduce", "forEach") or not functions:
        return None
    if name in PYTHON_MAPS and _lists(site.arguments.at(1)):
        return _mapped(calls, site)
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
    return _new_list(calls, site, result)


def iterated_by_package(calls: "Calls", name: str, site: "CallSite") -> Value | None:
    """``pMap(tables, scan)``, ``_.map(tables, scan)`` and ``executor.map(scan, tables)``; None for other calls."""
    first, second = site.arguments.at(0), site.arguments.at(1)
    if name in PYTHON_MAPS and _functions(first) and _lists(second):
        return _mapped(calls, site)
    functions = frozenset(item for item in second if isinstance(item, Func | Bound | Partial))
    lists = _lists(first)
    if not functions or not lists:
        return None
    items = calls.interpreter.items(lists)
    arguments = Arguments([items, UNKNOWN_VALUE, UNKNOWN_VALUE])
    return _new_list(calls, site, calls.call(functions, site.with_arguments(arguments)))


def _lists(value: Value) -> Value:
    return frozenset(item for item in value if isinstance(item, Obj) and item.is_list)


# Methods


def call_method(calls: "Calls", owner: Possibility, name: str, site: "CallSite") -> Value:
    """A call of a built-in method."""
    if isinstance(owner, Class):
        return _new_list(calls, site, calls.interpreter.read(owner.subclasses))  # `__subclasses__()`
    if isinstance(owner, Func | Bound | Method):
        return _call_function_method(calls, owner, name, site)
    if isinstance(owner, Str):
        return _call_text_method(calls, owner, name, site)
    if owner is ENVIRONMENT:
        return _environment_variable(site) if name == "get" else one(ENVIRONMENT)
    if isinstance(owner, Pieces):
        position = site.arguments.at(0)
        if name in ("pop", "shift") and not position:
            position = text("-1" if name == "pop" else "0")
        pieces = [owner.piece(item.literal) for item in position if isinstance(item, Str) and item.literal]
        return frozenset(pieces) or UNKNOWN_VALUE
    if isinstance(owner, Obj):
        return _call_object_method(calls, owner, name, site)
    return UNKNOWN_VALUE


def _call_function_method(calls: "Calls", function: Func | Bound | Method, name: str, site: "CallSite") -> Value:
    arguments = site.arguments
    this = arguments.at(0)
    if name == "bind":
        bound = one(function)
        if isinstance(function, Func) and this - NO_VALUES:
            bound = one(Bound(function, this - NO_VALUES))
        given = tuple(arguments.positional[1:])
        return one(Partial(bound, given)) if given else bound
    if name == "apply":
        rest = _positional_items(calls, arguments.at(1))
    else:
        rest = replace(arguments, positional=arguments.positional[1:])
    if not isinstance(function, Func):
        return calls.call_one(function, site.with_arguments(rest))
    return calls.call_one(function, site.with_arguments(rest), this - NO_VALUES)


def _positional_items(calls: "Calls", value: Value) -> Arguments:
    """The items of a list as arguments."""
    arguments = Arguments([])
    spread_into(calls, arguments, value)
    return arguments


def spread_into(calls: "Calls", arguments: Arguments, value: Value) -> None:
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


def _call_text_method(calls: "Calls", owner: Str, name: str, site: "CallSite") -> Value:
    method = TEXT_METHODS.get(name)
    if method is not None:
        return method(calls, owner, site)
    return UNKNOWN_VALUE


def _same_text(calls: "Calls", owner: Str, site: "CallSite") -> Value:
    return one(owner)


def _changed(
    change: Callable[[str], str],
) -> Callable[["Calls", Str, "CallSite"], Value]:
    """A method that changes a text's letters, which can be told only if all are known."""

    def changed(calls: "Calls", owner: Str, site: "CallSite") -> Value:
        if owner.literal is None:
            return one(Str((Derived(owner.parts, change.__name__, ""),), owner.named_at))
        return one(Str((change(owner.literal),), owner.named_at))

    return changed


def _split(calls: "Calls", owner: Str, site: "CallSite") -> Value:
    """``arn.split("/")``."""
    separators = [item.literal for item in site.arguments.at(0) if isinstance(item, Str)]
    if len(separators) != 1 or not separators[0]:
        return UNKNOWN_VALUE
    if owner.literal is None:
        return one(Pieces(owner, f"split:{separators[0]}"))
    frame = calls.interpreter.stack[-1]
    pieces = calls.interpreter.object_at((site.node, "split", owner.parts), frame, site.line, is_list=True)
    for position, piece in enumerate(owner.literal.split(separators[0])):
        calls.interpreter.write_field(pieces, str(position), text(piece))
    return one(pieces)


def _from_json(calls: "Calls", site: "CallSite") -> Value:
    """``json.loads(os.environ["TABLES"])``."""
    pieces: set[Possibility] = set()
    for possibility in site.arguments.at(0):
        if isinstance(possibility, Str) and possibility.literal is None:
            pieces.add(Pieces(possibility, "json"))
        else:
            pieces.add(UNKNOWN)
    return frozenset(pieces)


def _replaced(calls: "Calls", owner: Str, site: "CallSite") -> Value:
    results: set[Possibility] = set()
    for old in site.arguments.at(0):
        for new in site.arguments.at(1):
            if not isinstance(old, Str) or not isinstance(new, Str) or owner.literal is None:
                return UNKNOWN_VALUE
            if not old.literal:
                return UNKNOWN_VALUE
            pieces: list[Value] = []
            for piece in owner.literal.split(old.literal):
                pieces += [text(piece), one(new)]
            results |= concatenation(pieces[:-1])
    return frozenset(results) or UNKNOWN_VALUE


def _concatenated(calls: "Calls", owner: Str, site: "CallSite") -> Value:
    return concatenation([one(owner), *site.arguments.positional])


def _joined_by(calls: "Calls", owner: Str, site: "CallSite") -> Value:
    """Python's ``separator.join(list)``."""
    return _joined_items(calls, site.arguments.at(0), one(owner))


def _joined_items(calls: "Calls", value: Value, separator: Value) -> Value:
    interpreter = calls.interpreter
    results: list[Value] = []
    for possibility in value:
        if not isinstance(possibility, Obj) or interpreter.read(possibility.rest) or possibility.is_open:
            return UNKNOWN_VALUE
        pieces: list[Value] = []
        for position in range(len(interpreter.field_names(possibility))):
            if pieces:
                pieces.append(separator)
            pieces.append(interpreter.read_field(possibility, str(position)))
        results.append(concatenation(pieces) if pieces else text(""))
    return union(results)


def _formatted(calls: "Calls", owner: Str, site: "CallSite") -> Value:
    """Python's ``"{}-{name}".format(a, name=b)``."""
    arguments = site.arguments
    numbers = iter(range(1000))

    def value_of(field: str) -> Value:
        if not field:
            return arguments.at(next(numbers)) or UNKNOWN_VALUE
        if field.isdigit():
            return arguments.at(int(field)) or UNKNOWN_VALUE
        return arguments.keywords.get(field, arguments.more) or UNKNOWN_VALUE

    return _filled(owner, FORMAT_FIELD, value_of)


def _percent(calls: "Calls", owner: Str, site: "CallSite") -> Value:
    """Python's ``"%s-%(name)s" % values``."""
    interpreter = calls.interpreter
    argument = site.arguments.at(0)
    numbers = iter(range(1000))

    def value_of(field: str) -> Value:
        key = field or str(next(numbers))
        values: list[Value] = []
        for possibility in argument:
            if isinstance(possibility, Obj):
                values.append(interpreter.read_field(possibility, key) or UNKNOWN_VALUE)
            else:
                values.append(one(possibility))
        return union(values)

    return _filled(owner, PERCENT_FIELD, value_of)


def _filled(owner: Str, fields: re.Pattern[str], value_of: Callable[[str], Value]) -> Value:
    """A text with each of its fields replaced."""
    pieces: list[Value] = []
    for part in owner.parts:
        if not isinstance(part, str):
            pieces.append(one(Str((part,))))
            continue
        position = 0
        for match in fields.finditer(part):
            pieces.append(text(part[position : match.start()]))
            pieces.append(value_of(match[1] or ""))
            position = match.end()
        pieces.append(text(part[position:]))
    return concatenation(pieces)


TEXT_METHODS: dict[str, Callable[["Calls", Str, "CallSite"], Value]] = {
    "__mod__": _percent,
    "asString": _same_text,
    "concat": _concatenated,
    "format": _formatted,
    "join": _joined_by,
    "lower": _changed(str.lower),
    "lstrip": _same_text,
    "replace": _replaced,
    "required": _same_text,
    "rsplit": _split,
    "rstrip": _same_text,
    "split": _split,
    "strip": _same_text,
    "toLowerCase": _changed(str.lower),
    "toString": _same_text,
    "toUpperCase": _changed(str.upper),
    "trim": _same_text,
    "upper": _changed(str.upper),
    "valueOf": _same_text,
}


def concatenation(pieces: list[Value]) -> Value:
    """Texts in a row, in every combination; UNKNOWN where a piece is no text."""
    results: set[Str] = {Str(())}
    is_known = True
    for piece in pieces:
        texts = [possibility for possibility in piece if isinstance(possibility, Str)]
        if len(texts) < len(piece):
            is_known = False
        longer: set[Str] = set()
        for first in results:
            for second in texts:
                both = joined(first, second) if first.parts else second
                if both is None or len(longer) > 50:
                    is_known = False
                else:
                    longer.add(both)
        if not piece:
            return NOTHING
        results = longer
    if is_known:
        return frozenset(results)
    return frozenset((*results, UNKNOWN))


# Methods of objects, lists and dicts


def _call_object_method(calls: "Calls", owner: Obj, name: str, site: "CallSite") -> Value:
    method = OBJECT_METHODS.get(name)
    if method is not None:
        return method(calls, owner, site)
    if name == "__enter__":
        return one(owner) if not owner.is_list else calls.interpreter.items(one(owner))
    if name in ("__init__", "__exit__"):
        return NOTHING
    return calls.call_one(UNKNOWN, site)


def _new_list(calls: "Calls", site: "CallSite", items: Value, kind: str = "list") -> Value:
    interpreter = calls.interpreter
    obj = interpreter.object_at((site.node, kind), interpreter.stack[-1], site.line, is_list=True)
    interpreter.add(obj.rest, items)
    return one(obj)


def _push(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    for value in site.arguments.all():
        calls.interpreter.add(owner.rest, value)
    return one(owner)


def _insert(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    calls.interpreter.add(owner.rest, site.arguments.at(1))
    return NOTHING


def _extend(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    calls.interpreter.add(owner.rest, calls.interpreter.items(site.arguments.at(0)))
    return NOTHING


def _concat(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    items: list[Value] = [calls.interpreter.items(one(owner))]
    for value in site.arguments.positional:
        for possibility in value:
            is_list = isinstance(possibility, Obj) and possibility.is_list
            items.append(calls.interpreter.items(one(possibility)) if is_list else one(possibility))
    return _new_list(calls, site, union(items))


def _with_items(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    """Call a function with each item."""
    functions = _functions(site.arguments.at(0))
    results: list[Value] = []
    for item in one_by_one(calls.interpreter.items(one(owner))):
        results.append(calls.call(functions, site.with_arguments(Arguments([item, UNKNOWN_VALUE]))))
    return union(results)


def one_by_one(items: Value) -> list[Value]:
    """A few texts, each alone, so that ``[name, process.env[name]]`` stay together; anything else as a whole."""
    if 1 < len(items) <= MAX_ALONE and all(isinstance(item, Str) for item in items):
        return [one(item) for item in items]
    return [items]


def _functions(value: Value) -> Value:
    return frozenset(item for item in value if isinstance(item, Func | Bound | Partial | Method | External))


def _map(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    return _new_list(calls, site, _with_items(calls, owner, site))


def _flat_map(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    return _new_list(calls, site, calls.interpreter.items(_with_items(calls, owner, site)))


def _for_each(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    _with_items(calls, owner, site)
    return NOTHING


def _filter(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    _with_items(calls, owner, site)
    return one(owner)


def _find(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    _with_items(calls, owner, site)
    return calls.interpreter.items(one(owner))


def _test_items(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    _with_items(calls, owner, site)
    return UNKNOWN_VALUE


def _reduce(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    items = calls.interpreter.items(one(owner))
    collected = site.arguments.at(1) or items
    functions = _functions(site.arguments.at(0))
    # Twice, so that the function gets what it made itself.
    for _ in range(2):
        result = calls.call(functions, site.with_arguments(Arguments([collected, items])))
        collected = collected | result
    return collected


def _same_object(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    return one(owner)


def _flat(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    interpreter = calls.interpreter
    items = interpreter.items(one(owner))
    inner = [interpreter.items(one(item)) if isinstance(item, Obj) and item.is_list else one(item) for item in items]
    return _new_list(calls, site, union(inner))


def _any_item(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    if not owner.is_list and site.arguments.positional:
        return _get(calls, owner, site)  # Python's `dict.pop(key, default)`
    return calls.interpreter.items(one(owner))


def _join(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    separator = site.arguments.at(0) or text(",")
    return _joined_items(calls, one(owner), separator)


def _get(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    """``dict.get(key, default)`` and ``map.get(key)``."""
    value = index(calls, one(owner), site.arguments.at(0), site.line)
    default = site.arguments.at(1)
    if default and (ABSENT in value or not value):
        return (value - {ABSENT}) | default
    return value


def _set(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    write_index(calls, one(owner), site.arguments.at(0), site.arguments.at(1), site.line)
    return one(owner)


def _set_default(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    _set(calls, owner, site)
    return index(calls, one(owner), site.arguments.at(0), site.line)


def _update(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    for value in site.arguments.positional:
        copy_fields(calls, owner, value)
    for name, value in site.arguments.keywords.items():
        calls.interpreter.write_field(owner, name, value)
    return NOTHING


def _copy(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    obj = calls.interpreter.object_at(
        (site.node, "copy"),
        calls.interpreter.stack[-1],
        site.line,
        owner.is_list,
    )
    copy_fields(calls, obj, one(owner))
    return one(obj)


def _keys(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    return _new_list(calls, site, _names_of(calls, owner))


def _names_of(calls: "Calls", owner: Obj) -> Value:
    names: set[Possibility] = set()
    for name in calls.interpreter.field_names(owner):
        names.add(Str((name,)) if isinstance(name, str) else name)
    if owner.is_open or calls.interpreter.read(owner.rest):
        names.add(UNKNOWN)
    return frozenset(names)


def _values(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    return _new_list(calls, site, calls.interpreter.items(one(owner)))


def _pairs(calls: "Calls", owner: Obj, site: "CallSite") -> Value:
    """``dict.items()``: names and values, each pair of its own."""
    interpreter = calls.interpreter
    frame = interpreter.stack[-1]
    pairs: set[Possibility] = set()
    for name in interpreter.field_names(owner):
        pair = interpreter.object_at((site.node, "pair", name), frame, site.line, is_list=True)
        key: Value = text(name) if isinstance(name, str) else one(name)
        interpreter.write_field(pair, "0", key)
        interpreter.write_field(pair, "1", interpreter.read(owner.fields[name]))
        pairs.add(pair)
    if owner.is_open or interpreter.read(owner.rest):
        pair = interpreter.object_at((site.node, "pair"), frame, site.line, is_list=True)
        interpreter.write_field(pair, "0", UNKNOWN_VALUE)
        interpreter.write_field(pair, "1", interpreter.read(owner.rest) or UNKNOWN_VALUE)
        pairs.add(pair)
    return _new_list(calls, site, frozenset(pairs))


OBJECT_METHODS: dict[str, Callable[["Calls", Obj, "CallSite"], Value]] = {
    "add": _push,
    "append": _push,
    "concat": _concat,
    "copy": _copy,
    "entries": _pairs,
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
    "items": _pairs,
    "join": _join,
    "keys": _keys,
    "map": _map,
    "pop": _any_item,
    "promise": _same_object,
    "push": _push,
    "reduce": _reduce,
    "reduceRight": _reduce,
    "reverse": _same_object,
    "set": _set,
    "setdefault": _set_default,
    "shift": _any_item,
    "slice": _same_object,
    "some": _test_items,
    "sort": _same_object,
    "splice": _same_object,
    "unshift": _push,
    "update": _update,
    "values": _values,
}


def index(
    calls: "Calls",
    owner: Value,
    key: Value,
    line: int,
    affixes: tuple[str, str] = ("", ""),
) -> Value:
    """``owner[key]``. ``affixes``: what the key begins and ends with, also where the rest is unknown."""
    interpreter = calls.interpreter
    results: list[Value] = []
    for possibility in owner:
        given = _item_by_method(calls, possibility, "__getitem__", Arguments([key]), line)
        if given is not None:
            results.append(given)
            continue
        for name in key:
            results.append(_index_of(calls, possibility, name, line, affixes))
    if interpreter.stack and not key:
        return NOTHING
    return union(results)


def _item_by_method(
    calls: "Calls",
    owner: Possibility,
    name: str,
    arguments: Arguments,
    line: int,
) -> Value | None:
    """What ``__getitem__`` and the like give; None for anything but an instance of a class that has them."""
    if not isinstance(owner, Obj) or owner.cls is None:
        return None
    method = calls.interpreter.member_of(owner, name, line)
    bound = frozenset(item for item in method if isinstance(item, Bound))
    return calls.call_at((owner, name, line), bound, arguments, line) if bound else None


def _index_of(
    calls: "Calls",
    owner: Possibility,
    key: Possibility,
    line: int,
    affixes: tuple[str, str] = ("", ""),
) -> Value:
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


def _chosen_by_environment(calls: "Calls", owner: Obj, key: Str) -> Value:
    """``settings[process.env.STAGE]``: the fields that infrastructure chooses; nothing if that is not known."""
    names = calls.interpreter.known_texts(key)
    if names is None or not names <= set(calls.interpreter.field_names(owner)):
        return NOTHING
    return union(calls.interpreter.read_field(owner, name) for name in names)


def write_index(calls: "Calls", owner: Value, key: Value, value: Value, line: int) -> None:
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


def copy_fields(calls: "Calls", target: Obj, source: Value) -> None:
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


# Global functions


def _environment_variable(site: "CallSite") -> Value:
    """``os.environ.get("NAME", default)``."""
    names = site.arguments.keywords.get("key", site.arguments.at(0))
    default = site.arguments.keywords.get("default", site.arguments.at(1))
    return environment_variables(names, default)


def environment_variables(names: Value, default: Value = NOTHING) -> Value:
    """The environment variables of these names, with what is used where they aren't set."""
    fallbacks: list[tuple[TextPart, ...] | None] = []
    for possibility in default:
        fallbacks.append(possibility.parts if isinstance(possibility, Str) else None)
    results: set[Possibility] = set()
    for name in names:
        if not isinstance(name, Str) or name.literal is None:
            results.add(UNKNOWN)
            continue
        for fallback in fallbacks or [None]:
            results.add(Str((EnvironmentVariable(name.literal, fallback),)))
    return frozenset(results)


def call_global(calls: "Calls", callee: External, site: "CallSite") -> Value | None:
    """A call of a global function or of a standard module's; None for those that are not known here."""
    if callee.is_result or callee.unread:
        return None
    function = GLOBALS.get(".".join(callee.path))
    if function is None:
        return None
    return function(calls, site)


def _unknown_result(calls: "Calls", site: "CallSite") -> Value:
    return UNKNOWN_VALUE


def _first_argument(calls: "Calls", site: "CallSite") -> Value:
    return site.arguments.at(0)


def _second_argument(calls: "Calls", site: "CallSite") -> Value:
    return site.arguments.at(1)


def _any_of(calls: "Calls", site: "CallSite") -> Value:
    return calls.interpreter.items(site.arguments.at(0))


def _dependency(calls: "Calls", site: "CallSite") -> Value:
    """FastAPI's ``Depends(function)`` and ``Depends(Class)``."""
    return calls.call(site.arguments.at(0), site.with_arguments(Arguments([])))


def _class_of(calls: "Calls", site: "CallSite") -> Value:
    """``type(self)``."""
    classes: set[Possibility] = set()
    for possibility in site.arguments.at(0):
        if isinstance(possibility, Obj) and possibility.cls is not None:
            classes.add(possibility.cls)
    return frozenset(classes) or UNKNOWN_VALUE


def _named_tuple(calls: "Calls", site: "CallSite") -> Value:
    """``namedtuple("Name", "first second")``, or with a list of names."""
    names: list[str] = []
    for possibility in site.arguments.at(1):
        if isinstance(possibility, Str) and possibility.literal is not None:
            names += possibility.literal.replace(",", " ").split()
        elif isinstance(possibility, Obj):
            for position in calls.interpreter.field_names(possibility):
                item = calls.interpreter.read(possibility.fields[position])
                names += [name.literal for name in item if isinstance(name, Str) and name.literal]
    return one(Record(tuple(names))) if names else UNKNOWN_VALUE


def _is_instance(calls: "Calls", site: "CallSite") -> Value:
    """``isinstance(value, Class)``, where the class is one of the project's."""
    outcomes: set[bool | None] = set()
    for possibility in site.arguments.at(0):
        for cls in site.arguments.at(1):
            outcomes.add(_is_of(calls, possibility, cls))
    if outcomes == {True}:
        return one(TRUE)
    return one(FALSE) if outcomes == {False} else UNKNOWN_VALUE


def _is_of(calls: "Calls", possibility: Possibility, cls: Possibility) -> bool | None:
    """Whether something is an instance of a class; None if it may or may not be."""
    if not isinstance(cls, Class) or not isinstance(possibility, Str | Obj):
        return None
    if possibility.cls is None:
        return False
    return True if calls.interpreter.is_subclass(possibility.cls, cls) else None


def _listed(calls: "Calls", site: "CallSite") -> Value:
    """``list(items)``, ``sorted(items)``, ``new Set(items)``."""
    if not site.arguments.positional:
        return _new_list(calls, site, NOTHING)
    return _new_list(calls, site, calls.interpreter.items(site.arguments.at(0)))


def _gathered(calls: "Calls", site: "CallSite") -> Value:
    """``asyncio.gather(a, b)``: a list of what they give."""
    return _new_list(calls, site, union([*site.arguments.positional, site.arguments.rest]))


def _assigned(calls: "Calls", site: "CallSite") -> Value:
    """``Object.assign(target, …sources)``."""
    target = site.arguments.at(0)
    for possibility in target:
        if isinstance(possibility, Obj):
            for source in (*site.arguments.positional[1:], site.arguments.rest):
                copy_fields(calls, possibility, source)
        if isinstance(possibility, Class):  # `Object.assign(Users.prototype, methods)`
            for source in site.arguments.positional[1:]:
                copy_fields(calls, possibility.statics, source)
    return target


def _inherited(calls: "Calls", site: "CallSite") -> Value:
    """``Object.create(prototype)``."""
    interpreter = calls.interpreter
    obj = interpreter.object_at((site.node, "create"), interpreter.stack[-1], site.line)
    for possibility in site.arguments.at(0):
        if isinstance(possibility, Obj):
            obj.prototype = possibility
    return one(obj)


def _inherits(calls: "Calls", site: "CallSite") -> Value:
    """``util.inherits(Users, Base)``."""
    interpreter = calls.interpreter
    for function in site.arguments.at(0):
        if isinstance(function, Func):
            interpreter.inherit_from(function, interpreter.member(site.arguments.at(1), "prototype", site.line))
    return NOTHING


def _of_object(
    method: Callable[["Calls", Obj, "CallSite"], Value],
) -> Callable[["Calls", "CallSite"], Value]:
    """``Object.keys(object)`` as the method that it is in Python."""

    def call(calls: "Calls", site: "CallSite") -> Value:
        results: list[Value] = []
        for possibility in site.arguments.at(0):
            if isinstance(possibility, Obj):
                results.append(method(calls, possibility, site))
            else:
                results.append(_new_list(calls, site, UNKNOWN_VALUE, "unknown"))
        return union(results)

    return call


def _dict(calls: "Calls", site: "CallSite") -> Value:
    """``dict(pairs, name=value)``, ``new Map(pairs)``, ``Object.fromEntries(pairs)``."""
    interpreter = calls.interpreter
    obj = interpreter.object_at((site.node, "dict"), interpreter.stack[-1], site.line)
    for name, value in site.arguments.keywords.items():
        interpreter.write_field(obj, name, value)
    for possibility in site.arguments.at(0):
        if not isinstance(possibility, Obj):
            interpreter.open(obj)
        elif possibility.is_list:
            for pair in interpreter.items(one(possibility)):
                key = interpreter.member_of(pair, "0", site.line)
                write_index(
                    calls,
                    one(obj),
                    key,
                    interpreter.member_of(pair, "1", site.line),
                    site.line,
                )
        else:
            copy_fields(calls, obj, one(possibility))
    return one(obj)


def _get_attribute(calls: "Calls", site: "CallSite") -> Value:
    """``getattr(owner, name, default)``."""
    affixes = ("", "")
    if isinstance(site.node, syntax.Call) and len(site.node.arguments) > 1:
        affixes = syntax.affixes(site.node.arguments[1])
    results: list[Value] = [site.arguments.at(2)]
    for owner in site.arguments.at(0):
        for name in site.arguments.at(1):
            results.append(_index_of(calls, owner, name, site.line, affixes))
    return union(results)


def _proxy(calls: "Calls", site: "CallSite") -> Value:
    """``new Proxy(target, handler)`` is the target, as far as its members are not made when they are read."""
    if calls.interpreter.member(site.arguments.at(1), "get", site.line) - {ABSENT}:
        calls.doubt(site.line, "makes a Proxy, whose members can't be told from the code")
    return site.arguments.at(0)


def _field(calls: "Calls", site: "CallSite") -> Value:
    """``field(default_factory=function)`` of a data class."""
    keywords = site.arguments.keywords
    factory = keywords.get("default_factory", keywords.get("factory", NOTHING))
    made = calls.call(factory, site.with_arguments(Arguments([])))
    return made | keywords.get("default", NOTHING)


def _module_variables(calls: "Calls", site: "CallSite") -> Value:
    """``globals()``."""
    return one(Namespace(calls.interpreter.stack[-1].function.module))


def _get_variable(calls: "Calls", site: "CallSite") -> Value:
    return _environment_variable(site)


def _partial(calls: "Calls", site: "CallSite") -> Value:
    keywords = tuple(site.arguments.keywords.items())
    return one(Partial(site.arguments.at(0), tuple(site.arguments.positional[1:]), keywords))


def _cached(calls: "Calls", site: "CallSite") -> Value:
    """``lru_cache(function)``, or ``lru_cache(size)`` as a decorator: the function stays the same."""
    functions = _functions(site.arguments.at(0))
    return functions or one(calls.interpreter.external("functools"))


def _wrapping(calls: "Calls", site: "CallSite") -> Value:
    """``functools.wraps(function)``: a decorator that changes nothing."""
    return one(calls.interpreter.external("functools"))


def _thread(calls: "Calls", site: "CallSite") -> Value:
    """``Thread(target=function, args=(a, b))``: it is started somewhere."""
    keywords = site.arguments.keywords
    arguments = _positional_items(calls, keywords.get("args", NOTHING))
    calls.call(
        _functions(keywords.get("target", NOTHING)),
        site.with_arguments(arguments),
    )
    return UNKNOWN_VALUE


def _mapped(calls: "Calls", site: "CallSite") -> Value:
    """Python's ``map(function, items)``."""
    items = [calls.interpreter.items(value) for value in site.arguments.positional[1:]]
    result = calls.call(_functions(site.arguments.at(0)), site.with_arguments(Arguments(items)))
    return _new_list(calls, site, result)


def _array_from(calls: "Calls", site: "CallSite") -> Value:
    """``Array.from(items, function)``."""
    items = calls.interpreter.items(site.arguments.at(0))
    functions = _functions(site.arguments.at(1))
    if functions:
        items = calls.call(functions, site.with_arguments(Arguments([items])))
    return _new_list(calls, site, items)


def _zipped(calls: "Calls", site: "CallSite") -> Value:
    interpreter = calls.interpreter
    row = interpreter.object_at((site.node, "row"), interpreter.stack[-1], site.line, is_list=True)
    for position, value in enumerate(site.arguments.positional):
        interpreter.write_field(row, str(position), interpreter.items(value))
    return _new_list(calls, site, one(row))


def _enumerated(calls: "Calls", site: "CallSite") -> Value:
    interpreter = calls.interpreter
    row = interpreter.object_at((site.node, "row"), interpreter.stack[-1], site.line, is_list=True)
    interpreter.write_field(row, "0", UNKNOWN_VALUE)
    interpreter.write_field(row, "1", interpreter.items(site.arguments.at(0)))
    return _new_list(calls, site, one(row))


def _dynamic_import(calls: "Calls", site: "CallSite") -> Value:
    """``importlib.import_module(name)``, and ``require`` of what isn't written out."""
    interpreter = calls.interpreter
    frame = interpreter.stack[-1]
    results: list[Value] = []
    for possibility in site.arguments.at(0):
        if isinstance(possibility, Str) and possibility.literal is not None:
            results.append(interpreter.import_value(frame.file, possibility.literal, 0, "*", site.line))
        else:
            results.append(_modules_like(calls, site))
    return union(results) or UNKNOWN_VALUE


def _modules_like(calls: "Calls", site: "CallSite") -> Value:
    """The modules that ``require("./actions/" + name)`` may mean: those in the folder."""
    interpreter = calls.interpreter
    start = ""
    if isinstance(site.node, syntax.Call) and site.node.arguments:
        start = syntax.affixes(site.node.arguments[0])[0]
    modules = interpreter.find_like(interpreter.stack[-1].file, start) if start else []
    if not modules:
        calls.doubt(site.line, "imports a module whose name can't be told from the code")
    found: set[Possibility] = set()
    for module in modules:
        if isinstance(module, syntax.Module):
            interpreter.import_module(module, site.line)
            found.add(Namespace(module))
        elif module is not None:
            found.add(module)
    return frozenset(found) or UNKNOWN_VALUE


GLOBALS: dict[str, Callable[["Calls", "CallSite"], Value]] = {
    "Array.from": _array_from,
    "Array.isArray": _unknown_result,
    "Array.of": _gathered,
    "Array": _listed,
    "Boolean": _unknown_result,
    "Date": _unknown_result,
    "Error": _unknown_result,
    "Map": _dict,
    "Number": _unknown_result,
    "Object.assign": _assigned,
    "Object.create": _inherited,
    "Object.entries": _of_object(_pairs),
    "Object.freeze": _first_argument,
    "Object.fromEntries": _dict,
    "Object.keys": _of_object(_keys),
    "Object.seal": _first_argument,
    "Object.values": _of_object(_values),
    "Promise.all": _first_argument,
    "Promise.allSettled": _first_argument,
    "Promise.any": _any_of,
    "Promise.race": _any_of,
    "Promise.resolve": _first_argument,
    "Set": _listed,
    "String": _first_argument,
    "asyncio.gather": _gathered,
    "asyncio.run": _first_argument,
    "bool": _unknown_result,
    "collections.namedtuple": _named_tuple,
    "console.log": _unknown_result,
    "decouple.config": _get_variable,
    "env-var.get": _get_variable,
    "copy.copy": _first_argument,
    "copy.deepcopy": _first_argument,
    "dict": _dict,
    "attr.field": _field,
    "attr.ib": _field,
    "attrs.field": _field,
    "dataclasses.field": _field,
    "enumerate": _enumerated,
    "frozenset": _listed,
    "Proxy": _proxy,
    "fastapi.Depends": _dependency,
    "pydantic.Field": _field,
    "functools.cache": _cached,
    "functools.lru_cache": _cached,
    "functools.partial": _partial,
    "functools.wraps": _wrapping,
    "getattr": _get_attribute,
    "globals": _module_variables,
    "import": _dynamic_import,
    "importlib.import_module": _dynamic_import,
    "int": _unknown_result,
    "isinstance": _is_instance,
    "iter": _first_argument,
    "json.dumps": _unknown_result,
    "JSON.parse": _from_json,
    "json.loads": _from_json,
    "len": _unknown_result,
    "list": _listed,
    "map": _mapped,
    "next": _any_of,
    "os.getenv": _get_variable,
    "print": _unknown_result,
    "require": _dynamic_import,
    "reversed": _listed,
    "set": _listed,
    "sorted": _listed,
    "str": _first_argument,
    "structuredClone": _first_argument,
    "threading.Thread": _thread,
    "multiprocessing.Process": _thread,
    "tuple": _listed,
    "types.SimpleNamespace": _dict,
    "type": _class_of,
    "typing.cast": _second_argument,
    "util.inherits": _inherits,
    "zip": _zipped,
}
