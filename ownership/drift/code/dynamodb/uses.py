"""What an operation uses: the tables that its parameters name, and what can't be told."""

from itertools import product
from typing import TYPE_CHECKING

from ownership.drift.code.dynamodb.operations import (
    BATCHES,
    STATEMENT_LISTS,
    TRANSACTION_ITEMS,
    TRANSACTIONS,
    modes_of,
)
from ownership.drift.code.dynamodb.parameters import ObjectParameters, Parameters
from ownership.drift.code.dynamodb.partiql import table_of
from ownership.drift.code.frames import Doubt, TableUse
from ownership.drift.code.possibilities import (
    ABSENT,
    NO_VALUES,
    NOTHING,
    NULL,
    UNDEFINED,
    UNKNOWN,
    UNKNOWN_VALUE,
    CodeValue,
    Obj,
    Str,
)
from ownership.drift.code.values import one, only
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
    """Record the tables that an operation names in its parameters. ``written``: where a command of it is made."""
    if operation in BATCHES:
        _record_batch(calls, operation, parameters.get("RequestItems"), site)
    elif operation in TRANSACTIONS:
        _record_transaction(calls, operation, parameters.get("TransactItems"), site)
    elif operation == "ExecuteStatement":
        _record_statement(calls, parameters, site)
    elif operation in STATEMENT_LISTS:
        statements = parameters.get(STATEMENT_LISTS[operation])
        for statement in calls.interpreter.items(statements):
            _record_statement(calls, ObjectParameters(calls, one(statement)), site)
    else:
        table, index = parameters.get("TableName"), parameters.get("IndexName")
        add_uses(calls, operation, table, index, parameters, site, written)


def _record_batch(calls: "Calls", operation: str, items: CodeValue, site: "CallSite") -> None:
    """``RequestItems: {users: …}``: each key is a table."""
    interpreter = calls.interpreter
    location = interpreter.current.location(site.line)
    batches = only(items, Obj)
    for batch in batches:
        for key in interpreter.field_names(batch):
            table = Str((key,)) if isinstance(key, str) else key
            named_at = batch.named_at.get(key, batch.location)
            _add_use(calls, TableUse(operation, table, None, location, named_at))
    is_unknown = bool(items - batches - {NULL, UNDEFINED})
    if is_unknown or any(interpreter.has_more(batch) for batch in batches):
        _add_unknown(calls, operation, location)


def _record_transaction(calls: "Calls", operation: str, items: CodeValue, site: "CallSite") -> None:
    """``TransactItems: [{Put: {TableName: …}}, …]``."""
    interpreter = calls.interpreter
    parts = interpreter.items(items)
    actions = only(parts, Obj)
    kinds = 0
    for action in actions:
        for kind in interpreter.literal_names(action):
            if kind not in TRANSACTION_ITEMS:
                continue
            inner = ObjectParameters(calls, interpreter.read_field(action, kind))
            add_uses(calls, TRANSACTION_ITEMS[kind], inner.get("TableName"), NOTHING, inner, site)
            kinds += 1
    is_open = any(action.is_open for action in actions)
    if not kinds or is_open or parts & {UNKNOWN, ABSENT}:
        _add_unknown(calls, operation, interpreter.current.location(site.line))


def _record_statement(calls: "Calls", parameters: Parameters, site: "CallSite") -> None:
    """A PartiQL statement."""
    location = calls.interpreter.current.location(site.line)
    for possibility in parameters.get("Statement") or UNKNOWN_VALUE:
        named = table_of(possibility) if isinstance(possibility, Str) else None
        if named is None:
            _add_unknown(calls, "ExecuteStatement", location)
            continue
        index = NOTHING if named.index is None else one(named.index)
        add_uses(calls, named.operation, one(named.table), index, parameters, site)


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
    location = calls.interpreter.current.location(site.line)
    default = parameters.location(written or location)
    # An empty text is what a name is before it is set.
    tables = table - {Str(("",))} or table
    names = only(tables, Str)
    indexes: list[Str | None] = [Str(text.parts) for text in only(index, Str)]
    if not indexes:
        indexes.append(None)
    for name, index_name in product(names, indexes):
        named_at = name.named_at or default
        _add_use(calls, TableUse(operation, Str(name.parts), index_name, location, named_at))
    if not names or tables - names - NO_VALUES:
        _add_unknown(calls, operation, location)


def _add_use(calls: "Calls", use: TableUse) -> None:
    calls.interpreter.current.uses[use] = None


def _add_unknown(calls: "Calls", operation: str, location: Location) -> None:
    why = f"the table of {operation} can't be told from the code"
    doubt = Doubt(location, why, modes_of(operation))
    calls.interpreter.current.doubts[doubt] = None
