"""Global functions of both languages and of standard modules."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ownership.drift.code.frames import Arguments
from ownership.drift.code.language.collections import keys_of, pairs_of, values_of
from ownership.drift.code.language.dynamic_imports import dynamic_import
from ownership.drift.code.language.environment import get_variable
from ownership.drift.code.language.items import positional_items
from ownership.drift.code.language.iteration import map_items, reduced
from ownership.drift.code.language.lists import functions_in, new_list
from ownership.drift.code.language.objects import (
    assign_fields,
    attribute_of,
    class_of,
    create_object,
    field_default,
    inherit,
    is_instance,
    make_dict,
    make_proxy,
    module_variables,
    named_tuple,
    of_object,
    partial_function,
)
from ownership.drift.code.language.texts import parsed_json
from ownership.drift.code.possibilities import (
    NOTHING,
    UNKNOWN_VALUE,
    CodeValue,
    External,
)
from ownership.drift.code.values import one, text, union

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


def call_global(calls: "Calls", callee: External, site: "CallSite") -> CodeValue | None:
    """A call of a global function or of a standard module's; None for those that are not known here."""
    if callee.is_result or callee.unread:
        return None
    function = GLOBALS.get(".".join(callee.path))
    if function is None:
        return None
    return function(calls, site)


def _unknown_result(calls: "Calls", site: "CallSite") -> CodeValue:
    return UNKNOWN_VALUE


def _first_argument(calls: "Calls", site: "CallSite") -> CodeValue:
    return site.arguments.at(0)


def _second_argument(calls: "Calls", site: "CallSite") -> CodeValue:
    return site.arguments.at(1)


def _any_of(calls: "Calls", site: "CallSite") -> CodeValue:
    return calls.interpreter.items(site.arguments.at(0))


def _dependency(calls: "Calls", site: "CallSite") -> CodeValue:
    """FastAPI's ``Depends(function)`` and ``Depends(Class)``."""
    return calls.call(site.arguments.at(0), site.with_arguments(Arguments([])))


def _listed(calls: "Calls", site: "CallSite") -> CodeValue:
    """``list(items)``, ``sorted(items)``, ``new Set(items)``."""
    if not site.arguments.positional:
        return new_list(calls, site, NOTHING)
    return new_list(calls, site, calls.interpreter.items(site.arguments.at(0)))


def _gathered(calls: "Calls", site: "CallSite") -> CodeValue:
    """``asyncio.gather(a, b)``: a list of what they give."""
    return new_list(calls, site, union([*site.arguments.positional, site.arguments.rest]))


def _current_folder(calls: "Calls", site: "CallSite") -> CodeValue:
    """``process.cwd()``."""
    folder = calls.interpreter.working_folder
    if folder is None:
        return UNKNOWN_VALUE
    return text(f"/project/{folder}".rstrip("/"))


def _filtered(calls: "Calls", site: "CallSite") -> CodeValue:
    """Python's ``filter(function, items)``."""
    items = calls.interpreter.items(site.arguments.at(1))
    calls.call(functions_in(site.arguments.at(0)), site.with_arguments(Arguments([items])))
    return new_list(calls, site, items)


def _chained(calls: "Calls", site: "CallSite") -> CodeValue:
    """``itertools.chain(first, second)``."""
    lists = [*site.arguments.positional, site.arguments.rest]
    return new_list(calls, site, union(calls.interpreter.items(value) for value in lists))


def _reduced(calls: "Calls", site: "CallSite") -> CodeValue:
    """``functools.reduce(function, items, start)``."""
    items = calls.interpreter.items(site.arguments.at(1))
    start = site.arguments.at(2) or items
    return reduced(calls, functions_in(site.arguments.at(0)), start, items, site)


def _cached(calls: "Calls", site: "CallSite") -> CodeValue:
    """``lru_cache(function)``, or ``lru_cache(size)`` as a decorator: the function stays the same."""
    functions = functions_in(site.arguments.at(0))
    return functions or one(calls.interpreter.external("functools"))


def _wrapping(calls: "Calls", site: "CallSite") -> CodeValue:
    """``functools.wraps(function)``: a decorator that changes nothing."""
    return one(calls.interpreter.external("functools"))


