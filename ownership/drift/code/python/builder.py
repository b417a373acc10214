"""What all parts of the front end share: the file, the function that is being built, and how deep it is nested."""

import ast
from collections.abc import Iterable

from ownership.drift.code import syntax
from ownership.drift.code.scopes import Scope
from ownership.drift.code.syntax import Statement

MAX_NESTING = 100
TOO_DEEP = f"is nested deeper than {MAX_NESTING} levels, and is not read below that"
AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
# Statements that contain others, whose assignments belong to the same function.
NESTED_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


class PythonBuilder:
    """Builds the module of one file. The classes that extend it add what it builds, from the inside out."""

    def __init__(self, module: syntax.Module) -> None:
        self.module = module
        self.scope = Scope(module.body, None)
        self.nesting = 0

    def _too_deep(self, node: ast.stmt | ast.expr) -> syntax.Unread:
        unread = syntax.Unread(node.lineno, TOO_DEEP)
        self.module.unread.append(unread)
        return unread

    def _declare_all(self, nodes: Iterable[ast.AST]) -> None:
        """Declare the names that these statements assign in the current function."""
        waiting = list(nodes)
        found: list[ast.AST] = []
        while waiting:
            node = waiting.pop()
            found.append(node)
            # What is `global` is none of the function's own names, whichever comes first.
            if isinstance(node, ast.Global | ast.Nonlocal):
                self.scope.outer_names.update(node.names)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            for block in NESTED_BLOCKS:
                waiting += getattr(node, block, [])
        for node in found:
            self._declare_in(node)

    def _declare_in(self, node: ast.AST) -> None:
        """Declare the names that one statement assigns itself."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self.scope.declare(node.name)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._declare_target(target)
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.For | ast.AsyncFor):
            self._declare_target(node.target)
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                if item.optional_vars is not None:
                    self._declare_target(item.optional_vars)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                self.scope.declare(alias.asname or alias.name.partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                self.scope.declare(alias.asname or alias.name)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            self.scope.declare(node.name)

    def _declare_target(self, target: ast.expr) -> None:
        if isinstance(target, ast.Name):
            if target.id not in self.scope.outer_names:
                self.scope.declare(target.id)
        elif isinstance(target, ast.Tuple | ast.List):
            for item in target.elts:
                self._declare_target(item)
        elif isinstance(target, ast.Starred):
            self._declare_target(target.value)

    def _leave(self) -> None:
        self.scope = self.scope.around()

    # What the classes above this one add

    def _function(self, node: AnyFunction, name: str) -> syntax.FunctionExpression:
        """A function as a value."""
        raise NotImplementedError

    def statements(self, nodes: Iterable[ast.stmt]) -> list[Statement]:
        """What statements become, in order."""
        raise NotImplementedError
