"""What an expression in a template may be: a literal, what is given from outside, a macro or a method."""

from dataclasses import dataclass
from typing import TypeAlias

from jinja2 import nodes

from ownership.drift.templating.loading import MARK_START

MAX_LENGTH = 100_000  # characters of one text
MAX_ITEMS = 1000  # of one list


class RenderingTooLarge(Exception):
    """A template is too much to render."""


@dataclass(frozen=True)
class GivenValue:
    """Something that a template is given from outside."""

    name: str
    default: str | None = None

    @property
    def variable(self) -> str:
        """The variable in the form that a reader of names resolves."""
        if self.default is None:
            return f"${{opt:{self.name}}}"
        return f"${{opt:{self.name}, '{self.default}'}}"


@dataclass(frozen=True)
class MissingMember:
    """A member that something known does not have."""


@dataclass(eq=False)
class Macro:
    """A macro with the variables around it."""

    node: nodes.Macro
    scope: "TemplateScope"


@dataclass(frozen=True)
class TemplateMethod:
    """A method of a text, list or dict."""

    owner: "str | list[TemplateValue] | dict[str, TemplateValue]"
    name: str


Scalar: TypeAlias = str | int | float | bool | None
TemplateContainer: TypeAlias = "list[TemplateValue] | dict[str, TemplateValue]"
TemplateFunction: TypeAlias = "Macro | TemplateMethod"
TemplateValue: TypeAlias = (
    "Scalar | TemplateContainer | TemplateFunction | GivenValue | MissingMember"
)
TemplateScope: TypeAlias = dict[str, TemplateValue]


def has_mark(text: str) -> bool:
    """Whether a part of a text is given from outside."""
    return MARK_START in text


def depends_on_given(value: TemplateValue) -> bool:
    """Whether a value depends on what is given from outside."""
    if isinstance(value, str):
        return has_mark(value)
    if isinstance(value, list):
        return any(depends_on_given(item) for item in value)
    if isinstance(value, dict):
        return any(map(depends_on_given, [*value, *value.values()]))
    return isinstance(value, GivenValue)


def holds_given(container: TemplateContainer) -> bool:
    """Whether a list or mapping may have more than is known here."""
    if isinstance(container, list):
        return any(isinstance(item, GivenValue) for item in container)
    return any(has_mark(key) for key in container)