def _thread(calls: "Calls", site: "CallSite") -> CodeValue:
    """``Thread(target=function, args=(a, b))``: it is started somewhere."""
    keywords = site.arguments.keywords
    arguments = positional_items(calls, keywords.get("args", NOTHING))
    calls.call(
        functions_in(keywords.get("target", NOTHING)),
        site.with_arguments(arguments),
    )
    return UNKNOWN_VALUE


def _array_from(calls: "Calls", site: "CallSite") -> CodeValue:
    """``Array.from(items, function)``."""
    items = calls.interpreter.items(site.arguments.at(0))
    functions = functions_in(site.arguments.at(1))
    if functions:
        items = calls.call(functions, site.with_arguments(Arguments([items])))
    return new_list(calls, site, items)


def _zipped(calls: "Calls", site: "CallSite") -> CodeValue:
    interpreter = calls.interpreter
    row = calls.object_of(site, "row", is_list=True)
    for position, value in enumerate(site.arguments.positional):
        interpreter.write_field(row, str(position), interpreter.items(value))
    return new_list(calls, site, one(row))


def _enumerated(calls: "Calls", site: "CallSite") -> CodeValue:
    interpreter = calls.interpreter
    row = calls.object_of(site, "row", is_list=True)
    interpreter.write_field(row, "0", UNKNOWN_VALUE)
    interpreter.write_field(row, "1", interpreter.items(site.arguments.at(0)))
    return new_list(calls, site, one(row))


GLOBALS: dict[str, Callable[["Calls", "CallSite"], CodeValue]] = {
    "Array.from": _array_from,
    "Array.isArray": _unknown_result,
    "Array.of": _gathered,
    "Array": _listed,
    "Boolean": _unknown_result,
    "Date": _unknown_result,
    "Error": _unknown_result,
    "Map": make_dict,
    "Number": _unknown_result,
    "Object.assign": assign_fields,
    "Object.create": create_object,
    "Object.entries": of_object(pairs_of),
    "Object.freeze": _first_argument,
    "Object.fromEntries": make_dict,
    "Object.keys": of_object(keys_of),
    "Object.seal": _first_argument,
    "Object.values": of_object(values_of),
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
    "collections.namedtuple": named_tuple,
    "console.log": _unknown_result,
    "decouple.config": get_variable,
    "env-var.get": get_variable,
    "copy.copy": _first_argument,
    "copy.deepcopy": _first_argument,
    "dict": make_dict,
    "attr.field": field_default,
    "attr.ib": field_default,
    "attrs.field": field_default,
    "dataclasses.field": field_default,
    "enumerate": _enumerated,
    "frozenset": _listed,
    "Proxy": make_proxy,
    "fastapi.Depends": _dependency,
    "pydantic.Field": field_default,
    "functools.cache": _cached,
    "functools.lru_cache": _cached,
    "filter": _filtered,
    "functools.reduce": _reduced,
    "itertools.chain": _chained,
    "itertools.islice": _listed,
    "functools.partial": partial_function,
    "functools.wraps": _wrapping,
    "getattr": attribute_of,
    "globals": module_variables,
    "import": dynamic_import,
    "importlib.import_module": dynamic_import,
    "int": _unknown_result,
    "isinstance": is_instance,
    "iter": _first_argument,
    "json.dumps": _unknown_result,
    "JSON.parse": parsed_json,
    "json.loads": parsed_json,
    "len": _unknown_result,
    "list": _listed,
    "map": map_items,
    "next": _any_of,
    "os.getenv": get_variable,
    "print": _unknown_result,
    "process.cwd": _current_folder,
    "require": dynamic_import,
    "reversed": _listed,
    "set": _listed,
    "sorted": _listed,
    "str": _first_argument,
    "structuredClone": _first_argument,
    "threading.Thread": _thread,
    "multiprocessing.Process": _thread,
    "tuple": _listed,
    "types.SimpleNamespace": make_dict,
    "type": class_of,
    "typing.cast": _second_argument,
    "util.inherits": inherit,
    "zip": _zipped,
}
