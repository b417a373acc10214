"""The nodes of tree-sitter's trees, and texts with escapes."""

import re
from collections.abc import Iterator
from typing import cast

from tree_sitter import Node

# A code point in two to six hexadecimal digits, or any other character.
ESCAPE = re.compile(
    r"\\(?:u\{0*((?:10|[0-9a-f])?[0-9a-f]{1,4})\}|u([0-9a-f]{4})|x([0-9a-f]{2})|(\r?\n|.))",
    re.DOTALL | re.IGNORECASE,
)
ESCAPES = {
    "\n": "",
    "\r\n": "",
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


def required(node: Node, field: str) -> Node:
    """The child in a field that the grammar does not leave out, also where the code is broken."""
    return cast(Node, node.child_by_field_name(field))


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
    return ESCAPE.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    """What one escape stands for: a character by its code, nothing for a line end, or a character itself."""
    [text] = filter(None, match.groups())
    if match.lastindex == len(match.groups()):
        return ESCAPES.get(text, text)
    return chr(int(text, 16))
