"""Imports and exports, and what is declared before anything is built."""

from tree_sitter import Node

from ownership.drift.code import syntax
from ownership.drift.code.javascript.builder import CLASSES, FUNCTIONS
from ownership.drift.code.javascript.classes import JavaScriptClasses
from ownership.drift.code.javascript.nodes import child_of, children_of_type, has_token, line_of
from ownership.drift.code.syntax import Statement

DEFAULT_EXPORT = "*default*"  # the variable of `export default expression`
DECLARATIONS = {"lexical_declaration", "variable_declaration"}


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
            for declarator in children_of_type(node, "variable_declarator"):
                name = child_of(declarator, "name")
                if name is not None:
                    self._declare_pattern(name)
        elif node.type in FUNCTIONS or node.type in CLASSES or node.type == "enum_declaration":
            name = child_of(node, "name")
            if name is not None:
                self.scope.declare(self.text(name))
        elif node.type == "import_statement":
            for _, local in self._imported_names(node):
                self.scope.declare(local)

    def _imported_names(self, node: Node) -> list[tuple[str, str]]:
        """Name in the module and local name of each import; none for imports of types."""
        if has_token(node, "type") or has_token(node, "typeof"):
            return []
        names: list[tuple[str, str]] = []
        for clause in children_of_type(node, "import_clause", "import_require_clause"):
            for child in clause.named_children:
                if child.type == "identifier":
                    whole = clause.type == "import_require_clause"
                    names.append(("*" if whole else "default", self.text(child)))
                elif child.type == "namespace_import":
                    names.append(("*", self.text(child.named_children[0])))
                elif child.type == "named_imports":
                    names += self._specifiers(child, "import_specifier")
        return names

    def _specifiers(self, node: Node, specifier_type: str) -> list[tuple[str, str]]:
        names: list[tuple[str, str]] = []
        for specifier in children_of_type(node, specifier_type):
            name = child_of(specifier, "name")
            if name is None or has_token(specifier, "type"):
                continue
            alias = child_of(specifier, "alias") or name
            names.append((self._export_name(name), self._export_name(alias)))
        return names

    def _export_name(self, node: Node) -> str:
        return self._string(node) if node.type == "string" else self.text(node)

    def _import(self, node: Node) -> list[Statement]:
        source = child_of(node, "source")
        if source is None:
            for clause in children_of_type(node, "import_require_clause"):
                source = child_of(clause, "source")
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
        value = child_of(node, "value")
        exported_name = "default"
        for clause in children_of_type(node, "export_clause"):
            for local, exported in self._specifiers(clause, "export_specifier"):
                self.module.exports[exported] = self.scope.variable(local)
            return []
        if value is None:
            value = next(children_of_type(node, "identifier", "object", "call_expression"), None)
            exported_name = syntax.WHOLE_EXPORT  # TypeScript's `export = value`
        if value is None:
            return []
        variable = self.scope.declare(DEFAULT_EXPORT)
        self.module.exports[exported_name] = variable
        return [
            syntax.Declare(
                line_of(node),
                syntax.Name(line_of(node), variable),
                self.expression(value, "default"),
            )
        ]

    def _export_from(self, node: Node, module: str) -> list[Statement]:
        if has_token(node, "type"):
            return []
        names: list[tuple[str, str]] = []
        for child in node.named_children:
            if child.type == "export_clause":
                for name, exported in self._specifiers(child, "export_specifier"):
                    local = self.scope.declare(f"*{exported}*")
                    self.module.exports[exported] = local
                    names.append((name, local))
                return [syntax.Import(line_of(node), module, names)]
            if child.type == "namespace_export":
                exported = self.text(child.named_children[0])
                local = self.scope.declare(f"*{exported}*")
                self.module.exports[exported] = local
                return [syntax.Import(line_of(node), module, [("*", local)])]
        self.module.export_all.append(module)
        return [syntax.Import(line_of(node), module, [])]

    def _export_declaration(self, node: Node, declaration: Node) -> list[Statement]:
        is_default = has_token(node, "default")
        name = child_of(declaration, "name")
        if is_default and name is None:
            variable = self.scope.declare(DEFAULT_EXPORT)
            self.module.exports["default"] = variable
            value = self.expression(declaration, "default")
            return [syntax.Declare(line_of(node), syntax.Name(line_of(node), variable), value)]
        statements = self.statement(declaration)
        if name is not None:
            local = self.text(name)
            exported = "default" if is_default else local
            self.module.exports[exported] = self.scope.variable(local)
        for declarator in children_of_type(declaration, "variable_declarator"):
            pattern = child_of(declarator, "name")
            if pattern is not None:
                for local in self._names_in(pattern):
                    self.module.exports[local] = self.scope.variable(local)
        return statements
