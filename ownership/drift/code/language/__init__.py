"""Built-in functions and methods of JavaScript and Python, as far as functions and names pass through them.

``tables.map((table) => db.scan(table))`` calls the function with each table, and ``"-".join([a, b])`` makes a name.
What isn't here is treated like a package's function: see ``calls``.
"""

from ownership.drift.code.language.collections import DICT_METHODS, OBJECT_METHODS
from ownership.drift.code.language.global_functions import call_global
from ownership.drift.code.language.items import copy_fields, index, spread_into, write_index
from ownership.drift.code.language.iteration import (
    CONTINUATIONS,
    collected_by,
    continuation,
    iterated_by_package,
)
from ownership.drift.code.language.lists import lists_in, one_by_one
from ownership.drift.code.language.methods import call_method
from ownership.drift.code.language.texts import concatenation

__all__ = [
    "CONTINUATIONS",
    "DICT_METHODS",
    "OBJECT_METHODS",
    "call_global",
    "call_method",
    "collected_by",
    "concatenation",
    "continuation",
    "copy_fields",
    "index",
    "iterated_by_package",
    "lists_in",
    "one_by_one",
    "spread_into",
    "write_index",
]
