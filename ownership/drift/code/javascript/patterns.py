"""What is assigned to: ``const { a, b: [c = 1], ...rest } = value``."""

from tree_sitter import Node

from ownership.drift.code import syntax
from ownership.drift.code.javascript.builder import WRAPPERS, JavaScriptBuilder
from ownership.drift.code.javascript.nodes import child_of, line_of
from ownership.drift.code.syntax import Expression, Target


class Patterns(JavaScriptBuilder):
    """Builds the targets of assignments."""

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
            inner = child_of(node, "value" if node.type == "pair_pattern" else "left")
            if inner is not None:
                self._declare_pattern(inner, in_function)
            return
        for child in node.named_children:
            self._declare_pattern(child, in_function)

    def _names_in(self, pattern: Node) -> list[str]:
        self.scope.blocks.append({})
        before = set(self.scope.function.variables)
        self._declare_pattern(pattern)
        names = list(self.scope.blocks.pop())
        self.scope.function.variables = before
        return names

    def target(self, node: Node) -> Target:
        """What is assigned to."""
        while node.type in WRAPPERS:
            node = node.named_children[0]
        if node.type in ("identifier", "shorthand_property_identifier_pattern"):
            return syntax.Name(line_of(node), self.scope.variable(self.text(node), assigned=True))
        if node.type == "member_expression" or node.type == "subscript_expression":
            target = self.expression(node)
            if isinstance(target, syntax.Member | syntax.Subscript):
                return target
        if node.type in ("object_pattern", "object"):
            return self._object_pattern(node)
        if node.type in ("array_pattern", "array"):
            return self._list_pattern(node)
        if node.type == "assignment_pattern":
            inner = child_of(node, "left")
            if inner is not None:
                return self.target(inner)
        return syntax.ListPattern(line_of(node), [])

    def _object_pattern(self, node: Node) -> syntax.ObjectPattern:
        pattern = syntax.ObjectPattern(line_of(node), [])
        for child in node.named_children:
            if child.type in (
                "shorthand_property_identifier_pattern",
                "shorthand_property_identifier",
            ):
                key: Expression = syntax.Literal(line_of(child), self.text(child))
                name = syntax.Name(
                    line_of(child),
                    self.scope.variable(self.text(child), assigned=True),
                )
                pattern.entries.append((key, name, None))
            elif child.type == "object_assignment_pattern":
                left = child_of(child, "left")
                if left is not None:
                    key = syntax.Literal(line_of(child), self.text(left))
                    pattern.entries.append((key, self.target(left), self._field(child, "right")))
            elif child.type in ("pair_pattern", "pair"):
                key_node, value = child_of(child, "key"), child_of(child, "value")
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
        pattern = syntax.ListPattern(line_of(node), [])
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
