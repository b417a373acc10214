"""The SDKs: which calls are operations of DynamoDB, and where each names its table.

::

    client.send(new QueryCommand({TableName: "users"}))      SDK for JavaScript v3
    documents.query({TableName: "users"}).promise()          SDK for JavaScript v2
    resource.Table("users").query(…)                         boto3's resource
    client.get_paginator("query").paginate(TableName=…)      boto3's client

are each ``Query`` on ``users``. Operations are named like IAM's actions: a transaction's ``Put`` is ``PutItem``.
Source: API references of the AWS SDK for JavaScript (v2 and v3) and of boto3; Amazon DynamoDB API Reference.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from ownership.drift.code.frames import Arguments, Doubt, TableUse
from ownership.drift.code.partiql import table_of
from ownership.drift.code.values import (
    ABSENT,
    NO_VALUES,
    NOTHING,
    UNKNOWN,
    UNKNOWN_VALUE,
    Bound,
    Cell,
    Client,
    Command,
    External,
    Func,
    Model,
    Obj,
    Paginator,
    Possibility,
    Str,
    TableHandle,
    Value,
    one,
    union,
)
from ownership.drift.types import Location, ReadOrWrite

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite

# Whether an operation reads or writes items; a write that returns old values is a write alone.
MODES: dict[str, ReadOrWrite] = {
    "BatchGetItem": "read",
    "BatchWriteItem": "write",
    "ConditionCheckItem": "read",
    "DeleteItem": "write",
    "GetItem": "read",
    "PartiQLDelete": "write",
    "PartiQLInsert": "write",
    "PartiQLSelect": "read",
    "PartiQLUpdate": "write",
    "PutItem": "write",
    "Query": "read",
    "Scan": "read",
    "UpdateItem": "write",
}
# Names of commands of v3, for both kinds of client → the operation.
OPERATIONS = {
    "BatchExecuteStatement": "BatchExecuteStatement",
    "BatchGet": "BatchGetItem",
    "BatchGetItem": "BatchGetItem",
    "BatchWrite": "BatchWriteItem",
    "BatchWriteItem": "BatchWriteItem",
    "Delete": "DeleteItem",
    "DeleteItem": "DeleteItem",
    "ExecuteStatement": "ExecuteStatement",
    "ExecuteTransaction": "ExecuteTransaction",
    "Get": "GetItem",
    "GetItem": "GetItem",
    "Put": "PutItem",
    "PutItem": "PutItem",
    "Query": "Query",
    "Scan": "Scan",
    "TransactGet": "TransactGetItems",
    "TransactGetItems": "TransactGetItems",
    "TransactWrite": "TransactWriteItems",
    "TransactWriteItems": "TransactWriteItems",
    "Update": "UpdateItem",
    "UpdateItem": "UpdateItem",
}
# Members of a transaction's items → the operation.
TRANSACTION_ITEMS = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}
# Methods of PynamoDB's classes → the operation.
MODEL_METHODS = {
    "batch_get": "BatchGetItem",
    "batch_write": "BatchWriteItem",
    "count": "Query",
    "delete": "DeleteItem",
    "get": "GetItem",
    "query": "Query",
    "refresh": "GetItem",
    "save": "PutItem",
    "scan": "Scan",
    "update": "UpdateItem",
}
STATEMENT_LISTS = {
    "BatchExecuteStatement": "Statements",
    "ExecuteTransaction": "TransactStatements",
}
UNPROCESSED = {
    "BatchGetItem": "UnprocessedKeys",
    "BatchWriteItem": "UnprocessedItems",
}
NAMING_PARAMETERS = ("TableName", "RequestItems", "TransactItems")
# Methods that nothing but boto3's tables has, so that they count on a receiver of which nothing is known.
TABLE_METHODS = {"delete_item", "get_item", "put_item", "update_item"}

CLIENTS = {
    "DocumentClient",
    "DynamoDB",
    "DynamoDBClient",
    "DynamoDBDocument",
    "DynamoDBDocumentClient",
}
CLIENT_MODULES = {"aws-sdk/clients/dynamodb"}
PYTHON_SDKS = {"aioboto3", "aiobotocore", "boto3", "botocore"}
WORD_START = re.compile(r"(?<!^)(?=[A-Z])")


def _method_names() -> dict[str, str]:
    """Method → operation, in JavaScript (``getItem``) and in Python (``get_item``)."""
    methods = {}
    for name, operation in OPERATIONS.items():
        methods[name[0].lower() + name[1:]] = operation
        methods[WORD_START.sub("_", name).lower()] = operation
    return methods


METHODS = _method_names()


class Parameters(Protocol):
    """The parameters of an operation, by name."""

    def get(self, name: str) -> Value:
        """What a parameter may be; ABSENT if it is not given."""

    def location(self, default: Location) -> Location:
        """Where the parameters are written."""


class _ObjectParameters:
    """Parameters in an object: ``{TableName: …}``."""

    def __init__(self, calls: "Calls", value: Value) -> None:
        self.interpreter = calls.interpreter
        self.value = value

    def get(self, name: str) -> Value:
        values: list[Value] = []
        for possibility in self.value:
            if isinstance(possibility, Obj):
                values.append(self.interpreter.read_field(possibility, name) or one(ABSENT))
            elif possibility not in NO_VALUES:
                values.append(UNKNOWN_VALUE)
        return union(values)

    def location(self, default: Location) -> Location:
        locations = [possibility.location for possibility in self.value if isinstance(possibility, Obj)]
        return locations[0] if len(locations) == 1 else default


class _KeywordParameters:
    """Parameters as keyword arguments: ``TableName=…``."""

    def __init__(self, site: "CallSite") -> None:
        self.arguments = site.arguments

    def get(self, name: str) -> Value:
        value = self.arguments.keywords.get(name)
        if value is not None:
            return value
        return self.arguments.more or one(ABSENT)

    def location(self, default: Location) -> Location:
        return default


# What becomes of packages' names, and of methods


def call_external(calls: "Calls", callee: External, site: "CallSite") -> Value | None:
    """A call of something in an SDK; None for anything else."""
    name = callee.path[-1]
    if callee.path[0] in PYTHON_SDKS:
        return _call_boto(callee, name, site)
    if name == "DynamoDBPersistenceLayer":
        _record_idempotency(calls, site)
        return None
    if name in CLIENTS or (site.is_new and callee.path[0] in CLIENT_MODULES):
        return one(Client()) if site.is_new or name != "DynamoDB" else None
    if name == "from" and len(callee.path) > 1 and callee.path[-2] in CLIENTS:
        return one(Client())
    operation = OPERATIONS.get(name.removesuffix("Command"))
    if name.endswith("Command") and operation is not None and "dynamodb" in callee.path[0]:
        return _command(calls, operation, site)
    if name.startswith("paginate") and "dynamodb" in callee.path[0]:
        operation = OPERATIONS.get(name.removeprefix("paginate"))
        if operation is not None:
            _record(
                calls,
                operation,
                _ObjectParameters(calls, site.arguments.at(1)),
                site,
            )
            return UNKNOWN_VALUE
    return None


def _record_idempotency(calls: "Calls", site: "CallSite") -> None:
    """Lambda Powertools keeps what was done in a table: it reads, adds, changes and removes items."""
    given = _ObjectParameters(calls, site.arguments.at(0))
    table = site.arguments.keywords.get("table_name", NOTHING)
    if not table:
        table = given.get("tableName") - {ABSENT} or site.arguments.at(0)
    for operation in ("GetItem", "PutItem", "UpdateItem", "DeleteItem"):
        _add_uses(calls, operation, table, NOTHING, given, site)


def _command(calls: "Calls", operation: str, site: "CallSite") -> Value:
    interpreter = calls.interpreter
    frame = interpreter.stack[-1]
    key = (site.node, frame)
    if key not in interpreter.commands:
        interpreter.commands[key] = Command(operation, Cell(), frame.location(site.line))
    command = interpreter.commands[key]
    interpreter.add(command.input, site.arguments.at(0))
    return one(command)


def _call_boto(callee: External, name: str, site: "CallSite") -> Value | None:
    if name not in ("client", "resource", "create_client"):
        return None
    service = site.arguments.keywords.get("service_name", site.arguments.at(0))
    results: set[Possibility] = set()
    for possibility in service:
        literal = possibility.literal if isinstance(possibility, Str) else None
        if literal == "dynamodb":
            results.add(Client(is_resource=name == "resource"))
        elif literal is None:
            results.add(UNKNOWN)
    return frozenset(results) or None


def is_client(base: External) -> bool:
    """Whether a class that extends this is a client."""
    return base.path[-1] in CLIENTS


def is_model(base: External) -> bool:
    """Whether a class that extends this is one of PynamoDB's."""
    return base.path[0].partition(".")[0] == "pynamodb"


