"""Expressions: constants, members, calls, operators."""

import re
from collections.abc import Callable
from typing import TypeAlias

from tree_sitter import Node

from ownership.drift.code import syntax
from ownership.drift.code.javascript.builder import CLASSES, FUNCTIONS, WRAPPERS
from ownership.drift.code.javascript.nodes import (
    child_of,
    has_token,
    inner_nodes,
    line_of,
    required,
    unescaped,
)
from ownership.drift.code.javascript.patterns import Patterns
from ownership.drift.code.syntax import Expression

CONSTANTS = {"false": False, "null": None, "true": True}
# Comparisons of which something is known → whether they are negated.
EQUALITY = {"===": False, "==": False, "!==": True, "!=": True}
LOGICAL: dict[str, type[syntax.And | syntax.Or]] = {
    "&&": syntax.And,
    "??": syntax.Or,
    "||": syntax.Or,
}
ESCAPED_CHARACTER = re.compile(r"\\[^0-9A-Za-z]")
ObjectEntry: TypeAlias = tuple[Expression | None, Expression]  # of an object: key and value


class JavaScriptExpressions(Patterns):
    """Builds expressions."""

    def _field(self, node: Node, name: str) -> Expression:
        return self.expression(required(node, name))

    def _optional(self, node: Node | None) -> Expression | None:
        if node is None or node.type == "empty_statement":
            return None
        if node.type == "expression_statement":
            return self._first_expression(node)
        return self.expression(node)

    def expression(self, node: Node, name: str | None = None) -> Expression:
        """An expression. ``name``: what a function or class is called that is written here."""
        while node.type in WRAPPERS:
            inner = inner_nodes(node)
            if not inner:
                return syntax.Other(line_of(node), [])
            # A type assertion, `<Type>value`, has its type first.
            node = inner[-1] if node.type == "type_assertion" else inner[0]
        if self.nesting >= syntax.MAX_NESTING:
            return self._too_deep(node)
        self.nesting += 1
        try:
            if node.type in FUNCTIONS:
                return self._function(node, name)
            if node.type in CLASSES:
                return self._class(node, name)
            method = EXPRESSION_BUILDERS.get(node.type, JavaScriptExpressions._other)
            return method(self, node)
        finally:
            self.nesting -= 1

    def _other(self, node: Node) -> Expression:
        children = [
            self.expression(child) for child in node.named_children if child.type in ALL_EXPRESSIONS
        ]
        return syntax.Other(line_of(node), children)

    def _identifier(self, node: Node) -> Expression:
        name = self.text(node)
        if name == "undefined":
            return syntax.Undefined(line_of(node))
        return syntax.Name(line_of(node), self.scope.variable(name))

    def _this(self, node: Node) -> Expression:
        return syntax.This(line_of(node))

    def _super(self, node: Node) -> Expression:
        return syntax.Super(line_of(node))

    def _string_literal(self, node: Node) -> Expression:
        return syntax.Literal(line_of(node), self._string(node))

    def _number(self, node: Node) -> Expression:
        return syntax.Literal(line_of(node), self.text(node))

    def _regex(self, node: Node) -> Expression:
        """A regular expression, which counts as a text where it is one character: ``/\\\\/g``."""
        source = self._text_in(node, "pattern")
        # Alone and escaped, a character that is neither letter nor digit means itself.
        if ESCAPED_CHARACTER.fullmatch(source) and self._text_in(node, "flags") == "g":
            return syntax.Literal(line_of(node), source[1])
        return syntax.Other(line_of(node), [])

    def _constant(self, node: Node) -> Expression:
        return syntax.Literal(line_of(node), CONSTANTS[node.type])

    def _template(self, node: Node) -> Expression:
        parts: list[Expression] = []
        for child in node.named_children:
            if child.type in ("string_fragment", "escape_sequence"):
                parts.append(syntax.Literal(line_of(child), unescaped(self.text(child))))
                continue
            inner = self._first_expression(child)
            if inner is not None:
                parts.append(inner)
        if not parts:
            return syntax.Literal(line_of(node), "")
        return syntax.Concat(line_of(node), parts)

    def _member(self, node: Node) -> Expression:
        owner = self._field(node, "object")
        return syntax.Member(line_of(node), owner, self._text_in(node, "property"))

    def _subscript(self, node: Node) -> Expression:
        """``owner[key]``, which is a member where the key is written out."""
        owner = self._field(node, "object")
        key = self._field(node, "index")
        name = syntax.literal_text(key)
        if name is not None:
            return syntax.Member(line_of(node), owner, name)
        return syntax.Subscript(line_of(node), owner, key)

    def _call(self, node: Node) -> Expression:
        function = required(node, "function")
        arguments = self._items(required(node, "arguments"))
        module = syntax.literal_text(arguments[0]) if arguments else None
        if module is not None and self._is_import(function):
            return syntax.Require(line_of(node), module)
        if function.type == "import":
            callee: Expression = syntax.Name(line_of(node), "import")
        else:
            callee = self._callee(function, node)
        call = syntax.CallExpression(line_of(node), callee, arguments)
        call.type_argument = self._type_name(child_of(node, "type_arguments"))
        return call

    def _callee(self, function: Node, call: Node) -> Expression:
        callee = self.expression(function)
        arguments = inner_nodes(required(call, "arguments"))
        is_pattern = bool(arguments) and arguments[0].type == "regex"
        if is_pattern and isinstance(callee, syntax.Member) and callee.name == "replace":
            callee.name = "replaceAll"  # that is what a pattern with the flag `g` does
        return callee

    def _is_import(self, function: Node) -> bool:
        """``import(…)``, or ``require(…)`` where nothing in the file is called so."""
        if function.type == "import":
            return True
        return self.text(function) == "require" and self.scope.variable("require") == "require"

    def _new(self, node: Node) -> Expression:
        arguments = [
            self.expression(argument) for argument in inner_nodes(child_of(node, "arguments"))
        ]
        return syntax.CallExpression(
            line_of(node), self._field(node, "constructor"), arguments, is_new=True
        )

    def _items(self, node: Node) -> list[Expression]:
        return [self.expression(child) for child in inner_nodes(node)]

    def _spread(self, node: Node) -> Expression:
        value = self._first_expression(node) or syntax.Other(line_of(node), [])
        return syntax.Spread(line_of(node), value)

    def _array(self, node: Node) -> Expression:
        return syntax.ListLiteral(line_of(node), self._items(node))

    def _object(self, node: Node) -> Expression:
        entries: list[ObjectEntry] = []
        for child in node.named_children:
            build = ENTRY_BUILDERS.get(child.type)
            if build is not None:
                entries += build(self, child)
        return syntax.ObjectLiteral(line_of(node), entries)

    def _pair(self, node: Node) -> list[ObjectEntry]:
        key = self._property_key(required(node, "key"))
        name = str(key.value) if isinstance(key, syntax.Literal) else "None"
        return [(key, self.expression(required(node, "value"), name))]

    def _shorthand(self, node: Node) -> list[ObjectEntry]:
        key = syntax.Literal(line_of(node), self.text(node))
        return [(key, self._identifier(node))]

    def _spread_entry(self, node: Node) -> list[ObjectEntry]:
        spread = self._first_expression(node)
        return [] if spread is None else [(None, spread)]

    def _object_method(self, node: Node) -> list[ObjectEntry]:
        key = self._property_key(required(node, "name"))
        function = self._function(node)
        if has_token(node, "set"):
            # Not in the place of the getter, as in classes.
            name = f"set {self._text_in(node, 'name')}"
            return [(syntax.Literal(line_of(node), name), function)]
        if has_token(node, "get"):
            return [(key, syntax.CallExpression(line_of(node), function, []))]
        return [(key, function)]

    def _ternary(self, node: Node) -> Expression:
        return syntax.Conditional(
            line_of(node),
            self._field(node, "condition"),
            self._field(node, "consequence"),
            self._field(node, "alternative"),
        )

    def _binary(self, node: Node) -> Expression:
        """A chain of one operator, ``a + b + c``, is one step: minified code has thousands in a row."""
        operator = self._operator(node)
        operands: list[Node] = []
        current = node
        while current.type == "binary_expression" and self._operator(current) == operator:
            operands.append(required(current, "right"))
            current = required(current, "left")
        operands.append(current)
        values = [self.expression(operand) for operand in reversed(operands)]
        return self._combined(line_of(node), operator, values)

    def _operator(self, node: Node) -> str:
        return self._text_in(node, "operator")

    def _combined(self, line: int, operator: str, values: list[Expression]) -> Expression:
        if operator == "+":
            return syntax.Concat(line, values)
        if operator in EQUALITY and len(values) == 2:
            return syntax.Equal(line, values[0], values[1], EQUALITY[operator])
        kind = LOGICAL.get(operator)
        if kind is None:
            return syntax.Other(line, values)
        result = values[0]
        for value in values[1 : syntax.MAX_NESTING]:
            result = kind(line, result, value)
        return result

    def _unary(self, node: Node) -> Expression:
        operand = self._field(node, "argument")
        operator = self._operator(node)
        if operator == "-" and isinstance(operand, syntax.Literal):
            return syntax.Literal(line_of(node), f"-{operand.value}")
        if operator == "!":
            return syntax.Not(line_of(node), operand)
        return syntax.Other(line_of(node), [operand])

    def _assignment(self, node: Node) -> Expression:
        left = required(node, "left")
        name = self._text_in(left, "property") or None
        if left.type == "identifier":
            name = self.text(left)
        value = self.expression(required(node, "right"), name)
        return syntax.Assign(line_of(node), self.target(left), value)

    def _augmented(self, node: Node) -> Expression:
        left = required(node, "left")
        operator = self._operator(node)
        line = line_of(node)
        right = self._field(node, "right")
        if operator == "&&=":
            return syntax.Assign(line, self.target(left), right, keeps=True)
        value = self._combined(line, operator.removesuffix("="), [self.expression(left), right])
        if operator in ("+=", "||=", "??="):
            return syntax.Assign(line, self.target(left), value)
        return value

    def _sequence(self, node: Node) -> Expression:
        """``first, second``: as with ``&&``, all are evaluated in order, and the last is the value."""
        items = self._items(node)
        result = items[0]
        for item in items[1 : syntax.MAX_NESTING]:
            result = syntax.And(line_of(node), result, item)
        return result

    def _yield(self, node: Node) -> Expression:
        value = self._first_expression(node) or syntax.Undefined(line_of(node))
        return syntax.Yield(line_of(node), value, whole=has_token(node, "*"))


