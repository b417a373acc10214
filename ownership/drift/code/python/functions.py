"""Functions, their parameters, and classes."""

import ast
from collections.abc import Iterable

from ownership.drift.code import syntax
from ownership.drift.code.python.builder import AnyFunction
from ownership.drift.code.python.expressions import PythonExpressions
from ownership.drift.code.scopes import Scope
from ownership.drift.code.syntax import Expression, Statement


class PythonFunctions(PythonExpressions):
    """Builds functions and classes."""

    def _function_statement(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[Statement]:
        value: Expression = self._function(node, self._qualified(node.name))
        value = self._decorated(node.decorator_list, value)
        target = syntax.Name(node.lineno, self.scope.variable(node.name, assigned=True))
        return [syntax.Declare(node.lineno, target, value)]

    def _qualified(self, name: str) -> str:
        if self.scope.function.is_class_body:
            return f"{self.scope.function.name}.{name}"
        return name

    def _decorated(self, decorators: list[ast.expr], value: Expression) -> Expression:
        for decorator in reversed(decorators):
            value = syntax.Decorate(decorator.lineno, self.expression(decorator), value)
        return value

    def _class(self, node: ast.ClassDef) -> list[Statement]:
        bases = [self.expression(base) for base in node.bases]
        definition = syntax.ClassDefinition(node.name, node.lineno, bases, [])
        self.module.classes.append(definition)
        body = syntax.Function(node.name, node.lineno, [], [], self.module, is_class_body=True)
        self.scope = Scope(body, self.scope)
        self._declare_all(node.body)
        body.body = self.statements(node.body)
        self._leave()
        definition.body = body
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                definition.fields.append(statement.target.id)
        value: Expression = syntax.ClassExpression(node.lineno, definition)
        value = self._decorated(node.decorator_list, value)
        target = syntax.Name(node.lineno, self.scope.variable(node.name, assigned=True))
        return [syntax.Declare(node.lineno, target, value)]

    def _function(self, node: AnyFunction, name: str) -> syntax.FunctionExpression:
        function = syntax.Function(name, node.lineno, [], [], self.module)
        self.module.functions.append(function)
        # Defaults are evaluated where the function is defined.
        defaults = self._defaults(node.args)
        self.scope = Scope(function, self.scope)
        function.parameters = self._parameters(node.args, defaults)
        if isinstance(node, ast.Lambda):
            function.body = [syntax.Return(node.lineno, self.expression(node.body))]
        else:
            self._declare_all(node.body)
            function.body = self.statements(node.body)
            function.is_generator = _yields(node.body)
        self._leave()
        return syntax.FunctionExpression(node.lineno, function)

    def _defaults(self, arguments: ast.arguments) -> dict[str, Expression]:
        """Parameter → default."""
        defaults: dict[str, Expression] = {}
        positional = [*arguments.posonlyargs, *arguments.args]
        with_default = positional[len(positional) - len(arguments.defaults) :]
        for parameter, default in zip(with_default, arguments.defaults, strict=True):
            defaults[parameter.arg] = self.expression(default)
        for parameter, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if value is not None:
                defaults[parameter.arg] = self.expression(value)
        return defaults

    def _parameters(
        self, arguments: ast.arguments, defaults: dict[str, Expression]
    ) -> list[syntax.Parameter]:
        parameters: list[syntax.Parameter] = []
        for argument in (*arguments.posonlyargs, *arguments.args):
            parameters.append(self._parameter(argument, defaults.get(argument.arg)))
        if arguments.vararg:
            parameters.append(self._parameter(arguments.vararg, None, "rest"))
        for argument in arguments.kwonlyargs:
            parameter = self._parameter(argument, defaults.get(argument.arg))
            parameter.keyword_only = True
            parameters.append(parameter)
        if arguments.kwarg:
            parameters.append(self._parameter(arguments.kwarg, None, "keywords"))
        return parameters

    def _parameter(
        self,
        argument: ast.arg,
        default: Expression | None,
        kind: str = "normal",
    ) -> syntax.Parameter:
        target = syntax.Name(argument.lineno, self.scope.declare(argument.arg))
        type_name = class_named_by(argument.annotation)
        return syntax.Parameter(target, default, kind, type_name)  # type: ignore[arg-type]


def class_named_by(annotation: ast.expr | None) -> str | None:
    """The class that an annotation names: ``Repo``, ``repos.Repo``, ``"Repo"`` and ``Repo | None`` name ``Repo``."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        annotation = annotation.left
    match annotation:
        # The class is inside the brackets.
        case ast.Subscript(ast.Name("Optional" | "Annotated"), ast.Tuple([inner, *_]) | inner):
            annotation = inner
    match annotation:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case ast.Constant(value=str() as text):
            return text.rsplit(".", 1)[-1]
    return None


def _yields(body: Iterable[ast.AST]) -> bool:
    """Whether a function yields; functions inside it don't count."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(
            node,
            ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef,
        ):
            waiting += ast.iter_child_nodes(node)
    return False
