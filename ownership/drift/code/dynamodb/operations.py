"""The operations of DynamoDB, by the names that the SDKs give them."""

import re

from ownership.drift.types import MODE_PARTS, ReadOrWrite

# Whether an operation reads or writes items; a write that returns old values is a write alone.
OPERATION_MODES: dict[str, ReadOrWrite] = {
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


def modes_of(operation: str) -> tuple[ReadOrWrite, ...]:
    """What an operation may do with tables: both for a statement, and for a write with condition checks."""
    if operation == "TransactGetItems":
        return ("read",)
    mode = OPERATION_MODES.get(operation, "read_write")
    return MODE_PARTS[mode]


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
BATCHES = {"BatchGetItem", "BatchWriteItem"}
TRANSACTIONS = {"TransactGetItems", "TransactWriteItems"}
STATEMENT_LISTS = {
    "BatchExecuteStatement": "Statements",
    "ExecuteTransaction": "TransactStatements",
}
UNPROCESSED = {
    "BatchGetItem": "UnprocessedKeys",
    "BatchWriteItem": "UnprocessedItems",
}
NAMING_PARAMETERS = ("TableName", "RequestItems", "TransactItems")
_KEYS = {"Item", "Key"}
_QUERIES = {"KeyConditionExpression", "FilterExpression", "IndexName"}
# Methods of boto3's tables, with parameters that nothing else has: they count on a receiver of which nothing is known.
UNMISTAKABLE = {
    "delete_item": _KEYS,
    "get_item": _KEYS,
    "put_item": _KEYS,
    "query": _QUERIES,
    "scan": _QUERIES,
    "update_item": _KEYS,
}
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