def has_methods(owner: Possibility) -> bool:
    """Whether the SDK has methods of such a thing."""
    return isinstance(owner, Paginator | Command | Model)


def call_method(calls: "Calls", owner: Possibility, name: str, site: "CallSite") -> Value:
    """A call of a method of a client, table or paginator."""
    if isinstance(owner, TableHandle):
        return _call_table(calls, owner, name, site)
    if isinstance(owner, Model):
        return _call_model(calls, owner, name, site)
    if isinstance(owner, Paginator):
        if name == "paginate":
            _record(calls, owner.operation, _KeywordParameters(site), site)
        return UNKNOWN_VALUE
    if name in ("__enter__", "promise"):
        return one(owner)
    result = UNKNOWN_VALUE
    if name == "send":
        calls.send_commands(site)
        _report_unknown_command(calls, site)
        result = _results_of_commands(calls, site)
    elif name in ("Table", "table"):
        return _tables(site)
    elif name == "get_paginator":
        return _paginators(site)
    elif name in METHODS:
        parameters: Parameters = _KeywordParameters(site)
        if site.arguments.positional or not site.arguments.keywords:
            parameters = _ObjectParameters(calls, site.arguments.at(0))
        if not site.arguments.positional and site.arguments.more:
            parameters = _KeywordParameters(site)
        _record(calls, METHODS[name], parameters, site)
        result = _result(calls, METHODS[name], parameters, site)
    callbacks = calls.interpreter.functions_in(site.arguments.positional[1:])
    calls.call(
        frozenset(item for item in callbacks if isinstance(item, Func | Bound)),
        site.with_arguments(Arguments([UNKNOWN_VALUE, result])),
    )
    return result


