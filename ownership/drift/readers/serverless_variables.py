"""Resolves the Serverless Framework's variables as the framework does, without running anything.

With this configuration, and ``opt:stage`` given as ``prod``::

    provider: {stage: "${opt:stage, 'dev'}"}
    custom: {table: "biztechUsers${self:custom.suffixes.${self:provider.stage}}", suffixes: {dev: "", prod: PROD}}

``custom.table`` is ``biztechUsersPROD``, whose last four characters are known to vary with the environment.

Values come from the project's files and from the caller (``{"opt:stage": "prod", "env:REGION": "us-west-2"}``),
never from this machine. A new source is a method of ``Variables`` and a line in its ``_sources``.
Source: Serverless Framework documentation, "Variables" (v1 to v4).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ownership.drift.readers.dotenv import dotenv_value
from ownership.drift.readers.files import Files
from ownership.drift.readers.serverless_settings import framework_version
from ownership.drift.readers.variable_syntax import (
    STACK_OUTPUT,
    Segment,
    alternatives,
    expression_of,
    is_quoted,
    is_reference,
    is_variable,
    segments,
)
from ownership.drift.types import Location, ReadError
from ownership.drift.values import (
    PLACEHOLDER,
    Map,
    Reason,
    Seq,
    Text,
    Value,
    as_index,
    concat,
    from_variable,
    names_environment,
    placeholder,
)

MAX_NESTING = 60
MAX_STEPS = 50_000  # in one project; a chain of variables that double would exceed it
MAX_LENGTH = 10_000  # of a text: its characters, and the variables that it is made from

INPUT = re.compile(r"(?:opt|env|sls|param):")  # values that may differ in each environment
DEFAULTS = {
    "provider.stage": "dev",
    "provider.region": "us-east-1",
}  # the framework's, for `self:…`
FILE = re.compile(r"file\((?P<name>[^)]*)\)(?::(?P<address>.*))?$", re.DOTALL)
DATA_FILES = (".yml", ".yaml", ".json")
CODE_FILES = (".js", ".cjs", ".mjs", ".ts", ".mts", ".cts")

V4 = 4  # loads .env files unasked, and takes a project's own parameters before those of serverless-compose.yml

SourceReader = Callable[[str, Text], Value]  # of an address, and of the whole reference


class NoValueError(Exception):
    """A reference has no value here. ``final``: it has one when deployed, so its default must not be used."""

    def __init__(self, reason: Reason | str, *, final: bool = False) -> None:
        if isinstance(reason, str):
            reason = Reason(reason)
        self.reason = reason
        self.final = final
        super().__init__(self.reason.text)


def _not_given(reference: str) -> Reason:
    return Reason(f"no value for {reference} (--var {reference}=…)", missing_input=True)


def _no_value(reference: str) -> Reason:
    return Reason(f"no value for {reference}", missing_input=INPUT.match(reference) is not None)


def _is_resolved(value: Value) -> bool:
    """Whether there is a value, and nothing in it is unresolved."""
    if isinstance(value, Text):
        return value.reason is None
    return value is not None


def _depends_on_environment(reference: Text) -> bool:
    """Whether a reference is an input, is chosen by the environment, or is named like it."""
    return INPUT.match(reference) is not None or reference.varies or names_environment(reference)


def _means_environment(reference: Text) -> bool:
    """Whether the value of a reference is the environment by the reference's name."""
    return names_environment(reference) and not FILE.match(reference)


def _is_environment(reference: Text) -> bool:
    """Whether a reference without a value means the environment all the same: by its name, or chosen by it.

    ``self:custom.suffixes.${opt:stage}`` is chosen by it; ``self:custom.${opt:stage}.users`` may well be part
    of a table's name.
    """
    if reference.has_unknown_part:
        return False
    if names_environment(reference):
        return True
    file = FILE.match(reference)
    if file:
        return not file["address"] and reference.varies
    if not reference.startswith("self:"):
        return False
    last_key = max(reference.rfind("."), reference.rfind(":")) + 1
    return any(variable.varies and variable.end > last_key for variable in reference.variables)


def _marked_varying(value: Value, location: Location) -> Value:
    """The value, marked as one that the environment chooses."""
    if value is None:
        return None
    if isinstance(value, Text):
        return from_variable(value, location, may_vary=True)
    value = copy(value)
    value.varies = True
    return value


