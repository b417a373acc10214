"""CloudFormation templates that are written in Jinja2, as far as their literals go. Nothing is run.

::

    {% for name in ["users", "orders"] %}
    {{ name }}Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: "{{ prefix }}-{{ name }}"}}
    {% endfor %}

becomes both tables, whose names begin with ``${opt:prefix}``: what a template is given when it is rendered is a
variable here, like those of the Serverless Framework, and ``--var opt:prefix=…`` gives it a value.
Source: Jinja documentation, "Template Designer Documentation".
"""

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from ownership.drift.readers.files import Files
from ownership.drift.readers.yaml_values import parse
from ownership.drift.types import Location, ReadError
from ownership.drift.values import Value

SUFFIXES = (".j2", ".jinja", ".jinja2")
# CloudFormation has dynamic references of its own: `{{resolve:ssm:/name}}`.
EXPRESSION = re.compile(r"(?<!\$)\{\{(?!resolve:)[-+]?\s*(.*?)\s*[-+]?\}\}", re.DOTALL)
TOKEN = re.compile(
    r"\{#.*?#\}|\{%[-+]?\s*(?P<tag>.*?)\s*[-+]?%\}|(?<!\$)\{\{(?!resolve:)[-+]?\s*(?P<expression>.*?)\s*[-+]?\}\}",
    re.DOTALL,
)
NAME = re.compile(r"[A-Za-z_][\w.]*$")
INDEXED = re.compile(r"""\[\s*['"](\w+)['"]\s*\]""")
MAX_SIZE = 2_000_000  # characters of a rendered template
MAX_NESTING = 20
MAX_TURNS = 1000  # of all loops

Literal: TypeAlias = "str | list[Literal] | dict[str, Literal] | None"
Scope: TypeAlias = dict[str, Literal]


def is_templated(text: str, name: str) -> bool:
    """Whether a template is written in Jinja2."""
    return name.endswith(SUFFIXES) or "{%" in text or EXPRESSION.search(text) is not None


def load(text: str, name: str, path: Path, files: Files) -> Value:
    """The values of a template, rendered if it is written in Jinja2. Raises ReadError."""
    yaml_name = name
    for suffix in SUFFIXES:
        yaml_name = yaml_name.removesuffix(suffix)
    if not is_templated(text, name):
        return parse(text, name)
    rendered = _Renderer(path, files).render(text)
    value = parse(rendered, name if not yaml_name.endswith(".json") else yaml_name)
    return value


@dataclass
class _Block:
    """A tag with what is inside it: ``parts`` has a list of nodes for each branch of an ``if``."""

    tag: str
    parts: list[tuple[str, "list[_Block | str]"]] = field(default_factory=list)


class _Renderer:
    """Renders one template."""

    def __init__(self, path: Path, files: Files) -> None:
        self.path = path
        self.files = files
        self.turns = 0
        self.size = 0

    def render(self, text: str) -> str:
        return self._rendered(_parsed(text), {}, 0)

    def _rendered(self, nodes: "list[_Block | str]", scope: Scope, nesting: int) -> str:
        pieces: list[str] = []
        for node in nodes:
            if isinstance(node, str):
                piece = node
            else:
                piece = self._block(node, scope, nesting)
            self.size += len(piece)
            if self.size > MAX_SIZE or nesting > MAX_NESTING:
                location = Location(self.files.display_name(self.path))
                raise ReadError(
                    location,
                    "is too large, or nested too deeply, once it is rendered",
                )
            pieces.append(piece)
        return "".join(pieces)

    def _block(self, block: _Block, scope: Scope, nesting: int) -> str:
        keyword, _, rest = block.tag.partition(" ")
        if keyword == "{{":
            return _as_text(rest, scope)
        if keyword == "for":
            return self._loop(block, rest, scope, nesting)
        if keyword == "if":
            return self._choice(block, scope, nesting)
        if keyword == "set":
            name, _, expression = rest.partition("=")
            scope[name.strip()] = _value(expression.strip(), scope)
            return ""
        if keyword == "include":
            return self._included(rest, scope, nesting)
        if keyword in ("macro", "call"):
            return ""
        inner = block.parts[0][1] if block.parts else []
        return self._rendered(inner, scope, nesting + 1)

    def _loop(self, block: _Block, rest: str, scope: Scope, nesting: int) -> str:
        names, _, expression = rest.partition(" in ")
        targets = [name.strip() for name in names.split(",")]
        items = _items(_value(expression.strip(), scope), len(targets))
        body = block.parts[0][1]
        if items is None:
            # The items are given from outside: one turn, with the loop's variables unknown.
            return self._rendered(body, scope | dict.fromkeys(targets), nesting + 1)
        pieces: list[str] = []
        for item in items:
            self.turns += 1
            if self.turns > MAX_TURNS:
                break
            pieces.append(
                self._rendered(
                    body,
                    scope | dict(zip(targets, item, strict=False)),
                    nesting + 1,
                )
            )
        return "".join(pieces)

    def _choice(self, block: _Block, scope: Scope, nesting: int) -> str:
        """The branch whose condition is known to hold; else the first, or a variable within a line."""
        for condition, nodes in block.parts:
            result = _condition(condition, scope)
            if result is True:
                return self._rendered(nodes, scope, nesting + 1)
            if result is None:
                within_line = len(block.parts) > 1 and not any("\n" in node for node in nodes if isinstance(node, str))
                if within_line:
                    return "${opt:" + re.sub(r"\W+", "_", condition) + "}"
                return self._rendered(nodes, scope, nesting + 1)
        return ""

    def _included(self, rest: str, scope: Scope, nesting: int) -> str:
        name = _value(rest.split(" ")[0], scope)
        if not isinstance(name, str):
            return ""
        try:
            path = self.files.find(self.path.parent, name) or self.files.find(self.files.root, name)
        except ValueError:
            return ""
        if path is None:
            return ""
        return self._rendered(_parsed(self.files.read_text(path)), scope, nesting + 1)