def _results_of_commands(calls: "Calls", site: "CallSite") -> Value:
    """What the commands give that are sent."""
    results: list[Value] = []
    for command in site.arguments.at(0):
        if isinstance(command, Command):
            parameters = _ObjectParameters(calls, calls.interpreter.read(command.input))
            results.append(_result(calls, command.operation, parameters, site))
    return union(results) or UNKNOWN_VALUE


def _result(calls: "Calls", operation: str, parameters: Parameters, site: "CallSite") -> Value:
    """What an operation gives: a batch has what was not processed, which is sent again."""
    name = UNPROCESSED.get(operation)
    if name is None:
        return UNKNOWN_VALUE
    interpreter = calls.interpreter
    result = interpreter.object_at((site.node, operation), interpreter.stack[-1], site.line)
    interpreter.open(result)
    interpreter.write_field(result, name, parameters.get("RequestItems"))
    return one(result)


def _report_unknown_command(calls: "Calls", site: "CallSite") -> None:
    command = site.arguments.at(0)
    if UNKNOWN in command and not any(isinstance(item, Command) for item in command):
        calls.doubt(site.line, "sends a command that can't be told from the code")


def _tables(site: "CallSite") -> Value:
    name = site.arguments.keywords.get("name", site.arguments.at(0))
    tables: set[Possibility] = set()
    for possibility in name:
        if isinstance(possibility, Str):
            tables.add(TableHandle(Str(possibility.parts, possibility.named_at)))
        elif possibility not in NO_VALUES:
            tables.add(TableHandle(None))
    return frozenset(tables) or one(TableHandle(None))


def _paginators(site: "CallSite") -> Value:
    paginators: set[Possibility] = set()
    for possibility in site.arguments.keywords.get("operation_name", site.arguments.at(0)):
        literal = possibility.literal if isinstance(possibility, Str) else None
        if literal in METHODS:
            paginators.add(Paginator(METHODS[literal]))
    return frozenset(paginators) or UNKNOWN_VALUE


