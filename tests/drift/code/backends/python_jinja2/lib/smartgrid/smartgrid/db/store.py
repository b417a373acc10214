from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import ClassVar, Generic, Iterator, Type, TypeVar
from boto3.dynamodb.conditions import Attr, Key
from .connection import get_table
from ..settings import settings

T = TypeVar("T")

class Store(ABC, Generic[T]):
    table_name: ClassVar[str] = ""
    key_name = "id"

    def __init__(self, table=None):
        self.table = table or get_table(settings.table(self.table_name))

    @abstractmethod
    def load(self, item) -> T: ...

    def dump(self, entity) -> dict:
        return vars(entity)

    def get(self, key):
        response = self.table.get_item(Key={self.key_name: key})
        item = response.get("Item")
        return self.load(item) if item else None

    def save(self, entity: T, overwrite=True):
        kwargs = {"Item": self.dump(entity)}
        if not overwrite:
            kwargs["ConditionExpression"] = Attr(self.key_name).not_exists()
        self.table.put_item(**kwargs)

    def scan(self, **kwargs) -> Iterator[T]:
        yield from (self.load(item) for item in self._pages(self.table.scan, **kwargs))

    def query(self, key, index=None) -> Iterator[T]:
        kwargs = {"KeyConditionExpression": Key(self.key_name).eq(key)}
        if index:
            kwargs["IndexName"] = index
        for item in self._pages(self.table.query, **kwargs):
            yield self.load(item)

    @staticmethod
    def _pages(method, **kwargs):
        while True:
            page = method(**kwargs)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            kwargs["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    @contextmanager
    def batch(self):
        with self.table.batch_writer(overwrite_by_pkeys=[self.key_name]) as writer:
            yield writer

def stores(*classes: Type[Store]):
    return tuple(cls() for cls in classes)
