"""Resolves the Serverless Framework's variables as the framework does, without running anything.

With this configuration, and ``opt:stage`` given as ``prod``::

    provider: {stage: "${opt:stage, 'dev'}"}
    custom: {table: "biztechUsers${self:custom.suffixes.${self:provider.stage}}", suffixes: {dev: "", prod: PROD}}

``custom.table`` is ``biztechUsersPROD``, whose last four characters are known to vary with the environment.

variable_syntax.py has what a variable looks like, variable_sources.py where its value comes from, and variable_marks.py
what it has to do with the environment.
Source: Serverless Framework documentation, "Variables" (v1 to v4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

from ownership.drift.environment_words import names_environment
from ownership.drift.readers.files import Files
from ownership.drift.readers.variable_marks import (
    INPUT,
    depends_on_environment,
    is_environment,
    marked_varying,
    means_environment,
)
from ownership.drift.readers.variable_sources import (
    NoValueError,
    Outside,
    VariableSources,
    no_value,
)
from ownership.drift.readers.variable_syntax import (
    STACK_OUTPUT,
    alternatives,
    expression_of,
    is_quoted,
    is_reference,
    is_variable,
    segments,
)
from ownership.drift.types import Location, ReadError
from ownership.drift.values import (
    Map,
    Reason,
    Seq,
    SomeValue,
    Text,
    Value,
    as_index,
    concat,
    from_variable,
    placeholder,
)

MAX_NESTING = 60
MAX_STEPS = 50_000  # in one project; a chain of variables that double would exceed it
MAX_LENGTH = 10_000  # of a text: its characters, and the variables that it is made from


def _is_resolved(value: Value) -> TypeGuard[SomeValue]:
    """Whether there is a value, and nothing in it is unresolved."""
    if isinstance(value, Text):
        return value.reason is None
    return value is not None


@dataclass
class _FailedAlternatives:
    """What is known of the alternatives of a variable that had no value.

    ``varies``: one of them depends on the environment, so the value of a later one does, too.
    ``is_environment``: one of them is the environment itself.
    """

    reasons: list[Reason] = field(default_factory=list)
    varies: bool = False
    is_environment: bool = False

    def add_reference(self, reference: Text, reason: Reason) -> None:
        self.reasons.append(reason)
        self.varies = self.varies or depends_on_environment(reference)
        self.is_environment = self.is_environment or is_environment(reference)

    def add_variable(self, alternative: str, value: Value) -> None:
        """Add an alternative that is a variable itself, and what it was resolved to."""
        if isinstance(value, Text) and value.reason:
            self.reasons.append(value.reason)
            self.is_environment = self.is_environment or not value.has_unknown_part
        else:
            self.reasons.append(no_value(alternative))
        self.varies = self.varies or self.is_environment

    def placeholder(self, location: Location) -> Text:
        text = "; ".join(reason.text for reason in self.reasons)
        return placeholder(
            location, Reason(text, self.reasons[0].missing_input), self.is_environment
        )


class Variables:
    """Resolves the variables of one project. ``config`` is its serverless.yml, in ``folder``.

    ``outside`` is what other projects give it, if they are read as well.
    """

    def __init__(
        self,
        config: Map,
        folder: Path,
        files: Files,
        given: Mapping[str, str],
        outside: Outside | None = None,
    ) -> None:
        self.config = config
        self._sources = VariableSources(config, folder, files, given, outside, self)
        self._known: dict[str, SomeValue] = {}
        self._resolved: dict[str, Text] = {}  # by expression; most are used again and again
        self._being_resolved: list[str] = []
        self._steps = 0
        self._nesting = 0

    def expand(self, node: Value) -> Value:
        """The value with its own variables resolved; those inside a Map or Seq stay. Raises ReadError."""
        if not isinstance(node, Text) or "${" not in node:
            return node
        self._steps += 1
        if self._steps > MAX_STEPS or self._nesting >= MAX_NESTING:
            raise ReadError(node.location, "has too many variables, or variables nested too deeply")
        self._nesting += 1
        try:
            return self._expanded(node)
        finally:
            self._nesting -= 1

    def at(self, path: str, within: Value = None) -> Value:
        """The resolved value under a path like ``a.b.0.c``, in the configuration or in ``within``.

        None if there is none.
        """
        node = self.expand(self.config if within is None else within)
        for key in filter(None, path.split(".")):
            # An included file that isn't there, for example: the reason is worth more than "no value".
            if isinstance(node, Text) and node.reason:
                return placeholder(node.location, node.reason, names_environment(path))
            if not isinstance(node, Map | Seq):
                return None
            child = self.expand(_child(node, key))
            if node.varies and isinstance(child, Text):
                child = from_variable(child, child.location, names_environment(key), may_vary=True)
            node = child
        return node

    def _expanded(self, node: Text) -> Value:
        pieces: list[Text] = []
        for segment in segments(node):
            piece = node.part(segment.start, segment.end)
            expression = expression_of(piece)
            is_known = expression in self._resolved
            if not segment.is_variable or not (is_known or is_reference(expression)):
                pieces.append(piece)
                continue
            value = self._resolve(expression, node.location)
            if not isinstance(value, Text):
                # `${self:custom.statements}` may be a list as long as it is the whole value.
                if len(piece) == len(node):
                    return value
                value = placeholder(node.location, f"{piece} is not text")
            pieces.append(value.at(node.location))
        text = concat(pieces, node.location)
        # Variables that double would otherwise fill the memory long before the steps run out.
        if len(text) > MAX_LENGTH or len(text.variables) > MAX_LENGTH:
            raise ReadError(node.location, f"resolves to more than {MAX_LENGTH:,} characters")
        return text

    def _resolve(self, expression: str, location: Location) -> Value:
        """The value of ``${expression}``. A text that is settled is kept; its place is that of its first use."""
        if expression in self._resolved:
            return self._resolved[expression]
        value = self._first_value(alternatives(expression), location)
        # Another project may give what is unresolved; and within a circle, a default may stand in for it.
        if isinstance(value, Text) and value.reason is None and not self._being_resolved:
            self._resolved[expression] = value
        return value

    def _first_value(self, all_alternatives: Sequence[str], location: Location) -> Value:
        """The value of the first alternative that has one, marked as a variable's."""
        failed = _FailedAlternatives()
        for alternative in all_alternatives:
            if is_quoted(alternative):
                default = Text(alternative[1:-1], location)
                return from_variable(
                    default, location, failed.is_environment, may_vary=failed.varies
                )
            inner = self.expand(Text(alternative, location))
            if is_variable(alternative) or not isinstance(inner, Text):
                if not _is_resolved(inner):
                    failed.add_variable(alternative, inner)
                    continue
                if failed.varies:
                    return marked_varying(inner, location)
                return inner
            try:
                value = self._value_of(inner)
            except NoValueError as error:
                failed.add_reference(inner, error.reason)
                # A deployment has a value, so the default that follows would be a guess.
                if error.final:
                    return failed.placeholder(location)
                continue
            return self._marked(value, inner, failed, location)
        if (
            all_alternatives[-1] == "null"
        ):  # as the last default it means that nothing is stated here
            return None
        return failed.placeholder(location)

    def _marked(
        self, value: SomeValue, reference: Text, failed: _FailedAlternatives, location: Location
    ) -> Value:
        """A reference's value, marked as a variable's, and as varying with the environment if it does."""
        if not isinstance(value, Text):
            # A mapping or list is not marked for the name of its reference: it may hold anything.
            if failed.varies or INPUT.match(reference) or reference.varies:
                return marked_varying(value, location)
            return value
        if value.has_unknown_part:
            return from_variable(value, location)
        varies = failed.is_environment or means_environment(reference)
        return from_variable(
            value, location, varies, may_vary=failed.varies or depends_on_environment(reference)
        )

    def _value_of(self, reference: Text) -> SomeValue:
        """The value of one reference such as ``self:provider.stage``. Raises NoValueError."""
        # A stack is known also where its stage is not: that is the environment, here and in the stack's own name.
        is_known_stack = (
            STACK_OUTPUT.fullmatch(reference) is not None and not reference.has_unknown_part
        )
        if reference.reason and not is_known_stack:
            raise NoValueError(reference.reason)
        if reference in self._known:
            return self._known[reference]
        if reference in self._being_resolved:
            raise NoValueError(f"{reference} refers to itself", final=True)
        self._being_resolved.append(str(reference))
        try:
            value = self._sources.read(reference)
        finally:
            self._being_resolved.pop()
        if value is None:
            raise NoValueError(no_value(reference))
        # Another project may give what is unresolved once it is read.
        if not isinstance(value, Text) or not value.reason:
            self._known[str(reference)] = value
        return value

    def stage(self) -> Text:
        """The stage of the project; a placeholder where it is not known."""
        return self._sources.stage()

    def own_parameter(self, name: str) -> Value:
        """A parameter in this file; None if it has none."""
        return self._sources.own_parameter(name)


def _child(node: Map | Seq, key: str) -> Value:
    """What a mapping has under a key, or a list at a position; None for nothing."""
    if isinstance(node, Map):
        return node.get(key)
    index = as_index(key)
    if index is None or index >= len(node):
        return None
    return node[index]
