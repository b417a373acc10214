"""The registry's models: what the ownership map is made of, in the document's and DynamoDB's words."""

from ownership.history import ChangeSet
from ownership.lock import RegistryLock
from ownership.models.drift import DriftRun, Grant, Waiver
from ownership.models.rules import READS, WRITES, KeyType, Mode
from ownership.models.services import Environment, Service, TableGroup
from ownership.models.tables import Access, KeySchema, SecondaryIndex, Table
from ownership.models.tokens import ApiToken

__all__ = [
    "READS",
    "WRITES",
    "Access",
    "ApiToken",
    "ChangeSet",
    "DriftRun",
    "Environment",
    "Grant",
    "KeySchema",
    "KeyType",
    "Mode",
    "RegistryLock",
    "SecondaryIndex",
    "Service",
    "Table",
    "TableGroup",
    "Waiver",
]
