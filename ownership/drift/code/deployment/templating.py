"""CloudFormation templates that are written in Jinja2, as far as their literals go. Nothing is run.

::

    {% for name in ["users", "orders"] %}
    {{ name }}Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: "{{ prefix }}-{{ name }}"}}
    {% endfor %}

becomes both tables, whose names begin with ``${opt:prefix}``: what a template is given when it is rendered is a
variable here, like those of the Serverless Framework, and ``--var opt:prefix=…`` gives it a value.
Locations are lines of the file as it is written. Source: Jinja documentation, "Template Designer Documentation".
"""

import re
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


def load(text: str, name: str, path: Path, files: Files) -> Value:
    """The values of a template, rendered if it is written in Jinja2. Raises ReadError."""
    if not is_templated(text, name):
        return parse(text, name)
    try:
        from ownership.drift.code.deployment.template_rendering import Renderer
    except ImportError as error:
        raise ReadError(Location(name), "needs Jinja2: install the extra `code`") from error
    renderer = Renderer(path, files)
    try:
        rendered = renderer.render(text)
    except ReadError:
        if name.endswith(SUFFIXES):
            raise
        return parse(text, name)  # braces alone do not make it a template of Jinja
    lines, numbers = _readable_lines(rendered.text, rendered.lines)
    try:
        value = parse("\n".join(lines), _name_of_content(name))
    except ReadError as error:
        raise ReadError(_original(error.location, name, numbers), error.reason) from error
    return _Restorer(name, numbers, rendered.variables).restored(value)


def _name_of_content(name: str) -> str:
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def _readable_lines(text: str, numbers: list[int]) -> tuple[list[str], list[int]]:
    """The lines without those that are given from outside as a whole: they are no YAML. And where each is from."""
    lines: list[str] = []
    for line in text.split("\n"):
        lines.append("" if ONLY_MARKS.fullmatch(line) else line)
    return lines, numbers


def _original(location: Location, name: str, numbers: list[int]) -> Location:
    """A location in the rendered text as one in the file."""
    line = location.line
    if line is None or not numbers:
        return Location(name)
    return Location(name, numbers[min(line, len(numbers)) - 1])


class _Restorer:
    """Puts variables in place of marks, and lines of the file in place of those of the rendered text."""

    def __init__(self, name: str, numbers: list[int], variables: list[str]) -> None:
        self.name = name
        self.numbers = numbers
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
        location = _original(value.location, self.name, self.numbers)
        if isinstance(value, Seq):
            return Seq(location, [self.restored(item) for item in value])
        items: list[tuple[str, Value]] = []
        for key, item in value.items():
            restored_key = self._text(key) if isinstance(key, Text) else key
            items.append((restored_key, self.restored(item)))
        return Map(location, items)

    def _text(self, text: Text) -> Text:
        location = _original(text.location, self.name, self.numbers)
        return Text(MARK.sub(self._variable, text), location)

    def _variable(self, mark: re.Match[str]) -> str:
        return self.variables[int(mark[1])]
