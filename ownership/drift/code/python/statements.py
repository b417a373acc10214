"""Statements: assignments, branches, loops, imports."""

import ast
from collections.abc import Callable, Iterable

from ownership.drift.code import syntax
from ownership.drift.code.python.functions import PythonFunctions, class_named_by
from ownership.drift.code.syntax import Expression, Statement


class PythonStatements(PythonFunctions):
    """Builds statements."""

    def build(self, tree: ast.Module) -> None:
        self._declare_all(tree.body)
        self.module.body.body = self.statements(tree.body)

    def statements(self, nodes: Iterable[ast.stmt]) -> list[Statement]:
        statements: list[Statement] = []
        for node in nodes:
            statements += self.statement(node)
        return statements

    def statement(self, node: ast.stmt) -> list[Statement]:
        method = STATEMENTS.get(type(node))
        if method is None:
            return []
        if self.nesting >= syntax.MAX_NESTING:
            return [syntax.ExpressionStatement(node.lineno, self._too_deep(node))]
        self.nesting += 1
        try:
            return method(self, node)
        finally:
            self.nesting -= 1

    def _expression_statement(self, node: ast.Expr) -> list[Statement]:
        return [syntax.ExpressionStatement(node.lineno, self.expression(node.value))]

    def _assign(self, node: ast.Assign) -> list[Statement]:
        value = self.expression(node.value)
        statements: list[Statement] = []
        for target in node.targets:
            statements.append(syntax.Declare(node.lineno, self.target(target), value))
        return statements

    def _annotated(self, node: ast.AnnAssign) -> list[Statement]:
        if node.value is None:
            return []
        value = self.expression(node.value)
        type_name = class_named_by(node.annotation)
        if type_name is not None:
            value = syntax.Typed(node.lineno, value, type_name)
        return [syntax.Declare(node.lineno, self.target(node.target), value)]

    def _augmented(self, node: ast.AugAssign) -> list[Statement]:
        line = node.lineno
        old, more = self.expression(node.target), self.expression(node.value)
        value: Expression = syntax.Other(line, [old, more])
        if isinstance(node.op, ast.Add):
            value = syntax.Concat(line, [old, more])
        return [syntax.Declare(line, self.target(node.target), value)]

    def _return(self, node: ast.Return) -> list[Statement]:
        value = self.expression(node.value) if node.value is not None else None
        return [syntax.Return(node.lineno, value)]

    def _raise(self, node: ast.Raise) -> list[Statement]:
        value = self.expression(node.exc) if node.exc is not None else None
        return [syntax.Throw(node.lineno, value)]

    def _break(self, node: ast.Break | ast.Continue) -> list[Statement]:
        return [syntax.Break(node.lineno)]

    def _if(self, node: ast.If) -> list[Statement]:
        condition = (
            ast.unparse(node.test)
            if isinstance(node.test, ast.Compare | ast.Name | ast.Attribute)
            else ""
        )
        # What runs only as a script, or exists only for type checkers, is not part of a function.
        if condition in (
            "__name__ == '__main__'",
            "'__main__' == __name__",
            "TYPE_CHECKING",
            "typing.TYPE_CHECKING",
        ):
            return self.statements(node.orelse)
        branches = [(self.expression(node.test), self.statements(node.body))]
        # `elif` is an `if` alone in the `else`; a long row of them is not nested.
        otherwise = node.orelse
        while len(otherwise) == 1 and isinstance(otherwise[0], ast.If):
            branches.append(
                (
                    self.expression(otherwise[0].test),
                    self.statements(otherwise[0].body),
                )
            )
            otherwise = otherwise[0].orelse
        return [syntax.If(node.lineno, branches, self.statements(otherwise))]

    def _match(self, node: ast.Match) -> list[Statement]:
        cases: list[tuple[list[Expression], list[Statement]]] = []
        for case in node.cases:
            tests = self._case_tests(case.pattern)
            cases.append((tests, self.statements(case.body)))
        return [syntax.Switch(node.lineno, self.expression(node.subject), cases)]

    def _case_tests(self, pattern: ast.pattern) -> list[Expression]:
        """The constants of a case; none for any other pattern, which may always match."""
        if isinstance(pattern, ast.MatchValue):
            return [self.expression(pattern.value)]
        if isinstance(pattern, ast.MatchOr):
            tests: list[Expression] = []
            for choice in pattern.patterns:
                inner = self._case_tests(choice)
                if not inner:
                    return []
                tests += inner
            return tests
        return []

    def _for(self, node: ast.For | ast.AsyncFor) -> list[Statement]:
        target, iterable = self.target(node.target), self.expression(node.iter)
        loop = syntax.Loop(node.lineno, target, iterable, None, self.statements(node.body))
        return [loop, *self.statements(node.orelse)]

    def _while(self, node: ast.While) -> list[Statement]:
        test = self.expression(node.test)
        loop = syntax.Loop(node.lineno, None, None, test, self.statements(node.body))
        return [loop, *self.statements(node.orelse)]

    def _with(self, node: ast.With | ast.AsyncWith) -> list[Statement]:
        statements: list[Statement] = []
        leaving: list[Statement] = []
        for item in node.items:
            line = item.context_expr.lineno
            manager = syntax.Name(
                line,
                self.scope.declare(f"*with {line}:{item.context_expr.col_offset}"),
            )
            statements.append(syntax.Declare(line, manager, self.expression(item.context_expr)))
            entered = syntax.CallExpression(line, syntax.Member(line, manager, "__enter__"), [])
            left = syntax.CallExpression(line, syntax.Member(line, manager, "__exit__"), [])
            leaving.append(syntax.ExpressionStatement(line, left))
            if item.optional_vars is None:
                statements.append(syntax.ExpressionStatement(line, entered))
            else:
                statements.append(syntax.Declare(line, self.target(item.optional_vars), entered))
        body = self.statements(node.body)
        return [*statements, syntax.Try(node.lineno, body, [], leaving)]

    def _try(self, node: ast.Try) -> list[Statement]:
        body = self.statements([*node.body, *node.orelse])
        handlers: list[tuple[str | None, list[Statement]]] = []
        for handler in node.handlers:
            name = self.scope.variable(handler.name) if handler.name else None
            handlers.append((name, self.statements(handler.body)))
        return [syntax.Try(node.lineno, body, handlers, self.statements(node.finalbody))]

    def _delete(self, node: ast.Delete) -> list[Statement]:
        """``del owner[key]`` is a call of a method."""
        statements: list[Statement] = []
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                line = target.lineno
                method = syntax.Member(line, self.expression(target.value), "__delitem__")
                call = syntax.CallExpression(line, method, [self.expression(target.slice)])
                statements.append(syntax.ExpressionStatement(line, call))
        return statements

    def _assert(self, node: ast.Assert) -> list[Statement]:
        return [syntax.ExpressionStatement(node.lineno, self.expression(node.test))]

    def _import(self, node: ast.Import) -> list[Statement]:
        statements: list[Statement] = []
        for alias in node.names:
            line = node.lineno
            if alias.asname:
                local = self.scope.variable(alias.asname, assigned=True)
                statements.append(syntax.Import(line, alias.name, [("*", local)]))
                continue
            # `import a.b` loads `a.b` and gives the name `a`.
            first = alias.name.partition(".")[0]
            local = self.scope.variable(first, assigned=True)
            statements.append(syntax.Import(line, first, [("*", local)]))
            if first != alias.name:
                statements.append(syntax.Import(line, alias.name, []))
        return statements

    def _import_from(self, node: ast.ImportFrom) -> list[Statement]:
        module = node.module or ""
        names: list[tuple[str, str]] = []
        for alias in node.names:
            if alias.name == "*":
                return [syntax.ImportAll(node.lineno, module, node.level)]
            local = self.scope.variable(alias.asname or alias.name, assigned=True)
            names.append((alias.name, local))
        return [syntax.Import(node.lineno, module, names, node.level)]


STATEMENTS: dict[type[ast.AST], Callable[..., list[Statement]]] = {
    ast.AnnAssign: PythonStatements._annotated,
    ast.Assert: PythonStatements._assert,
    ast.Assign: PythonStatements._assign,
    ast.AsyncFor: PythonStatements._for,
    ast.AsyncFunctionDef: PythonStatements._function_statement,
    ast.AsyncWith: PythonStatements._with,
    ast.AugAssign: PythonStatements._augmented,
    ast.Break: PythonStatements._break,
    ast.ClassDef: PythonStatements._class,
    ast.Continue: PythonStatements._break,
    ast.Delete: PythonStatements._delete,
    ast.Expr: PythonStatements._expression_statement,
    ast.For: PythonStatements._for,
    ast.FunctionDef: PythonStatements._function_statement,
    ast.If: PythonStatements._if,
    ast.Import: PythonStatements._import,
    ast.ImportFrom: PythonStatements._import_from,
    ast.Match: PythonStatements._match,
    ast.Raise: PythonStatements._raise,
    ast.Return: PythonStatements._return,
    ast.Try: PythonStatements._try,
    ast.TryStar: PythonStatements._try,
    ast.While: PythonStatements._while,
    ast.With: PythonStatements._with,
}
