"""Calls of the SDKs: what makes clients and commands, and their methods."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ownership.drift.code.dynamodb.operations import (
    CLIENT_MODULES,
    CLIENTS,
    METHODS,
    MODEL_METHODS,
    NAMING_PARAMETERS,
    OPERATIONS,
    PYTHON_SDKS,
    UNMISTAKABLE,
    UNPROCESSED,
)
from ownership.drift.code.dynamodb.parameters import KeywordParameters, ObjectParameters, Parameters
from ownership.drift.code.dynamodb.uses import add_uses, record
from ownership.drift.code.frames import Arguments
from ownership.drift.code.ordered_set import OrderedSet
from ownership.drift.code.possibilities import (
    ABSENT,
    NO_VALUES,
    NOTHING,
    UNKNOWN,
    UNKNOWN_VALUE,
    Bound,
    Cell,
    Client,
    CodeValue,
    External,
    Func,
    Model,
    Obj,
    Paginator,
    Possibility,
    SdkCommand,
    Str,
    TableHandle,
)
from ownership.drift.code.values import literal_of, literals_in, one, only, union

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


COMMANDS = {f"{name}Command": operation for name, operation in OPERATIONS.items()}
PAGINATORS = {f"paginate{name}": operation for name, operation in OPERATIONS.items()}


def call_external(calls: "Calls", callee: External, site: "CallSite") -> CodeValue | None:
    """A call of something in an SDK; None for anything else."""
    package, name = callee.path[0], callee.path[-1]
    if package in PYTHON_SDKS:
        return _call_boto(name, site)
    if name == "DynamoDBPersistenceLayer":
        _record_idempotency(calls, site)
        return None
    if _makes_client(callee, site):
        return one(Client())
    if "dynamodb" not in package:
        return None
    if name in COMMANDS:
        return _command(calls, COMMANDS[name], site)
    if name in PAGINATORS:
        parameters = ObjectParameters(calls, site.arguments.at(1))
        record(calls, PAGINATORS[name], parameters, site)
        return UNKNOWN_VALUE
    return None


def _makes_client(callee: External, site: "CallSite") -> bool:
    """``new DynamoDB()``, ``DynamoDBDocument(…)``, ``DynamoDBDocumentClient.from(client)``."""
    name = callee.path[-1]
    if name in CLIENTS:
        return site.is_new or name != "DynamoDB"
    if site.is_new and callee.path[0] in CLIENT_MODULES:
        return True
    return name == "from" and len(callee.path) > 1 and callee.path[-2] in CLIENTS


def _record_idempotency(calls: "Calls", site: "CallSite") -> None:
    """Lambda Powertools keeps what was done in a table: it reads, adds, changes and removes items."""
    given = ObjectParameters(calls, site.arguments.at(0))
    table = site.arguments.keywords.get("table_name", NOTHING)
    if not table:
        table = given.get("tableName") - {ABSENT} or site.arguments.at(0)
    for operation in ("GetItem", "PutItem", "UpdateItem", "DeleteItem"):
        add_uses(calls, operation, table, NOTHING, given, site)


def _command(calls: "Calls", operation: str, site: "CallSite") -> CodeValue:
    interpreter = calls.interpreter
    frame = interpreter.current
    key = (site.node, frame)
    if key not in interpreter.commands:
        interpreter.commands[key] = SdkCommand(operation, Cell(), frame.location(site.line))
    command = interpreter.commands[key]
    interpreter.add(command.input, site.arguments.at(0))
    return one(command)


def _call_boto(name: str, site: "CallSite") -> CodeValue | None:
    """``boto3.client("dynamodb")`` and ``boto3.resource("dynamodb")``; None for other services."""
    if name not in ("client", "resource", "create_client"):
        return None
    service = site.arguments.keywords.get("service_name", site.arguments.at(0))
    literals = literals_in(service)
    results: list[Possibility] = []
    if "dynamodb" in literals:
        results.append(Client())
    if any(literal_of(possibility) is None for possibility in service):
        results.append(UNKNOWN)
    return OrderedSet(results) or None


def is_client(base: External) -> bool:
    """Whether a class that extends this is a client."""
    return base.path[-1] in CLIENTS


def is_model(base: External) -> bool:
    """Whether a class that extends this is one of PynamoDB's."""
    return base.path[0].partition(".")[0] == "pynamodb"


def has_methods(owner: Possibility) -> bool:
    """Whether the SDK has methods of such a thing."""
    return isinstance(owner, Paginator | SdkCommand | Model)


def call_method(calls: "Calls", owner: Possibility, name: str, site: "CallSite") -> CodeValue:
    """A call of a method of a client, table or paginator."""
    call = METHODS_BY_TYPE.get(type(owner), _call_client)
    return call(calls, owner, name, site)


def _call_paginator(calls: "Calls", paginator: Paginator, name: str, site: "CallSite") -> CodeValue:
    if name == "paginate":
        record(calls, paginator.operation, KeywordParameters(site), site)
    return UNKNOWN_VALUE


def _call_client(calls: "Calls", client: Possibility, name: str, site: "CallSite") -> CodeValue:
    if name in ("__enter__", "promise"):
        return one(client)
    if name in ("Table", "table"):
        return _tables(site)
    if name == "get_paginator":
        return _paginators(site)
    result = UNKNOWN_VALUE
    if name == "send":
        calls.send_commands(site)
        _report_unknown_command(calls, site)
        result = _results_of_commands(calls, site)
    elif name in METHODS:
        parameters = _parameters(calls, site)
        record(calls, METHODS[name], parameters, site)
        result = _result(calls, METHODS[name], parameters, site)
    _call_callbacks(calls, result, site)
    return result


