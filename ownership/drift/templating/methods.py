"""Methods of texts, lists and dicts in expressions of Jinja2."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from jinja2 import nodes

from ownership.drift.templating.template_values import (
    MAX_LENGTH,
    RenderingTooLarge,
    TemplateMethod,
    TemplateValue,
    has_mark,
)

if TYPE_CHECKING:
    from ownership.drift.templating.expressions import TemplateExpressions

Receiver = TypeVar("Receiver")
Dict: TypeAlias = dict[str, TemplateValue]
List: TypeAlias = list[TemplateValue]


def call(
    expressions: "TemplateExpressions",
    method: TemplateMethod,
    arguments: list[TemplateValue],
    node: nodes.Expr,
) -> TemplateValue:
    """What a method gives; what is given from outside where it is not known here."""
    owner, name = method.owner, method.name
    if isinstance(owner, str) and name != "format":
        return changed_text(expressions, owner, name, arguments, node)
    function = METHODS.get((type(owner), name))
    if function is None:
        return expressions.given(node)
    return function(_Call(expressions, owner, arguments, node))


def changed_text(
    expressions: "TemplateExpressions",
    text: str,
    name: str,
    arguments: list[TemplateValue],
    node: nodes.Expr,
) -> TemplateValue:
    """What a method or filter makes of a text."""
    change = TEXT_CHANGES.get(name)
    if change is not None:
        return change(text)
    texts = [expressions.text(argument) for argument in arguments]
    if name == "replace" and len(texts) == 2 and texts[0]:
        replaced = _replaced(text, texts[0], texts[1])
        return expressions.given(node) if replaced is None else replaced
    # What a mark stands for is not in the text.
    if has_mark(text):
        return expressions.given(node)
    match name, texts:
        case "split", []:
            return list(text.split())
        case "split", [separator, *_]:
            return list(text.split(separator))
        case "startswith", [start, *_]:
            return text.startswith(start)
        case "endswith", [end, *_]:
            return text.endswith(end)
    return expressions.given(node)


def _replaced(text: str, old: str, new: str) -> str | None:
    """The text with one part replaced; None where that can't be told."""
    # A mark has a number inside.
    has_digit = any(character.isdigit() for character in old)
    if has_digit and has_mark(text):
        return None
    if text.count(old) * len(new) > MAX_LENGTH:
        raise RenderingTooLarge
    return text.replace(old, new)


@dataclass(frozen=True)
class _Call(Generic[Receiver]):
    """A call of a method of a list or dict."""

    expressions: "TemplateExpressions"
    owner: Receiver
    arguments: list[TemplateValue]
    node: nodes.Expr

    @property
    def first(self) -> TemplateValue:
        """The first argument; None if there is none."""
        return self.arguments[0] if self.arguments else None

    def given(self) -> TemplateValue:
        """The result, which depends on what is given from outside."""
        return self.expressions.given(self.node)


def _items(call: _Call[Dict]) -> TemplateValue:
    return [[key, value] for key, value in call.owner.items()]


def _keys(call: _Call[Dict]) -> TemplateValue:
    return list(call.owner)


def _values(call: _Call[Dict]) -> TemplateValue:
    return list(call.owner.values())


def _get(call: _Call[Dict]) -> TemplateValue:
    if not isinstance(call.first, str):
        return call.given()
    default = call.arguments[1] if len(call.arguments) > 1 else None
    return call.owner.get(call.first, default)


def _update(call: _Call[Dict]) -> TemplateValue:
    if not isinstance(call.first, dict):
        return call.given()
    call.owner.update(call.first)
    return None


def _append(call: _Call[List]) -> TemplateValue:
    call.owner.extend(call.arguments)
    return None


def _extend(call: _Call[List]) -> TemplateValue:
    call.owner.extend(call.expressions.items(call.first) or [])
    return None


TEXT_CHANGES: dict[str, Callable[[str], str]] = {
    "capitalize": str.capitalize,
    "lower": str.lower,
    "strip": str.strip,
    "title": str.title,
    "trim": str.strip,
    "upper": str.upper,
}
METHODS: dict[tuple[type, str], Callable[[_Call[Any]], TemplateValue]] = {
    (dict, "get"): _get,
    (dict, "items"): _items,
    (dict, "keys"): _keys,
    (dict, "update"): _update,
    (dict, "values"): _values,
    (list, "append"): _append,
    (list, "extend"): _extend,
}
