"""Reader of a live DynamoDB endpoint: its tables with their keys and indexes. It says nothing about permissions.

For the environment ``production``, whose suffix is ``PROD``, the table ``biztechUsersPROD`` of the endpoint
becomes the TableShape ``biztechUsers``, and its location is the table's ARN. Tables of other environments are left
out.
Source: Amazon DynamoDB API Reference, "ListTables" and "DescribeTable".
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ownership.drift.naming import Names
from ownership.drift.physical_names import NamePattern
from ownership.drift.types import (
    Infrastructure,
    KeyAttribute,
    Keys,
    Location,
    ReadError,
    TableShape,
)

CALLS_AT_ONCE = 8  # DescribeTable takes 10,000 calls for 10,000 tables

Description = Mapping[str, Any]  # boto3's answer, which has no types


def read_endpoint(
    names: Names, endpoint_url: str | None = None, region: str | None = None
) -> Infrastructure:
    """Read all tables of the chosen environment from AWS, or from any endpoint that speaks its protocol.

    Credentials come from where boto3 looks for them. Raises ReadError where the endpoint doesn't answer.
    """
    location = Location(endpoint_url or f"dynamodb.{region or 'default region'}")
    try:
        import boto3  # type: ignore[import-untyped]
        from botocore.config import Config  # type: ignore[import-untyped]
        from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
    except ImportError as error:
        raise ReadError(location, "needs boto3: install the extra `dynamodb`") from error
    config = Config(
        connect_timeout=10,
        read_timeout=30,
        retries={"mode": "standard"},
        max_pool_connections=CALLS_AT_ONCE,
    )
    try:
        client = boto3.client(
            "dynamodb", endpoint_url=endpoint_url, region_name=region, config=config
        )
        base_names = _tables_of_environment(client, names)
        descriptions = _describe(client, base_names)
    except (BotoCoreError, ClientError, ValueError) as error:
        raise ReadError(location, str(error)) from error
    tables = [
        _shape(base_names[description["TableName"]], description) for description in descriptions
    ]
    return Infrastructure("dynamodb", tables=tuple(tables), all_tables=True)


def _tables_of_environment(client: Any, names: Names) -> dict[str, str]:
    """Physical name → base name, for the tables of the chosen environment."""
    tables = {}
    for page in client.get_paginator("list_tables").paginate():
        for physical_name in page["TableNames"]:
            base = _base_name(physical_name, names)
            if base:
                tables[physical_name] = base
    return tables


def _describe(client: Any, table_names: Iterable[str]) -> list[Description]:
    """The descriptions of these tables, without those that were deleted after they were listed."""

    def describe(name: str) -> Description | None:
        try:
            description: Description = client.describe_table(TableName=name)["Table"]
        except client.exceptions.ResourceNotFoundException:
            return None
        return description

    with ThreadPoolExecutor(CALLS_AT_ONCE) as calls:
        return [description for description in calls.map(describe, table_names) if description]


def _base_name(physical_name: str, names: Names) -> str | None:
    """The base name of a table of the chosen environment; None for other tables.

    Without a chosen environment, it is the one whose physical names are base names.
    """
    if physical_name in names.given:
        return names.given[physical_name]
    own = names.pattern or NamePattern()
    if not own.length and physical_name in names.tables:
        return physical_name
    for other in names.patterns:
        # The longer addition is more specific: the table belongs to that environment.
        if other.length > own.length and other.fits(physical_name):
            return None
    return own.base(physical_name) or None


def _shape(base_name: str, table: Description) -> TableShape:
    types = {}
    for attribute in table.get("AttributeDefinitions", ()):
        types[attribute["AttributeName"]] = attribute["AttributeType"]
    indexes = []
    for index_list in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        for index in table.get(index_list, ()):
            indexes.append((index["IndexName"], _keys(index["KeySchema"], types)))
    location = Location(table.get("TableArn") or table["TableName"])
    keys = _keys(table["KeySchema"], types)
    return TableShape(base_name, keys, tuple(sorted(indexes, key=str)), (location,))


def _keys(key_schema: Iterable[Mapping[str, str]], types: Mapping[str, str]) -> Keys:
    keys = {}
    for key in key_schema:
        name = key["AttributeName"]
        keys[key["KeyType"]] = KeyAttribute(name, types.get(name))
    return Keys(keys["HASH"], keys.get("RANGE"))
