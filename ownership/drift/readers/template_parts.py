"""Merges the parts of a template, as the Serverless Framework does with a project's ``resources`` (lodash's merge).

::

    - Resources: {Users: {Type: AWS::DynamoDB::Table}}
    - Resources: {Users: {Properties: {TableName: users}}}

is one table with both keys. Source: Serverless Framework documentation, "Resources".
"""

from collections.abc import Iterable
from copy import copy

from ownership.drift.readers.node_reader import NodeReader
from ownership.drift.values import UNKNOWN_LOCATION, Map, Seq, Value


def merged_section(reader: NodeReader, parts: Iterable[Map], name: str) -> Map:
    """A section of all parts, later ones laid over earlier ones. Raises ReadError for too many steps."""
    section: Value = Map(UNKNOWN_LOCATION)
    for part in parts:
        section = _merged(reader, section, reader.mapping(part.get(name)), 0)
    return reader.mapping(section)


def _merged(reader: NodeReader, first: Value, second: Value, nesting: int) -> Value:
    """``second`` laid over ``first``: also within mappings and lists."""
    first = reader.step(first, nesting)
    second = reader.step(second, nesting)
    match first, second:
        case Map(), Map():
            return _merged_mappings(reader, first, second, nesting + 1)
        case Seq(), Seq():
            return _merged_lists(reader, first, second, nesting + 1)
    return second


def _merged_mappings(reader: NodeReader, first: Map, second: Map, nesting: int) -> Map:
    merged = copy(first)  # aliases may share it
    for key, value in second.items():
        if key in first:
            value = _merged(reader, first[key], value, nesting)
        merged[key] = value
    return merged


def _merged_lists(reader: NodeReader, first: Seq, second: Seq, nesting: int) -> Seq:
    """Members in the same position merged; the longer list gives the rest."""
    merged = copy(first)
    for position, value in enumerate(second):
        if position < len(first):
            merged[position] = _merged(reader, first[position], value, nesting)
        else:
            merged.append(value)
    return merged
