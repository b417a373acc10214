from abc import ABC, abstractmethod

from iotlib.names import Tables, table_name
from iotlib.store import Store


class Repository(ABC):
    @property
    @abstractmethod
    def kind(self) -> Tables: ...

    def __init__(self, store=None):
        self.store = store or Store(table_name(self.kind))

    def find(self, key):
        return self.store.get(key)


class DeviceRepository(Repository):
    kind = Tables.DEVICES

    def add(self, device):
        self.store.put(device, ConditionExpression="attribute_not_exists(id)")

    def remove(self, key):
        self.store.delete(key)


class OwnerRepository(Repository):
    @property
    def kind(self):
        return Tables.OWNERS
