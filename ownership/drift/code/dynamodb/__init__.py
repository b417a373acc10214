"""The SDKs: which calls are operations of DynamoDB, and where each names its table.

::

    client.send(new QueryCommand({TableName: "users"}))      SDK for JavaScript v3
    documents.query({TableName: "users"}).promise()          SDK for JavaScript v2
    resource.Table("users").query(…)                         boto3's resource
    client.get_paginator("query").paginate(TableName=…)      boto3's client

are each ``Query`` on ``users``. Operations are named like IAM's actions: a transaction's ``Put`` is ``PutItem``.
Source: API references of the AWS SDK for JavaScript (v2 and v3) and of boto3; Amazon DynamoDB API Reference.
"""

from ownership.drift.code.dynamodb.clients import (
    call_external,
    call_method,
    has_methods,
    is_client,
    is_model,
    send,
    unknown_method,
)
from ownership.drift.code.dynamodb.operations import CLIENTS, OPERATION_MODES

__all__ = [
    "CLIENTS",
    "OPERATION_MODES",
    "call_external",
    "call_method",
    "has_methods",
    "is_client",
    "is_model",
    "send",
    "unknown_method",
]
