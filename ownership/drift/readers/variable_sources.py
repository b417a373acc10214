"""Where the values of the Serverless Framework's variables come from: ``self:``, ``opt:``, ``file(…)``, ``cf:``, …

Values come from the project's files and from the caller (``{"opt:stage": "prod", "env:REGION": "us-west-2"}``), never
from this machine. A new source is a method of ``VariableSources`` and a line in its ``_readers``.
Source: Serverless Framework documentation, "Variables" (v1 to v4).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from ownership.drift.readers.dotenv import dotenv_value
from ownership.drift.readers.files import Files
from ownership.drift.readers.serverless_settings import framework_version
from ownership.drift.readers.variable_marks import FILE, INPUT
from ownership.drift.readers.variable_syntax import STACK_OUTPUT
from ownership.drift.types import Location
from ownership.drift.values import Map, Reason, Text, Value, placeholder, readable

# The framework's own values, for `self:…`
DEFAULTS = {"provider.stage": "dev", "provider.region": "us-east-1"}
BOOLEANS = {"true": "true", "1": "true", "false": "false", "0": "false"}
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


def not_given(reference: str) -> Reason:
    """Why an input has no value."""
    return Reason(f"no value for {reference} (--var {reference}=…)", missing_input=True)


def no_value(reference: str) -> Reason:
    """Why a reference has no value."""
    return Reason(f"no value for {reference}", missing_input=INPUT.match(reference) is not None)


@dataclass(frozen=True)
class Outside:
    """What other projects give one: the parameters of serverless-compose.yml, and the outputs of stacks.

    ``parameter`` gives None, or raises NoValueError, where there is none; ``output`` raises LookupError.
    """

    parameter: Callable[[str], Value]
    output: Callable[[str, str], Text]


class Resolver(Protocol):
    """Resolves what a source's value holds in turn."""

    def expand(self, node: Value) -> Value:
        """The value with its own variables resolved."""

    def at(self, path: str, within: Value = None) -> Value:
        """The resolved value under a path, in the configuration or in ``within``."""


class VariableSources:
    """The sources of one project. ``config`` is its serverless.yml, in ``folder``; ``given`` comes before them all."""

    def __init__(
        self,
        config: Map,
        folder: Path,
        files: Files,
        given: Mapping[str, str],
        outside: Outside | None,
        resolver: Resolver,
    ) -> None:
        self.config = config
        self.folder = folder
        self.files = files
        self.given = given
        self.outside = outside
        self.resolver = resolver
        self._readers: dict[str, SourceReader] = {
            "self": self._self,
            "sls": self._sls,
            "aws": self._aws,
            "param": self._param,
            "opt": self._input,
            "env": self._env,
        }

    def read(self, reference: Text) -> Value:
        """The value of a reference; None where there is none. Raises NoValueError."""
        # A given value comes first: it may replace any reference, also one of a deployment (`ssm:…`).
        if reference in self.given:
            return Text(self.given[reference], reference.location)
        file = FILE.match(reference)
        if file:
            address = file["address"] or ""
            return self._file(file["name"].strip().strip("'\""), address.strip())
        if reference.strip().startswith("strToBool("):
            return self._boolean(reference)
        if reference in ("true", "false") or reference.replace(".", "").isdigit():
            return reference
        if reference == "null":
            return None
        output = STACK_OUTPUT.fullmatch(reference)
        if output and self.outside is not None:
            return self._stack_output(self.outside, output, reference)
        source, _, address = reference.partition(":")
        read_source = self._readers.get(source.strip(), self._known_when_deployed)
        return read_source(address.strip(), reference)

    def _boolean(self, reference: Text) -> Value:
        """``strToBool(value)``, which is an error for other texts than these."""
        value = reference.strip()[len("strToBool(") : -1]
        if value.lower() not in BOOLEANS:
            raise NoValueError(f"{value} is no boolean", final=True)
        return Text(BOOLEANS[value.lower()], reference.location)

    def _self(self, address: str, reference: Text) -> Value:
        """``self:address``: a value of the configuration itself."""
        if address == "provider.stage":
            return self._stage(reference)
        value = self.resolver.at(address)
        if address == "service" and isinstance(value, Map):
            return self.resolver.at("service.name")
        if value is None and address in DEFAULTS:
            return Text(DEFAULTS[address], reference.location)
        return value

    def stage(self) -> Text:
        """The stage of the project; a placeholder where it is not known."""
        stage = self._stage(Text("sls:stage", self.config.location))
        if isinstance(stage, Text):
            return stage
        return placeholder(self.config.location, "the stage is no text", is_environment=True)

    def _stage(self, reference: Text) -> Value:
        if "opt:stage" in self.given:
            return Text(self.given["opt:stage"], reference.location)
        value = self.resolver.at("provider.stage")
        if isinstance(value, Text) and value.reason:
            # It is unknown, and still the environment.
            return placeholder(value.location, value.reason, is_environment=True)
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
        raise NoValueError(not_given(reference))

    def _known_when_deployed(self, address: str, reference: Text) -> Value:
        """Any other source, such as ``ssm:…`` or ``cf:…``."""
        reason = f"{reference} is known only when deployed (--var {reference}=…)"
        raise NoValueError(reason, final=True)

    def _stack_output(self, outside: Outside, match: re.Match[str], reference: Text) -> Value:
        """``cf:stack.Output``: what the project of that stack puts out, if it is read as well."""
        try:
            return outside.output(match["stack"], match["output"])
        except LookupError as error:
            raise NoValueError(f"{error} (--var {readable(reference)}=…)", final=True) from error

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
        raise NoValueError(not_given(reference))

    def own_parameter(self, name: str) -> Value:
        """A parameter in this file: v3 has ``params.<stage>.<name>``, v4 ``stages.<stage>.params.<name>``."""
        stage = self.stage()
        for path in (
            f"stages.{stage}.params",
            f"params.{stage}",
            "stages.default.params",
            "params.default",
        ):
            parameters = self.resolver.at(path)
            if isinstance(parameters, Map) and parameters.get(name) is not None:
                return self.resolver.expand(parameters[name])
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
            return self.resolver.at(address, content)
        return Text(
            self.files.read_text(path).strip(),
            Location(self.files.display_name(path), 1),
        )