def _call_table(calls: "Calls", table: TableHandle, name: str, site: "CallSite") -> Value:
    if name == "__enter__":
        return one(table)
    if name == "batch_writer":
        return one(TableHandle(table.name, is_writer=True))
    operation = METHODS.get(name)
    if operation is None:
        return UNKNOWN_VALUE
    if table.is_writer:
        operation = "BatchWriteItem"
    parameters = _KeywordParameters(site)
    table_name: Value = UNKNOWN_VALUE if table.name is None else one(table.name)
    _add_uses(
        calls,
        operation,
        table_name,
        parameters.get("IndexName"),
        parameters,
        site,
    )
    return UNKNOWN_VALUE


def _call_model(calls: "Calls", model: Model, name: str, site: "CallSite") -> Value:
    """A call of a method of a PynamoDB class: ``User.get(key)``, ``user.save()``."""
    operation = MODEL_METHODS.get(name)
    if operation is None:
        return UNKNOWN_VALUE
    table: Value = UNKNOWN_VALUE if model.name is None else one(model.name)
    _add_uses(calls, operation, table, NOTHING, _KeywordParameters(site), site)
    interpreter = calls.interpreter
    row = interpreter.object_at((model.cls, "row"), model.cls.scope, model.cls.definition.line)
    row.cls = model.cls
    interpreter.open(row)
    if name == "get":
        return one(row)
    rows = interpreter.object_at((model.cls, "rows"), model.cls.scope, model.cls.definition.line, is_list=True)
    interpreter.add(rows.rest, one(row))
    return one(rows)


def unknown_method(calls: "Calls", name: str, site: "CallSite") -> None:
    """A method of something unknown. With parameters of DynamoDB's it can be nothing but DynamoDB's."""
    operation = METHODS.get(name)
    if operation is None:
        return
    parameters: Parameters = _KeywordParameters(site)
    given = set(site.arguments.keywords)
    if site.arguments.positional and not given:
        parameters = _ObjectParameters(calls, site.arguments.at(0))
        for possibility in site.arguments.at(0):
            if isinstance(possibility, Obj):
                given.update(name for name in calls.interpreter.field_names(possibility) if isinstance(name, str))
    if given & set(NAMING_PARAMETERS):
        _record(calls, operation, parameters, site)
    elif (name in TABLE_METHODS and given & {"Item", "Key"}) or (
        name in ("query", "scan") and given & {"KeyConditionExpression", "FilterExpression", "IndexName"}
    ):
        _add_uses(
            calls,
            operation,
            UNKNOWN_VALUE,
            parameters.get("IndexName"),
            parameters,
            site,
        )


def send(calls: "Calls", command: Command, site: "CallSite") -> None:
    """Record what a command does, where it is sent."""
    parameters = _ObjectParameters(calls, calls.interpreter.read(command.input))
    _record(calls, command.operation, parameters, site, command.location)


# What an operation uses


def _record(
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
            inner = _ObjectParameters(calls, one(item))
            _record_statement(calls, inner.get("Statement"), inner, site)
    else:
        table, index = parameters.get("TableName"), parameters.get("IndexName")
        _add_uses(calls, operation, table, index, parameters, site, written)


def _record_batch(calls: "Calls", operation: str, items: Value, site: "CallSite") -> None:
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


def _record_transaction(calls: "Calls", operation: str, items: Value, site: "CallSite") -> None:
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
                inner = _ObjectParameters(calls, interpreter.read_field(item, kind))
                _add_uses(
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


def _record_statement(calls: "Calls", statements: Value, parameters: Parameters, site: "CallSite") -> None:
    """A PartiQL statement."""
    location = calls.interpreter.stack[-1].location(site.line)
    for possibility in statements or UNKNOWN_VALUE:
        found = table_of(possibility) if isinstance(possibility, Str) else None
        if found is None:
            _add_unknown(calls, "ExecuteStatement", location)
            continue
        index = one(found.index) if found.index is not None else NOTHING
        _add_uses(calls, found.operation, one(found.table), index, parameters, site)


def _add_uses(
    calls: "Calls",
    operation: str,
    table: Value,
    index: Value,
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


def _texts(value: Value) -> Iterator[Str]:
    for possibility in value:
        if isinstance(possibility, Str):
            yield Str(possibility.parts)


def _add_unknown(calls: "Calls", operation: str, location: Location) -> None:
    why = f"the table of {operation} can't be told from the code"
    calls.interpreter.stack[-1].doubts[Doubt(location, why)] = None
