"""Makes values of a file, rendered if it is written in Jinja2: variables in place of what is given from outside."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ownership.drift.readers.files import Files
from ownership.drift.readers.yaml_values import parse
from ownership.drift.types import Location, ReadError
from ownership.drift.values import Map, Seq, Text, Value

SUFFIXES = (".j2", ".jinja", ".jinja2")
# CloudFormation has dynamic references of its own: `{{resolve:ssm:/name}}`.
EXPRESSION = re.compile(r"(?<!\$)\{\{(?!resolve:)")
DYNAMIC_REFERENCE = re.compile(r"\{\{resolve:[^{}]*\}\}")
# What is given from outside stands in the rendered text as a number between two characters that no file has.
MARK_START, MARK_END = "\ue000", "\ue001"
MARK = re.compile(f"{MARK_START}(\\d+){MARK_END}")
ONLY_MARKS = re.compile(f"(?:\\s*{MARK_START}\\d+{MARK_END})+\\s*")


def is_templated(text: str, name: str) -> bool:
    """Whether a template is written in Jinja2."""
    return name.endswith(SUFFIXES) or "{%" in text or EXPRESSION.search(text) is not None


@dataclass(frozen=True)
class Content:
    """The values of a template.

    ``unread`` is what may hold anything once it is rendered, each with the reason. ``included`` are the other files
    that parts of it are in.
    """

    value: Value
    unread: list[tuple[Text, str]] = field(default_factory=list)
    included: frozenset[Path] = frozenset()


def load(
    text: str, name: str, path: Path, files: Files, given: Mapping[str, str] | None = None
) -> Content:
    """The content of a template, rendered if it is written in Jinja2. Raises ReadError.

    ``given`` are values of variables: ``{"opt:stage": "prod"}``.
    """
    if not is_templated(text, name):
        return Content(parse(text, name))
    try:
        from ownership.drift.templating.rendering import Renderer
    except ImportError as error:
        raise ReadError(
            Location(name), "is written in Jinja2: install the extra `code`, which reads it"
        ) from error
    renderer = Renderer(path, files, given or {})
    try:
        rendered = renderer.render(text)
    except ReadError:
        if name.endswith(SUFFIXES):
            raise
        return Content(parse(text, name))  # braces alone do not make it a template of Jinja
    unread = list(rendered.unread)
    lines: list[str] = []
    for line, origin in zip(rendered.text.split("\n"), rendered.lines, strict=False):
        # A line that is given as a whole is no YAML.
        if not ONLY_MARKS.fullmatch(line):
            lines.append(line)
            continue
        lines.append("")
        variable = MARK.sub(lambda mark: rendered.variables[int(mark[1])], line.strip())
        unread.append(
            (
                Text(variable, origin),
                "is given when the template is rendered, and may hold anything",
            )
        )
    try:
        value = parse("\n".join(lines), without_suffix(name))
    except ReadError as error:
        raise ReadError(_original(error.location, name, rendered.lines), error.reason) from error
    restored = _Restorer(name, rendered.lines, rendered.variables).restored(value)
    return Content(restored, unread, frozenset(renderer.included))


def without_suffix(name: str) -> str:
    """The name of a file once it is rendered: ``tables.yml`` of ``tables.yml.j2``."""
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def _original(location: Location, name: str, origins: list[Location]) -> Location:
    """A location in the rendered text as one in the files."""
    line = location.line
    if line is None:
        return Location(name)
    return origins[min(line, len(origins)) - 1]


class _Restorer:
    """Puts variables in place of marks, and lines of the files in place of those of the rendered text."""

    def __init__(self, name: str, origins: list[Location], variables: list[str]) -> None:
        self.name = name
        self.origins = origins
        self.variables = variables
        # An alias in YAML is one shared value.
        self.known: dict[int, Value] = {}

    def restored(self, value: Value) -> Value:
        if value is None:
            return None
        if isinstance(value, Text):
            return self._text(value)
        if id(value) not in self.known:
            self.known[id(value)] = self._collection(value)
        return self.known[id(value)]

    def _collection(self, value: Map | Seq) -> Value:
        location = _original(value.location, self.name, self.origins)
        if isinstance(value, Seq):
            return Seq(location, [self.restored(item) for item in value])
        items: list[tuple[str, Value]] = []
        for key, item in value.items():
            restored_key = self._text(key) if isinstance(key, Text) else key
            items.append((restored_key, self.restored(item)))
        return Map(location, items)

    def _text(self, text: Text) -> Text:
        location = _original(text.location, self.name, self.origins)
        return Text(MARK.sub(self._variable, text), location)

    def _variable(self, mark: re.Match[str]) -> str:
        return self.variables[int(mark[1])]
