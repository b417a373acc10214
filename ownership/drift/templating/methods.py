"""Methods of texts, lists and dicts in expressions of Jinja2."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from jinja2 import nodes

from ownership.drift.templating.template_values import (
    MAX_LENGTH,
    GivenValue,
    RenderingTooLarge,
    TemplateMethod,
    TemplateValue,
    has_mark,
    holds_given,
)

if TYPE_CHECKING:
    from ownership.drift.templating.expressions import TemplateExpressions


def call(
    expressions: "TemplateExpressions",
    method: TemplateMethod,
    arguments: list[TemplateValue],
    node: nodes.Expr,
) -> TemplateValue:
    """What a method gives; what is given from outside where it is not known here."""
    match method.owner, method.name, arguments:
        case str() as text, name, _ if name != "format":
            return changed_text(expressions, text, name, arguments, node)
        case dict() as entries, "items", []:
            return [[key, value] for key, value in entries.items()]
        case dict() as entries, "keys", []:
            return list(entries)
        case dict() as entries, "values", []:
            return list(entries.values())
        case dict() as entries, "get", [str() as key] if key in entries:
            return entries[key]
        case dict() as entries, "get", [str() as key, _] if key in entries:
            return entries[key]
        case dict() as entries, "get", [str() as key, *default] if not (
            has_mark(key) or holds_given(entries)
        ):
            return default[0] if default else None
        case dict() as entries, "update", [dict() as others]:
            entries.update(others)
            return None
        case dict() as entries, "update", [GivenValue() as others]:
            entries[expressions.text(others)] = others  # stands for any number of entries
            return None
        case list() as items, "append", [item]:
            items.append(item)
            return None
        case list() as items, "extend", [list() as others]:
            items.extend(others)
            return None
        case list() as items, "extend", [GivenValue() as others]:
            items.append(others)  # stands for any number of items
            return None
    return leave_open(expressions, method, node)


def leave_open(
    expressions: "TemplateExpressions", method: TemplateMethod, node: nodes.Expr
) -> TemplateValue:
    """What a call gives that is not followed: what it may add to its owner is given from outside."""
    given = expressions.given(node)
    if method.name in ADDING:
        match method.owner:
            case dict() as entries:
                entries[expressions.text(given)] = given
            case list() as items:
                items.append(given)
    return given


def changed_text(
    expressions: "TemplateExpressions",
    text: str,
    name: str,
    arguments: list[TemplateValue],
    node: nodes.Expr,
) -> TemplateValue:
    """What a method or filter makes of a text."""
    change = TEXT_CHANGES.get(name)
    if change is not None and not arguments:
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
        case "split", [separator] if separator:
            return list(text.split(separator))
        case "startswith", [start]:
            return text.startswith(start)
        case "endswith", [end]:
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


ADDING = {"append", "extend", "insert", "setdefault", "update"}
TEXT_CHANGES: dict[str, Callable[[str], str]] = {
    "capitalize": str.capitalize,
    "lower": str.lower,
    "strip": str.strip,
    "title": str.title,
    "trim": str.strip,
    "upper": str.upper,
}
