"""Filters in expressions of Jinja2: ``names | map("upper") | join("-")``."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import nodes

from ownership.drift.templating.loading import MARK
from ownership.drift.templating.methods import TEXT_CHANGES, changed_text
from ownership.drift.templating.template_values import (
    GivenValue,
    MissingMember,
    TemplateMethod,
    TemplateScope,
    TemplateValue,
)

if TYPE_CHECKING:
    from ownership.drift.templating.expressions import TemplateExpressions


@dataclass(frozen=True)
class FilterCall:
    """A value, with the filter that is applied to it and the filter's arguments."""

    node: nodes.Filter
    value: TemplateValue
    arguments: list[TemplateValue]
    scope: TemplateScope


def apply_filter(expressions: "TemplateExpressions", call: FilterCall) -> TemplateValue:
    """What a filter makes of a value; what is given from outside where that is not known here."""
    filter_value = FILTERS.get(call.node.name, _change)
    return filter_value(expressions, call)


def _change(expressions: "TemplateExpressions", call: FilterCall) -> TemplateValue:
    """A filter that is a method of texts as well, or is not known."""
    value, name = call.value, call.node.name
    if isinstance(value, str):
        return changed_text(expressions, value, name, call.arguments, call.node)
    if (
        isinstance(value, GivenValue)
        and name in TEXT_CHANGES
        and value.name not in expressions.known
    ):
        return value
    return expressions.given(call.node)


def _same(expressions: "TemplateExpressions", call: FilterCall) -> TemplateValue:
    return call.value


def _list(expressions: "TemplateExpressions", call: FilterCall) -> TemplateValue:
    if isinstance(call.value, dict):
        return list(call.value)
    return call.value


def _default(expressions: "TemplateExpressions", call: FilterCall) -> TemplateValue:
    """``value | default("none")``; with ``true`` as well, also in place of what is empty."""
    value = call.value
    default = call.arguments[0] if call.arguments else ""
    replaces_empty = len(call.arguments) > 1
    if isinstance(value, MissingMember | TemplateMethod) or (replaces_empty and not value):
        return default
    if not isinstance(value, GivenValue):
        return value
    if isinstance(default, list | dict):
        return default
    is_plain = isinstance(default, str) and "'" not in default and not MARK.search(default)
    if is_plain:
        return GivenValue(value.name, expressions.text(default))
    return value


def _length(expressions: "TemplateExpressions", call: FilterCall) -> TemplateValue:
    if isinstance(call.value, list | dict | str):
        return len(call.value)
    return _change(expressions, call)


def _to_json(expressions: "TemplateExpressions", call: FilterCall) -> TemplateValue:
    if isinstance(call.value, list | dict | GivenValue):
        return expressions.text(call.value)
    return json.dumps(call.value)


def _items(expressions: "TemplateExpressions", call: FilterCall) -> TemplateValue:
    if isinstance(call.value, dict):
        return [[key, value] for key, value in call.value.items()]
    return _change(expressions, call)


def _join(expressions: "TemplateExpressions", call: FilterCall) -> TemplateValue:
    if not isinstance(call.value, list):
        return _change(expressions, call)
    separator = ""
    if call.arguments:
        separator = expressions.text(call.arguments[0])
    return separator.join(expressions.text(item) for item in call.value)


def _first(expressions: "TemplateExpressions", call: FilterCall) -> TemplateValue:
    if isinstance(call.value, list) and call.value:
        return call.value[0]
    return _change(expressions, call)


def _last(expressions: "TemplateExpressions", call: FilterCall) -> TemplateValue:
    if isinstance(call.value, list) and call.value:
        return call.value[-1]
    return _change(expressions, call)


def _map(expressions: "TemplateExpressions", call: FilterCall) -> TemplateValue:
    """``items | map(attribute="name")`` and ``items | map("upper")``."""
    node, items = call.node, call.value
    if not isinstance(items, list):
        return _change(expressions, call)
    for keyword in node.kwargs:
        if keyword.key == "attribute":
            attribute = expressions.value(keyword.value, call.scope)
            return [expressions.member(item, attribute) for item in items]
    if not node.args or not isinstance(node.args[0], nodes.Const):
        return expressions.given(node)
    name = str(node.args[0].value)
    inner = nodes.Filter(None, name, node.args[1:], [], None, None, lineno=node.lineno)
    return [expressions.filtered(inner, item, call.scope) for item in items]


FILTERS: dict[str, Callable[["TemplateExpressions", FilterCall], TemplateValue]] = {
    "d": _default,
    "default": _default,
    "dictsort": _items,
    "e": _same,
    "escape": _same,
    "first": _first,
    "indent": _same,
    "items": _items,
    "join": _join,
    "last": _last,
    "length": _length,
    "list": _list,
    "map": _map,
    "reverse": _same,
    "safe": _same,
    "sort": _same,
    "string": _same,
    "to_json": _to_json,
    "tojson": _to_json,
    "unique": _same,
    "wordwrap": _same,
}
