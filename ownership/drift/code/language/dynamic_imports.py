"""Modules that are imported by a name that is worked out."""

from typing import TYPE_CHECKING

from ownership.drift.code import syntax
from ownership.drift.code.possibilities import (
    UNKNOWN_VALUE,
    CodeValue,
    Namespace,
    Possibility,
    Str,
)
from ownership.drift.code.values import union

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


def dynamic_import(calls: "Calls", site: "CallSite") -> CodeValue:
    """``importlib.import_module(name)``, and ``require`` of what isn't written out."""
    interpreter = calls.interpreter
    frame = interpreter.stack[-1]
    results: list[CodeValue] = []
    for possibility in site.arguments.at(0):
        if isinstance(possibility, Str) and possibility.literal is not None:
            results.append(interpreter.import_value(frame.file, possibility.literal, 0, "*", site.line))
        else:
            results.append(_modules_like(calls, site))
    return union(results) or UNKNOWN_VALUE


def _modules_like(calls: "Calls", site: "CallSite") -> CodeValue:
    """The modules that ``require("./actions/" + name)`` may mean: those in the folder."""
    interpreter = calls.interpreter
    start = ""
    if isinstance(site.node, syntax.CallExpression) and site.node.arguments:
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
