"""Expands ``Fn::ForEach``, the loops of CloudFormation's transform AWS::LanguageExtensions.

::

    Fn::ForEach::Tables:
      - Name
      - [orders, carts]
      - Table${Name}: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Ref Name}}

becomes the tables ``Tableorders`` and ``Tablecarts``. A loop over values that are not known stays, with the reason in
its key. Each node that a loop makes counts as a step of the template, so that loops in loops can't grow without end.
Source: AWS CloudFormation Template Reference, "Fn::ForEach".
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ownership.drift.environment_words import is_environment_value, names_environment
from ownership.drift.values import (
    Map,
    Reason,
    Seq,
    Text,
    Value,
    Variable,
    as_text,
    concat,
    from_variable,
)

if TYPE_CHECKING:
    from ownership.drift.readers.template import Template

TRANSFORM = "AWS::LanguageExtensions"
LOOP = "Fn::ForEach::"
# `${Name}`, and `&{Name}` for a value without what logical ids can't have.
IDENTIFIER = re.compile(r"(?P<kind>[$&])\{(?P<name>[A-Za-z0-9]+)\}")
NOT_ALPHANUMERIC = re.compile("[^A-Za-z0-9]")

Values = Mapping[str, Text]  # of the identifiers of the loops around


class LoopExpander:
    """Expands the loops in the sections of one template, whose parameters it knows."""

    def __init__(self, template: "Template") -> None:
        self.template = template

    def mapping(self, node: Map, values: Values | None = None, nesting: int = 0) -> Map:
        """A mapping with what its loops make in their place. Raises ReadError for too many steps."""
        values = values or {}
        result = Map(node.location)
        result.varies = node.varies
        for key, value in node.items():
            if key.startswith(LOOP):
                result.update(self._made_by(key, value, values, nesting + 1))
            else:
                name = _with_values(as_text(key, node.location), values)
                result[name] = self._expanded(value, values, nesting + 1)
        return result

    def _expanded(self, node: Value, values: Values, nesting: int) -> Value:
        node = self.template.step(node, nesting)
        match node:
            case Text():
                return _with_values(node, values)
            case Seq():
                items = [self._expanded(item, values, nesting + 1) for item in node]
                return Seq(node.location, items)
            case Map():
                name = node.get("Ref")
                if len(node) == 1 and isinstance(name, Text) and name in values:
                    return values[name]
                return self.mapping(node, values, nesting)
        return node

    def _made_by(self, key: str, node: Value, values: Values, nesting: int) -> Mapping[str, Value]:
        """What a loop makes; the loop itself where that is not known."""
        arguments = self.template.step(node, nesting)
        if not isinstance(arguments, Seq) or len(arguments) != 3:
            return {key: node}
        identifier, collection, body = arguments
        items = self._items(collection, values, nesting + 1)
        body = self.template.expand(body)
        reason = next((item.reason for item in items if item.reason), None)
        if reason or not isinstance(identifier, Text) or not isinstance(body, Map):
            return {_with_reason(key, arguments, reason): node}
        made: dict[str, Value] = {}
        for item in items:
            is_environment = names_environment(identifier) and is_environment_value(item)
            value = from_variable(item, item.location, is_environment)
            made.update(self.mapping(body, {**values, identifier: value}, nesting + 1))
        return made

    def _items(self, collection: Value, values: Values, nesting: int) -> list[Text]:
        """The values that a loop runs over, each once: those of both branches where an Fn::If chooses."""
        texts = self.template.texts(self._expanded(collection, values, nesting), nesting)
        return list(dict.fromkeys(text.stripped() for text in texts))


def _with_reason(key: str, arguments: Seq, reason: Reason | None) -> Text:
    """The key of a loop, with the reason why it is not expanded."""
    location = as_text(key, arguments.location).location
    variables = (Variable(0, len(key), is_environment=False, reason=reason),) if reason else ()
    return Text(key, location, variables)


def _with_values(text: Text, values: Values) -> Text:
    """A text with the values of the loops' identifiers in it."""
    pieces: list[str] = []
    position = 0
    for match in IDENTIFIER.finditer(text):
        if match["name"] not in values:
            continue
        value: str = values[match["name"]]
        if match["kind"] == "&":
            value = NOT_ALPHANUMERIC.sub("", value)
        pieces += [text.part(position, match.start()), value]
        position = match.end()
    if not pieces:
        return text
    pieces.append(text.part(position, len(text)))
    return concat(pieces, text.location)
