"""Reads the DynamoDB tables that a CloudFormation template deploys.

::

    Users:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: biztechUsers${opt:stage}
        AttributeDefinitions: [{AttributeName: email, AttributeType: S}]
        KeySchema: [{AttributeName: email, KeyType: HASH}]

becomes the TableShape ``biztechUsers`` with the partition key ``email (S)``.
Source: AWS CloudFormation Template Reference, "AWS::DynamoDB::Table" and "AWS::DynamoDB::GlobalTable".
"""

from collections.abc import Mapping

from ownership.drift.diagnostics import Diagnostics
from ownership.drift.naming import Names
from ownership.drift.readers.template import Template
from ownership.drift.readers.template_nodes import TABLE_TYPES
from ownership.drift.types import KeyAttribute, Keys, TableShape
from ownership.drift.values import Map, Text, as_text

INDEX_LISTS = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")

Index = tuple[str, Keys | None]  # name and keys, as in TableShape


def read_tables(template: Template, names: Names, diagnostics: Diagnostics) -> list[TableShape]:
    """The tables that a template deploys, by base name."""
    reader = _TableReader(template, names, diagnostics)
    tables = []
    for logical_name, properties in template.of_type(*TABLE_TYPES):
        tables += reader.read(logical_name, properties)
    return tables


class _TableReader:
    def __init__(self, template: Template, names: Names, diagnostics: Diagnostics) -> None:
        self.template = template
        self.names = names
        self.diagnostics = diagnostics

    def read(self, logical_name: str, properties: Map) -> list[TableShape]:
        """A table, or several where its name has several values (``!If``)."""
        location = as_text(logical_name, properties.location).location
        types = self._attribute_types(properties)
        indexes = self._indexes(properties, types)
        tables = []
        for name in self.template.table_names(logical_name, location):
            base = self.names.table(name)
            if base:
                keys = self._keys(properties, types)
                tables.append(TableShape(base, keys, indexes, (location,)))
            else:
                # Shown by its logical name, which a reader finds in the file; the variables say why.
                table = Text(logical_name, location, name.variables)
                self.diagnostics.add_unresolved(table, "the table name can't be resolved")
        return tables

    def _indexes(self, properties: Map, types: Mapping[str, str]) -> tuple[Index, ...]:
        indexes = []
        for index_list in INDEX_LISTS:
            for item in self.template.mappings_in(properties.get(index_list)):
                name = self._index_name(item)
                if name:
                    indexes.append((name, self._keys(item, types)))
        return tuple(sorted(indexes, key=str))

    def _index_name(self, index: Map) -> str | None:
        """The base name of an index: like a table's, it may have the environment in it."""
        name = self.template.text(index.get("IndexName"))
        # Invalid, and CloudFormation would refuse it; the index is shown as a difference from the map.
        if not name:
            return "…"
        base = self.names.index(name)
        if not base:
            self.diagnostics.add_unresolved(name, "the index name can't be resolved")
            return None
        return base

    def _attribute_types(self, properties: Map) -> dict[str, str]:
        """Attribute name → type, for the attributes of which both are known."""
        types = {}
        for item in self.template.mappings_in(properties.get("AttributeDefinitions")):
            name = self.template.text(item.get("AttributeName"))
            attribute_type = self.template.text(item.get("AttributeType"))
            if name is not None and attribute_type:
                types[str(name)] = str(attribute_type)
        return types

    def _keys(self, holder: Map, types: Mapping[str, str]) -> Keys | None:
        """The keys of a table or index; None if they can't be read."""
        keys: dict[str, KeyAttribute] = {}
        for item in self.template.mappings_in(holder.get("KeySchema")):
            name = self.template.text(item.get("AttributeName"))
            key_type = self.template.text(item.get("KeyType"))
            # An attribute whose name can't be resolved would look like a difference from the map.
            if name is not None and not name.reason and key_type is not None:
                keys[key_type] = KeyAttribute(str(name), types.get(name))
        if "HASH" not in keys:
            return None
        return Keys(keys["HASH"], keys.get("RANGE"))
