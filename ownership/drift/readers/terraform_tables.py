"""Tables of Terraform with their keys and indexes, as CloudFormation states them.

::

    hash_key = "id"                         KeySchema: [{AttributeName: id, KeyType: HASH}]
    global_secondary_index { name = … }     GlobalSecondaryIndexes: [{IndexName: …}]

Source: documentation of the AWS provider for Terraform, version 6.
"""

from collections.abc import Iterable, Mapping

from ownership.drift.readers.terraform_documents import TABLE
from ownership.drift.readers.terraform_plan import TerraformPlan
from ownership.drift.readers.terraform_values import mapping
from ownership.drift.types import Location
from ownership.drift.values import Map, Seq, Text, Value, mappings

INDEX = "aws_dynamodb_global_secondary_index"


def indexes_by_table(plan: TerraformPlan) -> dict[str, list[Map]]:
    """The indexes that are resources of their own, by the address of their table."""
    addresses = {}
    for resource in plan.resources.values():
        if resource.type == TABLE and not resource.is_data:
            addresses[str(plan.table_name(resource))] = resource.address
    indexes: dict[str, list[Map]] = {}
    for resource in plan.resources.values():
        table = resource.values.get("table_name")
        if resource.type == INDEX and isinstance(table, Text) and table in addresses:
            indexes.setdefault(addresses[table], []).append(resource.values)
    return indexes


def table_properties(table: Map, name: Text, indexes: Iterable[Map]) -> Mapping[str, Value]:
    """CloudFormation's properties of a table; ``indexes`` are those that are resources of their own."""
    location = table.location
    attributes = []
    for attribute in mappings(table.get("attribute")):
        attributes.append(
            mapping(
                location,
                AttributeName=attribute.get("name"),
                AttributeType=attribute.get("type"),
            )
        )
    global_indexes = []
    for index in (*mappings(table.get("global_secondary_index")), *indexes):
        index_name = index.get("name") or index.get("index_name")
        global_indexes.append(_index(index_name, index, location))
    local_indexes = []
    for index in mappings(table.get("local_secondary_index")):
        # A local index has the partition key of its table.
        keys = mapping(location, hash_key=table.get("hash_key"), range_key=index.get("range_key"))
        local_indexes.append(_index(index.get("name"), keys, location))
    return {
        "TableName": name,
        "AttributeDefinitions": Seq(location, attributes),
        "KeySchema": _key_schema(table),
        "GlobalSecondaryIndexes": Seq(location, global_indexes),
        "LocalSecondaryIndexes": Seq(location, local_indexes),
    }


def _index(name: Value, keys: Map, location: Location) -> Map:
    return mapping(location, IndexName=name, KeySchema=_key_schema(keys))


def _key_schema(holder: Map) -> Seq:
    """The keys of a table or index: in attributes of their own, or in the provider's newer ``key_schema``."""
    location = holder.location
    keys = []
    for attribute, kind in (("hash_key", "HASH"), ("range_key", "RANGE")):
        name = holder.get(attribute)
        if name:
            keys.append(mapping(location, AttributeName=name, KeyType=Text(kind, location)))
    if keys:
        return Seq(location, keys)
    for key in mappings(holder.get("key_schema")):
        keys.append(
            mapping(
                location,
                AttributeName=key.get("attribute_name"),
                KeyType=key.get("key_type"),
            )
        )
    return Seq(location, keys)
