import functools
import boto3
from botocore.config import Config

_CONFIG = Config(retries={"max_attempts": 5})

@functools.lru_cache(maxsize=None)
def resource():
    return boto3.resource("dynamodb", config=_CONFIG)

@functools.lru_cache(maxsize=None)
def get_table(name):
    return resource().Table(name)

class LazyTable:
    def __init__(self, name):
        self._name = name
        self._table = None

    def __getattr__(self, attribute):
        if self._table is None:
            self._table = get_table(self._name)
        return getattr(self._table, attribute)
