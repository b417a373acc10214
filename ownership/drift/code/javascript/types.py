"""TypeScript's types, as far as they say which class something is of."""

from tree_sitter import Node

from ownership.drift.code import syntax
from ownership.drift.code.javascript.expressions import JavaScriptExpressions
from ownership.drift.code.javascript.nodes import child_of, children_of_type, required
from ownership.drift.code.syntax import Expression, Statement


class Types(JavaScriptExpressions):
    """Reads type annotations."""

    def _type_name(self, annotation: Node | None) -> str | None:
        """The class that a type annotation names: ``Repo``, ``aws.Repo`` and ``Repo<T>`` name ``Repo``."""
        return self._name_of_type(_type_in(annotation))

    def _name_of_type(self, node: Node | None) -> str | None:
        """The class that a type names. An object's type has a shape instead, and a name that no class has."""
        if node is None:
            return None
        match node.type:
            case "generic_type":
                return self._name_of_type(child_of(node, "name"))
            case "type_identifier" | "nested_type_identifier":
                return self.text(node).rsplit(".", 1)[-1]
            case "object_type":
                name = f"{{{node.start_byte}}}"
                self.module.shapes[name] = self._shape(node)
                return name
        return None

    def _shape(self, node: Node) -> dict[str, str]:
        """The properties of an object's type whose types name classes."""
        shape: dict[str, str] = {}
        for member in children_of_type(node, "property_signature"):
            key = self._key_name(required(member, "name"))
            annotation = child_of(member, "type")
            inner = _type_in(annotation)
            is_object = inner is not None and inner.type == "object_type"
            name = None if is_object else self._type_name(annotation)
            if name is not None:
                shape[key] = name
        return shape

    def _type_declaration(self, node: Node) -> list[Statement]:
        """``interface Name {…}`` and ``type Name = {…}``: no code, but what their properties are of."""
        body = child_of(node, "body", "value")
        if body is not None and body.type in ("object_type", "interface_body"):
            self.module.shapes[self._text_in(node, "name")] = self._shape(body)
        return []

    def _typed(self, value: Expression, annotation: Node | None) -> Expression:
        """The value with the class that its type names, where it is what a call gives."""
        type_name = self._type_name(annotation)
        if type_name is None or not isinstance(value, syntax.CallExpression):
            return value
        return syntax.Typed(value.line, value, type_name)


def _type_in(annotation: Node | None) -> Node | None:
    """The type that an annotation states."""
    if annotation is None or not annotation.named_children:
        return None
    return annotation.named_children[0]
