from __future__ import annotations
import os
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any
import boto3
if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource, Table

class Tables:
    """tables.recipes, tables.plans: each by its environment variable."""
    @cached_property
    def _dynamodb(self) -> DynamoDBServiceResource:
        return boto3.resource("dynamodb")
    def __getitem__(self, name: str) -> Table:
        return self._dynamodb.Table(os.environ[f"{name.upper()}_TABLE"])
    @property
    def recipes(self) -> Table:
        return self["recipes"]
    @property
    def plans(self) -> Table:
        return self["plans"]

tables = Tables()

@lru_cache
def table(env_name: str) -> Table:
    return boto3.resource("dynamodb").Table(os.environ[env_name])

class Page:
    def __init__(self, items, cursor=None):
        self.items, self.cursor = items, cursor

def paginate(operation, **params) -> Any:
    while True:
        page = operation(**params)
        yield from page.get("Items", [])
        cursor = page.get("LastEvaluatedKey")
        if not cursor:
            break
        params = {**params, "ExclusiveStartKey": cursor}
