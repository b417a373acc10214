"""Functions that make or examine objects and classes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ownership.drift.code import syntax
from ownership.drift.code.frames import Arguments
from ownership.drift.code.language.items import copy_fields, index_of, write_index
from ownership.drift.code.language.lists import new_list
from ownership.drift.code.possibilities import (
    ABSENT,
    FALSE,
    NOTHING,
    TRUE,
    UNKNOWN_VALUE,
    Class,
    CodeValue,
    Func,
    Namespace,
    Obj,
    Partial,
    Possibility,
    Record,
    Str,
)
from ownership.drift.code.values import one, union

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


def class_of(calls: "Calls", site: "CallSite") -> CodeValue:
    """``type(self)``."""
    classes: set[Possibility] = set()
    for possibility in site.arguments.at(0):
        if isinstance(possibility, Obj) and possibility.cls is not None:
            classes.add(possibility.cls)
    return frozenset(classes) or UNKNOWN_VALUE


def named_tuple(calls: "Calls", site: "CallSite") -> CodeValue:
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


def is_instance(calls: "Calls", site: "CallSite") -> CodeValue:
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


def assign_fields(calls: "Calls", site: "CallSite") -> CodeValue:
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


def create_object(calls: "Calls", site: "CallSite") -> CodeValue:
    """``Object.create(prototype)``."""
    interpreter = calls.interpreter
    obj = interpreter.object_at((site.node, "create"), interpreter.stack[-1], site.line)
    for possibility in site.arguments.at(0):
        if isinstance(possibility, Obj):
            obj.prototype = possibility
    return one(obj)


def inherit(calls: "Calls", site: "CallSite") -> CodeValue:
    """``util.inherits(Users, Base)``."""
    interpreter = calls.interpreter
    for function in site.arguments.at(0):
        if isinstance(function, Func):
            interpreter.inherit_from(function, interpreter.member(site.arguments.at(1), "prototype", site.line))
    return NOTHING


def of_object(
    method: Callable[["Calls", Obj, "CallSite"], CodeValue],
) -> Callable[["Calls", "CallSite"], CodeValue]:
    """``Object.keys(object)`` as the method that it is in Python."""

    def call(calls: "Calls", site: "CallSite") -> CodeValue:
        results: list[CodeValue] = []
        for possibility in site.arguments.at(0):
            if isinstance(possibility, Obj):
                results.append(method(calls, possibility, site))
            else:
                results.append(new_list(calls, site, UNKNOWN_VALUE, "unknown"))
        return union(results)

    return call


def make_dict(calls: "Calls", site: "CallSite") -> CodeValue:
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


def attribute_of(calls: "Calls", site: "CallSite") -> CodeValue:
    """``getattr(owner, name, default)``."""
    affixes = ("", "")
    if isinstance(site.node, syntax.CallExpression) and len(site.node.arguments) > 1:
        affixes = syntax.affixes(site.node.arguments[1])
    results: list[CodeValue] = [site.arguments.at(2)]
    for owner in site.arguments.at(0):
        for name in site.arguments.at(1):
            results.append(index_of(calls, owner, name, site.line, affixes))
    return union(results)


def make_proxy(calls: "Calls", site: "CallSite") -> CodeValue:
    """``new Proxy(target, handler)`` is the target, as far as its members are not made when they are read."""
    if calls.interpreter.member(site.arguments.at(1), "get", site.line) - {ABSENT}:
        calls.doubt(site.line, "makes a Proxy, whose members can't be told from the code")
    return site.arguments.at(0)


def field_default(calls: "Calls", site: "CallSite") -> CodeValue:
    """``field(default_factory=function)`` of a data class."""
    keywords = site.arguments.keywords
    factory = keywords.get("default_factory", keywords.get("factory", NOTHING))
    made = calls.call(factory, site.with_arguments(Arguments([])))
    return made | keywords.get("default", NOTHING)


def module_variables(calls: "Calls", site: "CallSite") -> CodeValue:
    """``globals()``."""
    return one(Namespace(calls.interpreter.stack[-1].function.module))


def partial_function(calls: "Calls", site: "CallSite") -> CodeValue:
    keywords = tuple(site.arguments.keywords.items())
    return one(Partial(site.arguments.at(0), tuple(site.arguments.positional[1:]), keywords))
