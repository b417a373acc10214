"""Renders a template of Jinja2: its blocks, loops and macros. ``expressions`` has what expressions mean.

Jinja's own parser reads the template, and nothing of it is run: what is given from outside has no value here, so
both what is rendered and how long that takes are bounded. A condition that depends on what is given counts as true.
What this leaves out, or may render differently, is taken down as unread.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, TemplateError, nodes

from ownership.drift.readers.files import Files
from ownership.drift.templating.expressions import TemplateExpressions
from ownership.drift.templating.loading import DYNAMIC_REFERENCE, MARK_END, MARK_START
from ownership.drift.templating.template_values import (
    GivenValue,
    Macro,
    RenderingTooLarge,
    TemplateScope,
    TemplateValue,
    has_mark,
)
from ownership.drift.types import Location, ReadError
from ownership.drift.values import Text

MAX_SIZE = 2_000_000  # characters of a rendered template
MAX_NESTING = 20  # blocks, macros and included templates within each other
MAX_STEPS = 50_000  # statements
LOOP_VARIABLES = ("index", "index0", "first", "last", "length")


@dataclass
class Rendered:
    """A rendered template: where each of its lines is from, what the marks stand for, and what may be anything."""

    text: str
    lines: list[Location]
    variables: list[str]
    unread: list[tuple[Text, str]]


@dataclass
class _Output:
    """What is rendered so far."""

    pieces: list[str] = field(default_factory=list)
    lines: list[Location] = field(default_factory=list)
    size: int = 0

    def add(self, text: str, file: str, line: int) -> None:
        """Add text that begins in this line of a file."""
        self.size += len(text)
        if self.size > MAX_SIZE:
            raise RenderingTooLarge
        if not self.lines:
            self.lines.append(Location(file, line))
        elif self.pieces[-1].endswith("\n"):
            self.lines[-1] = Location(file, line)
        self.pieces.append(text)
        for number in range(text.count("\n")):
            self.lines.append(Location(file, line + number + 1))


# What names another template.
AnyOther = nodes.Extends | nodes.Include | nodes.Import | nodes.FromImport


class Renderer:
    """Renders one template and those that it includes."""

    def __init__(self, path: Path, files: Files, given: Mapping[str, str]) -> None:
        self.path = path  # of the template whose statements are rendered: this one, or another that it names
        self.files = files
        self.environment = Environment(
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
            autoescape=False,  # noqa: S701  # the result is parsed as YAML, and never shown as a page
        )
        self.variables: dict[str, int] = {}  # what marks stand for → number of the mark
        known = {
            name.removeprefix("opt:"): value
            for name, value in given.items()
            if name.startswith("opt:")
        }
        self.expressions = TemplateExpressions(self.mark, self.call_macro, known)
        self.unread: dict[tuple[Text, str], None] = {}
        self.included: set[Path] = set()
        self.output = _Output()
        self.steps = 0
        self.nesting = 0
        # Blocks that a template replaces in the one that it extends.
        self.blocks: dict[str, tuple[Path, list[nodes.Node]]] = {}

    def render(self, text: str) -> Rendered:
        """The rendered text. Raises ReadError."""
        location = Location(self.files.display_name(self.path))
        try:
            self._template(self._parsed(text), {})
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            reason = f"is not a template that Jinja2 can read: {error.message}"
            raise ReadError(Location(location.file, line), reason) from error
        except (RenderingTooLarge, RecursionError) as error:
            raise ReadError(
                location, "is too large, or nested too deeply, once it is rendered"
            ) from error
        return Rendered(
            "".join(self.output.pieces), self.output.lines, list(self.variables), list(self.unread)
        )

    def mark(self, given: GivenValue) -> str:
        """What stands in the text for something that is given from outside."""
        number = self.variables.setdefault(given.variable, len(self.variables))
        return f"{MARK_START}{number}{MARK_END}"

    @property
    def file(self) -> str:
        """The file whose statements are rendered, as reports show it."""
        return self.files.display_name(self.path)

    def _add(self, text: str, line: int) -> None:
        self.output.add(text, self.file, line)

    def _leave_unread_other(self, node: AnyOther, text: str, reason: str) -> None:
        """Take down that another template is unread. What macros of one that is imported render, is so where used."""
        if isinstance(node, nodes.Extends | nodes.Include):
            self._leave_unread(text, node.lineno, reason)

    def _leave_unread(self, text: str, line: int, reason: str) -> None:
        self.unread[Text(text, Location(self.file, line)), reason] = None

    def _parsed(self, text: str) -> nodes.Template:
        text = text.replace(MARK_START, "").replace(MARK_END, "")
        text = DYNAMIC_REFERENCE.sub(r"{% raw %}\g<0>{% endraw %}", text)
        return self.environment.parse(text)

    def _template(self, template: nodes.Template, scope: TemplateScope) -> None:
        """Render a template, or what it extends with its blocks."""
        extends = next(template.find_all(nodes.Extends), None)
        if extends is None:
            self._render(template.body, scope)
            return
        for block in template.find_all(nodes.Block):
            self.blocks.setdefault(block.name, (self.path, block.body))
        self._prepare(template.body, scope)
        base = self._other_template(extends, scope)
        if base is not None:
            with self._within(base[0]):
                self._template(base[1], scope)

    def _prepare(self, body: list[nodes.Node], scope: TemplateScope) -> None:
        """Run the assignments, imports and macros of a template whose own text is not rendered."""
        for node in body:
            if isinstance(node, nodes.Assign | nodes.Macro | nodes.Import | nodes.FromImport):
                self._render([node], scope)

    @contextmanager
    def _within(self, path: Path) -> Iterator[None]:
        """Render statements of another file, or of another template, for a time."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise RenderingTooLarge
        outer, self.path = self.path, path
        try:
            yield
        finally:
            self.nesting -= 1
            self.path = outer

    def _other_template(
        self, node: AnyOther, scope: TemplateScope
    ) -> tuple[Path, nodes.Template] | None:
        """The template that a statement names: relative to its folder, or to one around that. None is unread."""
        wanted = self.expressions.value(node.template, scope)
        if not isinstance(wanted, str) or has_mark(wanted):
            reason = "names a template that is given from outside, and may render anything"
            self._leave_unread_other(node, type(node).__name__.lower(), reason)
            return None
        folder = self.path.parent
        while folder.is_relative_to(self.files.root):
            for candidate in (wanted, f"templates/{wanted}"):
                try:
                    path = self.files.find(folder, candidate)
                except ValueError:
                    continue
                if path is not None:
                    self.included.add(path)
                    return path, self._parsed(self.files.read_text(path))
            folder = folder.parent
        self._leave_unread_other(
            node, wanted, "this template is not in the folder, and may render anything"
        )
        return None

    # Statements

    def _render(self, body: list[nodes.Node], scope: TemplateScope) -> None:
        self.nesting += 1
        if self.nesting > MAX_NESTING * 2:
            raise RenderingTooLarge
        for node in body:
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise RenderingTooLarge
            self._statement(node, scope)
        self.nesting -= 1

    def _statement(self, node: nodes.Node, scope: TemplateScope) -> None:
        render = STATEMENTS.get(type(node))
        if render is None:
            name = type(node).__name__.lower()
            self._leave_unread(name, node.lineno, "this statement of Jinja2 is not followed")
        else:
            render(self, node, scope)

    def _output(self, node: nodes.Output, scope: TemplateScope) -> None:
        for expression in node.nodes:
            self._expression(expression, scope)

    def _assign(self, node: nodes.Assign, scope: TemplateScope) -> None:
        self.expressions.assign(node.target, self.expressions.value(node.node, scope), scope)

    def _assign_block(self, node: nodes.AssignBlock, scope: TemplateScope) -> None:
        self.expressions.assign(node.target, self._text_of(node.body, scope), scope)

    def _evaluate(self, node: nodes.ExprStmt, scope: TemplateScope) -> None:
        self.expressions.value(node.node, scope)

    def _macro(self, node: nodes.Macro, scope: TemplateScope) -> None:
        scope[node.name] = Macro(node, scope)

    def _call(self, node: nodes.CallBlock, scope: TemplateScope) -> None:
        body = nodes.Macro("caller", node.args, node.defaults, node.body, lineno=node.lineno)
        called = self.expressions.call(node.call, scope, {"caller": Macro(body, scope)})
        self._add(self.expressions.text(called), node.lineno)

    def _include(self, node: nodes.Include, scope: TemplateScope) -> None:
        other = self._other_template(node, scope)
        if other is not None:
            with self._within(other[0]):
                self._template(other[1], scope)

    def _block(self, node: nodes.Block, scope: TemplateScope) -> None:
        path, body = self.blocks.get(node.name, (self.path, node.body))
        with self._within(path):
            self._render(body, scope)

    def _with(self, node: nodes.With, scope: TemplateScope) -> None:
        inner = dict(scope)
        for target, value in zip(node.targets, node.values, strict=True):
            self.expressions.assign(target, self.expressions.value(value, scope), inner)
        self._render(node.body, inner)

    def _filter(self, node: nodes.FilterBlock, scope: TemplateScope) -> None:
        innermost = node.filter
        while isinstance(innermost.node, nodes.Filter):
            innermost = innermost.node
        innermost.node = nodes.Const(self._text_of(node.body, scope))
        self._expression(node.filter, scope)

    def _expression(self, node: nodes.Expr, scope: TemplateScope) -> None:
        if isinstance(node, nodes.TemplateData):
            self._add(node.data, node.lineno)
            return
        text = self.expressions.text(self.expressions.value(node, scope))
        for position, line in enumerate(text.split("\n")):
            # All lines of a value are from the one where it is named.
            self._add(line if position == 0 else f"\n{line}", node.lineno - (position > 0))

    def _text_of(self, body: list[nodes.Node], scope: TemplateScope) -> str:
        """What is rendered by statements, apart from the output."""
        output = self.output
        self.output = _Output(size=output.size)
        try:
            self._render(body, dict(scope))
            return "".join(self.output.pieces)
        finally:
            output.size = self.output.size
            self.output = output

    def _loop(self, node: nodes.For, scope: TemplateScope) -> None:
        items = self.expressions.items(self.expressions.value(node.iter, scope))
        if items is None:
            # The items are given from outside: one turn, with the loop's variables unknown.
            name = self.expressions.given(node.iter).name
            self._leave_unread(
                name,
                node.lineno,
                "this loop goes through what is given when the template is rendered",
            )
            inner = dict(scope)
            self.expressions.assign_given(node.target, inner)
            self._render(node.body, inner)
            return
        if not items:
            self._render(node.else_, scope)
            return
        for position, item in enumerate(items):
            inner = dict(scope)
            self.expressions.assign(node.target, item, inner)
            if node.test is not None and self.expressions.truth(node.test, inner) is False:
                continue
            values = (position + 1, position, position == 0, position == len(items) - 1, len(items))
            inner["loop"] = dict(zip(LOOP_VARIABLES, values, strict=True))
            self._render(node.body, inner)

    def _choice(self, node: nodes.If, scope: TemplateScope) -> None:
        """The branch whose condition is known to hold; else the first, or a variable within a line."""
        branches = [node, *node.elif_]
        for branch in branches:
            holds = self.expressions.truth(branch.test, scope)
            if holds is False:
                continue
            has_other = branch is not branches[-1] or bool(node.else_)
            if holds is None and has_other and _is_within_line(branch.body):
                self._add(self.mark(self.expressions.given(branch.test)), branch.lineno)
                return
            if holds is None and has_other:
                name = self.expressions.given(branch.test).name
                reason = "decides what is rendered; of the branches, only the first is read"
                self._leave_unread(name, branch.lineno, reason)
            self._render(branch.body, scope)
            return
        self._render(node.else_, scope)

    def _import(self, node: nodes.Import | nodes.FromImport, scope: TemplateScope) -> None:
        """Take the macros and variables of another template."""
        other = self._other_template(node, scope)
        if other is None:
            return
        imported: TemplateScope = {}
        with self._within(other[0]):
            self._prepare(other[1].body, imported)
        if isinstance(node, nodes.Import):
            scope[node.target] = imported
            return
        for name in node.names:
            original, alias = (name, name) if isinstance(name, str) else name
            if original in imported:
                scope[alias] = imported[original]

    def call_macro(
        self, macro: Macro, positional: list[TemplateValue], keywords: dict[str, TemplateValue]
    ) -> str:
        """What a macro renders."""
        scope = dict(macro.scope)
        parameters = macro.node.args
        for parameter, default in zip(
            reversed(parameters), reversed(macro.node.defaults), strict=False
        ):
            scope[parameter.name] = self.expressions.value(default, macro.scope)
        for parameter, value in zip(parameters, positional, strict=False):
            scope[parameter.name] = value
        scope.update(keywords)
        return self._text_of(macro.node.body, scope)


def _is_within_line(body: list[nodes.Node]) -> bool:
    """Whether statements render a part of one line."""
    for node in body:
        if not isinstance(node, nodes.Output):
            return False
        for expression in node.nodes:
            if isinstance(expression, nodes.TemplateData) and "\n" in expression.data:
                return False
    return True


STATEMENTS: dict[type[nodes.Node], Callable[[Renderer, Any, TemplateScope], None]] = {
    nodes.Assign: Renderer._assign,
    nodes.AssignBlock: Renderer._assign_block,
    nodes.Block: Renderer._block,
    nodes.CallBlock: Renderer._call,
    nodes.ExprStmt: Renderer._evaluate,
    nodes.FilterBlock: Renderer._filter,
    nodes.For: Renderer._loop,
    nodes.FromImport: Renderer._import,
    nodes.If: Renderer._choice,
    nodes.Import: Renderer._import,
    nodes.Include: Renderer._include,
    nodes.Macro: Renderer._macro,
    nodes.Output: Renderer._output,
    nodes.With: Renderer._with,
}
