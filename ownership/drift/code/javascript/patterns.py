"""What is assigned to: ``const { a, b: [c = 1], ...rest } = value``."""

from collections.abc import Callable

from tree_sitter import Node

from ownership.drift.code import syntax
from ownership.drift.code.javascript.builder import WRAPPERS, JavaScriptBuilder
from ownership.drift.code.javascript.nodes import line_of, required
from ownership.drift.code.syntax import Expression, Target

NAMES = ("identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern")
REST = ("rest_pattern", "spread_element")
# Parts of patterns that hold something besides what is assigned to → the field with that.
TARGET_FIELDS = {
    "assignment_pattern": "left",
    "object_assignment_pattern": "left",
    "pair_pattern": "value",
}


class Patterns(JavaScriptBuilder):
    """Builds the targets of assignments."""

    def _declare_pattern(self, node: Node, in_function: bool = False) -> None:
        """Declare all names in a pattern."""
        if node.type in NAMES:
            self.scope.declare(self.text(node), in_function)
            return
        inner = node.named_children
        if node.type in TARGET_FIELDS:
            inner = node.children_by_field_name(TARGET_FIELDS[node.type])
        for child in inner:
            self._declare_pattern(child, in_function)

    def _names_in(self, pattern: Node) -> list[str]:
        """The names in a pattern; nothing is declared by this."""
        before = set(self.scope.function.variables)
        with self.scope.block() as block:
            self._declare_pattern(pattern)
        self.scope.function.variables = before
        return list(block)

    def target(self, node: Node) -> Target:
        """What is assigned to."""
        while node.type in WRAPPERS:
            node = node.named_children[0]
        build = TARGET_BUILDERS.get(node.type)
        if build is None:
            return syntax.ListPattern(line_of(node), [])
        return build(self, node)

    def _name_target(self, node: Node) -> Target:
        return syntax.Name(line_of(node), self.scope.variable(self.text(node), assigned=True))

    def _member_target(self, node: Node) -> Target:
        target = self.expression(node)
        if isinstance(target, syntax.Member | syntax.Subscript):
            return target
        return syntax.ListPattern(line_of(node), [])

    def _target_with_default(self, node: Node) -> Target:
        return self.target(required(node, "left"))

    def _default(self, node: Node) -> Expression | None:
        """The default of a part of a pattern; None if it has none."""
        if node.type in ("assignment_pattern", "object_assignment_pattern"):
            return self._field(node, "right")
        return None

    # Objects

    def _object_pattern(self, node: Node) -> Target:
        pattern = syntax.ObjectPattern(line_of(node), [])
        for child in node.named_children:
            if child.type in REST:
                pattern.rest = self.target(child.named_children[0])
            elif child.type in ("pair_pattern", "pair"):
                self._add_pair(pattern, child)
            else:
                self._add_named(pattern, child)
        return pattern

    def _add_pair(self, pattern: syntax.ObjectPattern, node: Node) -> None:
        """``name: target = default``."""
        key, value = required(node, "key"), required(node, "value")
        default = self._default(value)
        pattern.entries.append((self._property_key(key), self.target(value), default))

    def _add_named(self, pattern: syntax.ObjectPattern, node: Node) -> None:
        """``name`` and ``name = default``."""
        name = node
        if node.type == "object_assignment_pattern":
            name = required(node, "left")
        if name.type in NAMES:
            key = syntax.Literal(line_of(node), self.text(name))
            pattern.entries.append((key, self._name_target(name), self._default(node)))

    # Lists

    def _list_pattern(self, node: Node) -> Target:
        pattern = syntax.ListPattern(line_of(node), [])
        gap = True  # a comma right after another one, or after the bracket, leaves a position out
        for child in node.children[1:-1]:
            if child.type == ",":
                if gap:
                    pattern.items.append((None, None))
                gap = True
            elif child.type in REST:
                pattern.rest = self.target(child.named_children[0])
                gap = False
            elif child.is_named and child.type != "comment":
                pattern.items.append((self.target(child), self._default(child)))
                gap = False
        return pattern


TARGET_BUILDERS: dict[str, Callable[[Patterns, Node], Target]] = {
    **dict.fromkeys(NAMES, Patterns._name_target),
    "array": Patterns._list_pattern,
    "array_pattern": Patterns._list_pattern,
    "assignment_pattern": Patterns._target_with_default,
    "member_expression": Patterns._member_target,
    "object": Patterns._object_pattern,
    "object_pattern": Patterns._object_pattern,
    "subscript_expression": Patterns._member_target,
}