@dataclass(frozen=True)
class Outside:
    """What other projects give one: the parameters of serverless-compose.yml, and the outputs of stacks.

    ``parameter`` gives None, or raises NoValueError, where there is none; ``output`` raises LookupError.
    """

    parameter: Callable[[str], Value]
    output: Callable[[str, str], Text]


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
        self.varies = self.varies or _depends_on_environment(reference)
        self.is_environment = self.is_environment or _is_environment(reference)

    def add_variable(self, alternative: str, value: Value) -> None:
        """Add an alternative that is a variable itself, and what it was resolved to."""
        if isinstance(value, Text) and value.reason:
            self.reasons.append(value.reason)
            self.is_environment = self.is_environment or not value.has_unknown_part
        else:
            self.reasons.append(_no_value(alternative))
        self.varies = self.varies or self.is_environment

    def placeholder(self, location: Location) -> Text:
        text = "; ".join(reason.text for reason in self.reasons)
        return placeholder(location, Reason(text, self.reasons[0].missing_input), self.is_environment)


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
        self.folder = folder
        self.files = files
        self.given = given
        self.outside = outside
        self._sources: dict[str, SourceReader] = {
            "self": self._self,
            "sls": self._sls,
            "aws": self._aws,
            "param": self._param,
            "opt": self._input,
            "env": self._env,
        }
        self._known: dict[str, Value] = {}
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
                if _covers(segment, node):
                    return value
                value = placeholder(node.location, f"{piece} is not text")
            pieces.append(concat([value], node.location))
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
                return from_variable(default, location, failed.is_environment, may_vary=failed.varies)
            inner = self.expand(Text(alternative, location))
            if is_variable(alternative) or not isinstance(inner, Text):
                if not _is_resolved(inner):
                    failed.add_variable(alternative, inner)
                    continue
                if failed.varies:
                    return _marked_varying(inner, location)
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
        if all_alternatives[-1] == "null":  # as the last default it means that nothing is stated here
            return None
        return failed.placeholder(location)

    def _marked(self, value: Value, reference: Text, failed: _FailedAlternatives, location: Location) -> Value:
        """A reference's value, marked as a variable's, and as varying with the environment if it does."""
        if not isinstance(value, Text):
            # A mapping or list is not marked for the name of its reference: it may hold anything.
            if failed.varies or INPUT.match(reference) or reference.varies:
                return _marked_varying(value, location)
            return value
        if value.has_unknown_part:
            return from_variable(value, location)
        varies = failed.is_environment or _means_environment(reference)
        return from_variable(value, location, varies, may_vary=failed.varies or _depends_on_environment(reference))

    def _value_of(self, reference: Text) -> Value:
        """The value of one reference such as ``self:provider.stage``. Raises NoValueError."""
        # A stack is known also where its stage is not: that is the environment, here and in the stack's own name.
        is_known_stack = STACK_OUTPUT.fullmatch(reference) is not None and not reference.has_unknown_part
        if reference.reason and not is_known_stack:
            raise NoValueError(reference.reason)
        if reference in self._known:
            return self._known[reference]
        if reference in self._being_resolved:
            raise NoValueError(f"{reference} refers to itself", final=True)
        self._being_resolved.append(str(reference))
        try:
            value = self._read(reference)
        finally:
            self._being_resolved.pop()
        if value is None:
            raise NoValueError(_no_value(reference))
        # Another project may give what is unresolved once it is read.
        if not isinstance(value, Text) or not value.reason:
            self._known[str(reference)] = value
        return value

    def _read(self, reference: Text) -> Value:
        # A given value comes first: it may replace any reference, also one of a deployment (`ssm:…`).
        if reference in self.given:
            return Text(self.given[reference], reference.location)
        file = FILE.match(reference)
        if file:
            address = file["address"] or ""
            return self._file(file["name"].strip().strip("'\""), address.strip())
        if reference.strip().startswith("strToBool("):
            return self.expand(Text(reference.strip()[len("strToBool(") : -1], reference.location))
        if reference in ("true", "false") or reference.replace(".", "").isdigit():
            return reference
        if reference == "null":
            return None
        if STACK_OUTPUT.fullmatch(reference):
            return self._stack_output(reference)
        source, _, address = reference.partition(":")
        read_source = self._sources.get(source.strip(), self._known_when_deployed)
        return read_source(address.strip(), reference)

    def _self(self, address: str, reference: Text) -> Value:
        """``self:address``: a value of the configuration itself."""
        if address == "provider.stage":
            return self._stage(reference)
        value = self.at(address)
        if address == "service" and isinstance(value, Map):
            return self.at("service.name")
        if value is None and address in DEFAULTS:
            return Text(DEFAULTS[address], reference.location)
        return value

    def stage(self) -> Text:
        """The stage of the project; a placeholder where it is not known."""
        stage = self._stage(Text("sls:stage", self.config.location))
        return stage if isinstance(stage, Text) else placeholder(self.config.location, "the stage is no text", True)

    def _stage(self, reference: Text) -> Value:
        if "opt:stage" in self.given:
            return Text(self.given["opt:stage"], reference.location)
        value = self.at("provider.stage")
        if isinstance(value, Text) and value.reason:
            return placeholder(value.location, value.reason, varies=True)  # unknown, and still the environment
        if value is None:
            return Text(DEFAULTS["provider.stage"], reference.location)
        return value

    def _sls(self, address: str, reference: Text) -> Value:
        """``sls:stage``; the framework's other values are known only when it runs."""
        if address == "stage":
            return self._stage(reference)
        return self._known_when_deployed(address, reference)

    def _aws(self, address: str, reference: Text) -> Value:
        """``aws:region``; the account is known only when deployed."""
        if address == "region":
            return self._self("provider.region", reference)
        return self._known_when_deployed(address, reference)

    def _input(self, address: str, reference: Text) -> Value:
        """``opt:…`` and ``env:…``, which the caller would have given."""
        raise NoValueError(_not_given(reference))

    def _known_when_deployed(self, address: str, reference: Text) -> Value:
        """Any other source, such as ``ssm:…`` or ``cf:…``."""
        reason = f"{reference} is known only when deployed (--var {reference}=…)"
        raise NoValueError(reason, final=True)

    def _stack_output(self, reference: Text) -> Value:
        """``cf:stack.Output``: what the project of that stack puts out, if it is read as well."""
        match = STACK_OUTPUT.fullmatch(reference)
        if match is None or self.outside is None:
            return self._known_when_deployed("", reference)
        try:
            return self.outside.output(match["stack"], match["output"])
        except LookupError as error:
            shown = reference.replace(PLACEHOLDER, "…")
            raise NoValueError(f"{error} (--var {shown}=…)", final=True) from error

    def _param(self, name: str, reference: Text) -> Value:
        """A parameter of the project itself, or of serverless-compose.yml: v4 takes its own first, v3 the other."""
        own = partial(self.own_parameter, name)
        sources = [own]
        if self.outside is not None:
            sources.append(partial(self.outside.parameter, name))
        version = framework_version(self.config.get("frameworkVersion"))
        if version is not None and version < V4:
            sources.reverse()
        for source in sources:
            value = source()
            if value is not None:
                return value
        raise NoValueError(_not_given(reference))

    def own_parameter(self, name: str) -> Value:
        """A parameter in this file: v3 has ``params.<stage>.<name>``, v4 ``stages.<stage>.params.<name>``."""
        stage = self.stage()
        for path in (
            f"stages.{stage}.params",
            f"params.{stage}",
            "stages.default.params",
            "params.default",
        ):
            parameters = self.at(path)
            if isinstance(parameters, Map) and parameters.get(name) is not None:
                return self.expand(parameters[name])
        return None

    def _env(self, name: str, reference: Text) -> Value:
        """``env:NAME``: what the caller would have given, or what a ``.env`` file says that the framework loads."""
        version = framework_version(self.config.get("frameworkVersion")) or 0
        if self.config.get("useDotenv") == "true" or version >= V4:
            value = dotenv_value(self.files, self.folder, self.stage(), name)
            if value is not None:
                return value
        return self._input(name, reference)

    def _file(self, name: str, address: str) -> Value:
        """``file(name):address``: an included file, or a value in it."""
        try:
            path = self.files.find(self.folder, name)
        except ValueError as error:
            raise NoValueError(str(error), final=True) from error
        is_code = Path(name).suffix in CODE_FILES
        if path is None and not is_code:
            raise NoValueError(f"there is no file {name}")
        if path is None or is_code:
            raise NoValueError(f"{name} is code, which is not run", final=path is not None)
        if path.suffix in DATA_FILES:
            content = self.files.load(path)
            if content is None:
                return None
            return self.at(address, content)
        return Text(
            self.files.read_text(path).strip(),
            Location(self.files.display_name(path), 1),
        )


def _covers(segment: Segment, text: str) -> bool:
    return (segment.start, segment.end) == (0, len(text))


def _child(node: Map | Seq, key: str) -> Value:
    """What a mapping has under a key, or a list at a position; None for nothing."""
    if isinstance(node, Map):
        return node.get(key)
    index = as_index(key)
    if index is None or index >= len(node):
        return None
    return node[index]
