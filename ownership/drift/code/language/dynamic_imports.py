"""Modules that are imported by a name that is worked out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ownership.drift.code import syntax
from ownership.drift.code.frames import ImportSource
from ownership.drift.code.ordered_set import OrderedSet
from ownership.drift.code.possibilities import (
    UNKNOWN_VALUE,
    CodeValue,
    External,
    Namespace,
    Possibility,
)
from ownership.drift.code.values import literal_of, union

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


def dynamic_import(calls: "Calls", site: "CallSite") -> CodeValue:
    """``importlib.import_module(name)``, and ``require`` of what isn't written out."""
    interpreter = calls.interpreter
    file = interpreter.current.file
    results: list[CodeValue] = []
    for possibility in site.arguments.at(0):
        name = literal_of(possibility)
        if name is not None:
            results.append(interpreter.import_value(ImportSource(file, name, 0, site.line), "*"))
        else:
            results.append(_modules_like(calls, site))
    return union(results) or UNKNOWN_VALUE


def _modules_like(calls: "Calls", site: "CallSite") -> CodeValue:
    """The modules that ``require("./actions/" + name)`` may mean: those in the folder."""
    interpreter = calls.interpreter
    start, _ = argument_affixes(site, 0)
    modules: Sequence[syntax.Module | External | None] = ()
    if start:
        modules = interpreter.find_like(interpreter.current.file, start)
    if not modules:
        calls.doubt(site.line, "imports a module whose name can't be told from the code")
    values: list[Possibility] = []
    for module in modules:
        if isinstance(module, syntax.Module):
            interpreter.import_module(module, site.line)
            values.append(Namespace(module))
        elif module is not None:
            values.append(module)
    return OrderedSet(values) or UNKNOWN_VALUE


def argument_affixes(site: "CallSite", position: int) -> tuple[str, str]:
    """What an argument begins and ends with, also where the rest is unknown."""
    if not isinstance(site.node, syntax.CallExpression) or len(site.node.arguments) <= position:
        return "", ""
    return syntax.affixes(site.node.arguments[position])
