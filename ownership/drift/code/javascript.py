"""JavaScript and TypeScript as ``syntax``, by tree-sitter's grammars. Types are left out, but for class names.

Source: the grammars' node types (tree-sitter-javascript and tree-sitter-typescript, ``src/node-types.json``).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

from ownership.drift.code import syntax
from ownership.drift.code.scopes import Scope
from ownership.drift.code.syntax import Expression, Statement, Target

MAX_NESTING = 100
TOO_DEEP = f"is nested deeper than {MAX_NESTING} levels, and is not read below that"

DEFAULT_EXPORT = "*default*"  # the variable of `export default expression`
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
DECLARATIONS = {"lexical_declaration", "variable_declaration"}
EQUALITY = {"===": False, "==": False, "!==": True, "!=": True}
ESCAPE = re.compile(
    r"\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r?\n)|(.))",
    re.DOTALL,
)
ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "0": "\0",
    "b": "\b",
    "f": "\f",
    "v": "\v",
}


@cache
def _parser(suffix: str) -> Parser:
    if suffix in (".ts", ".mts", ".cts"):
        grammar = tree_sitter_typescript.language_typescript()
    elif suffix == ".tsx":
        grammar = tree_sitter_typescript.language_tsx()
    else:
        grammar = tree_sitter_javascript.language()
    return Parser(Language(grammar))


def parse(text: bytes, file: str, suffix: str) -> syntax.Module:
    """The module in a file. What can't be parsed is in ``module.unread``."""
    tree = _parser(suffix).parse(text)
    module = syntax.Module(file, "javascript")
    builder = _Builder(module, text)
    builder.build(tree.root_node)
    return module


def _line(node: Node) -> int:
    return int(node.start_point[0]) + 1


def _child(node: Node, *fields: str) -> Node | None:
    """The child in the first of these fields that the node has."""
    for name in fields:
        child = node.child_by_field_name(name)
        if child is not None:
            return child
    return None


def _of_type(node: Node, *types: str) -> Iterator[Node]:
    for child in node.named_children:
        if child.type in types:
            yield child


