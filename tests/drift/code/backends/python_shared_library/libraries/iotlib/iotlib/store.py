import functools

import boto3
from boto3.dynamodb.conditions import Key


@functools.lru_cache(maxsize=None)
def connection():
    return boto3.resource("dynamodb")


class Store:
    """One table."""

    def __init__(self, name: str):
        self.name = name
        self._table = None

    @property
    def table(self):
        if self._table is None:
            self._table = connection().Table(self.name)
        return self._table

    def get(self, key):
        response = self.table.get_item(Key={"id": key})
        return response.get("Item")

    def put(self, item, **conditions):
        return self.table.put_item(Item=item, **conditions)

    def find(self, value):
        return self.table.query(KeyConditionExpression=Key("id").eq(value))["Items"]

    def delete(self, key):
        self.table.delete_item(Key={"id": key}, ReturnValues="ALL_OLD")
