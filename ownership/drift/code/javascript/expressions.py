"""Expressions: constants, members, calls, operators."""

from collections.abc import Callable

from tree_sitter import Node

from ownership.drift.code import syntax
from ownership.drift.code.javascript.builder import CLASSES, FUNCTIONS, MAX_NESTING, WRAPPERS
from ownership.drift.code.javascript.nodes import child_of, has_token, line_of, unescaped
from ownership.drift.code.javascript.patterns import Patterns
from ownership.drift.code.syntax import Expression

EQUALITY = {"===": False, "==": False, "!==": True, "!=": True}


class JavaScriptExpressions(Patterns):
    """Builds expressions."""

    def _field(self, node: Node, name: str) -> Expression:
        child = child_of(node, name)
        if child is None:
            return syntax.Other(line_of(node), [])
        return self.expression(child)

    def _optional(self, node: Node | None) -> Expression | None:
        if node is None or node.type == "empty_statement":
            return None
        if node.type == "expression_statement":
            return self._first_expression(node)
        return self.expression(node)

    def expression(self, node: Node, name: str | None = None) -> Expression:
        """An expression. ``name``: what a function or class is called that is written here."""
        while node.type in WRAPPERS:
            inner = [child for child in node.named_children if child.type != "comment"]
            if not inner:
                return syntax.Other(line_of(node), [])
            # A type assertion, `<Type>value`, has its type first.
            node = inner[-1] if node.type == "type_assertion" else inner[0]
        if self.nesting >= MAX_NESTING:
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
        children = [self.expression(child) for child in node.named_children if child.type in ALL_EXPRESSIONS]
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
        pattern = child_of(node, "pattern")
        source = self.text(pattern) if pattern is not None else ""
        plain = source.removeprefix("\\")
        if len(plain) == 1 and (plain != source or plain.isalnum()) and not source.removeprefix("\\").isalnum():
            return syntax.Literal(line_of(node), plain)
        return syntax.Other(line_of(node), [])

    def _true(self, node: Node) -> Expression:
        return syntax.Literal(line_of(node), True)

    def _false(self, node: Node) -> Expression:
        return syntax.Literal(line_of(node), False)

    def _null(self, node: Node) -> Expression:
        return syntax.Literal(line_of(node), None)

    def _template(self, node: Node) -> Expression:
        parts: list[Expression] = []
        for child in node.named_children:
            if child.type == "template_substitution":
                inner = self._first_expression(child)
                if inner is not None:
                    parts.append(inner)
            elif child.type in ("string_fragment", "escape_sequence"):
                parts.append(syntax.Literal(line_of(child), unescaped(self.text(child))))
        if not parts:
            return syntax.Literal(line_of(node), "")
        return syntax.Concat(line_of(node), parts)

    def _member(self, node: Node) -> Expression:
        owner = self._field(node, "object")
        name = child_of(node, "property")
        return syntax.Member(line_of(node), owner, self.text(name) if name is not None else "")

    def _subscript(self, node: Node) -> Expression:
        return _indexed(line_of(node), self._field(node, "object"), self._field(node, "index"))

    def _call(self, node: Node) -> Expression:
        function = child_of(node, "function")
        arguments = child_of(node, "arguments")
        values: list[Expression] = []
        if arguments is not None and arguments.type == "template_string":
            values = [self.expression(arguments)]
        elif arguments is not None:
            values = self._items(arguments)
        if function is None:
            return syntax.Other(line_of(node), values)
        is_import = function.type == "import"
        if self.text(function) == "require" and self.scope.variable("require") == "require":
            is_import = True
        if is_import and values and isinstance(values[0], syntax.Literal) and isinstance(values[0].value, str):
            return syntax.Require(line_of(node), values[0].value)
        callee = syntax.Name(line_of(node), "import") if function.type == "import" else self.expression(function)
        call = syntax.CallExpression(line_of(node), callee, values)
        call.type_argument = self._type_name(child_of(node, "type_arguments"))
        return call

    def _new(self, node: Node) -> Expression:
        arguments = child_of(node, "arguments")
        values = self._items(arguments) if arguments is not None else []
        return syntax.CallExpression(line_of(node), self._field(node, "constructor"), values, is_new=True)

    def _items(self, node: Node) -> list[Expression]:
        items: list[Expression] = []
        for child in node.named_children:
            if child.type != "comment":
                items.append(self.expression(child))
        return items

    def _spread(self, node: Node) -> Expression:
        value = self._first_expression(node) or syntax.Other(line_of(node), [])
        return syntax.Spread(line_of(node), value)

    def _array(self, node: Node) -> Expression:
        return syntax.ListLiteral(line_of(node), self._items(node))

    def _object(self, node: Node) -> Expression:
        entries: list[tuple[Expression | None, Expression]] = []
        for child in node.named_children:
            if child.type == "pair":
                key, value = child_of(child, "key"), child_of(child, "value")
                if key is not None and value is not None:
                    built = self._property_key(key)
                    named = built.value if isinstance(built, syntax.Literal) else None
                    entries.append((built, self.expression(value, str(named))))
            elif child.type == "shorthand_property_identifier":
                key_literal = syntax.Literal(line_of(child), self.text(child))
                entries.append((key_literal, self._identifier(child)))
            elif child.type == "spread_element":
                spread = self._first_expression(child)
                if spread is not None:
                    entries.append((None, spread))
            elif child.type == "method_definition":
                entries.append(self._object_method(child))
        return syntax.ObjectLiteral(line_of(node), entries)

    def _object_method(self, node: Node) -> tuple[Expression, Expression]:
        name = child_of(node, "name")
        key = self._property_key(name) if name is not None else syntax.Literal(line_of(node), "")
        function = self._function(node)
        if has_token(node, "get"):
            return key, syntax.CallExpression(line_of(node), function, [])
        return key, function

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
        current: Node | None = node
        while current is not None and current.type == "binary_expression" and self._operator(current) == operator:
            right = child_of(current, "right")
            if right is not None:
                operands.append(right)
            current = child_of(current, "left")
        if current is not None:
            operands.append(current)
        values = [self.expression(operand) for operand in reversed(operands)]
        return self._combined(line_of(node), operator, values)

    def _operator(self, node: Node) -> str:
        operator = child_of(node, "operator")
        return self.text(operator) if operator is not None else ""

    def _combined(self, line: int, operator: str, values: list[Expression]) -> Expression:
        if operator == "+":
            return syntax.Concat(line, values)
        if operator in EQUALITY and len(values) == 2:
            return syntax.Equal(line, values[0], values[1], EQUALITY[operator])
        if operator in ("||", "??", "&&"):
            kind = syntax.Both if operator == "&&" else syntax.Fallback
            result = values[0]
            for value in values[1:MAX_NESTING]:
                result = kind(line, result, value)
            return result
        return syntax.Other(line, values)

    def _unary(self, node: Node) -> Expression:
        operand = self._field(node, "argument")
        operator = self._operator(node)
        if operator == "-" and isinstance(operand, syntax.Literal):
            return syntax.Literal(line_of(node), f"-{operand.value}")
        if operator == "!":
            return syntax.Not(line_of(node), operand)
        return syntax.Other(line_of(node), [operand])

    def _assignment(self, node: Node) -> Expression:
        left = child_of(node, "left")
        right = child_of(node, "right")
        if left is None or right is None:
            return syntax.Other(line_of(node), [])
        named = left if left.type == "identifier" else child_of(left, "property")
        value = self.expression(right, self.text(named) if named is not None else None)
        return syntax.Assign(line_of(node), self.target(left), value)

    def _augmented(self, node: Node) -> Expression:
        left = child_of(node, "left")
        if left is None:
            return syntax.Other(line_of(node), [])
        operator = self._operator(node)
        line = line_of(node)
        right = self._field(node, "right")
        if operator == "+=":
            return syntax.Assign(
                line,
                self.target(left),
                syntax.Concat(line, [self.expression(left), right]),
            )
        if operator in ("||=", "??="):
            return syntax.Assign(
                line,
                self.target(left),
                syntax.Fallback(line, self.expression(left), right),
            )
        if operator == "&&=":
            return syntax.Assign(line, self.target(left), right, keeps=True)
        return syntax.Other(line, [self.expression(left), right])

    def _sequence(self, node: Node) -> Expression:
        items = self._items(node)
        result = items[0]
        for item in items[1:MAX_NESTING]:
            result = syntax.Both(line_of(node), result, item)
        return result

    def _yield(self, node: Node) -> Expression:
        value = self._first_expression(node) or syntax.Undefined(line_of(node))
        return syntax.Yield(line_of(node), value, whole=has_token(node, "*"))


def _indexed(line: int, owner: Expression, key: Expression) -> Expression:
    """``owner[key]``, which is a member where the key is written out."""
    if isinstance(key, syntax.Literal) and isinstance(key.value, str):
        return syntax.Member(line, owner, key.value)
    return syntax.Subscript(line, owner, key)


EXPRESSION_BUILDERS: dict[str, Callable[[JavaScriptExpressions, Node], Expression]] = {
    "array": JavaScriptExpressions._array,
    "assignment_expression": JavaScriptExpressions._assignment,
    "augmented_assignment_expression": JavaScriptExpressions._augmented,
    "binary_expression": JavaScriptExpressions._binary,
    "call_expression": JavaScriptExpressions._call,
    "false": JavaScriptExpressions._false,
    "identifier": JavaScriptExpressions._identifier,
    "member_expression": JavaScriptExpressions._member,
    "new_expression": JavaScriptExpressions._new,
    "null": JavaScriptExpressions._null,
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
    "true": JavaScriptExpressions._true,
    "unary_expression": JavaScriptExpressions._unary,
    "undefined": JavaScriptExpressions._identifier,
    "yield_expression": JavaScriptExpressions._yield,
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
