"""Calls of the SDKs: what makes clients and commands, and their methods."""

from typing import TYPE_CHECKING

from ownership.drift.code.dynamodb.operations import (
    CLIENT_MODULES,
    CLIENTS,
    METHODS,
    MODEL_METHODS,
    NAMING_PARAMETERS,
    OPERATIONS,
    PYTHON_SDKS,
    TABLE_METHODS,
    UNPROCESSED,
)
from ownership.drift.code.dynamodb.parameters import KeywordParameters, ObjectParameters, Parameters
from ownership.drift.code.dynamodb.uses import add_uses, record
from ownership.drift.code.frames import Arguments
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
from ownership.drift.code.values import one, union

if TYPE_CHECKING:
    from ownership.drift.code.calls import Calls, CallSite


def call_external(calls: "Calls", callee: External, site: "CallSite") -> CodeValue | None:
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
            record(
                calls,
                operation,
                ObjectParameters(calls, site.arguments.at(1)),
                site,
            )
            return UNKNOWN_VALUE
    return None


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
    frame = interpreter.stack[-1]
    key = (site.node, frame)
    if key not in interpreter.commands:
        interpreter.commands[key] = SdkCommand(operation, Cell(), frame.location(site.line))
    command = interpreter.commands[key]
    interpreter.add(command.input, site.arguments.at(0))
    return one(command)


def _call_boto(callee: External, name: str, site: "CallSite") -> CodeValue | None:
    if name not in ("client", "resource", "create_client"):
        return None
    service = site.arguments.keywords.get("service_name", site.arguments.at(0))
    results: set[Possibility] = set()
    for possibility in service:
        literal = possibility.literal if isinstance(possibility, Str) else None
        if literal == "dynamodb":
            results.add(Client())
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
    return isinstance(owner, Paginator | SdkCommand | Model)


def call_method(calls: "Calls", owner: Possibility, name: str, site: "CallSite") -> CodeValue:
    """A call of a method of a client, table or paginator."""
    if isinstance(owner, TableHandle):
        return _call_table(calls, owner, name, site)
    if isinstance(owner, Model):
        return _call_model(calls, owner, name, site)
    if isinstance(owner, Paginator):
        if name == "paginate":
            record(calls, owner.operation, KeywordParameters(site), site)
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
        parameters: Parameters = KeywordParameters(site)
        if site.arguments.positional or not site.arguments.keywords:
            parameters = ObjectParameters(calls, site.arguments.at(0))
        if not site.arguments.positional and site.arguments.more:
            parameters = KeywordParameters(site)
        record(calls, METHODS[name], parameters, site)
        result = _result(calls, METHODS[name], parameters, site)
    callbacks = calls.interpreter.functions_in(site.arguments.positional[1:])
    calls.call(
        frozenset(item for item in callbacks if isinstance(item, Func | Bound)),
        site.with_arguments(Arguments([UNKNOWN_VALUE, result])),
    )
    return result


def _results_of_commands(calls: "Calls", site: "CallSite") -> CodeValue:
    """What the commands give that are sent."""
    results: list[CodeValue] = []
    for command in site.arguments.at(0):
        if isinstance(command, SdkCommand):
            parameters = ObjectParameters(calls, calls.interpreter.read(command.input))
            results.append(_result(calls, command.operation, parameters, site))
    return union(results) or UNKNOWN_VALUE


def _result(calls: "Calls", operation: str, parameters: Parameters, site: "CallSite") -> CodeValue:
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
    if UNKNOWN in command and not any(isinstance(item, SdkCommand) for item in command):
        calls.doubt(site.line, "sends a command that can't be told from the code")


def _tables(site: "CallSite") -> CodeValue:
    name = site.arguments.keywords.get("name", site.arguments.at(0))
    tables: set[Possibility] = set()
    for possibility in name:
        if isinstance(possibility, Str):
            tables.add(TableHandle(Str(possibility.parts, possibility.named_at)))
        elif possibility not in NO_VALUES:
            tables.add(TableHandle(None))
    return frozenset(tables) or one(TableHandle(None))


def _paginators(site: "CallSite") -> CodeValue:
    paginators: set[Possibility] = set()
    for possibility in site.arguments.keywords.get("operation_name", site.arguments.at(0)):
        literal = possibility.literal if isinstance(possibility, Str) else None
        if literal in METHODS:
            paginators.add(Paginator(METHODS[literal]))
    return frozenset(paginators) or UNKNOWN_VALUE


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
    table_name: CodeValue = UNKNOWN_VALUE if table.name is None else one(table.name)
    add_uses(
        calls,
        operation,
        table_name,
        parameters.get("IndexName"),
        parameters,
        site,
    )
    return UNKNOWN_VALUE


def _call_model(calls: "Calls", model: Model, name: str, site: "CallSite") -> CodeValue:
    """A call of a method of a PynamoDB class: ``User.get(key)``, ``user.save()``."""
    operation = MODEL_METHODS.get(name)
    if operation is None:
        return UNKNOWN_VALUE
    table: CodeValue = UNKNOWN_VALUE if model.name is None else one(model.name)
    add_uses(calls, operation, table, NOTHING, KeywordParameters(site), site)
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
    parameters: Parameters = KeywordParameters(site)
    given = set(site.arguments.keywords)
    if site.arguments.positional and not given:
        parameters = ObjectParameters(calls, site.arguments.at(0))
        for possibility in site.arguments.at(0):
            if isinstance(possibility, Obj):
                given.update(name for name in calls.interpreter.field_names(possibility) if isinstance(name, str))
    if given & set(NAMING_PARAMETERS):
        record(calls, operation, parameters, site)
    elif (name in TABLE_METHODS and given & {"Item", "Key"}) or (
        name in ("query", "scan") and given & {"KeyConditionExpression", "FilterExpression", "IndexName"}
    ):
        add_uses(
            calls,
            operation,
            UNKNOWN_VALUE,
            parameters.get("IndexName"),
            parameters,
            site,
        )


def send(calls: "Calls", command: SdkCommand, site: "CallSite") -> None:
    """Record what a command does, where it is sent."""
    parameters = ObjectParameters(calls, calls.interpreter.read(command.input))
    record(calls, command.operation, parameters, site, command.location)
