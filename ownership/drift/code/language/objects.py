"""Functions that make or examine objects and classes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ownership.drift.code.frames import Arguments
from ownership.drift.code.language.dynamic_imports import argument_affixes
from ownership.drift.code.language.items import copy_fields, index_of, write_index
from ownership.drift.code.language.lists import new_list
from ownership.drift.code.ordered_set import OrderedSet
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
from ownership.drift.code.values import literals_in, one, only, union

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


def class_of(calls: "Calls", site: "CallSite") -> CodeValue:
    """``type(self)``."""
    instances = only(site.arguments.at(0), Obj)
    classes = OrderedSet([obj.cls for obj in instances if obj.cls is not None])
    return classes or UNKNOWN_VALUE


def named_tuple(calls: "Calls", site: "CallSite") -> CodeValue:
    """``namedtuple("Name", "first second")``, or with a list of names."""
    names: list[str] = []
    for written in literals_in(site.arguments.at(1)):
        names += written.replace(",", " ").split()
    for items in only(site.arguments.at(1), Obj):
        for _, value in calls.interpreter.fields(items):
            names += literals_in(value)
    if not names:
        return UNKNOWN_VALUE
    return one(Record(tuple(names)))


def is_instance(calls: "Calls", site: "CallSite") -> CodeValue:
    """``isinstance(value, Class)``, where the class is one of the project's."""
    outcomes: set[bool | None] = set()
    for possibility in site.arguments.at(0):
        for cls in site.arguments.at(1):
            outcomes.add(_is_of(calls, possibility, cls))
    if outcomes == {True}:
        return one(TRUE)
    if outcomes == {False}:
        return one(FALSE)
    return UNKNOWN_VALUE


def _is_of(calls: "Calls", possibility: Possibility, cls: Possibility) -> bool | None:
    """Whether something is an instance of a class; None if it may or may not be."""
    if not isinstance(cls, Class) or not isinstance(possibility, Str | Obj):
        return None
    if possibility.cls is None:
        return False
    if calls.interpreter.is_subclass(possibility.cls, cls):
        return True
    return None


def assign_fields(calls: "Calls", site: "CallSite") -> CodeValue:
    """``Object.assign(target, …sources)``."""
    target = site.arguments.at(0)
    sources = [*site.arguments.positional[1:], site.arguments.rest]
    for obj in only(target, Obj):
        for source in sources:
            copy_fields(calls, obj, source)
    # `Object.assign(Users.prototype, methods)`
    for cls in only(target, Class):
        for source in sources:
            copy_fields(calls, cls.statics, source)
    return target


def create_object(calls: "Calls", site: "CallSite") -> CodeValue:
    """``Object.create(prototype)``."""
    obj = calls.object_of(site, "create")
    for prototype in only(site.arguments.at(0), Obj):
        obj.prototype = prototype
    return one(obj)


def inherit(calls: "Calls", site: "CallSite") -> CodeValue:
    """``util.inherits(Users, Base)``."""
    interpreter = calls.interpreter
    prototype = interpreter.member(site.arguments.at(1), "prototype", site.line)
    for function in only(site.arguments.at(0), Func):
        interpreter.inherit_from(function, prototype)
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
    obj = calls.object_of(site, "dict")
    for name, value in site.arguments.keywords.items():
        interpreter.write_field(obj, name, value)
    for possibility in site.arguments.at(0):
        if not isinstance(possibility, Obj):
            interpreter.open(obj)
        elif possibility.is_list:
            for pair in interpreter.items(one(possibility)):
                key = interpreter.member_of(pair, "0", site.line)
                value = interpreter.member_of(pair, "1", site.line)
                write_index(calls, one(obj), key, value, site.line)
        else:
            copy_fields(calls, obj, one(possibility))
    return one(obj)


def attribute_of(calls: "Calls", site: "CallSite") -> CodeValue:
    """``getattr(owner, name, default)``."""
    affixes = argument_affixes(site, 1)
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
    return one(Namespace(calls.interpreter.current.function.module))


def partial_function(calls: "Calls", site: "CallSite") -> CodeValue:
    keywords = tuple(site.arguments.keywords.items())
    return one(Partial(site.arguments.at(0), tuple(site.arguments.positional[1:]), keywords))
