"""What expressions in a template of Jinja2 mean, as far as they are made of literals.

``["users", stage] | join("-")`` is ``users-`` and a mark that stands for ``stage``, which is given from outside.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from jinja2 import nodes

from ownership.drift.templating.loading import MARK, MARK_START

MAX_LENGTH = 100_000  # characters of one text
MAX_ITEMS = 1000  # of one list
MAX_NUMBER = 10**12
FALSE = ("", "0", "false", "no", "none", "off")  # as people give values that hold not


class TooLarge(Exception):
    """A template is too much to render."""


@dataclass(frozen=True)
class GivenValue:
    """Something that a template is given from outside; ``variable`` is how a reader of names resolves it."""

    name: str
    default: str | None = None

    @property
    def variable(self) -> str:
        if self.default is None:
            return f"${{opt:{self.name}}}"
        return f"${{opt:{self.name}, '{self.default}'}}"


@dataclass(frozen=True)
class MissingMember:
    """A member that something known does not have."""


@dataclass(eq=False)
class Macro:
    """A macro with the variables around it."""

    node: nodes.Macro
    scope: "TemplateScope"


@dataclass(frozen=True)
class TemplateMethod:
    """A method of a text, list or dict."""

    owner: "str | list[TemplateValue] | dict[str, TemplateValue]"
    name: str


Scalar: TypeAlias = str | int | float | bool | None
TemplateValue: TypeAlias = (
    "Scalar | list[TemplateValue] | dict[str, TemplateValue] | GivenValue | MissingMember | Macro | TemplateMethod"
)
TemplateScope: TypeAlias = dict[str, TemplateValue]


def has_mark(text: str) -> bool:
    """Whether a part of a text is given from outside."""
    return MARK_START in text


class TemplateExpressions:
    """Evaluates expressions. ``mark`` gives what stands for something unknown, ``call_macro`` what a macro renders.

    ``known`` are the values of what is given from outside, as far as the caller says them.
    """

    def __init__(
        self,
        mark: Callable[[GivenValue], str],
        call_macro: Callable[[Macro, list[TemplateValue], dict[str, TemplateValue]], str],
        known: Mapping[str, str],
    ) -> None:
        self.mark = mark
        self.call_macro = call_macro
        self.known = known

    def value(self, node: nodes.Node, scope: TemplateScope) -> TemplateValue:
        """The value of an expression."""
        method = EXPRESSIONS.get(type(node))
        if method is None:
            return self.given(node)
        value = method(self, node, scope)
        if isinstance(value, str) and len(value) > MAX_LENGTH:
            raise TooLarge
        if isinstance(value, list | dict) and len(value) > MAX_ITEMS:
            raise TooLarge
        return value

    def text(self, value: TemplateValue) -> str:
        """What a value is rendered to."""
        if isinstance(value, GivenValue):
            return self.mark(value)
        if value is None or isinstance(value, MissingMember | Macro | TemplateMethod):
            return ""
        if isinstance(value, list | dict):
            return json.dumps(self._plain(value))
        return str(value)

    def _plain(self, value: TemplateValue) -> object:
        """A value that JSON knows."""
        if isinstance(value, list):
            return [self._plain(item) for item in value]
        if isinstance(value, dict):
            return {key: self._plain(item) for key, item in value.items()}
        if isinstance(value, str | int | float | bool):
            return value
        return self.text(value)

    def items(self, value: TemplateValue) -> list[TemplateValue] | None:
        """What a loop goes through; None if that is given from outside."""
        if isinstance(value, list):
            return value
        if isinstance(value, dict):
            return list(value)
        if isinstance(value, GivenValue):
            return None
        return []

    def given(self, node: nodes.Node) -> GivenValue:
        """An expression that depends on what is given from outside, named by the first variable in it."""
        names = [inner.name for inner in node.find_all(nodes.Name)]
        if isinstance(node, nodes.Name):
            names = [node.name]
        name = "_".join(names[:2]) or "expression"
        if name in self.known and not isinstance(node, nodes.Name):
            # What is made of a known value is not that value.
            name = f"made_of.{name}"
        return GivenValue(name)

    # Variables

    def assign(self, target: nodes.Node, value: TemplateValue, scope: TemplateScope) -> None:
        """Assign to a variable, to several, or to a member of a namespace."""
        if isinstance(target, nodes.Name):
            scope[target.name] = value
        elif isinstance(target, nodes.NSRef):
            namespace = scope.get(target.name)
            if isinstance(namespace, dict):
                namespace[target.attr] = value
        elif isinstance(target, nodes.Tuple):
            values = value if isinstance(value, list) else []
            for position, inner in enumerate(target.items):
                if position < len(values):
                    self.assign(inner, values[position], scope)
                else:
                    self.assign_given(inner, scope)

    def assign_given(self, target: nodes.Node, scope: TemplateScope) -> None:
        """Make variables stand for what is given from outside."""
        if isinstance(target, nodes.Name):
            scope[target.name] = GivenValue(target.name)
        elif isinstance(target, nodes.Tuple):
            for inner in target.items:
                self.assign_given(inner, scope)

    # Conditions

    def truth(self, node: nodes.Node, scope: TemplateScope) -> bool | None:
        """Whether a condition holds; None if that depends on what is given from outside."""
        return self._is_true(self.value(node, scope))

    def _known_value(self, value: TemplateValue) -> TemplateValue:
        """The value itself in place of what is given from outside, if the caller says it."""
        if isinstance(value, GivenValue):
            return self.known.get(value.name, value)
        return value

    def _is_true(self, value: TemplateValue) -> bool | None:
        if isinstance(value, GivenValue):
            known = self.known.get(value.name)
            return None if known is None else known.lower() not in FALSE
        if isinstance(value, MissingMember):
            return False
        return bool(value)

    # Expressions

    def _name(self, node: nodes.Name, scope: TemplateScope) -> TemplateValue:
        if node.name in scope:
            return scope[node.name]
        return GivenValue(node.name)

    def _constant(self, node: nodes.Const, scope: TemplateScope) -> TemplateValue:
        value = node.value
        return value if isinstance(value, str | int | float | bool) else None

    def _data(self, node: nodes.TemplateData, scope: TemplateScope) -> TemplateValue:
        return node.data

    def _list(self, node: nodes.List | nodes.Tuple, scope: TemplateScope) -> TemplateValue:
        return [self.value(item, scope) for item in node.items]

    def _dict(self, node: nodes.Dict, scope: TemplateScope) -> TemplateValue:
        entries: dict[str, TemplateValue] = {}
        for pair in node.items:
            entries[self.text(self.value(pair.key, scope))] = self.value(pair.value, scope)
        return entries

    def _attribute(self, node: nodes.Getattr, scope: TemplateScope) -> TemplateValue:
        return self._member(self.value(node.node, scope), node.attr)

    def _item(self, node: nodes.Getitem, scope: TemplateScope) -> TemplateValue:
        owner = self.value(node.node, scope)
        if isinstance(node.arg, nodes.Slice):
            return owner if isinstance(owner, list) else self.given(node)
        key = self.value(node.arg, scope)
        if isinstance(key, GivenValue):
            return self.given(node)
        return self._member(owner, key)

    def _member(self, owner: TemplateValue, key: TemplateValue) -> TemplateValue:
        """``owner.key`` and ``owner[key]``."""
        if isinstance(owner, GivenValue):
            return GivenValue(f"{owner.name}.{self.text(key)}" if isinstance(key, str | int) else owner.name)
        if isinstance(owner, dict) and isinstance(key, str) and key in owner:
            return owner[key]
        if isinstance(owner, list | str) and isinstance(key, int) and -len(owner) <= key < len(owner):
            return owner[key]
        if isinstance(owner, str | list | dict) and isinstance(key, str):
            return TemplateMethod(owner, key)
        return MissingMember()

    def _concat(self, node: nodes.Concat, scope: TemplateScope) -> TemplateValue:
        return "".join(self.text(self.value(part, scope)) for part in node.nodes)

    def _add(self, node: nodes.Add, scope: TemplateScope) -> TemplateValue:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        if isinstance(left, str) or isinstance(right, str):
            return self.text(left) + self.text(right)
        if isinstance(left, list) and isinstance(right, list):
            return [*left, *right]
        if isinstance(left, int) and isinstance(right, int) and abs(left) + abs(right) < MAX_NUMBER:
            return left + right
        return self.given(node)

    def _compare(self, node: nodes.Compare, scope: TemplateScope) -> TemplateValue:
        left = self._known_value(self.value(node.expr, scope))
        if len(node.ops) != 1:
            return self.given(node)
        operator = node.ops[0].op
        right = self._known_value(self.value(node.ops[0].expr, scope))
        if self._depends(left) or self._depends(right):
            return self.given(node)
        if operator in ("eq", "ne"):
            return (left == right) is (operator == "eq")
        if operator in ("in", "notin") and isinstance(right, list | dict | str):
            is_inside = left in right if not isinstance(right, str) else self.text(left) in right
            return is_inside is (operator == "in")
        return self.given(node)

    def _depends(self, value: TemplateValue) -> bool:
        """Whether a value depends on what is given from outside."""
        if isinstance(value, str):
            return has_mark(value)
        if isinstance(value, list):
            return any(self._depends(item) for item in value)
        return isinstance(value, GivenValue)

    def _and(self, node: nodes.And, scope: TemplateScope) -> TemplateValue:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        outcomes = {self._is_true(left), self._is_true(right)}
        if False in outcomes:
            return False
        return self.given(node) if None in outcomes else right

    def _or(self, node: nodes.Or, scope: TemplateScope) -> TemplateValue:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        if self._is_true(left):
            return left
        if self._is_true(left) is False:
            return right
        return True if self._is_true(right) else self.given(node)

    def _not(self, node: nodes.Not, scope: TemplateScope) -> TemplateValue:
        holds = self._is_true(self.value(node.node, scope))
        return self.given(node) if holds is None else not holds

    def _condition(self, node: nodes.CondExpr, scope: TemplateScope) -> TemplateValue:
        holds = self.truth(node.test, scope)
        if holds is None:
            return self.given(node.test)
        if holds:
            return self.value(node.expr1, scope)
        return self.value(node.expr2, scope) if node.expr2 is not None else MissingMember()

    def _test(self, node: nodes.Test, scope: TemplateScope) -> TemplateValue:
        value = self._known_value(self.value(node.node, scope))
        if isinstance(value, GivenValue):
            return self.given(node)
        is_defined = not isinstance(value, MissingMember)
        results: dict[str, bool] = {
            "defined": is_defined,
            "mapping": isinstance(value, dict),
            "none": value is None,
            "number": isinstance(value, int | float),
            "iterable": isinstance(value, list | dict | str),
            "sequence": isinstance(value, list | str),
            "string": isinstance(value, str),
            "true": value is True,
            "undefined": not is_defined,
        }
        return results.get(node.name, self.given(node))

    def _call(self, node: nodes.Call, scope: TemplateScope) -> TemplateValue:
        return self.call(node, scope, {})

    def call(self, node: nodes.Call, scope: TemplateScope, more: dict[str, TemplateValue]) -> TemplateValue:
        """What a call gives; ``more`` are keyword arguments that are not written in it."""
        callee = self.value(node.node, scope)
        positional = [self.value(argument, scope) for argument in node.args]
        keywords = {keyword.key: self.value(keyword.value, scope) for keyword in node.kwargs} | more
        if isinstance(callee, Macro):
            return self.call_macro(callee, positional, keywords)
        if isinstance(callee, TemplateMethod):
            return self._call_method(callee, positional, node)
        if isinstance(callee, GivenValue) and isinstance(node.node, nodes.Name):
            if callee.name in ("dict", "namespace"):
                return keywords
            if callee.name == "range" and len(positional) == 1 and isinstance(positional[0], int):
                return list(range(min(positional[0], MAX_ITEMS)))
        return self.given(node)

    def _call_method(self, method: TemplateMethod, arguments: list[TemplateValue], node: nodes.Expr) -> TemplateValue:
        owner, name = method.owner, method.name
        first = arguments[0] if arguments else None
        if isinstance(owner, dict):
            if name == "items":
                return [[key, value] for key, value in owner.items()]
            if name in ("keys", "values"):
                return list(owner) if name == "keys" else list(owner.values())
            if name == "get" and isinstance(first, str):
                return owner.get(first, arguments[1] if len(arguments) > 1 else None)
            if name == "update" and isinstance(first, dict):
                owner.update(first)
                return None
        if isinstance(owner, list) and name in ("append", "extend"):
            owner.extend(arguments if name == "append" else self.items(first) or [])
            return None
        if isinstance(owner, str) and name == "format":
            return self.given(node)
        if isinstance(owner, str):
            return self._changed_text(owner, name, arguments, node)
        return self.given(node)

    def _changed_text(self, text: str, name: str, arguments: list[TemplateValue], node: nodes.Expr) -> TemplateValue:
        """A filter or method that makes a text of a text."""
        change = TEXT_CHANGES.get(name)
        if change is not None:
            return change(text)
        texts = [self.text(argument) for argument in arguments]
        if name == "replace" and len(texts) == 2 and texts[0]:
            # A mark has a number inside.
            if any(character.isdigit() for character in texts[0]) and has_mark(text):
                return self.given(node)
            if text.count(texts[0]) * len(texts[1]) > MAX_LENGTH:
                raise TooLarge
            return text.replace(texts[0], texts[1])
        if name == "split" and not has_mark(text):
            return list(text.split(texts[0] if texts else None))
        if name in ("startswith", "endswith") and texts and not has_mark(text):
            return text.startswith(texts[0]) if name == "startswith" else text.endswith(texts[0])
        return self.given(node)

    # Filters

    def _filter(self, node: nodes.Filter, scope: TemplateScope) -> TemplateValue:
        if node.node is None:
            return None
        return self.filtered(node, self.value(node.node, scope), scope)

    def filtered(self, node: nodes.Filter, value: TemplateValue, scope: TemplateScope) -> TemplateValue:
        """What a filter makes of a value."""
        arguments = [self.value(argument, scope) for argument in node.args]
        name = node.name
        if name in ("default", "d"):
            return self._or_default(value, arguments)
        if name in ("safe", "string", "e", "escape", "indent", "list", "sort", "unique", "wordwrap", "reverse"):
            return list(value) if name == "list" and isinstance(value, dict) else value
        if name == "length" and isinstance(value, list | dict | str):
            return len(value)
        if name in ("tojson", "to_json"):
            return self.text(value) if isinstance(value, list | dict | GivenValue) else json.dumps(value)
        if name in ("items", "dictsort") and isinstance(value, dict):
            return [[key, inner] for key, inner in value.items()]
        if name == "join" and isinstance(value, list):
            separator = self.text(arguments[0]) if arguments else ""
            return separator.join(self.text(item) for item in value)
        if name in ("first", "last") and isinstance(value, list) and value:
            return value[0 if name == "first" else -1]
        if name == "map" and isinstance(value, list):
            return self._mapped(node, value, scope)
        if isinstance(value, str):
            return self._changed_text(value, name, arguments, node)
        if isinstance(value, GivenValue) and name in TEXT_CHANGES and value.name not in self.known:
            return value
        return self.given(node)

    def _or_default(self, value: TemplateValue, arguments: list[TemplateValue]) -> TemplateValue:
        default = arguments[0] if arguments else ""
        if isinstance(value, MissingMember | TemplateMethod) or (not value and len(arguments) > 1):
            return default
        if not isinstance(value, GivenValue):
            return value
        if isinstance(default, str) and not MARK.search(default) and "'" not in default:
            return GivenValue(value.name, default)
        return default if isinstance(default, list | dict) else value

    def _mapped(self, node: nodes.Filter, items: list[TemplateValue], scope: TemplateScope) -> TemplateValue:
        """``items | map(attribute="name")`` and ``items | map("upper")``."""
        for keyword in node.kwargs:
            if keyword.key == "attribute":
                name = self.value(keyword.value, scope)
                return [self._member(item, name) for item in items]
        if node.args and isinstance(node.args[0], nodes.Const):
            inner = nodes.Filter(None, str(node.args[0].value), node.args[1:], [], None, None, lineno=node.lineno)
            return [self.filtered(inner, item, scope) for item in items]
        return self.given(node)


TEXT_CHANGES: dict[str, Callable[[str], str]] = {
    "capitalize": str.capitalize,
    "lower": str.lower,
    "strip": str.strip,
    "title": str.title,
    "trim": str.strip,
    "upper": str.upper,
}
EXPRESSIONS: dict[type[nodes.Node], Callable[..., TemplateValue]] = {
    nodes.Add: TemplateExpressions._add,
    nodes.And: TemplateExpressions._and,
    nodes.Call: TemplateExpressions._call,
    nodes.Compare: TemplateExpressions._compare,
    nodes.Concat: TemplateExpressions._concat,
    nodes.CondExpr: TemplateExpressions._condition,
    nodes.Const: TemplateExpressions._constant,
    nodes.Dict: TemplateExpressions._dict,
    nodes.Filter: TemplateExpressions._filter,
    nodes.Getattr: TemplateExpressions._attribute,
    nodes.Getitem: TemplateExpressions._item,
    nodes.List: TemplateExpressions._list,
    nodes.Name: TemplateExpressions._name,
    nodes.Not: TemplateExpressions._not,
    nodes.Or: TemplateExpressions._or,
    nodes.TemplateData: TemplateExpressions._data,
    nodes.Test: TemplateExpressions._test,
    nodes.Tuple: TemplateExpressions._list,
}
