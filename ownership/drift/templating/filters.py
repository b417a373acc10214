"""Filters in expressions of Jinja2: ``names | map("upper") | join("-")``."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import nodes

from ownership.drift.templating.methods import TEXT_CHANGES, changed_text
from ownership.drift.templating.template_values import (
    GivenValue,
    MissingMember,
    TemplateScope,
    TemplateValue,
    has_mark,
)

if TYPE_CHECKING:
    from ownership.drift.templating.expressions import TemplateExpressions

MAX_INDENT = 100


@dataclass(frozen=True)
class FilterCall:
    """A value, with the filter that is applied to it and the filter's arguments."""

    node: nodes.Filter
    value: TemplateValue
    arguments: list[TemplateValue]
    scope: TemplateScope


def apply_filter(expressions: "TemplateExpressions", call: FilterCall) -> TemplateValue:
    """What a filter makes of a value; what is given from outside where that is not known here."""
    name, value = call.node.name, call.value
    match name, value:
        case (("d" | "default"), _):
            return _default(value, call.arguments)
        case (("to_json" | "tojson"), _):
            return _to_json(expressions, value)
        case (("safe" | "string"), _):
            return value
        case (("indent" | "list" | "reverse" | "sort" | "unique"), GivenValue()):
            return value
        case _, GivenValue() if name in TEXT_CHANGES and value.name not in expressions.known:
            return value
        case "indent", str():
            return _indented(expressions, call, value)
        case _, str():
            return changed_text(expressions, value, name, call.arguments, call.node)
        case "dictsort", dict():
            return [[key, value[key]] for key in sorted(value, key=str.lower)]
        case "items", dict():
            return [[key, item] for key, item in value.items()]
        case (("count" | "length"), (list() | dict())):
            return len(value)
        case "list", (list() | dict()):
            return list(value)
        case "first", [first, *_]:
            return first
        case "last", [*_, last]:
            return last
        case "join", list():
            return _joined(expressions, call, value)
        case "map", list():
            return _mapped(expressions, call, value)
        case "reverse", list():
            return value[::-1]
        case "sort", list():
            return _sorted(value)
        case "unique", list():
            return [item for number, item in enumerate(value) if item not in value[:number]]
    return expressions.given(call.node)


def _default(value: TemplateValue, arguments: list[TemplateValue]) -> TemplateValue:
    """``value | default("none")``; with ``true`` as well, also in place of what is empty."""
    default = arguments[0] if arguments else ""
    replaces_empty = len(arguments) > 1
    if isinstance(value, MissingMember) or (replaces_empty and not value):
        return default
    if not isinstance(value, GivenValue):
        return value
    if isinstance(default, list | dict):
        return default
    if isinstance(default, str) and "'" not in default and not has_mark(default):
        return GivenValue(value.name, default)
    return value


def _to_json(expressions: "TemplateExpressions", value: TemplateValue) -> TemplateValue:
    if isinstance(value, GivenValue):
        return expressions.text(value)
    return json.dumps(expressions.plain(value))


def _indented(expressions: "TemplateExpressions", call: FilterCall, text: str) -> TemplateValue:
    """``text | indent(8)``: all lines but the first, or all with ``first=true``."""
    settings: dict[str, TemplateValue] = {"width": 4, "first": False}
    settings.update(zip(settings, call.arguments, strict=False))
    for keyword in call.node.kwargs:
        settings[str(keyword.key)] = expressions.value(keyword.value, call.scope)
    width = settings["width"]
    if not isinstance(width, int) or width > MAX_INDENT:
        return expressions.given(call.node)
    start = " " * width
    indented = text.replace("\n", f"\n{start}")
    return start + indented if settings["first"] else indented


def _joined(
    expressions: "TemplateExpressions", call: FilterCall, items: list[TemplateValue]
) -> TemplateValue:
    separator = ""
    if call.arguments:
        separator = expressions.text(call.arguments[0])
    return separator.join(expressions.text(item) for item in items)


def _mapped(
    expressions: "TemplateExpressions", call: FilterCall, items: list[TemplateValue]
) -> TemplateValue:
    """``items | map(attribute="name")`` and ``items | map("upper")``."""
    node = call.node
    match node.args, node.kwargs:
        case [], [keyword] if keyword.key == "attribute":
            attribute = expressions.value(keyword.value, call.scope)
            return [_attribute_of(expressions, item, attribute) for item in items]
        case [nodes.Const(value=str() as name), *arguments], []:
            inner = nodes.Filter(None, name, arguments, [], None, None, lineno=node.lineno)
            return [expressions.filtered(inner, item, call.scope) for item in items]
    return expressions.given(node)


def _attribute_of(
    expressions: "TemplateExpressions", item: TemplateValue, attribute: TemplateValue
) -> TemplateValue:
    """``item.a.b`` for ``"a.b"``."""
    if not isinstance(attribute, str):
        return expressions.member(item, attribute)
    for name in attribute.split("."):
        item = expressions.member(item, name)
    return item


def _sorted(items: list[TemplateValue]) -> list[TemplateValue]:
    """The items in order if all are texts; else as they are: which come first matters to no loop."""
    texts = [item for item in items if isinstance(item, str)]
    if len(texts) < len(items):
        return items
    return [*sorted(texts, key=str.lower)]