def _has_token(node: Node, token: str) -> bool:
    """Whether one of the node's own words is ``token``, such as ``static``."""
    return any(child.type == token for child in node.children)


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text

    def character(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        if code:
            number = int(code, 16)
            return chr(number) if number < 0x110000 else "\ufffd"
        if match[4]:
            return ""
        return ESCAPES.get(match[5], match[5])

    return ESCAPE.sub(character, text)


class _Builder:
    """Builds the module of one file."""

    def __init__(self, module: syntax.Module, source: bytes) -> None:
        self.module = module
        self.source = source
        self.scope: Scope
        self.nesting = 0

    def build(self, root: Node) -> None:
        body = syntax.Function("", 1, [], [], self.module)
        self.module.body = body
        self.scope = Scope(body, None)
        if root.has_error:
            self._report_errors(root)
        body.body = self.statements(root.named_children)

    def text(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode(errors="replace")

    def _report_errors(self, root: Node) -> None:
        """Report where the first error of syntax is."""
        node = root
        while True:
            broken = [child for child in node.children if child.has_error or child.is_missing]
            if node.type == "ERROR" or not broken:
                break
            node = broken[0]
        self.module.unread.append(syntax.Unread(_line(node), "has a syntax error"))

    # Statements

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
        self.scope.blocks.append({})
        try:
            if node.type == "statement_block":
                return self.statements(node.named_children)
            return self.statements([node])
        finally:
            self.scope.blocks.pop()

    def statement(self, node: Node) -> list[Statement]:
        method = STATEMENTS.get(node.type)
        if method is None:
            return []
        if self.nesting >= MAX_NESTING:
            return [syntax.Evaluate(_line(node), self._too_deep(node))]
        self.nesting += 1
        try:
            return method(self, node)
        finally:
            self.nesting -= 1

    def _too_deep(self, node: Node) -> syntax.Unread:
        unread = syntax.Unread(_line(node), TOO_DEEP)
        self.module.unread.append(unread)
        return unread

    def _declaration_in(self, node: Node) -> Node:
        """What an export declares; any other node itself."""
        if node.type == "export_statement":
            return _child(node, "declaration") or node
        return node

    def _declare_names(self, node: Node) -> None:
        """Declare what a statement declares in its block, before anything in the block is built."""
        node = self._declaration_in(node)
        if node.type in DECLARATIONS:
            for declarator in _of_type(node, "variable_declarator"):
                name = _child(declarator, "name")
                if name is not None:
                    self._declare_pattern(name)
        elif node.type in FUNCTIONS or node.type in CLASSES or node.type == "enum_declaration":
            name = _child(node, "name")
            if name is not None:
                self.scope.declare(self.text(name))
        elif node.type == "import_statement":
            for _, local in self._imported_names(node):
                self.scope.declare(local)

    def _declare_pattern(self, node: Node, in_function: bool = False) -> None:
        """Declare all names in a pattern."""
        if node.type in ("identifier", "shorthand_property_identifier_pattern"):
            self.scope.declare(self.text(node), in_function)
            return
        if node.type in (
            "pair_pattern",
            "assignment_pattern",
            "object_assignment_pattern",
        ):
            inner = _child(node, "value" if node.type == "pair_pattern" else "left")
            if inner is not None:
                self._declare_pattern(inner, in_function)
            return
        for child in node.named_children:
            self._declare_pattern(child, in_function)

    def _expression_statement(self, node: Node) -> list[Statement]:
        statements: list[Statement] = []
        for child in node.named_children:
            if child.type == "internal_module":
                statements += self._namespace(child)
            else:
                statements.append(syntax.Evaluate(_line(node), self.expression(child)))
        return statements

    def _variables(self, node: Node) -> list[Statement]:
        statements: list[Statement] = []
        for declarator in _of_type(node, "variable_declarator"):
            name = _child(declarator, "name")
            value = _child(declarator, "value")
            if name is None:
                continue
            # `var` belongs to the function, wherever it is written.
            self._declare_pattern(name, in_function=node.type == "variable_declaration")
            if value is None:
                continue
            named = self.text(name) if name.type == "identifier" else None
            target = self.target(name)
            built = self._typed(self.expression(value, named), _child(declarator, "type"))
            statements.append(syntax.Declare(_line(declarator), target, built))
        return statements

    def _typed(self, value: Expression, annotation: Node | None) -> Expression:
        """The value with the class that its type names, where it is what a call gives."""
        type_name = self._type_name(annotation)
        if type_name is None or not isinstance(value, syntax.Call):
            return value
        return syntax.Typed(value.line, value, type_name)

    def _function_declaration(self, node: Node) -> list[Statement]:
        name = _child(node, "name")
        if name is None:
            return []
        target = syntax.Name(_line(node), self.scope.variable(self.text(name)))
        return [syntax.Declare(_line(node), target, self._function(node))]

    def _class_declaration(self, node: Node) -> list[Statement]:
        name = _child(node, "name")
        if name is None:
            return []
        target = syntax.Name(_line(node), self.scope.variable(self.text(name)))
        return [syntax.Declare(_line(node), target, self._class(node))]

    def _return(self, node: Node) -> list[Statement]:
        return [syntax.Return(_line(node), self._first_expression(node))]

    def _throw(self, node: Node) -> list[Statement]:
        return [syntax.Stop(_line(node), self._first_expression(node), leaves_function=True)]

    def _break(self, node: Node) -> list[Statement]:
        return [syntax.Stop(_line(node), None, leaves_function=False)]

    def _first_expression(self, node: Node) -> Expression | None:
        for child in node.named_children:
            if child.type != "comment":
                return self.expression(child)
        return None

    def _if(self, node: Node) -> list[Statement]:
        branches: list[tuple[Expression, list[Statement]]] = []
        otherwise: list[Statement] = []
        current: Node | None = node
        # A long row of `else if` is not nested.
        while current is not None:
            test = self._field(current, "condition")
            branches.append((test, self.block(_child(current, "consequence"))))
            alternative = _child(current, "alternative")
            current = None
            for child in alternative.named_children if alternative is not None else []:
                if child.type == "if_statement":
                    current = child
                else:
                    otherwise += self.block(child)
        return [syntax.If(_line(node), branches, otherwise)]

    def _switch(self, node: Node) -> list[Statement]:
        subject = self._field(node, "value")
        body = _child(node, "body")
        cases: list[tuple[list[Expression], list[Statement]]] = []
        tests: list[Expression] = []
        self.scope.blocks.append({})
        for case in body.named_children if body is not None else []:
            value = _child(case, "value")
            if value is not None:
                tests.append(self.expression(value))
            # A case without statements falls through to the next one.
            statements = case.children_by_field_name("body")
            if not statements and case.type == "switch_case":
                continue
            is_default = case.type == "switch_default"
            cases.append(([] if is_default else tests, self.statements(statements)))
            tests = []
        self.scope.blocks.pop()
        return [syntax.Switch(_line(node), subject, cases)]

    def _for(self, node: Node) -> list[Statement]:
        self.scope.blocks.append({})
        start = _child(node, "initializer")
        statements: list[Statement] = []
        if start is not None:
            self._declare_names(start)
            statements += self.statement(start)
        test = self._optional(_child(node, "condition"))
        body = self.block(_child(node, "body"))
        step = self._optional(_child(node, "increment"))
        if step is not None:
            body.append(syntax.Evaluate(_line(node), step))
        self.scope.blocks.pop()
        return [*statements, syntax.Loop(_line(node), None, None, test, body)]

    def _for_in(self, node: Node) -> list[Statement]:
        self.scope.blocks.append({})
        left = _child(node, "left")
        kind = _child(node, "kind")
        target: Target | None = None
        if left is not None:
            if kind is not None:
                self._declare_pattern(left)
            target = self.target(left)
        iterable = self._field(node, "right")
        operator = _child(node, "operator")
        over_keys = operator is not None and self.text(operator) == "in"
        body = self.block(_child(node, "body"))
        self.scope.blocks.pop()
        return [syntax.Loop(_line(node), target, iterable, None, body, over_keys)]

    def _while(self, node: Node) -> list[Statement]:
        test = self._field(node, "condition")
        return [syntax.Loop(_line(node), None, None, test, self.block(_child(node, "body")))]

    def _try(self, node: Node) -> list[Statement]:
        body = self.block(_child(node, "body"))
        handlers: list[tuple[str | None, list[Statement]]] = []
        handler = _child(node, "handler")
        if handler is not None:
            self.scope.blocks.append({})
            parameter = _child(handler, "parameter")
            name = None
            if parameter is not None and parameter.type == "identifier":
                name = self.scope.declare(self.text(parameter))
            handlers.append((name, self.block(_child(handler, "body"))))
            self.scope.blocks.pop()
        final: list[Statement] = []
        finalizer = _child(node, "finalizer")
        if finalizer is not None:
            final = self.block(_child(finalizer, "body"))
        return [syntax.Try(_line(node), body, handlers, final)]

    def _labeled(self, node: Node) -> list[Statement]:
        body = _child(node, "body")
        return self.statement(body) if body is not None else []

    def _enum(self, node: Node) -> list[Statement]:
        """``enum Table { Users = "users" }`` is an object."""
        name = _child(node, "name")
        body = _child(node, "body")
        if name is None or body is None:
            return []
        entries: list[tuple[Expression | None, Expression]] = []
        for member in _of_type(body, "enum_assignment"):
            key, value = _child(member, "name"), _child(member, "value")
            if key is not None and value is not None:
                entries.append((self._property_key(key), self.expression(value)))
        target = syntax.Name(_line(node), self.scope.declare(self.text(name)))
        return [syntax.Declare(_line(node), target, syntax.ObjectLiteral(_line(node), entries))]

    def _namespace(self, node: Node) -> list[Statement]:
        """``namespace Tables { export const users = … }`` is an object of what it exports."""
        name = _child(node, "name")
        body = _child(node, "body")
        if name is None or body is None:
            return []
        before = dict(self.module.exports)
        variable = self.scope.declare(self.text(name))
        self.scope.blocks.append({})
        statements = self.statements(body.named_children)
        self.scope.blocks.pop()
        entries: list[tuple[Expression | None, Expression]] = []
        for exported, local in self.module.exports.items():
            if before.get(exported) != local:
                entries.append(
                    (
                        syntax.Literal(_line(node), exported),
                        syntax.Name(_line(node), local),
                    )
                )
        self.module.exports = before
        target = syntax.Name(_line(node), variable)
        return [
            *statements,
            syntax.Declare(_line(node), target, syntax.ObjectLiteral(_line(node), entries)),
        ]

    # Imports and exports

    def _string(self, node: Node | None) -> str:
        return _unescaped(self.text(node)[1:-1]) if node is not None else ""

    def _imported_names(self, node: Node) -> list[tuple[str, str]]:
        """Name in the module and local name of each import; none for imports of types."""
        if _has_token(node, "type") or _has_token(node, "typeof"):
            return []
        names: list[tuple[str, str]] = []
        for clause in _of_type(node, "import_clause", "import_require_clause"):
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
        for specifier in _of_type(node, specifier_type):
            name = _child(specifier, "name")
            if name is None or _has_token(specifier, "type"):
                continue
            alias = _child(specifier, "alias") or name
            names.append((self._export_name(name), self._export_name(alias)))
        return names

    def _export_name(self, node: Node) -> str:
        return self._string(node) if node.type == "string" else self.text(node)

    def _import(self, node: Node) -> list[Statement]:
        source = _child(node, "source")
        if source is None:
            for clause in _of_type(node, "import_require_clause"):
                source = _child(clause, "source")
        if source is None or _has_token(node, "type"):
            return []
        names = [(name, self.scope.declare(local)) for name, local in self._imported_names(node)]
        return [syntax.Import(_line(node), self._string(source), names)]

    def _export(self, node: Node) -> list[Statement]:
        source = _child(node, "source")
        if source is not None:
            return self._export_from(node, self._string(source))
        declaration = _child(node, "declaration")
        if declaration is not None:
            return self._export_declaration(node, declaration)
        value = _child(node, "value")
        exported_name = "default"
        for clause in _of_type(node, "export_clause"):
            for local, exported in self._specifiers(clause, "export_specifier"):
                self.module.exports[exported] = self.scope.variable(local)
            return []
        if value is None:
            value = next(_of_type(node, "identifier", "object", "call_expression"), None)
            exported_name = syntax.WHOLE_EXPORT  # TypeScript's `export = value`
        if value is None:
            return []
        variable = self.scope.declare(DEFAULT_EXPORT)
        self.module.exports[exported_name] = variable
        return [
            syntax.Declare(
                _line(node),
                syntax.Name(_line(node), variable),
                self.expression(value, "default"),
            )
        ]

    def _export_from(self, node: Node, module: str) -> list[Statement]:
        if _has_token(node, "type"):
            return []
        names: list[tuple[str, str]] = []
        for child in node.named_children:
            if child.type == "export_clause":
                for name, exported in self._specifiers(child, "export_specifier"):
                    local = self.scope.declare(f"*{exported}*")
                    self.module.exports[exported] = local
                    names.append((name, local))
                return [syntax.Import(_line(node), module, names)]
            if child.type == "namespace_export":
                exported = self.text(child.named_children[0])
                local = self.scope.declare(f"*{exported}*")
                self.module.exports[exported] = local
                return [syntax.Import(_line(node), module, [("*", local)])]
        self.module.export_all.append(module)
        return [syntax.Import(_line(node), module, [])]

    def _export_declaration(self, node: Node, declaration: Node) -> list[Statement]:
        is_default = _has_token(node, "default")
        name = _child(declaration, "name")
        if is_default and name is None:
            variable = self.scope.declare(DEFAULT_EXPORT)
            self.module.exports["default"] = variable
            value = self.expression(declaration, "default")
            return [syntax.Declare(_line(node), syntax.Name(_line(node), variable), value)]
        statements = self.statement(declaration)
        if name is not None:
            local = self.text(name)
            exported = "default" if is_default else local
            self.module.exports[exported] = self.scope.variable(local)
        for declarator in _of_type(declaration, "variable_declarator"):
            pattern = _child(declarator, "name")
            if pattern is not None:
                for local in self._names_in(pattern):
                    self.module.exports[local] = self.scope.variable(local)
        return statements

    def _names_in(self, pattern: Node) -> list[str]:
        self.scope.blocks.append({})
        before = set(self.scope.function.variables)
        self._declare_pattern(pattern)
        names = list(self.scope.blocks.pop())
        self.scope.function.variables = before
        return names

    # Functions and classes

    def _function(self, node: Node, name: str | None = None) -> syntax.FunctionExpression:
        own_name = _child(node, "name")
        if own_name is not None:
            name = self._key_name(own_name)
        function = syntax.Function(
            name or "(anonymous)",
            _line(node),
            [],
            [],
            self.module,
            own_this=node.type != "arrow_function",
            is_generator=node.type.startswith("generator") or _has_token(node, "*"),
        )
        self.module.functions.append(function)
        self.scope = Scope(function, self.scope)
        try:
            if node.type in ("function_expression", "generator_function") and own_name is not None:
                self._name_itself(function, node)
            function.parameters = self._parameters(node)
            function.body += self._property_assignments(function)
            function.body += self._function_body(_child(node, "body"))
        finally:
            self.scope = self.scope.around()
        return syntax.FunctionExpression(_line(node), function)

    def _name_itself(self, function: syntax.Function, node: Node) -> None:
        """A function expression may call itself by its own name."""
        variable = self.scope.declare(function.name)
        itself = syntax.FunctionExpression(_line(node), function)
        function.body.append(syntax.Declare(_line(node), syntax.Name(_line(node), variable), itself))

    def _function_body(self, body: Node | None) -> list[Statement]:
        if body is None:
            return []
        if body.type == "statement_block":
            return self.statements(body.named_children)
        return [syntax.Return(_line(body), self.expression(body))]

    def _parameters(self, node: Node) -> list[syntax.Parameter]:
        single = _child(node, "parameter")
        if single is not None:
            self._declare_pattern(single)
            return [syntax.Parameter(self.target(single))]
        nodes = _child(node, "parameters")
        parameters: list[syntax.Parameter] = []
        for child in nodes.named_children if nodes is not None else []:
            # TypeScript's `this: Type` is no parameter.
            is_this = next(_of_type(child, "this"), None) is not None
            if child.type not in ("comment", "decorator") and not is_this:
                parameters.append(self._parameter(child))
        return parameters

    def _parameter(self, node: Node) -> syntax.Parameter:
        pattern, default, type_name = node, None, None
        property_name = None
        if node.type in ("required_parameter", "optional_parameter"):
            pattern = _child(node, "pattern") or node
            default = _child(node, "value")
            type_name = self._type_name(_child(node, "type"))
            if next(
                _of_type(node, "accessibility_modifier", "override_modifier"),
                None,
            ) or _has_token(node, "readonly"):
                property_name = self.text(pattern)
        elif node.type == "assignment_pattern":
            pattern = _child(node, "left") or node
            default = _child(node, "right")
        kind = "normal"
        if pattern.type == "rest_pattern":
            kind = "rest"
            pattern = pattern.named_children[0]
        self._declare_pattern(pattern)
        target = self.target(pattern)
        value = self.expression(default) if default is not None else None
        return syntax.Parameter(target, value, kind, type_name, property_name)  # type: ignore[arg-type]

    def _type_name(self, annotation: Node | None) -> str | None:
        """The class that a type annotation names: ``Repo``, ``aws.Repo`` and ``Repo<T>`` name ``Repo``."""
        if annotation is None or not annotation.named_children:
            return None
        node = annotation.named_children[0]
        if node.type == "generic_type":
            node = _child(node, "name") or node
        if node.type in ("type_identifier", "nested_type_identifier"):
            return self.text(node).rsplit(".", 1)[-1]
        if node.type == "object_type":
            name = f"{{{node.start_byte}}}"
            self.module.shapes[name] = self._shape(node)
            return name
        return None

    def _shape(self, node: Node) -> dict[str, str]:
        """The properties of an object's type whose types name classes."""
        shape: dict[str, str] = {}
        for member in _of_type(node, "property_signature"):
            key = _child(member, "name")
            annotation = _child(member, "type")
            if key is None or annotation is None or not annotation.named_children:
                continue
            inner = annotation.named_children[0]
            if inner.type in (
                "type_identifier",
                "nested_type_identifier",
                "generic_type",
            ):
                name = self._type_name(annotation)
                if name is not None:
                    shape[self._key_name(key)] = name
        return shape

    def _type_declaration(self, node: Node) -> list[Statement]:
        """``interface Name {…}`` and ``type Name = {…}``: no code, but what their properties are of."""
        name = _child(node, "name")
        body = _child(node, "body", "value")
        if name is not None and body is not None and body.type in ("object_type", "interface_body"):
            self.module.shapes[self.text(name)] = self._shape(body)
        return []

    def _property_assignments(self, function: syntax.Function) -> list[Statement]:
        """``this.name = name`` for each parameter that is a property."""
        statements: list[Statement] = []
        for parameter in function.parameters:
            if parameter.property_name and isinstance(parameter.target, syntax.Name):
                line = function.line
                target = syntax.Member(line, syntax.This(line), parameter.property_name)
                value = syntax.Name(line, parameter.target.name)
                statements.append(syntax.Evaluate(line, syntax.Assign(line, target, value)))
        return statements

    def _class(self, node: Node, name: str | None = None) -> syntax.ClassExpression:
        own_name = _child(node, "name")
        if own_name is not None:
            name = self.text(own_name)
        definition = syntax.ClassDefinition(name or "(anonymous)", _line(node), [], [])
        self.module.classes.append(definition)
        for heritage in _of_type(node, "class_heritage"):
            self._heritage(heritage, definition)
        self._class_decorators(node, definition)
        body = _child(node, "body")
        is_decorated = False
        for member in body.named_children if body is not None else []:
            if member.type == "decorator":
                is_decorated = True
                continue
            built = self._class_member(member, definition)
            if built is not None:
                built.is_decorated = is_decorated and built.kind == "method"
                definition.members.append(built)
            is_decorated = False
        return syntax.ClassExpression(_line(node), definition)

    def _class_decorators(self, node: Node, definition: syntax.ClassDefinition) -> None:
        """The decorators of a class, which stand before its export or before itself."""
        holders = [node]
        if node.parent is not None and node.parent.type == "export_statement":
            holders.append(node.parent)
        for holder in holders:
            for decorator in _of_type(holder, "decorator"):
                expression = self._first_expression(decorator)
                if expression is not None:
                    definition.decorators.append(expression)

    def _heritage(self, heritage: Node, definition: syntax.ClassDefinition) -> None:
        for child in heritage.named_children:
            if child.type == "implements_clause":
                for interface in child.named_children:
                    name = _child(interface, "name") or interface
                    definition.interfaces.append(self.text(name).rsplit(".", 1)[-1])
            elif child.type == "extends_clause":
                value = _child(child, "value")
                if value is not None:
                    definition.bases.append(self.expression(value))
            else:
                definition.bases.append(self.expression(child))

    def _class_member(self, node: Node, definition: syntax.ClassDefinition) -> syntax.ClassMember | None:
        name = _child(node, "name", "property")
        is_static = _has_token(node, "static")
        if node.type == "class_static_block":
            body = _child(node, "body")
            function = self._wrapped(node, "(static)", lambda: self._function_body(body))
            return syntax.ClassMember("(static)", function, "field", is_static=True)
        if name is None:
            return None
        key = self._key_name(name)
        if node.type == "method_definition":
            function = self._function(node).function
            function.name = f"{definition.name}.{key}"
            if _has_token(node, "set"):
                return syntax.ClassMember(f"set {key}", function, "method", is_static)
            kind = "getter" if _has_token(node, "get") else "method"
            return syntax.ClassMember(key, function, kind, is_static)  # type: ignore[arg-type]
        if node.type in ("public_field_definition", "field_definition"):
            return self._field_member(node, definition, key, is_static)
        return None

    def _field_member(
        self,
        node: Node,
        definition: syntax.ClassDefinition,
        key: str,
        is_static: bool,
    ) -> syntax.ClassMember | None:
        """A field; one without a value counts if it has a decorator, for then a container puts something in."""
        value = _child(node, "value")
        type_name = self._type_name(_child(node, "type"))
        is_injected = type_name is not None and next(_of_type(node, "decorator"), None) is not None
        if value is None and not is_injected:
            return None

        def body() -> list[Statement]:
            if value is None:
                return [
                    syntax.Return(
                        _line(node),
                        syntax.Injected(_line(node), type_name or ""),
                    )
                ]
            return [
                syntax.Return(
                    _line(node),
                    self.expression(value, f"{definition.name}.{key}"),
                )
            ]

        function = self._wrapped(node, f"{definition.name}.{key}", body)
        return syntax.ClassMember(key, function, "field", is_static)

    def _wrapped(self, node: Node, name: str, body: Callable[[], list[Statement]]) -> syntax.Function:
        """Statements as a function without parameters."""
        function = syntax.Function(name, _line(node), [], [], self.module)
        self.scope = Scope(function, self.scope)
        try:
            function.body = body()
        finally:
            self.scope = self.scope.around()
        return function

    def _key_name(self, node: Node) -> str:
        """The name of a property or method; computed ones by their text."""
        if node.type == "string":
            return self._string(node)
        return self.text(node)

    # Expressions

    def _field(self, node: Node, name: str) -> Expression:
        child = _child(node, name)
        if child is None:
            return syntax.Other(_line(node), [])
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
                return syntax.Other(_line(node), [])
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
            method = EXPRESSIONS.get(node.type, _Builder._other)
            return method(self, node)
        finally:
            self.nesting -= 1

    def _other(self, node: Node) -> Expression:
        children = [self.expression(child) for child in node.named_children if child.type in ALL_EXPRESSIONS]
        return syntax.Other(_line(node), children)

    def _identifier(self, node: Node) -> Expression:
        name = self.text(node)
        if name == "undefined":
            return syntax.Literal(_line(node), syntax.UNDEFINED)
        return syntax.Name(_line(node), self.scope.variable(name))

    def _this(self, node: Node) -> Expression:
        return syntax.This(_line(node))

    def _super(self, node: Node) -> Expression:
        return syntax.Super(_line(node))

    def _string_literal(self, node: Node) -> Expression:
        return syntax.Literal(_line(node), self._string(node))

    def _number(self, node: Node) -> Expression:
        return syntax.Literal(_line(node), self.text(node))

    def _true(self, node: Node) -> Expression:
        return syntax.Literal(_line(node), True)

    def _false(self, node: Node) -> Expression:
        return syntax.Literal(_line(node), False)

    def _null(self, node: Node) -> Expression:
        return syntax.Literal(_line(node), None)

    def _template(self, node: Node) -> Expression:
        parts: list[Expression] = []
        for child in node.named_children:
            if child.type == "template_substitution":
                inner = self._first_expression(child)
                if inner is not None:
                    parts.append(inner)
            elif child.type in ("string_fragment", "escape_sequence"):
                parts.append(syntax.Literal(_line(child), _unescaped(self.text(child))))
        if not parts:
            return syntax.Literal(_line(node), "")
        return syntax.Concat(_line(node), parts)

    def _member(self, node: Node) -> Expression:
        owner = self._field(node, "object")
        name = _child(node, "property")
        return syntax.Member(_line(node), owner, self.text(name) if name is not None else "")

    def _subscript(self, node: Node) -> Expression:
        return _indexed(_line(node), self._field(node, "object"), self._field(node, "index"))

    def _call(self, node: Node) -> Expression:
        function = _child(node, "function")
        arguments = _child(node, "arguments")
        values: list[Expression] = []
        if arguments is not None and arguments.type == "template_string":
            values = [self.expression(arguments)]
        elif arguments is not None:
            values = self._items(arguments)
        if function is None:
            return syntax.Other(_line(node), values)
        is_import = function.type == "import"
        if self.text(function) == "require" and self.scope.variable("require") == "require":
            is_import = True
        if is_import and values and isinstance(values[0], syntax.Literal) and isinstance(values[0].value, str):
            return syntax.Require(_line(node), values[0].value)
        callee = syntax.Name(_line(node), "import") if function.type == "import" else self.expression(function)
        call = syntax.Call(_line(node), callee, values)
        call.type_argument = self._type_name(_child(node, "type_arguments"))
        return call

    def _new(self, node: Node) -> Expression:
        arguments = _child(node, "arguments")
        values = self._items(arguments) if arguments is not None else []
        return syntax.Call(_line(node), self._field(node, "constructor"), values, is_new=True)

    def _items(self, node: Node) -> list[Expression]:
        items: list[Expression] = []
        for child in node.named_children:
            if child.type != "comment":
                items.append(self.expression(child))
        return items

    def _spread(self, node: Node) -> Expression:
        value = self._first_expression(node) or syntax.Other(_line(node), [])
        return syntax.Spread(_line(node), value)

    def _array(self, node: Node) -> Expression:
        return syntax.ListLiteral(_line(node), self._items(node))

    def _object(self, node: Node) -> Expression:
        entries: list[tuple[Expression | None, Expression]] = []
        for child in node.named_children:
            if child.type == "pair":
                key, value = _child(child, "key"), _child(child, "value")
                if key is not None and value is not None:
                    built = self._property_key(key)
                    named = built.value if isinstance(built, syntax.Literal) else None
                    entries.append((built, self.expression(value, str(named))))
            elif child.type == "shorthand_property_identifier":
                key_literal = syntax.Literal(_line(child), self.text(child))
                entries.append((key_literal, self._identifier(child)))
            elif child.type == "spread_element":
                spread = self._first_expression(child)
                if spread is not None:
                    entries.append((None, spread))
            elif child.type == "method_definition":
                entries.append(self._object_method(child))
        return syntax.ObjectLiteral(_line(node), entries)

    def _object_method(self, node: Node) -> tuple[Expression, Expression]:
        name = _child(node, "name")
        key = self._property_key(name) if name is not None else syntax.Literal(_line(node), "")
        function = self._function(node)
        if _has_token(node, "get"):
            return key, syntax.Call(_line(node), function, [])
        return key, function

    def _property_key(self, node: Node) -> Expression:
        if node.type == "computed_property_name":
            return self._first_expression(node) or syntax.Other(_line(node), [])
        return syntax.Literal(_line(node), self._key_name(node))

    def _ternary(self, node: Node) -> Expression:
        return syntax.Choice(
            _line(node),
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
            right = _child(current, "right")
            if right is not None:
                operands.append(right)
            current = _child(current, "left")
        if current is not None:
            operands.append(current)
        values = [self.expression(operand) for operand in reversed(operands)]
        return self._combined(_line(node), operator, values)

    def _operator(self, node: Node) -> str:
        operator = _child(node, "operator")
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
            return syntax.Literal(_line(node), f"-{operand.value}")
        if operator == "!":
            return syntax.Not(_line(node), operand)
        return syntax.Other(_line(node), [operand])

    def _assignment(self, node: Node) -> Expression:
        left = _child(node, "left")
        right = _child(node, "right")
        if left is None or right is None:
            return syntax.Other(_line(node), [])
        named = left if left.type == "identifier" else _child(left, "property")
        value = self.expression(right, self.text(named) if named is not None else None)
        return syntax.Assign(_line(node), self.target(left), value)

    def _augmented(self, node: Node) -> Expression:
        left = _child(node, "left")
        if left is None:
            return syntax.Other(_line(node), [])
        operator = self._operator(node)
        line = _line(node)
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
            result = syntax.Both(_line(node), result, item)
        return result

    def _yield(self, node: Node) -> Expression:
        value = self._first_expression(node) or syntax.Literal(_line(node), syntax.UNDEFINED)
        return syntax.Yield(_line(node), value, whole=_has_token(node, "*"))

    # Targets

    def target(self, node: Node) -> Target:
        """What is assigned to."""
        while node.type in WRAPPERS:
            node = node.named_children[0]
        if node.type in ("identifier", "shorthand_property_identifier_pattern"):
            return syntax.Name(_line(node), self.scope.variable(self.text(node), assigned=True))
        if node.type == "member_expression" or node.type == "subscript_expression":
            target = self.expression(node)
            if isinstance(target, syntax.Member | syntax.Index):
                return target
        if node.type in ("object_pattern", "object"):
            return self._object_pattern(node)
        if node.type in ("array_pattern", "array"):
            return self._list_pattern(node)
        if node.type == "assignment_pattern":
            inner = _child(node, "left")
            if inner is not None:
                return self.target(inner)
        return syntax.ListPattern(_line(node), [])

    def _object_pattern(self, node: Node) -> syntax.ObjectPattern:
        pattern = syntax.ObjectPattern(_line(node), [])
        for child in node.named_children:
            if child.type in (
                "shorthand_property_identifier_pattern",
                "shorthand_property_identifier",
            ):
                key: Expression = syntax.Literal(_line(child), self.text(child))
                name = syntax.Name(
                    _line(child),
                    self.scope.variable(self.text(child), assigned=True),
                )
                pattern.entries.append((key, name, None))
            elif child.type == "object_assignment_pattern":
                left = _child(child, "left")
                if left is not None:
                    key = syntax.Literal(_line(child), self.text(left))
                    pattern.entries.append((key, self.target(left), self._field(child, "right")))
            elif child.type in ("pair_pattern", "pair"):
                key_node, value = _child(child, "key"), _child(child, "value")
                if key_node is not None and value is not None:
                    default = self._field(value, "right") if value.type == "assignment_pattern" else None
                    pattern.entries.append(
                        (
                            self._property_key(key_node),
                            self.target(value),
                            default,
                        )
                    )
            elif child.type in ("rest_pattern", "spread_element"):
                pattern.rest = self.target(child.named_children[0])
        return pattern

    def _list_pattern(self, node: Node) -> syntax.ListPattern:
        pattern = syntax.ListPattern(_line(node), [])
        gap = True  # a comma right after another one, or after the bracket, leaves a position out
        for child in node.children[1:-1]:
            if child.type == ",":
                if gap:
                    pattern.items.append((None, None))
                gap = True
            elif child.type in ("rest_pattern", "spread_element"):
                pattern.rest = self.target(child.named_children[0])
                gap = False
            elif child.is_named and child.type != "comment":
                default = self._field(child, "right") if child.type == "assignment_pattern" else None
                pattern.items.append((self.target(child), default))
                gap = False
        return pattern


def _indexed(line: int, owner: Expression, key: Expression) -> Expression:
    """``owner[key]``, which is a member where the key is written out."""
    if isinstance(key, syntax.Literal) and isinstance(key.value, str):
        return syntax.Member(line, owner, key.value)
    return syntax.Index(line, owner, key)


STATEMENTS: dict[str, Callable[[_Builder, Node], list[Statement]]] = {
    "abstract_class_declaration": _Builder._class_declaration,
    "break_statement": _Builder._break,
    "class_declaration": _Builder._class_declaration,
    "continue_statement": _Builder._break,
    "do_statement": _Builder._while,
    "enum_declaration": _Builder._enum,
    "export_statement": _Builder._export,
    "expression_statement": _Builder._expression_statement,
    "for_in_statement": _Builder._for_in,
    "for_statement": _Builder._for,
    "function_declaration": _Builder._function_declaration,
    "generator_function_declaration": _Builder._function_declaration,
    "if_statement": _Builder._if,
    "import_statement": _Builder._import,
    "interface_declaration": _Builder._type_declaration,
    "internal_module": _Builder._namespace,
    "labeled_statement": _Builder._labeled,
    "lexical_declaration": _Builder._variables,
    "module": _Builder._namespace,
    "return_statement": _Builder._return,
    "statement_block": _Builder.block,
    "switch_statement": _Builder._switch,
    "throw_statement": _Builder._throw,
    "try_statement": _Builder._try,
    "type_alias_declaration": _Builder._type_declaration,
    "variable_declaration": _Builder._variables,
    "while_statement": _Builder._while,
}
EXPRESSIONS: dict[str, Callable[[_Builder, Node], Expression]] = {
    "array": _Builder._array,
    "assignment_expression": _Builder._assignment,
    "augmented_assignment_expression": _Builder._augmented,
    "binary_expression": _Builder._binary,
    "call_expression": _Builder._call,
    "false": _Builder._false,
    "identifier": _Builder._identifier,
    "member_expression": _Builder._member,
    "new_expression": _Builder._new,
    "null": _Builder._null,
    "number": _Builder._number,
    "object": _Builder._object,
    "sequence_expression": _Builder._sequence,
    "spread_element": _Builder._spread,
    "string": _Builder._string_literal,
    "subscript_expression": _Builder._subscript,
    "super": _Builder._super,
    "template_string": _Builder._template,
    "ternary_expression": _Builder._ternary,
    "this": _Builder._this,
    "true": _Builder._true,
    "unary_expression": _Builder._unary,
    "undefined": _Builder._identifier,
    "yield_expression": _Builder._yield,
}
# What may be inside of an expression that has no meaning here.
ALL_EXPRESSIONS = {
    *EXPRESSIONS,
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
