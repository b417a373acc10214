"""Functions and their parameters."""

from collections.abc import Callable

from tree_sitter import Node

from ownership.drift.code import syntax
from ownership.drift.code.javascript.nodes import (
    child_of,
    first_of_type,
    has_token,
    inner_nodes,
    line_of,
)
from ownership.drift.code.javascript.types import Types
from ownership.drift.code.syntax import Statement


class JavaScriptFunctions(Types):
    """Builds functions."""

    def _function(self, node: Node, name: str | None = None) -> syntax.FunctionExpression:
        own_name = child_of(node, "name")
        if own_name is not None:
            name = self._key_name(own_name)
        function = syntax.Function(
            name or "(anonymous)",
            line_of(node),
            [],
            [],
            self.module,
            own_this=node.type != "arrow_function",
            is_generator=node.type.startswith("generator") or has_token(node, "*"),
        )
        self.module.functions.append(function)
        with self._inside(function):
            if node.type in ("function_expression", "generator_function") and own_name is not None:
                self._name_itself(function, node)
            function.parameters = self._parameters(node)
            function.body += self._property_assignments(function)
            function.body += self._function_body(child_of(node, "body"))
        return syntax.FunctionExpression(line_of(node), function)

    def _name_itself(self, function: syntax.Function, node: Node) -> None:
        """A function expression may call itself by its own name."""
        variable = self.scope.declare(function.name)
        itself = syntax.FunctionExpression(line_of(node), function)
        function.body.append(
            syntax.Declare(line_of(node), syntax.Name(line_of(node), variable), itself)
        )

    def _function_body(self, body: Node | None) -> list[Statement]:
        if body is None:
            return []
        if body.type == "statement_block":
            return self.statements(body.named_children)
        return [syntax.Return(line_of(body), self.expression(body))]

    def _parameters(self, node: Node) -> list[syntax.Parameter]:
        single = child_of(node, "parameter")
        if single is not None:
            self._declare_pattern(single)
            return [syntax.Parameter(self.target(single))]
        parameters: list[syntax.Parameter] = []
        for child in inner_nodes(child_of(node, "parameters")):
            # TypeScript's `this: Type` is no parameter.
            is_this = first_of_type(child, "this") is not None
            if child.type != "decorator" and not is_this:
                parameters.append(self._parameter(child))
        return parameters

    def _parameter(self, node: Node) -> syntax.Parameter:
        # TypeScript has a pattern with a value, JavaScript a left side with a right one.
        pattern = child_of(node, "pattern", "left") or node
        default = child_of(node, "value", "right")
        is_rest = pattern.type == "rest_pattern"
        if is_rest:
            pattern = pattern.named_children[0]
        self._declare_pattern(pattern)
        parameter = syntax.Parameter(self.target(pattern), kind="rest" if is_rest else "normal")
        if default is not None:
            parameter.default = self.expression(default)
        parameter.type_name = self._type_name(child_of(node, "type"))
        if _is_property(node):
            parameter.property_name = self.text(pattern)
        return parameter

    def _property_assignments(self, function: syntax.Function) -> list[Statement]:
        """``this.name = name`` for each parameter that is a property."""
        statements: list[Statement] = []
        for parameter in function.parameters:
            if parameter.property_name and isinstance(parameter.target, syntax.Name):
                line = function.line
                target = syntax.Member(line, syntax.This(line), parameter.property_name)
                value = syntax.Name(line, parameter.target.name)
                statements.append(
                    syntax.ExpressionStatement(line, syntax.Assign(line, target, value))
                )
        return statements

    def _wrapped(
        self, node: Node, name: str, body: Callable[[], list[Statement]]
    ) -> syntax.Function:
        """Statements as a function without parameters."""
        function = syntax.Function(name, line_of(node), [], [], self.module)
        with self._inside(function):
            function.body = body()
        return function


def _is_property(parameter: Node) -> bool:
    """Whether a parameter of a constructor is a property: ``private readonly users: Users``."""
    if has_token(parameter, "readonly"):
        return True
    return first_of_type(parameter, "accessibility_modifier", "override_modifier") is not None
