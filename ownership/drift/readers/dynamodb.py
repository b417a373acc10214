"""Reader of a live DynamoDB endpoint: its tables with keys and indexes. It knows nothing of permissions."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ownership.drift.naming import Names
from ownership.drift.types import Infrastructure, KeyAttribute, Keys, Location, ReadError, TableShape

CALLS_AT_ONCE = 8  # DescribeTable takes 10,000 calls for 10,000 tables


def read_endpoint(names: Names, endpoint_url: str | None = None, region: str | None = None) -> Infrastructure:
    """Read all tables of the chosen environment from AWS, or from any endpoint that speaks its protocol.

    Credentials come from where boto3 looks for them. Raises ReadError where the endpoint doesn't answer.
    """
    place = Location(endpoint_url or f"dynamodb.{region or 'default region'}")
    try:
        import boto3  # type: ignore[import-untyped]
        from botocore.config import Config  # type: ignore[import-untyped]
        from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
    except ImportError as error:
        raise ReadError(place, "needs boto3: install the extra `dynamodb`") from error
    try:
        config = Config(
            connect_timeout=10,
            read_timeout=30,
            retries={"mode": "standard"},
            max_pool_connections=CALLS_AT_ONCE,
        )
        client = boto3.client("dynamodb", endpoint_url=endpoint_url, region_name=region, config=config)
        physical = [name for page in client.get_paginator("list_tables").paginate() for name in page["TableNames"]]
        wanted = {name: base for name in physical if (base := _base(name, names))}

        def describe(name: str) -> Mapping[str, Any] | None:
            try:
                table: Mapping[str, Any] = client.describe_table(TableName=name)["Table"]
            except client.exceptions.ResourceNotFoundException:
                return None  # deleted since it was listed
            return table

        with ThreadPoolExecutor(CALLS_AT_ONCE) as calls:
            described = list(filter(None, calls.map(describe, wanted)))
    except (BotoCoreError, ClientError, ValueError) as error:
        raise ReadError(place, str(error)) from error
    tables = tuple(_shape(wanted[table["TableName"]], table) for table in described)
    return Infrastructure("dynamodb", tables=tables, all_tables=True)


def _base(name: str, names: Names) -> str | None:
    """The base name, if the table is one of the chosen environment's (or of that without suffix)."""
    suffix = names.suffix or ""
    if name in names.tables and not suffix:
        return name
    others = (s for s in names.suffixes if s and s != suffix and len(s) > len(suffix))
    if not name.endswith(suffix) or any(name.endswith(other) for other in others):
        return None
    return name.removesuffix(suffix) or None


def _shape(base: str, table: Mapping[str, Any]) -> TableShape:
    types = {a["AttributeName"]: a["AttributeType"] for a in table.get("AttributeDefinitions", ())}
    indexes = [*table.get("GlobalSecondaryIndexes", ()), *table.get("LocalSecondaryIndexes", ())]
    return TableShape(
        base,
        _key_schema(table["KeySchema"], types),
        tuple(sorted(((i["IndexName"], _key_schema(i["KeySchema"], types)) for i in indexes), key=str)),
        (Location(table.get("TableArn") or table["TableName"]),),
    )


def _key_schema(keys: list[dict[str, str]], types: Mapping[str, str]) -> Keys | None:
    by_role = {key["KeyType"]: KeyAttribute(key["AttributeName"], types.get(key["AttributeName"])) for key in keys}
    return Keys(by_role["HASH"], by_role.get("RANGE")) if "HASH" in by_role else None
