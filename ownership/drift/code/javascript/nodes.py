"""The nodes of tree-sitter's trees, and texts with escapes."""

import re
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
    return int(node.start_point[0]) + 1


def child_of(node: Node, *fields: str) -> Node | None:
    """The child in the first of these fields that the node has."""
    for name in fields:
        child = node.child_by_field_name(name)
        if child is not None:
            return child
    return None


def children_of_type(node: Node, *types: str) -> Iterator[Node]:
    for child in node.named_children:
        if child.type in types:
            yield child


def has_token(node: Node, token: str) -> bool:
    """Whether one of the node's own words is ``token``, such as ``static``."""
    return any(child.type == token for child in node.children)


def unescaped(text: str) -> str:
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