EXPRESSION_BUILDERS: dict[str, Callable[[JavaScriptExpressions, Node], Expression]] = {
    "array": JavaScriptExpressions._array,
    "assignment_expression": JavaScriptExpressions._assignment,
    "augmented_assignment_expression": JavaScriptExpressions._augmented,
    "binary_expression": JavaScriptExpressions._binary,
    "call_expression": JavaScriptExpressions._call,
    "false": JavaScriptExpressions._constant,
    "identifier": JavaScriptExpressions._identifier,
    "member_expression": JavaScriptExpressions._member,
    "new_expression": JavaScriptExpressions._new,
    "null": JavaScriptExpressions._constant,
    "number": JavaScriptExpressions._number,
    "object": JavaScriptExpressions._object,
    "regex": JavaScriptExpressions._regex,
    "sequence_expression": JavaScriptExpressions._sequence,
    "spread_element": JavaScriptExpressions._spread,
    "string": JavaScriptExpressions._string_literal,
    "subscript_expression": JavaScriptExpressions._subscript,
    "super": JavaScriptExpressions._super,
    "template_string": JavaScriptExpressions._template,
    "ternary_expression": JavaScriptExpressions._ternary,
    "this": JavaScriptExpressions._this,
    "true": JavaScriptExpressions._constant,
    "unary_expression": JavaScriptExpressions._unary,
    "undefined": JavaScriptExpressions._identifier,
    "yield_expression": JavaScriptExpressions._yield,
}
ENTRY_BUILDERS: dict[str, Callable[[JavaScriptExpressions, Node], list[ObjectEntry]]] = {
    "method_definition": JavaScriptExpressions._object_method,
    "pair": JavaScriptExpressions._pair,
    "shorthand_property_identifier": JavaScriptExpressions._shorthand,
    "spread_element": JavaScriptExpressions._spread_entry,
}
# What may be inside of an expression that has no meaning here.
ALL_EXPRESSIONS = {
    *EXPRESSION_BUILDERS,
    *WRAPPERS,
    *FUNCTIONS,
    *CLASSES,
    "jsx_attribute",
    "jsx_element",
    "jsx_expression",
    "jsx_opening_element",
    "jsx_self_closing_element",
    "update_expression",
}
