"""What all parts of the front end share: the file, the function that is being built, and how deep it is nested."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tree_sitter import Node

from ownership.drift.code import syntax
from ownership.drift.code.javascript.nodes import inner_nodes, line_of, unescaped
from ownership.drift.code.scopes import Scope
from ownership.drift.code.syntax import Expression, Statement

WRAPPERS = {
    "as_expression",
    "await_expression",
    "non_null_expression",
    "parenthesized_expression",
    "satisfies_expression",
    "type_assertion",
}
FUNCTIONS = {
    "arrow_function",
    "function",
    "function_declaration",
    "function_expression",
    "generator_function",
    "generator_function_declaration",
    "method_definition",
}
CLASSES = {"class", "class_declaration", "abstract_class_declaration"}


class JavaScriptBuilder(ABC):
    """Builds the module of one file. The classes that extend it add what it builds, from the inside out."""

    def __init__(self, module: syntax.Module, source: bytes) -> None:
        self.module = module
        self.source = source
        self.scope: Scope
        self.nesting = 0

    @contextmanager
    def _inside(self, function: syntax.Function) -> Iterator[None]:
        """Names belong to a function, for as long as it is built."""
        self.scope = Scope(function, self.scope)
        try:
            yield
        finally:
            self.scope = self.scope.around()

    def text(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode(errors="replace")

    def _text_in(self, node: Node, name: str) -> str:
        """The text in a field of a node; empty if it has none."""
        child = node.child_by_field_name(name)
        return "" if child is None else self.text(child)

    def _too_deep(self, node: Node) -> syntax.Unread:
        unread = syntax.Unread(line_of(node), syntax.TOO_DEEP)
        self.module.unread.append(unread)
        return unread

    def _string(self, node: Node | None) -> str:
        return unescaped(self.text(node)[1:-1]) if node is not None else ""

    def _key_name(self, node: Node) -> str:
        """The name of a property, a method or an export; computed ones by their text."""
        if node.type == "string":
            return self._string(node)
        return self.text(node)

    def _first_expression(self, node: Node) -> Expression | None:
        inner = inner_nodes(node)
        if not inner:
            return None
        return self.expression(inner[0])

    def _property_key(self, node: Node) -> Expression:
        if node.type == "computed_property_name":
            return self._first_expression(node) or syntax.Other(line_of(node), [])
        return syntax.Literal(line_of(node), self._key_name(node))

    # What the classes above this one add

    @abstractmethod
    def _class(self, node: Node, name: str | None = None) -> syntax.ClassExpression:
        """A class."""

    @abstractmethod
    def _field(self, node: Node, name: str) -> Expression:
        """The expression in a field of a node; an empty one if it has none."""

    @abstractmethod
    def _function(self, node: Node, name: str | None = None) -> syntax.FunctionExpression:
        """A function as a value."""

    @abstractmethod
    def _type_name(self, annotation: Node | None) -> str | None:
        """The class that a type annotation names: ``Repo``, ``aws.Repo`` and ``Repo<T>`` name ``Repo``."""

    @abstractmethod
    def expression(self, node: Node, name: str | None = None) -> Expression:
        """An expression. ``name``: what a function or class is called that is written here."""

    @abstractmethod
    def statement(self, node: Node) -> list[Statement]:
        """What one statement becomes."""

    @abstractmethod
    def statements(self, nodes: Iterable[Node]) -> list[Statement]:
        """The statements of one block. Functions come first, for they can be called before their line."""