def _parameters(calls: "Calls", site: "CallSite") -> Parameters:
    """The parameters of an operation: keyword arguments in Python, an object in JavaScript."""
    arguments = site.arguments
    if not arguments.positional and (arguments.keywords or arguments.more):
        return KeywordParameters(site)
    return ObjectParameters(calls, arguments.at(0))


def _call_callbacks(calls: "Calls", result: CodeValue, site: "CallSite") -> None:
    """Call the functions that get the result: ``client.scan(parameters, (error, data) => …)``."""
    functions = calls.interpreter.functions_in(site.arguments.positional[1:])
    arguments = Arguments([UNKNOWN_VALUE, result])
    calls.call(only(functions, Func, Bound), site.with_arguments(arguments))


def _results_of_commands(calls: "Calls", site: "CallSite") -> CodeValue:
    """What the commands give that are sent."""
    results: list[CodeValue] = []
    for command in only(site.arguments.at(0), SdkCommand):
        parameters = ObjectParameters(calls, calls.interpreter.read(command.input))
        results.append(_result(calls, command.operation, parameters, site))
    return union(results) or UNKNOWN_VALUE


def _result(calls: "Calls", operation: str, parameters: Parameters, site: "CallSite") -> CodeValue:
    """What an operation gives: a batch has what was not processed, which is sent again."""
    name = UNPROCESSED.get(operation)
    if name is None:
        return UNKNOWN_VALUE
    result = calls.object_of(site, operation)
    calls.interpreter.open(result)
    calls.interpreter.write_field(result, name, parameters.get("RequestItems"))
    return one(result)


def _report_unknown_command(calls: "Calls", site: "CallSite") -> None:
    command = site.arguments.at(0)
    if UNKNOWN in command and not only(command, SdkCommand):
        calls.doubt(site.line, "sends a command that can't be told from the code")


def _tables(site: "CallSite") -> CodeValue:
    name = site.arguments.keywords.get("name", site.arguments.at(0))
    tables: list[Possibility] = []
    for possibility in name:
        if isinstance(possibility, Str):
            tables.append(TableHandle(Str(possibility.parts, possibility.named_at)))
        elif possibility not in NO_VALUES:
            tables.append(TableHandle(None))
    return OrderedSet(tables) or one(TableHandle(None))


def _paginators(site: "CallSite") -> CodeValue:
    name = site.arguments.keywords.get("operation_name", site.arguments.at(0))
    methods = [method for method in literals_in(name) if method in METHODS]
    return OrderedSet([Paginator(METHODS[method]) for method in methods]) or UNKNOWN_VALUE


def _call_table(calls: "Calls", table: TableHandle, name: str, site: "CallSite") -> CodeValue:
    if name == "__enter__":
        return one(table)
    if name == "batch_writer":
        return one(TableHandle(table.name, is_writer=True))
    operation = METHODS.get(name)
    if operation is None:
        return UNKNOWN_VALUE
    if table.is_writer:
        operation = "BatchWriteItem"
    parameters = KeywordParameters(site)
    add_uses(calls, operation, table.table, parameters.get("IndexName"), parameters, site)
    return UNKNOWN_VALUE


def _call_model(calls: "Calls", model: Model, name: str, site: "CallSite") -> CodeValue:
    """A call of a method of a PynamoDB class: ``User.get(key)``, ``user.save()``."""
    operation = MODEL_METHODS.get(name)
    if operation is None:
        return UNKNOWN_VALUE
    add_uses(calls, operation, model.table, NOTHING, KeywordParameters(site), site)
    interpreter = calls.interpreter
    row = interpreter.object_at((model.cls, "row"), model.cls.scope, model.cls.definition.line)
    row.cls = model.cls
    interpreter.open(row)
    if name == "get":
        return one(row)
    rows = interpreter.object_at(
        (model.cls, "rows"), model.cls.scope, model.cls.definition.line, is_list=True
    )
    interpreter.add(rows.rest, one(row))
    return one(rows)


def unknown_method(calls: "Calls", name: str, site: "CallSite") -> None:
    """A method of something unknown. With parameters of DynamoDB's it can be nothing but DynamoDB's."""
    operation = METHODS.get(name)
    if operation is None:
        return
    given = set(site.arguments.keywords)
    parameters: Parameters = KeywordParameters(site)
    if site.arguments.positional and not given:
        parameters = ObjectParameters(calls, site.arguments.at(0))
        for obj in only(site.arguments.at(0), Obj):
            given.update(calls.interpreter.literal_names(obj))
    if given & set(NAMING_PARAMETERS):
        record(calls, operation, parameters, site)
    elif given & UNMISTAKABLE.get(name, set()):
        index = parameters.get("IndexName")
        add_uses(calls, operation, UNKNOWN_VALUE, index, parameters, site)


def send(calls: "Calls", command: SdkCommand, site: "CallSite") -> None:
    """Record what a command does, where it is sent."""
    parameters = ObjectParameters(calls, calls.interpreter.read(command.input))
    record(calls, command.operation, parameters, site, command.location)


METHODS_BY_TYPE: dict[type, Callable[["Calls", Any, str, "CallSite"], CodeValue]] = {
    Model: _call_model,
    Paginator: _call_paginator,
    TableHandle: _call_table,
}
