"""Methods that the language itself has, of functions, texts and objects."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ownership.drift.code.language.collections import call_object_method
from ownership.drift.code.language.environment import environment_variable
from ownership.drift.code.language.items import positional_items
from ownership.drift.code.language.lists import new_list
from ownership.drift.code.language.texts import call_text_method
from ownership.drift.code.possibilities import (
    ENVIRONMENT,
    NO_VALUES,
    UNKNOWN_VALUE,
    Bound,
    Class,
    CodeValue,
    Func,
    Method,
    Obj,
    Partial,
    Pieces,
    Possibility,
    Str,
)
from ownership.drift.code.values import one, text

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


def call_method(calls: "Calls", owner: Possibility, name: str, site: "CallSite") -> CodeValue:
    """A call of a built-in method."""
    if isinstance(owner, Class):
        return new_list(calls, site, calls.interpreter.read(owner.subclasses))  # `__subclasses__()`
    if isinstance(owner, Func | Bound | Method):
        return _call_function_method(calls, owner, name, site)
    if isinstance(owner, Str):
        return call_text_method(calls, owner, name, site)
    if owner is ENVIRONMENT:
        return environment_variable(site) if name == "get" else one(ENVIRONMENT)
    if isinstance(owner, Pieces):
        position = site.arguments.at(0)
        if name in ("pop", "shift") and not position:
            position = text("-1" if name == "pop" else "0")
        pieces = [owner.piece(item.literal) for item in position if isinstance(item, Str) and item.literal]
        return frozenset(pieces) or UNKNOWN_VALUE
    if isinstance(owner, Obj):
        return call_object_method(calls, owner, name, site)
    return UNKNOWN_VALUE


def _call_function_method(calls: "Calls", function: Func | Bound | Method, name: str, site: "CallSite") -> CodeValue:
    arguments = site.arguments
    this = arguments.at(0)
    if name == "bind":
        bound = one(function)
        if isinstance(function, Func) and this - NO_VALUES:
            bound = one(Bound(function, this - NO_VALUES))
        given = tuple(arguments.positional[1:])
        return one(Partial(bound, given)) if given else bound
    if name == "apply":
        rest = positional_items(calls, arguments.at(1))
    else:
        rest = replace(arguments, positional=arguments.positional[1:])
    if not isinstance(function, Func):
        return calls.call_one(function, site.with_arguments(rest))
    return calls.call_one(function, site.with_arguments(rest), this - NO_VALUES)
