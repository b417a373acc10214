"""Statements: blocks, branches, loops, and declarations."""

from collections.abc import Callable, Iterable

from tree_sitter import Node

from ownership.drift.code import syntax
from ownership.drift.code.javascript.builder import FUNCTIONS
from ownership.drift.code.javascript.modules import JavaScriptModules
from ownership.drift.code.javascript.nodes import (
    child_of,
    children_of_type,
    first_of_type,
    inner_nodes,
    line_of,
    required,
)
from ownership.drift.code.scopes import Scope
from ownership.drift.code.syntax import Expression, Statement


class JavaScriptStatements(JavaScriptModules):
    """Builds statements."""

    def statements(self, nodes: Iterable[Node]) -> list[Statement]:
        """The statements of one block. Functions come first, for they can be called before their line."""
        nodes = list(nodes)
        for node in nodes:
            self._declare_names(node)
        functions: list[Statement] = []
        others: list[Statement] = []
        for node in nodes:
            declared = self._declaration_in(node)
            if declared.type in FUNCTIONS:
                functions += self.statement(node)
            else:
                others += self.statement(node)
        return functions + others

    def block(self, node: Node | None) -> list[Statement]:
        """The statements of a block, or a single statement, with variables of their own."""
        if node is None:
            return []
        with self.scope.block():
            if node.type == "statement_block":
                return self.statements(node.named_children)
            return self.statements([node])

    def statement(self, node: Node) -> list[Statement]:
        method = STATEMENT_BUILDERS.get(node.type)
        if method is None:
            return []
        if self.nesting >= syntax.MAX_NESTING:
            return [syntax.ExpressionStatement(line_of(node), self._too_deep(node))]
        self.nesting += 1
        try:
            return method(self, node)
        finally:
            self.nesting -= 1

    def _expression_statement(self, node: Node) -> list[Statement]:
        statements: list[Statement] = []
        for child in node.named_children:
            if child.type == "internal_module":
                statements += self._namespace(child)
            else:
                statements.append(syntax.ExpressionStatement(line_of(node), self.expression(child)))
        return statements

    def _variables(self, node: Node) -> list[Statement]:
        statements: list[Statement] = []
        for declarator in children_of_type(node, "variable_declarator"):
            name = required(declarator, "name")
            value = child_of(declarator, "value")
            # `var` belongs to the function, wherever it is written.
            self._declare_pattern(name, in_function=node.type == "variable_declaration")
            if value is None:
                continue
            named = self.text(name) if name.type == "identifier" else None
            target = self.target(name)
            built = self._typed(self.expression(value, named), child_of(declarator, "type"))
            statements.append(syntax.Declare(line_of(declarator), target, built))
        return statements

    def _declaration(self, node: Node) -> list[Statement]:
        """A function or class that is declared."""
        name = self.scope.variable(self._text_in(node, "name"))
        target = syntax.Name(line_of(node), name)
        return [syntax.Declare(line_of(node), target, self.expression(node))]

    def _return(self, node: Node) -> list[Statement]:
        return [syntax.Return(line_of(node), self._first_expression(node))]

    def _throw(self, node: Node) -> list[Statement]:
        return [syntax.Throw(line_of(node), self._first_expression(node))]

    def _break(self, node: Node) -> list[Statement]:
        return [syntax.Break(line_of(node))]

    def _if(self, node: Node) -> list[Statement]:
        branches: list[tuple[Expression, list[Statement]]] = []
        otherwise: list[Statement] = []
        alternative: Node | None = None
        current: Node | None = node
        # A long row of `else if` is not nested.
        while current is not None:
            test = self._field(current, "condition")
            branches.append((test, self.block(child_of(current, "consequence"))))
            alternative = child_of(current, "alternative")
            current = None
            if alternative is not None:
                current = first_of_type(alternative, "if_statement")
        for child in inner_nodes(alternative):
            otherwise += self.block(child)
        return [syntax.If(line_of(node), branches, otherwise)]

    def _switch(self, node: Node) -> list[Statement]:
        subject = self._field(node, "value")
        cases: list[tuple[list[Expression], list[Statement]]] = []
        tests: list[Expression] = []
        with self.scope.block():
            for case in inner_nodes(child_of(node, "body")):
                value = child_of(case, "value")
                if value is not None:
                    tests.append(self.expression(value))
                # A case without statements falls through to the next one.
                statements = case.children_by_field_name("body")
                if not statements and case.type == "switch_case":
                    continue
                is_default = case.type == "switch_default"
                cases.append(([] if is_default else tests, self.statements(statements)))
                tests = []
        return [syntax.Switch(line_of(node), subject, cases)]

    def _for(self, node: Node) -> list[Statement]:
        statements: list[Statement] = []
        with self.scope.block():
            start = required(node, "initializer")
            self._declare_names(start)
            statements += self.statement(start)
            test = self._optional(child_of(node, "condition"))
            body = self.block(child_of(node, "body"))
            step = self._optional(child_of(node, "increment"))
            if step is not None:
                body.append(syntax.ExpressionStatement(line_of(node), step))
        return [*statements, syntax.Loop(line_of(node), None, None, test, body)]

    def _for_in(self, node: Node) -> list[Statement]:
        over_keys = self._operator(node) == "in"
        with self.scope.block():
            left = required(node, "left")
            if child_of(node, "kind") is not None:
                self._declare_pattern(left)
            target = self.target(left)
            iterable = self._field(node, "right")
            body = self.block(child_of(node, "body"))
        return [syntax.Loop(line_of(node), target, iterable, None, body, over_keys)]

    def _while(self, node: Node) -> list[Statement]:
        test = self._field(node, "condition")
        return [syntax.Loop(line_of(node), None, None, test, self.block(child_of(node, "body")))]

    def _try(self, node: Node) -> list[Statement]:
        body = self.block(child_of(node, "body"))
        handlers: list[tuple[str | None, list[Statement]]] = []
        handler = child_of(node, "handler")
        if handler is not None:
            with self.scope.block():
                parameter = child_of(handler, "parameter")
                name = None
                if parameter is not None and parameter.type == "identifier":
                    name = self.scope.declare(self.text(parameter))
                handlers.append((name, self.block(child_of(handler, "body"))))
        final: list[Statement] = []
        finalizer = child_of(node, "finalizer")
        if finalizer is not None:
            final = self.block(child_of(finalizer, "body"))
        return [syntax.Try(line_of(node), body, handlers, final)]

    def _labeled(self, node: Node) -> list[Statement]:
        return self.statement(required(node, "body"))

    def _enum(self, node: Node) -> list[Statement]:
        """``enum Table { Users = "users" }`` is an object."""
        entries: list[tuple[Expression | None, Expression]] = []
        for member in children_of_type(required(node, "body"), "enum_assignment"):
            key = self._property_key(required(member, "name"))
            entries.append((key, self._field(member, "value")))
        name = self.scope.declare(self._text_in(node, "name"))
        target = syntax.Name(line_of(node), name)
        return [syntax.Declare(line_of(node), target, syntax.ObjectLiteral(line_of(node), entries))]

    def _namespace(self, node: Node) -> list[Statement]:
        """``namespace Tables { export const users = … }`` is an object of what it exports."""
        before = dict(self.module.exports)
        variable = self.scope.declare(self._text_in(node, "name"))
        with self.scope.block():
            statements = self.statements(inner_nodes(child_of(node, "body")))
        entries: list[tuple[Expression | None, Expression]] = []
        for exported, local in self.module.exports.items():
            if before.get(exported) != local:
                entries.append(
                    (
                        syntax.Literal(line_of(node), exported),
                        syntax.Name(line_of(node), local),
                    )
                )
        self.module.exports = before
        target = syntax.Name(line_of(node), variable)
        return [
            *statements,
            syntax.Declare(line_of(node), target, syntax.ObjectLiteral(line_of(node), entries)),
        ]

    def build(self, root: Node) -> None:
        body = syntax.Function("", 1, [], [], self.module)
        self.module.body = body
        self.scope = Scope(body, None)
        if root.has_error:
            self._report_errors(root)
        body.body = self.statements(root.named_children)

    def _report_errors(self, root: Node) -> None:
        """Report where the first error of syntax is."""
        node = root
        while True:
            broken = [child for child in node.children if child.has_error or child.is_missing]
            if node.type == "ERROR" or not broken:
                break
            node = broken[0]
        self.module.unread.append(syntax.Unread(line_of(node), "has a syntax error"))


