"""The syntax of the Serverless Framework's variables: where one begins and ends, and its alternatives.

``users-${opt:stage, 'dev'}`` has two segments: the text ``users-`` and the variable ``${opt:stage, 'dev'}``,
whose alternatives are ``opt:stage`` and ``'dev'``.
Source: Serverless Framework documentation, "Variables".
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

QUOTES = ("'", '"')
BRACE = re.compile(r"\$\{|\{|\}")
# What a reference begins with: `opt:`, `file(…)`, `cf(eu-west-1):`. CloudFormation's `${AWS::Region}` does not.
REFERENCE = re.compile(
    r"\s*(?:[A-Za-z][\w-]*(?:\(.*?\)(?::|\s*$|\s*,)|(?:\.[\w-]+)?:(?!:)))", re.DOTALL
)
# `cf:stack.Output`, with a region in brackets or, in v1, behind a dot; in v4 also `aws:cf:stack.Output`.
STACK_OUTPUT = re.compile(
    r"(?:aws:)?cf(?:\([^)]*\)|\.[\w-]+)?:(?P<stack>.+)\.(?P<output>[^.]+)", re.DOTALL
)


class Segment(NamedTuple):
    """A part of a text: ``text[start:end]``, which is ``${…}`` or the text between variables."""

    start: int
    end: int
    is_variable: bool


def segments(text: str) -> Iterator[Segment]:
    """The text cut at the beginning and end of each ``${…}``."""
    position = 0
    start = text.find("${")
    while start >= 0:
        end = closing_brace(text, start)
        if end is None:
            break
        yield Segment(position, start, is_variable=False)
        yield Segment(start, end, is_variable=True)
        position = end
        start = text.find("${", position)
    yield Segment(position, len(text), is_variable=False)


def closing_brace(text: str, start: int) -> int | None:
    """The index after the brace that closes the ``${`` at ``start``; None if it isn't closed."""
    depth = 0
    for brace in BRACE.finditer(text, start):
        if brace[0] == "}":
            depth -= 1
        else:
            depth += 1
        if depth == 0:
            return brace.end()
    return None


def is_variable(text: str) -> bool:
    """Whether the whole text is one ``${…}``."""
    return text.startswith("${") and closing_brace(text, 0) == len(text)


def expression_of(variable: str) -> str:
    """The text between the braces of ``${…}``, or of ``${{…}}``: v1 projects may set that as their syntax."""
    expression = variable[2:-1]
    if expression[:1] == "{" and expression[-1:] == "}":
        return expression[1:-1]
    return expression


def is_reference(expression: str) -> bool:
    """Whether an expression is the framework's, and not CloudFormation's or IAM's."""
    return REFERENCE.match(alternatives(expression)[0]) is not None


def alternatives(expression: str) -> list[str]:
    """The parts of ``opt:stage, self:provider.stage, 'dev'``: split at commas outside quotes and brackets."""
    parts = []
    depth = 0
    quote = ""
    start = 0
    for position, character in enumerate(expression):
        if quote:
            if character == quote:
                quote = ""
        elif character in QUOTES:
            quote = character
        elif character in "({":
            depth += 1
        elif character in ")}":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(expression[start:position].strip())
            start = position + 1
    parts.append(expression[start:].strip())
    return parts


def is_quoted(alternative: str) -> bool:
    """Whether an alternative is a text in quotes, ``'dev'``."""
    first, last = alternative[:1], alternative[-1:]
    return first == last and first in QUOTES
