"""What all parts of the front end share: the file, the function that is being built, and how deep it is nested."""

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from ownership.drift.code import syntax
from ownership.drift.code.scopes import Scope
from ownership.drift.code.syntax import Statement

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
# Statements that contain others, whose assignments belong to the same function.
NESTED_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


class PythonBuilder(ABC):
    """Builds the module of one file. The classes that extend it add what it builds, from the inside out."""

    def __init__(self, module: syntax.Module) -> None:
        self.module = module
        self.scope = Scope(module.body, None)
        self.nesting = 0

    def _too_deep(self, node: ast.stmt | ast.expr) -> syntax.Unread:
        unread = syntax.Unread(node.lineno, syntax.TOO_DEEP)
        self.module.unread.append(unread)
        return unread

    def _declare_all(self, nodes: Iterable[ast.AST]) -> None:
        """Declare the names that these statements assign in the current function."""
        statements = _statements_within(nodes)
        # What is `global` is none of the function's own names, whichever comes first.
        for node in statements:
            if isinstance(node, ast.Global | ast.Nonlocal):
                self.scope.outer_names.update(node.names)
        for node in statements:
            declare = DECLARERS.get(type(node))
            if declare is not None:
                declare(self, node)

    def _declare_definition(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ) -> None:
        self.scope.declare(node.name)

    def _declare_assigned(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._declare_target(target)

    def _declare_one(self, node: ast.AnnAssign | ast.AugAssign | ast.For | ast.AsyncFor) -> None:
        self._declare_target(node.target)

    def _declare_entered(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            if item.optional_vars is not None:
                self._declare_target(item.optional_vars)

    def _declare_imported(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            # `import a.b` gives the name `a`.
            self.scope.declare(alias.asname or alias.name.partition(".")[0])

    def _declare_exception(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.scope.declare(node.name)

    def _declare_target(self, target: ast.expr) -> None:
        """Declare the names in what is assigned to."""
        match target:
            case ast.Name(id=name) if name not in self.scope.outer_names:
                self.scope.declare(name)
            case ast.Tuple(elts=items) | ast.List(elts=items):
                for item in items:
                    self._declare_target(item)
            case ast.Starred(value=starred):
                self._declare_target(starred)

    def _leave(self) -> None:
        self.scope = self.scope.around()

    # What the classes above this one add

    @abstractmethod
    def _function(self, node: AnyFunction, name: str) -> syntax.FunctionExpression:
        """A function as a value."""

    @abstractmethod
    def statements(self, nodes: Iterable[ast.stmt]) -> list[Statement]:
        """What statements become, in order."""


def _statements_within(nodes: Iterable[ast.AST]) -> list[ast.AST]:
    """Statements and those inside them, without those of functions and classes inside them."""
    waiting = list(nodes)
    statements: list[ast.AST] = []
    while waiting:
        node = waiting.pop()
        statements.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for block in NESTED_BLOCKS:
                waiting += getattr(node, block, [])
    return statements


# What declares the names that a statement assigns itself.
DECLARERS: dict[type[ast.AST], Callable[[PythonBuilder, Any], None]] = {
    ast.AnnAssign: PythonBuilder._declare_one,
    ast.Assign: PythonBuilder._declare_assigned,
    ast.AsyncFor: PythonBuilder._declare_one,
    ast.AsyncFunctionDef: PythonBuilder._declare_definition,
    ast.AsyncWith: PythonBuilder._declare_entered,
    ast.AugAssign: PythonBuilder._declare_one,
    ast.ClassDef: PythonBuilder._declare_definition,
    ast.ExceptHandler: PythonBuilder._declare_exception,
    ast.For: PythonBuilder._declare_one,
    ast.FunctionDef: PythonBuilder._declare_definition,
    ast.Import: PythonBuilder._declare_imported,
    ast.ImportFrom: PythonBuilder._declare_imported,
    ast.With: PythonBuilder._declare_entered,
}
