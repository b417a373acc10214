"""Parses YAML and JSON into values that know their location. Nothing in the files is executed.

::

    Users: {Type: AWS::DynamoDB::Table, Deployed: 2024-05-01}
    Arn: !GetAtt Users.Arn

becomes a Map with the texts ``AWS::DynamoDB::Table`` and ``2024-05-01`` (not a date) and with
``{"Fn::GetAtt": ["Users", "Arn"]}``: short tags take their long form.

Values are built from the parser's events, without a YAML loader: no object is constructed, nesting is limited
before Python's recursion limit matters, ``yes`` and ``2012-10-17`` stay text, and an alias is one shared value.
Source: YAML 1.1; AWS CloudFormation User Guide, "Intrinsic function reference", for the tags.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import yaml

from ownership.drift.types import Location, ReadError
from ownership.drift.values import Map, Seq, Text, Value, location_of

MAX_DEPTH = 100
MAX_VALUES = 200_000  # in one file, those of merge keys included

NULLS = {"", "~", "null", "Null", "NULL"}
SURROGATE_PAIR = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)
# `!Sub` is short for `Fn::Sub`, but `!Ref` for `Ref`
TAGS_WITHOUT_PREFIX = {"Ref", "Condition"}

_Loader = getattr(yaml, "CLoader", yaml.Loader)  # only its parser is used


def parse(text: str, file: str) -> Value:
    """The value of a YAML or JSON file; None if it is empty. Raises ReadError."""
    if file.endswith(".json"):
        text = _json_as_yaml(text)
    try:
        return _Builder(file).build(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        raise ReadError(
            _location(file, error.problem_mark), error.problem or "is not valid YAML"
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        reason = getattr(error, "reason", None) or "contains a character that YAML does not allow"
        raise ReadError(Location(file), str(reason)) from error


class _Mark(Protocol):
    """Where the parser is."""

    line: int  # counted from 0


def _location(file: str, mark: _Mark | None) -> Location:
    return Location(file, None if mark is None else mark.line + 1)


def _json_as_yaml(text: str) -> str:
    """JSON with what YAML reads differently replaced: tabs between tokens, and pairs of surrogates."""

    def character(pair: re.Match[str]) -> str:
        return bytes.fromhex(pair[1] + pair[2]).decode("utf-16-be")

    return SURROGATE_PAIR.sub(character, text.replace("\t", " "))


class _MergeKey(Text):
    """``<<`` without quotes."""


@dataclass
class _Collection:
    """A mapping or list whose end has not been reached. A mapping's items are keys and values in turn."""

    start: yaml.CollectionStartEvent
    items: list[Value]


class _Builder:
    """Builds the value of one file from the events of the YAML parser."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.anchors: dict[str, Value] = {}
        self.documents: list[Value] = []
        self.open_collections: list[_Collection] = []
        self.value_count = 0

    def build(self, events: Iterator[yaml.Event]) -> Value:
        for event in events:
            match event:
                case yaml.DocumentStartEvent():
                    self._start_document(event)
                case yaml.CollectionStartEvent():
                    self._start_collection(event)
                case yaml.CollectionEndEvent():
                    self._end_collection()
                case yaml.ScalarEvent():
                    self._add(self._tagged(event, self._scalar(event)))
                case yaml.AliasEvent():
                    self._add(self._alias(event))
        if not self.documents:
            return None
        return self.documents[0]

    def _location(self, event: yaml.Event) -> Location:
        return _location(self.file, event.start_mark)

    def _count(self, location: Location, number: int = 1) -> None:
        self.value_count += number
        if self.value_count > MAX_VALUES:
            raise ReadError(location, f"has more than {MAX_VALUES:,} values")

    def _add(self, value: Value) -> None:
        if self.open_collections:
            self.open_collections[-1].items.append(value)
        else:
            self.documents.append(value)

    def _start_document(self, event: yaml.DocumentStartEvent) -> None:
        if self.documents:
            raise ReadError(
                self._location(event),
                "has a second document; only one per file is supported",
            )

    def _start_collection(self, event: yaml.CollectionStartEvent) -> None:
        if len(self.open_collections) >= MAX_DEPTH:
            raise ReadError(self._location(event), f"is nested deeper than {MAX_DEPTH} levels")
        self.open_collections.append(_Collection(event, []))

    def _end_collection(self) -> None:
        collection = self.open_collections.pop()
        location = self._location(collection.start)
        value: Map | Seq
        if isinstance(collection.start, yaml.MappingStartEvent):
            value = self._mapping(location, collection.items)
        else:
            value = Seq(location, collection.items)
        self._add(self._tagged(collection.start, value))

    def _scalar(self, event: yaml.ScalarEvent) -> Text | None:
        location = self._location(event)
        self._count(location)
        is_plain = event.implicit[0]
        if is_plain and event.value in NULLS:
            return None
        if is_plain and event.value == "<<":
            return _MergeKey(event.value, location)
        return Text(event.value, location)

    def _alias(self, event: yaml.AliasEvent) -> Value:
        location = self._location(event)
        # An anchor is known once its value is complete, so a value can't contain itself.
        if event.anchor not in self.anchors:
            raise ReadError(
                location,
                f"alias *{event.anchor} has no anchor before it, or is part of its own value",
            )
        self._count(location)
        return self.anchors[event.anchor]

    def _mapping(self, location: Location, items: list[Value]) -> Map:
        result = Map(location)
        merged: list[Value] = []
        for key, value in zip(items[::2], items[1::2], strict=True):
            if key is None:
                key = Text("null", location)
            if not isinstance(key, Text):
                raise ReadError(location_of(key), "a mapping key must be text")
            if isinstance(key, _MergeKey):
                merged.append(value)
            elif key in result:
                first = result.key_location(key).line
                raise ReadError(key.location, f"duplicate key {key}, first used in line {first}")
            else:
                result[key] = value
        # After all own keys, which win over merged ones wherever `<<` is written.
        for value in merged:
            others = value if isinstance(value, Seq) else [value]
            for other in others:
                self._merge(result, other)
        return result

    def _merge(self, result: Map, other: Value) -> None:
        """Add what a merge key (``<<``) brings; keys that the mapping has itself win."""
        if not isinstance(other, Map):
            raise ReadError(result.location, "<< must be a mapping or a list of mappings")
        # Merges count as values: merge keys that double are as dangerous as aliases that do.
        self._count(result.location, len(other))
        for key, value in other.items():
            result.setdefault(key, value)

    def _tagged(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, value: Value) -> Value:
        """The value with its short tag, such as ``!Sub``, in the long form; an anchor is remembered."""
        tag: str = event.tag or ""
        if tag.startswith("!") and len(tag) > 1:
            value = self._long_form(tag[1:], value, self._location(event))
        if event.anchor:
            self.anchors[event.anchor] = value
        return value

    def _long_form(self, tag: str, argument: Value, location: Location) -> Map:
        # `!GetAtt Users.Arn` is short for a list; only the first dot separates.
        if tag == "GetAtt" and isinstance(argument, Text):
            argument = Seq(argument.location, argument.split_at(".", 1))
        name = f"Fn::{tag}"
        if tag in TAGS_WITHOUT_PREFIX:
            name = tag
        return Map(location, [(Text(name, location), argument)])
