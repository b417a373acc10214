"""Classes, their members and decorators."""

from tree_sitter import Node

from ownership.drift.code import syntax
from ownership.drift.code.javascript.functions import JavaScriptFunctions
from ownership.drift.code.javascript.nodes import (
    child_of,
    children_of_type,
    first_of_type,
    has_token,
    line_of,
    required,
)
from ownership.drift.code.syntax import Statement


class JavaScriptClasses(JavaScriptFunctions):
    """Builds classes."""

    def _class(self, node: Node, name: str | None = None) -> syntax.ClassExpression:
        own_name = child_of(node, "name")
        if own_name is not None:
            name = self.text(own_name)
        definition = syntax.ClassDefinition(name or "(anonymous)", line_of(node), [], [])
        self.module.classes.append(definition)
        for heritage in children_of_type(node, "class_heritage"):
            self._heritage(heritage, definition)
        self._class_decorators(node, definition)
        self._members(required(node, "body"), definition)
        return syntax.ClassExpression(line_of(node), definition)

    def _members(self, body: Node, definition: syntax.ClassDefinition) -> None:
        """Build the members of a class. Decorators stand before what they decorate."""
        is_decorated = False
        for node in body.named_children:
            if node.type == "decorator":
                is_decorated = True
                continue
            member = self._class_member(node, definition)
            if member is not None:
                member.is_decorated = is_decorated and member.kind == "method"
                definition.members.append(member)
            is_decorated = False

    def _class_decorators(self, node: Node, definition: syntax.ClassDefinition) -> None:
        """The decorators of a class, which stand before its export or before itself."""
        holders = [node]
        if node.parent is not None and node.parent.type == "export_statement":
            holders.append(node.parent)
        for holder in holders:
            for decorator in children_of_type(holder, "decorator"):
                expression = self._first_expression(decorator)
                if expression is not None:
                    definition.decorators.append(expression)

    def _heritage(self, heritage: Node, definition: syntax.ClassDefinition) -> None:
        for child in heritage.named_children:
            if child.type == "implements_clause":
                definition.interfaces += self._interfaces(child)
            elif child.type == "extends_clause":
                definition.bases.append(self._field(child, "value"))
            else:
                definition.bases.append(self.expression(child))

    def _interfaces(self, clause: Node) -> list[str]:
        names: list[str] = []
        for interface in clause.named_children:
            name = child_of(interface, "name") or interface
            names.append(self.text(name).rsplit(".", 1)[-1])
        return names

    def _class_member(
        self, node: Node, definition: syntax.ClassDefinition
    ) -> syntax.ClassMember | None:
        if node.type == "class_static_block":
            body = required(node, "body")
            function = self._wrapped(node, "(static)", lambda: self._function_body(body))
            return syntax.ClassMember("(static)", function, "field", is_static=True)
        name = child_of(node, "name", "property")
        if name is None:
            return None
        key = self._key_name(name)
        if node.type == "method_definition":
            return self._method_member(node, definition, key)
        if node.type in ("public_field_definition", "field_definition"):
            return self._field_member(node, definition, key)
        return None

    def _method_member(
        self, node: Node, definition: syntax.ClassDefinition, key: str
    ) -> syntax.ClassMember:
        function = self._function(node).function
        function.name = f"{definition.name}.{key}"
        is_static = has_token(node, "static")
        if has_token(node, "set"):
            return syntax.ClassMember(f"set {key}", function, "method", is_static)
        if has_token(node, "get"):
            return syntax.ClassMember(key, function, "getter", is_static)
        return syntax.ClassMember(key, function, "method", is_static)

    def _field_member(
        self,
        node: Node,
        definition: syntax.ClassDefinition,
        key: str,
    ) -> syntax.ClassMember | None:
        """A field; one without a value counts if it has a decorator, for then a container puts something in."""
        line, name = line_of(node), f"{definition.name}.{key}"
        value = child_of(node, "value")
        type_name = self._type_name(child_of(node, "type"))
        is_injected = type_name is not None and first_of_type(node, "decorator") is not None
        if value is None and not is_injected:
            return None

        def body() -> list[Statement]:
            if value is None:
                return [syntax.Return(line, syntax.Injected(line, type_name or ""))]
            return [syntax.Return(line, self.expression(value, name))]

        function = self._wrapped(node, name, body)
        return syntax.ClassMember(key, function, "field", has_token(node, "static"))
