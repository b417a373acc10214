"""Imports and exports, and what is declared before anything is built."""

from collections.abc import Iterator

from tree_sitter import Node

from ownership.drift.code import syntax
from ownership.drift.code.javascript.builder import CLASSES, FUNCTIONS
from ownership.drift.code.javascript.classes import JavaScriptClasses
from ownership.drift.code.javascript.nodes import (
    child_of,
    children_of_type,
    first_of_type,
    has_token,
    line_of,
    required,
)
from ownership.drift.code.syntax import Statement

DEFAULT_EXPORT = "*default*"  # the variable of `export default expression`
DECLARATIONS = {"lexical_declaration", "variable_declaration"}
NAMED_DECLARATIONS = {*FUNCTIONS, *CLASSES, "enum_declaration"}
# What an import without braces means in the module: `import name from` and `import name = require(…)`.
IMPORT_CLAUSES = {"import_clause": "default", "import_require_clause": "*"}


class JavaScriptModules(JavaScriptClasses):
    """Builds imports and exports."""

    def _declaration_in(self, node: Node) -> Node:
        """What an export declares; any other node itself."""
        if node.type == "export_statement":
            return child_of(node, "declaration") or node
        return node

    def _declare_names(self, node: Node) -> None:
        """Declare what a statement declares in its block, before anything in the block is built."""
        node = self._declaration_in(node)
        if node.type in DECLARATIONS:
            for name in _declared_patterns(node):
                self._declare_pattern(name)
        elif node.type == "import_statement":
            for _, local in self._imported_names(node):
                self.scope.declare(local)
        elif node.type in NAMED_DECLARATIONS:
            self.scope.declare(self._text_in(node, "name"))

    def _imported_names(self, node: Node) -> list[tuple[str, str]]:
        """Name in the module and local name of each import; none for imports of types."""
        if has_token(node, "type") or has_token(node, "typeof"):
            return []
        names: list[tuple[str, str]] = []
        for clause in children_of_type(node, *IMPORT_CLAUSES):
            for child in clause.named_children:
                names += self._names_in_clause(child, IMPORT_CLAUSES[clause.type])
        return names

    def _names_in_clause(self, node: Node, single_name: str) -> list[tuple[str, str]]:
        """The names of a part of an import; ``single_name`` is what one without braces means in the module."""
        match node.type:
            case "identifier":
                return [(single_name, self.text(node))]
            case "namespace_import":
                return [("*", self.text(node.named_children[0]))]
            case "named_imports":
                return self._specifiers(node, "import_specifier")
        return []

    def _specifiers(self, node: Node, specifier_type: str) -> list[tuple[str, str]]:
        names: list[tuple[str, str]] = []
        for specifier in children_of_type(node, specifier_type):
            name = required(specifier, "name")
            if has_token(specifier, "type"):
                continue
            alias = child_of(specifier, "alias") or name
            names.append((self._key_name(name), self._key_name(alias)))
        return names

    def _import(self, node: Node) -> list[Statement]:
        require_clause = first_of_type(node, "import_require_clause")
        source = child_of(require_clause or node, "source")
        if source is None or has_token(node, "type"):
            return []
        names = [(name, self.scope.declare(local)) for name, local in self._imported_names(node)]
        return [syntax.Import(line_of(node), self._string(source), names)]

    def _export(self, node: Node) -> list[Statement]:
        source = child_of(node, "source")
        if source is not None:
            return self._export_from(node, self._string(source))
        declaration = child_of(node, "declaration")
        if declaration is not None:
            return self._export_declaration(node, declaration)
        clause = first_of_type(node, "export_clause")
        if clause is not None:
            for local, exported in self._specifiers(clause, "export_specifier"):
                self.module.exports[exported] = self.scope.variable(local)
            return []
        value = child_of(node, "value")
        if value is not None:
            return self._export_value(node, "default", value)
        # TypeScript's `export = value`
        whole = first_of_type(node, "identifier", "object", "call_expression")
        if whole is not None:
            return self._export_value(node, syntax.WHOLE_EXPORT, whole)
        return []

    def _export_value(self, node: Node, exported_name: str, value: Node) -> list[Statement]:
        """An export of a value that has no name of its own."""
        variable = self.scope.declare(DEFAULT_EXPORT)
        self.module.exports[exported_name] = variable
        target = syntax.Name(line_of(node), variable)
        return [syntax.Declare(line_of(node), target, self.expression(value, "default"))]

    def _export_from(self, node: Node, module: str) -> list[Statement]:
        if has_token(node, "type"):
            return []
        names: list[tuple[str, str]] = []
        whole = first_of_type(node, "namespace_export")
        clause = first_of_type(node, "export_clause")
        if whole is not None:
            names.append(("*", self.text(whole.named_children[0])))
        elif clause is not None:
            names = self._specifiers(clause, "export_specifier")
        else:
            self.module.export_all.append(module)
        imported: list[tuple[str, str]] = []
        for name, exported in names:
            local = self.scope.declare(f"*{exported}*")
            self.module.exports[exported] = local
            imported.append((name, local))
        return [syntax.Import(line_of(node), module, imported)]

    def _export_declaration(self, node: Node, declaration: Node) -> list[Statement]:
        is_default = has_token(node, "default")
        name = child_of(declaration, "name")
        if is_default and name is None:
            return self._export_value(node, "default", declaration)
        statements = self.statement(declaration)
        if name is not None:
            local = self.text(name)
            exported = "default" if is_default else local
            self.module.exports[exported] = self.scope.variable(local)
        for pattern in _declared_patterns(declaration):
            for local in self._names_in(pattern):
                self.module.exports[local] = self.scope.variable(local)
        return statements


def _declared_patterns(declaration: Node) -> Iterator[Node]:
    """What a declaration of variables assigns to."""
    for declarator in children_of_type(declaration, "variable_declarator"):
        yield required(declarator, "name")
