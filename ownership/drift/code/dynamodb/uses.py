"""What an operation uses: the tables that its parameters name, and what can't be told."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ownership.drift.code.dynamodb.operations import STATEMENT_LISTS, TRANSACTION_ITEMS, modes_of
from ownership.drift.code.dynamodb.parameters import ObjectParameters, Parameters
from ownership.drift.code.dynamodb.partiql import table_of
from ownership.drift.code.frames import Doubt, TableUse
from ownership.drift.code.possibilities import (
    ABSENT,
    NO_VALUES,
    NOTHING,
    UNKNOWN,
    UNKNOWN_VALUE,
    CodeValue,
    Obj,
    Str,
)
from ownership.drift.code.values import one
from ownership.drift.types import Location

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


def record(
    calls: "Calls",
    operation: str,
    parameters: Parameters,
    site: "CallSite",
    written: Location | None = None,
) -> None:
    """Record the tables that an operation names in its parameters."""
    if operation in ("BatchGetItem", "BatchWriteItem"):
        _record_batch(calls, operation, parameters.get("RequestItems"), site)
    elif operation in ("TransactGetItems", "TransactWriteItems"):
        _record_transaction(calls, operation, parameters.get("TransactItems"), site)
    elif operation == "ExecuteStatement":
        _record_statement(calls, parameters.get("Statement"), parameters, site)
    elif operation in STATEMENT_LISTS:
        items = calls.interpreter.items(parameters.get(STATEMENT_LISTS[operation]))
        for item in items:
            inner = ObjectParameters(calls, one(item))
            _record_statement(calls, inner.get("Statement"), inner, site)
    else:
        table, index = parameters.get("TableName"), parameters.get("IndexName")
        add_uses(calls, operation, table, index, parameters, site, written)


def _record_batch(calls: "Calls", operation: str, items: CodeValue, site: "CallSite") -> None:
    """``RequestItems: {users: …}``: each key is a table."""
    interpreter = calls.interpreter
    location = interpreter.stack[-1].location(site.line)
    for possibility in items:
        if not isinstance(possibility, Obj):
            if possibility not in NO_VALUES - {ABSENT}:
                _add_unknown(calls, operation, location)
            continue
        for key in interpreter.field_names(possibility):
            table = Str((key,)) if isinstance(key, str) else key
            named_at = possibility.named_at.get(key, possibility.location)
            use = TableUse(operation, table, None, location, named_at)
            interpreter.stack[-1].uses[use] = None
        if possibility.is_open or interpreter.read(possibility.rest):
            _add_unknown(calls, operation, location)


def _record_transaction(calls: "Calls", operation: str, items: CodeValue, site: "CallSite") -> None:
    """``TransactItems: [{Put: {TableName: …}}, …]``."""
    interpreter = calls.interpreter
    location = interpreter.stack[-1].location(site.line)
    recorded = False
    for item in interpreter.items(items):
        if not isinstance(item, Obj):
            continue
        if item.is_open:
            _add_unknown(calls, operation, location)
        for kind in interpreter.field_names(item):
            if isinstance(kind, str) and kind in TRANSACTION_ITEMS:
                inner = ObjectParameters(calls, interpreter.read_field(item, kind))
                add_uses(
                    calls,
                    TRANSACTION_ITEMS[kind],
                    inner.get("TableName"),
                    NOTHING,
                    inner,
                    site,
                )
                recorded = True
    unknown = {UNKNOWN, ABSENT} & interpreter.items(items) or not isinstance(next(iter(items), None), Obj)
    if unknown or not recorded:
        _add_unknown(calls, operation, location)


def _record_statement(calls: "Calls", statements: CodeValue, parameters: Parameters, site: "CallSite") -> None:
    """A PartiQL statement."""
    location = calls.interpreter.stack[-1].location(site.line)
    for possibility in statements or UNKNOWN_VALUE:
        found = table_of(possibility) if isinstance(possibility, Str) else None
        if found is None:
            _add_unknown(calls, "ExecuteStatement", location)
            continue
        index = one(found.index) if found.index is not None else NOTHING
        add_uses(calls, found.operation, one(found.table), index, parameters, site)


def add_uses(
    calls: "Calls",
    operation: str,
    table: CodeValue,
    index: CodeValue,
    parameters: Parameters,
    site: "CallSite",
    written: Location | None = None,
) -> None:
    """Add a use for each table that the operation may be on."""
    frame = calls.interpreter.stack[-1]
    location = frame.location(site.line)
    default = parameters.location(written or location)
    indexes: list[Str | None] = [*_texts(index)]
    if not indexes:
        indexes.append(None)
    is_known = False
    # An empty text is what a name is before it is set.
    for possibility in (table - {Str(("",))}) or table:
        if isinstance(possibility, Str):
            is_known = True
            named_at = possibility.named_at or default
            name = Str(possibility.parts)
            for index_name in indexes:
                frame.uses[TableUse(operation, name, index_name, location, named_at)] = None
        elif possibility not in NO_VALUES:
            _add_unknown(calls, operation, location)
    if not is_known:
        _add_unknown(calls, operation, location)


def _texts(value: CodeValue) -> Iterator[Str]:
    for possibility in value:
        if isinstance(possibility, Str):
            yield Str(possibility.parts)


def _add_unknown(calls: "Calls", operation: str, location: Location) -> None:
    why = f"the table of {operation} can't be told from the code"
    doubt = Doubt(location, why, modes_of(operation))
    calls.interpreter.stack[-1].doubts[doubt] = None
