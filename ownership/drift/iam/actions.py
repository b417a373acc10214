"""What each DynamoDB action does with the items of a table.

``GetItem`` reads, ``PutItem`` writes, ``DescribeTable`` does neither. An action that is in none of the sets
below is reported as unknown, so a new one of AWS has to be added here.

Source: AWS Service Authorization Reference, "Actions, resources, and condition keys for Amazon DynamoDB", as of
autumn 2026. Its access levels can't be used: DescribeTable is "Read" there and CreateTable "Write", and neither
touches an item.
"""

from collections.abc import Iterable

from ownership.drift.types import ReadOrWrite

READ = {
    "BatchGetItem",
    "ConditionCheckItem",
    "ExportTableToPointInTime",  # access level "Write", as it creates an export, but it reads every item
    "GetItem",
    "PartiQLSelect",
    "Query",
    "Scan",
    "SearchVectors",
}
WRITE = {
    "BatchWriteItem",
    "DeleteItem",
    "PartiQLDelete",
    "PartiQLInsert",
    "PartiQLUpdate",
    "PutItem",
    "UpdateItem",
}

# Actions on tables, backups, replicas, settings and streams. Import and restore only ever fill a new table.
# The actions for replication are granted to the replica's table, and no service can call them.
NEITHER = {
    "AssociateTableReplica",
    "CreateBackup",
    "CreateGlobalTable",
    "CreateGlobalTableWitness",
    "CreateTable",
    "CreateTableReplica",
    "DeleteBackup",
    "DeleteGlobalTableWitness",
    "DeleteResourcePolicy",
    "DeleteTable",
    "DeleteTableReplica",
    "DescribeBackup",
    "DescribeContinuousBackups",
    "DescribeContributorInsights",
    "DescribeEndpoints",
    "DescribeExport",
    "DescribeGlobalTable",
    "DescribeGlobalTableSettings",
    "DescribeImport",
    "DescribeKinesisStreamingDestination",
    "DescribeLimits",
    "DescribeReservedCapacity",
    "DescribeReservedCapacityOfferings",
    "DescribeStream",
    "DescribeTable",
    "DescribeTableReplicaAutoScaling",
    "DescribeTimeToLive",
    "DisableKinesisStreamingDestination",
    "DisassociateTableReplica",
    "EnableKinesisStreamingDestination",
    "GetAbacStatus",
    "GetRecords",
    "GetResourcePolicy",
    "GetShardIterator",
    "ImportTable",
    "InjectError",
    "ListBackups",
    "ListContributorInsights",
    "ListExports",
    "ListGlobalTables",
    "ListImports",
    "ListStreams",
    "ListTables",
    "ListTagsOfResource",
    "PurchaseReservedCapacityOfferings",
    "PutResourcePolicy",
    "ReadDataForReplication",
    "ReplicateSettings",
    "RestoreTableFromAwsBackup",
    "RestoreTableFromBackup",
    "RestoreTableToPointInTime",
    "StartAwsBackupJob",
    "TagResource",
    "UntagResource",
    "UpdateAbacStatus",
    "UpdateContinuousBackups",
    "UpdateContributorInsights",
    "UpdateGlobalTable",
    "UpdateGlobalTableSettings",
    "UpdateGlobalTableVersion",
    "UpdateKinesisStreamingDestination",
    "UpdateTable",
    "UpdateTableReplicaAutoScaling",
    "UpdateTimeToLive",
    "WriteDataForReplication",
}

# The actions that a grant on an index alone (table/X/index/Y) permits.
ON_INDEX = {"PartiQLSelect", "Query", "Scan", "SearchVectors"}

# Operations of the API that have no action in IAM, and the actions that IAM checks instead.
_PARTIQL = "PartiQLSelect, PartiQLInsert, PartiQLUpdate and PartiQLDelete"
NOT_IAM = {
    "TransactGetItems": "GetItem on each table",
    "TransactWriteItems": "PutItem, UpdateItem, DeleteItem and ConditionCheckItem on each table",
    "ExecuteStatement": _PARTIQL,
    "ExecuteTransaction": _PARTIQL,
    "BatchExecuteStatement": _PARTIQL,
}


def _qualified(name: str) -> str:
    """The action as policies name it; in lower case, because IAM ignores the case."""
    return f"dynamodb:{name.lower()}"


def _modes() -> dict[str, ReadOrWrite]:
    modes: dict[str, ReadOrWrite] = {}
    for name in READ:
        modes[_qualified(name)] = "read"
    for name in WRITE:
        modes[_qualified(name)] = "write"
    return modes


def _spelled() -> dict[str, str]:
    return {_qualified(name): name for name in READ | WRITE}


ACTION_MODES = _modes()
SPELLED = _spelled()  # in lower case → as IAM spells it: dynamodb:getitem → GetItem
INDEX_ACTIONS = frozenset(map(_qualified, ON_INDEX))
KNOWN = frozenset(map(_qualified, READ | WRITE | NEITHER))
NO_ACTIONS = {
    _qualified(name): f"dynamodb:{name} is not an IAM action: IAM checks {checked}"
    for name, checked in NOT_IAM.items()
}


def modes_of(actions: Iterable[str]) -> frozenset[ReadOrWrite]:
    """What the actions, in lower case, do with items."""
    return frozenset(ACTION_MODES[action] for action in actions)


def mode_of(name: str) -> ReadOrWrite:
    """What an action does with items, by its name as IAM spells it: GetItem reads."""
    return ACTION_MODES[_qualified(name)]