STATEMENT_BUILDERS: dict[str, Callable[[JavaScriptStatements, Node], list[Statement]]] = {
    "abstract_class_declaration": JavaScriptStatements._declaration,
    "break_statement": JavaScriptStatements._break,
    "class_declaration": JavaScriptStatements._declaration,
    "continue_statement": JavaScriptStatements._break,
    "do_statement": JavaScriptStatements._while,
    "enum_declaration": JavaScriptStatements._enum,
    "export_statement": JavaScriptStatements._export,
    "expression_statement": JavaScriptStatements._expression_statement,
    "for_in_statement": JavaScriptStatements._for_in,
    "for_statement": JavaScriptStatements._for,
    "function_declaration": JavaScriptStatements._declaration,
    "generator_function_declaration": JavaScriptStatements._declaration,
    "if_statement": JavaScriptStatements._if,
    "import_statement": JavaScriptStatements._import,
    "interface_declaration": JavaScriptStatements._type_declaration,
    "internal_module": JavaScriptStatements._namespace,
    "labeled_statement": JavaScriptStatements._labeled,
    "lexical_declaration": JavaScriptStatements._variables,
    "module": JavaScriptStatements._namespace,
    "return_statement": JavaScriptStatements._return,
    "statement_block": JavaScriptStatements.block,
    "switch_statement": JavaScriptStatements._switch,
    "throw_statement": JavaScriptStatements._throw,
    "try_statement": JavaScriptStatements._try,
    "type_alias_declaration": JavaScriptStatements._type_declaration,
    "variable_declaration": JavaScriptStatements._variables,
    "while_statement": JavaScriptStatements._while,
}
