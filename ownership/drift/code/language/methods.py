"""Methods that the language itself has, of functions, texts and objects."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ownership.drift.code.language.collections import call_object_method
from ownership.drift.code.language.environment import environment_variable
from ownership.drift.code.language.items import positional_items
from ownership.drift.code.language.lists import new_list
from ownership.drift.code.language.texts import call_text_method
from ownership.drift.code.ordered_set import OrderedSet
from ownership.drift.code.possibilities import (
    ENVIRONMENT,
    NO_VALUES,
    UNKNOWN_VALUE,
    Bound,
    Class,
    CodeValue,
    Constant,
    Func,
    Method,
    Obj,
    Partial,
    Possibility,
    Str,
    TextPieces,
)
from ownership.drift.code.values import literals_in, one

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


def call_method(calls: "Calls", owner: Possibility, name: str, site: "CallSite") -> CodeValue:
    """A call of a built-in method."""
    call = METHODS_BY_TYPE.get(type(owner))
    if call is None:
        return UNKNOWN_VALUE
    return call(calls, owner, name, site)


def _call_class_method(calls: "Calls", cls: Class, name: str, site: "CallSite") -> CodeValue:
    """``__subclasses__()``."""
    return new_list(calls, site, calls.interpreter.read(cls.subclasses))


def _call_environment_method(
    calls: "Calls", owner: Constant, name: str, site: "CallSite"
) -> CodeValue:
    if name == "get":
        return environment_variable(site)
    return one(ENVIRONMENT)


def _call_pieces_method(
    calls: "Calls", pieces: TextPieces, name: str, site: "CallSite"
) -> CodeValue:
    """``pieces.pop()``, ``pieces.at(1)``, ``settings.get("table")``."""
    positions = literals_in(site.arguments.at(0))
    if not site.arguments.at(0) and name in DEFAULT_POSITIONS:
        positions = [DEFAULT_POSITIONS[name]]
    texts = OrderedSet([pieces.piece(position) for position in positions if position])
    return texts or UNKNOWN_VALUE


def _call_function_method(
    calls: "Calls",
    function: Func | Bound | Method,
    name: str,
    site: "CallSite",
) -> CodeValue:
    """``function.bind(this)``, ``function.call(this, argument)`` and ``function.apply(this, arguments)``."""
    this = site.arguments.at(0) - NO_VALUES
    if name == "bind":
        return _bind(function, this, tuple(site.arguments.positional[1:]))
    if name == "apply":
        rest = positional_items(calls, site.arguments.at(1))
    else:
        rest = replace(site.arguments, positional=site.arguments.positional[1:])
    if not isinstance(function, Func):
        return calls.call_one(function, site.with_arguments(rest))
    return calls.call_one(function, site.with_arguments(rest), this)


def _bind(
    function: Func | Bound | Method,
    this: CodeValue,
    arguments: tuple[CodeValue, ...],
) -> CodeValue:
    bound = one(function)
    if isinstance(function, Func) and this:
        bound = one(Bound(function, this))
    if arguments:
        return one(Partial(bound, arguments))
    return bound


# Methods of pieces that are called without a position → the position.
DEFAULT_POSITIONS = {"pop": "-1", "shift": "0"}
METHODS_BY_TYPE: dict[type, Callable[["Calls", Any, str, "CallSite"], CodeValue]] = {
    Bound: _call_function_method,
    Class: _call_class_method,
    Constant: _call_environment_method,
    Func: _call_function_method,
    Method: _call_function_method,
    Obj: call_object_method,
    TextPieces: _call_pieces_method,
    Str: call_text_method,
}
