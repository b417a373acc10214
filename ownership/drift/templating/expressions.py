"""What expressions in a template of Jinja2 mean, as far as they are made of literals.

``["users", stage] | join("-")`` is ``users-`` and a mark that stands for ``stage``, which is given from outside.
"""

import json
from collections.abc import Callable, Mapping

from jinja2 import nodes

from ownership.drift.templating import filters, methods
from ownership.drift.templating.filters import FilterCall
from ownership.drift.templating.template_values import (
    MAX_ITEMS,
    MAX_LENGTH,
    GivenValue,
    Macro,
    MissingMember,
    RenderingTooLarge,
    TemplateMethod,
    TemplateScope,
    TemplateValue,
    depends_on_given,
    has_mark,
    holds_given,
)

MAX_NUMBER = 10**12
FALSE_WORDS = ("", "0", "false", "no", "none", "off")  # as people give values that hold not


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
        maximum = MAX_LENGTH if isinstance(value, str) else MAX_ITEMS
        if isinstance(value, str | list | dict) and len(value) > maximum:
            raise RenderingTooLarge
        return value

    def text(self, value: TemplateValue) -> str:
        """What a value is rendered to."""
        match value:
            case GivenValue():
                return self.mark(value)
            case None | MissingMember() | Macro() | TemplateMethod():
                return ""
            case list() | dict():
                return json.dumps(self.plain(value))
        return str(value)

    def plain(self, value: TemplateValue) -> object:
        """A value that JSON knows."""
        match value:
            case list():
                return [self.plain(item) for item in value]
            case dict():
                return {key: self.plain(item) for key, item in value.items()}
            case str() | int() | float():
                return value
        return self.text(value)

    def items(self, value: TemplateValue) -> list[TemplateValue] | None:
        """What a loop goes through; None if that is not known here."""
        match value:
            case list() | dict():
                return list(value)
            case None | MissingMember():
                return []
        return None

    def given(self, node: nodes.Node) -> GivenValue:
        """An expression that depends on what is given from outside, named by the first variable in it."""
        name = "_".join(_names_in(node)[:2]) or "expression"
        if name in self.known and not isinstance(node, nodes.Name):
            # What is made of a known value is not that value.
            name = f"made_of.{name}"
        return GivenValue(name)

    # Variables

    def assign(self, target: nodes.Node, value: TemplateValue, scope: TemplateScope) -> None:
        """Assign to a variable, to several, or to a member of a namespace."""
        match target:
            case nodes.Name():
                scope[target.name] = value
            case nodes.NSRef():
                namespace = scope.get(target.name)
                if isinstance(namespace, dict):
                    namespace[target.attr] = value
            case nodes.Tuple():
                values = value if isinstance(value, list) else []
                for inner, item in zip(target.items, values, strict=False):
                    self.assign(inner, item, scope)
                for inner in target.items[len(values) :]:
                    self.assign_given(inner, scope)

    def assign_given(self, target: nodes.Node, scope: TemplateScope) -> None:
        """Make variables stand for what is given from outside."""
        for name in _names_in(target):
            scope[name] = GivenValue(name)

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
            if known is None:
                return None
            return known.lower() not in FALSE_WORDS
        if isinstance(value, MissingMember):
            return False
        return bool(value)

    # Expressions

    def _name(self, node: nodes.Name, scope: TemplateScope) -> TemplateValue:
        return scope.get(node.name, GivenValue(node.name))

    def _constant(self, node: nodes.Const, scope: TemplateScope) -> TemplateValue:
        value: TemplateValue = node.value
        return value

    def _list(self, node: nodes.List | nodes.Tuple, scope: TemplateScope) -> TemplateValue:
        return [self.value(item, scope) for item in node.items]

    def _dict(self, node: nodes.Dict, scope: TemplateScope) -> TemplateValue:
        entries: dict[str, TemplateValue] = {}
        for pair in node.items:
            entries[self.text(self.value(pair.key, scope))] = self.value(pair.value, scope)
        return entries

    def _attribute(self, node: nodes.Getattr, scope: TemplateScope) -> TemplateValue:
        return self.member(self.value(node.node, scope), node.attr)

    def _item(self, node: nodes.Getitem, scope: TemplateScope) -> TemplateValue:
        owner = self.value(node.node, scope)
        key = self.value(node.arg, scope)
        # A mark in a text is longer or shorter than what it stands for, and one in a key may be any key.
        is_part_of_given = isinstance(owner, str) and has_mark(owner)
        if isinstance(key, GivenValue) or has_mark(self.text(key)) or is_part_of_given:
            return self.given(node)
        return self.member(owner, key)

    def member(self, owner: TemplateValue, key: TemplateValue) -> TemplateValue:
        """``owner.key`` and ``owner[key]``."""
        name = self.text(key)
        match owner, key:
            case GivenValue(), _:
                return GivenValue(f"{owner.name}.{name}")
            case dict(), _ if name in owner:
                return owner[name]
            case ((list() | str()), int()) if key < len(owner):
                return owner[key]
            case ((dict() | list() | str()), str()) if hasattr(owner, name):
                return TemplateMethod(owner, name)
            case ((dict() | list()), _) if holds_given(owner):
                return GivenValue(name)
        return MissingMember()

    def _concat(self, node: nodes.Concat, scope: TemplateScope) -> TemplateValue:
        return "".join(self.text(self.value(part, scope)) for part in node.nodes)

    def _add(self, node: nodes.Add, scope: TemplateScope) -> TemplateValue:
        left = self.value(node.left, scope)
        right = self.value(node.right, scope)
        match left, right:
            case (str(), _) | (_, str()):
                return self.text(left) + self.text(right)
            case list(), list():
                return [*left, *right]
            case int(), int() if abs(left + right) < MAX_NUMBER:
                return left + right
        return self.given(node)

    def _compare(self, node: nodes.Compare, scope: TemplateScope) -> TemplateValue:
        left = self._known_value(self.value(node.expr, scope))
        if len(node.ops) != 1:
            return self.given(node)
        operator = node.ops[0].op
        right = self._known_value(self.value(node.ops[0].expr, scope))
        if depends_on_given(left) or depends_on_given(right):
            return self.given(node)
        match operator, right:
            case (("eq" | "ne"), _):
                return (left == right) is (operator == "eq")
            case (("in" | "notin"), str()):
                return (self.text(left) in right) is (operator == "in")
            case (("in" | "notin"), (list() | dict())):
                return (left in right) is (operator == "in")
        return self.given(node)

    def _and(self, node: nodes.And, scope: TemplateScope) -> TemplateValue:
        left = self.value(node.left, scope)
        right = self.value(node.right, scope)
        outcomes = {self._is_true(left), self._is_true(right)}
        if False in outcomes:
            return False
        if None in outcomes:
            return self.given(node)
        return right

    def _or(self, node: nodes.Or, scope: TemplateScope) -> TemplateValue:
        left = self.value(node.left, scope)
        right = self.value(node.right, scope)
        holds = self._is_true(left)
        if holds is not None:
            return left if holds else right
        if self._is_true(right):
            return True
        return self.given(node)

    def _not(self, node: nodes.Not, scope: TemplateScope) -> TemplateValue:
        holds = self._is_true(self.value(node.node, scope))
        if holds is None:
            return self.given(node)
        return not holds

    def _condition(self, node: nodes.CondExpr, scope: TemplateScope) -> TemplateValue:
        holds = self.truth(node.test, scope)
        if holds is None:
            return self.given(node.test)
        if holds:
            return self.value(node.expr1, scope)
        if node.expr2 is None:
            return MissingMember()
        return self.value(node.expr2, scope)

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

    def call(
        self, node: nodes.Call, scope: TemplateScope, more: dict[str, TemplateValue]
    ) -> TemplateValue:
        """What a call gives; ``more`` are keyword arguments that are not written in it."""
        callee = self.value(node.node, scope)
        positional = [self.value(argument, scope) for argument in node.args]
        keywords = {keyword.key: self.value(keyword.value, scope) for keyword in node.kwargs} | more
        match callee:
            case Macro():
                return self.call_macro(callee, positional, keywords)
            case TemplateMethod() if keywords:
                return methods.leave_open(self, callee, node)
            case TemplateMethod():
                return methods.call(self, callee, positional, node)
            case GivenValue("dict" | "namespace") if not positional:
                return keywords
            case GivenValue("dict" | "namespace") if isinstance(positional[0], dict):
                return positional[0] | keywords
            case GivenValue("range") if len(positional) == 1 and isinstance(positional[0], int):
                return list(range(min(positional[0], MAX_ITEMS + 1)))
        return self.given(node)

    # Filters

    def _filter(self, node: nodes.Filter, scope: TemplateScope) -> TemplateValue:
        # Only a block's filter has no value of its own, and `Renderer` gives it one.
        value = self.value(node.node, scope)  # type: ignore[arg-type]
        return self.filtered(node, value, scope)

    def filtered(
        self, node: nodes.Filter, value: TemplateValue, scope: TemplateScope
    ) -> TemplateValue:
        """What a filter makes of a value."""
        arguments = [self.value(argument, scope) for argument in node.args]
        return filters.apply_filter(self, FilterCall(node, value, arguments, scope))


def _names_in(node: nodes.Node) -> list[str]:
    """The names of the variables in an expression or target."""
    if isinstance(node, nodes.Name):
        return [node.name]
    return [inner.name for inner in node.find_all(nodes.Name)]


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
    nodes.Test: TemplateExpressions._test,
    nodes.Tuple: TemplateExpressions._list,
}
