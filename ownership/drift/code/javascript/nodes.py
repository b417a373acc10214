"""The nodes of tree-sitter's trees, and texts with escapes."""

import re
import sys
from collections.abc import Iterator

from tree_sitter import Node

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


def line_of(node: Node) -> int:
    """The line where a node begins."""
    return int(node.start_point[0]) + 1


def child_of(node: Node, *fields: str) -> Node | None:
    """The child in the first of these fields that the node has."""
    for name in fields:
        child = node.child_by_field_name(name)
        if child is not None:
            return child
    return None


def inner_nodes(node: Node | None) -> list[Node]:
    """What is inside a node, without comments; nothing for no node."""
    if node is None:
        return []
    return [child for child in node.named_children if child.type != "comment"]


def children_of_type(node: Node, *types: str) -> Iterator[Node]:
    """The children of these types, in order."""
    for child in node.named_children:
        if child.type in types:
            yield child


def first_of_type(node: Node, *types: str) -> Node | None:
    """The first child of one of these types; None if there is none."""
    return next(children_of_type(node, *types), None)


def has_token(node: Node, token: str) -> bool:
    """Whether one of the node's own words is ``token``, such as ``static``."""
    return any(child.type == token for child in node.children)


def unescaped(text: str) -> str:
    """The text that a literal with escapes stands for."""
    if "\\" not in text:
        return text
    return ESCAPE.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    """What one escape stands for: a character by its code, nothing for a line end, or a character itself."""
    code = match[1] or match[2] or match[3]
    if code:
        number = int(code, 16)
        return chr(number) if number <= sys.maxunicode else "\ufffd"
    if match[4]:
        return ""
    return ESCAPES.get(match[5], match[5])
