"""What each DynamoDB action does to items.

Source: AWS Service Authorization Reference, "Actions, resources, and condition keys for Amazon DynamoDB"
(docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html), as of autumn 2026.
AWS's own access levels are no help here: DescribeTable is "Read" there and CreateTable "Write", and
neither touches an item.
"""

from ownership.drift.types import ReadOrWrite

READ = {
    "BatchGetItem",
    "ConditionCheckItem",
    "ExportTableToPointInTime",  # makes an export, so "Write" to AWS; with the items it reads them all
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
# Tables, backups, replicas, settings and streams: none reads or writes the items of a table. Import and
# restore fill a new table only; what is granted for replication, a replica's table uses and no service can call.
NEITHER = {
    "AssociateTableReplica", "CreateBackup", "CreateGlobalTable", "CreateGlobalTableWitness", "CreateTable",
    "CreateTableReplica", "DeleteBackup", "DeleteGlobalTableWitness", "DeleteResourcePolicy", "DeleteTable",
    "DeleteTableReplica", "DescribeBackup", "DescribeContinuousBackups", "DescribeContributorInsights",
    "DescribeEndpoints", "DescribeExport", "DescribeGlobalTable", "DescribeGlobalTableSettings",
    "DescribeImport",
    "DescribeKinesisStreamingDestination", "DescribeLimits", "DescribeReservedCapacity",
    "DescribeReservedCapacityOfferings", "DescribeStream", "DescribeTable", "DescribeTableReplicaAutoScaling",
    "DescribeTimeToLive", "DisableKinesisStreamingDestination", "DisassociateTableReplica",
    "EnableKinesisStreamingDestination",
    "GetAbacStatus", "GetRecords", "GetResourcePolicy", "GetShardIterator", "ImportTable", "InjectError",
    "ListBackups", "ListContributorInsights", "ListExports", "ListGlobalTables", "ListImports", "ListStreams",
    "ListTables", "ListTagsOfResource", "PurchaseReservedCapacityOfferings", "PutResourcePolicy",
    "ReadDataForReplication", "ReplicateSettings", "RestoreTableFromAwsBackup", "RestoreTableFromBackup",
    "RestoreTableToPointInTime",
    "StartAwsBackupJob", "TagResource", "UntagResource", "UpdateAbacStatus", "UpdateContinuousBackups",
    "UpdateContributorInsights", "UpdateGlobalTable", "UpdateGlobalTableSettings", "UpdateGlobalTableVersion",
    "UpdateKinesisStreamingDestination", "UpdateTable", "UpdateTableReplicaAutoScaling", "UpdateTimeToLive",
    "WriteDataForReplication",
}  # fmt: skip

# Those that a grant on an index alone (table/X/index/Y) permits.
ON_INDEX = {"PartiQLSelect", "Query", "Scan", "SearchVectors"}

# Operations of the API that IAM has no action for, and what IAM asks for instead.
NOT_IAM = {
    "TransactGetItems": "IAM asks for GetItem on each table",
    "TransactWriteItems": "IAM asks for PutItem, UpdateItem, DeleteItem and ConditionCheckItem on each table",
    "ExecuteStatement": "IAM asks for PartiQLSelect, PartiQLInsert, PartiQLUpdate and PartiQLDelete",
    "ExecuteTransaction": "IAM asks for PartiQLSelect, PartiQLInsert, PartiQLUpdate and PartiQLDelete",
    "BatchExecuteStatement": "IAM asks for PartiQLSelect, PartiQLInsert, PartiQLUpdate and PartiQLDelete",
}

MODES: dict[str, ReadOrWrite] = {
    **{f"dynamodb:{name.lower()}": "read" for name in READ},
    **{f"dynamodb:{name.lower()}": "write" for name in WRITE},
}  # IAM ignores an action's case: all are kept in lower case
INDEX_ACTIONS = frozenset(f"dynamodb:{name.lower()}" for name in ON_INDEX)
KNOWN = frozenset(f"dynamodb:{name.lower()}" for name in READ | WRITE | NEITHER)
NO_ACTIONS = {f"dynamodb:{name.lower()}": f"dynamodb:{name} is no IAM action: {cure}" for name, cure in NOT_IAM.items()}