def _parsed(text: str) -> "list[_Block | str]":
    """The template as texts and blocks."""
    top: list[_Block | str] = []
    nodes = top
    waiting: list[tuple[_Block, list[_Block | str]]] = []
    position = 0
    for match in TOKEN.finditer(text):
        nodes.append(text[position : match.start()])
        position = match.end()
        expression, tag = match["expression"], match["tag"]
        if expression is not None:
            nodes.append(_Block("{{ " + expression))
            continue
        if tag is None:
            continue
        keyword = tag.split(" ")[0].split("(")[0]
        if keyword in ("for", "if", "block", "macro", "call", "filter", "raw", "with") and len(waiting) < MAX_NESTING:
            block = _Block(tag, [(tag.partition(" ")[2], [])])
            nodes.append(block)
            waiting.append((block, nodes))
            nodes = block.parts[-1][1]
        elif keyword in ("elif", "else") and waiting:
            block = waiting[-1][0]
            block.parts.append((tag.partition(" ")[2] or "true", []))
            nodes = block.parts[-1][1]
        elif keyword.startswith("end") and waiting:
            _, nodes = waiting.pop()
        elif keyword in ("set", "include"):
            nodes.append(_Block(tag))
    nodes.append(text[position:])
    return top


def _as_text(expression: str, scope: Scope) -> str:
    """What an expression is rendered to: its value, or a variable that is given from outside."""
    value = _value(expression, scope)
    if isinstance(value, str):
        return value
    name, *filters = (part.strip() for part in expression.split("|"))
    default = ""
    for applied in filters:
        if applied.startswith("default(") and applied.endswith(")"):
            literal = _literal(applied[len("default(") : -1].split(",")[0])
            default = f", '{literal}'" if isinstance(literal, str) else ""
    name = re.sub(r"[^\w.]+", "_", INDEXED.sub(r".\1", name)).strip("_") or "expression"
    return "${opt:" + name + default + "}"


def _value(expression: str, scope: Scope) -> Literal:
    """The value of an expression that is made of literals; None for any other."""
    expression, *filters = (part.strip() for part in expression.split("|"))
    value = _sum(expression, scope)
    for applied in filters:
        name = applied.partition("(")[0]
        if isinstance(value, str) and name in (
            "lower",
            "upper",
            "title",
            "capitalize",
            "trim",
        ):
            value = getattr(value, "strip" if name == "trim" else name)()
        elif name not in ("default", "string", "list", "sort", "d"):
            return None
    return value


def _sum(expression: str, scope: Scope) -> Literal:
    """``a ~ b`` and ``a + b``."""
    pieces = re.split(r"\s*[~+]\s*(?=(?:[^'\"]*['\"][^'\"]*['\"])*[^'\"]*$)", expression)
    if len(pieces) == 1:
        return _operand(expression, scope)
    text = ""
    for piece in pieces:
        value = _operand(piece, scope)
        if not isinstance(value, str):
            return None
        text += value
    return text


def _operand(expression: str, scope: Scope) -> Literal:
    literal = _literal(expression)
    if literal is not None:
        return literal
    expression = INDEXED.sub(r".\1", expression)
    if expression.endswith(".items()"):
        return _operand(expression.removesuffix(".items()"), scope)
    if not NAME.match(expression):
        return None
    first, *rest = expression.split(".")
    value = scope.get(first)
    for name in rest:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _literal(text: str) -> Literal:
    """A literal of Jinja, which is one of Python."""
    if len(text) > 10_000 or not text.strip():
        return None
    try:
        return _plain(ast.literal_eval(text.strip()))
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def _plain(value: object) -> Literal:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(inner) for inner in value]
    return str(value)


def _items(value: Literal, targets: int) -> list[list[Literal]] | None:
    """The items that a loop goes through, each with a value for each of its variables."""
    if isinstance(value, dict):
        if targets == 1:
            return [[key] for key in value]
        return [[key, inner] for key, inner in value.items()]
    if isinstance(value, list):
        if targets == 1:
            return [[item] for item in value]
        return [item if isinstance(item, list) else [item] for item in value]
    return None


def _condition(condition: str, scope: Scope) -> bool | None:
    """Whether a condition holds; None if that depends on what is given from outside."""
    if condition in ("true", "True"):
        return True
    left, operator, right = condition.partition("==")
    if not operator:
        left, operator, right = condition.partition("!=")
    if operator:
        first, second = (
            _value(left.strip(), scope),
            _value(right.strip(), scope),
        )
        if first is None or second is None:
            return None
        return (first == second) is (operator == "==")
    return None
