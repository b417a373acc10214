"""The Serverless Framework's variables, as the framework resolves them, without running anything.

Source: Serverless Framework documentation, "Variables" (v1 to v4). Values come from the project's own files
and from the caller (``{"opt:stage": "prod", "env:REGION": "…"}``), never from this machine.
"""

import re
from collections.abc import Iterator, Mapping
from copy import copy
from pathlib import Path
from typing import Any

from ownership.drift.readers.yaml_values import HOLE, NAMED_SO, Files, Map, Seq, Text, concat, from_variable, hole
from ownership.drift.types import Location, ReadError

MAX_NESTING = 60
MAX_STEPS = 50_000  # of one project: what a chain of doubling variables would exceed
MAX_LENGTH = 10_000  # of a text, in characters and in the variables that it is made from

SOURCE = re.compile(r"\s*(?:[A-Za-z][\w-]*(?:\(.*?\)(?::|\s*$|\s*,)|:(?!:)))", re.DOTALL)
GIVEN = re.compile(r"(?:opt|env|sls|param):")  # a value from outside, which may be another in each environment
DEFAULTS = {"self:provider.stage": "dev", "self:provider.region": "us-east-1"}
FILE = re.compile(r"file\((?P<name>[^)]*)\)(?::(?P<address>.*))?$", re.DOTALL)


def close(text: str, start: int) -> int:
    """The index after the brace that closes the ``${`` at start; -1 where none does."""
    depth = 0
    for match in re.compile(r"\$\{|\{|\}").finditer(text, start):
        depth += -1 if match[0] == "}" else 1
        if depth == 0:
            return match.end()
    return -1


def stretches(text: str) -> Iterator[tuple[int, int, bool]]:
    """The text cut into (start, end, whether it is a ``${…}``)."""
    at = 0
    while (start := text.find("${", at)) >= 0 and (end := close(text, start)) > 0:
        yield at, start, False
        yield start, end, True
        at = end
    yield at, len(text), False


def alternatives(expression: str) -> list[str]:
    """``opt:stage, self:provider.stage, 'dev'`` at its commas, those in quotes and brackets excepted."""
    parts, depth, quote, start = [], 0, "", 0
    for i, char in enumerate(expression):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "({":
            depth += 1
        elif char in ")}":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(expression[start:i])
            start = i + 1
    return [part.strip() for part in (*parts, expression[start:])]


def _stands_for_environment(reference: Text) -> bool:
    """Whether a reference without a value means the environment all the same: named so, or chosen by it.

    ``self:custom.ends.${opt:stage}`` is chosen so; ``self:custom.${opt:stage}.users`` may well be part of a name.
    """
    if reference.unclear:
        return False
    if NAMED_SO.search(reference):
        return True
    if match := FILE.match(reference):
        return not match["address"] and any(v.varies for v in reference.variables)
    last = max(reference.rfind("."), reference.rfind(":")) + 1
    return reference.startswith("self:") and any(v.varies and v.end > last for v in reference.variables)


def _varying(value: Any, place: Location) -> Any:
    """The value, marked as one that the environment chooses."""
    if isinstance(value, str):
        return from_variable(value, place, varies=True)
    value = copy(value)
    value.varies = True
    return value


class Unknown(Exception):
    """A source has no value here, and why. ``final``: the framework has one, so no default may step in."""

    def __init__(self, reason: str, *, final: bool = False):
        super().__init__(reason)
        self.final = final


class Variables:
    """Resolves the variables of one project. ``config`` is its serverless.yml, in ``folder``."""

    def __init__(self, config: Map, folder: Path, files: Files, given: Mapping[str, str]):
        self.config, self.folder, self.files, self.given = config, folder, files, given
        self._known: dict[str, Any] = {}
        self._open: list[str] = []
        self._steps = self._nesting = 0

    def expand(self, node: Any) -> Any:
        """The value, its variables resolved; inside a Map or Seq they still stand. Raises ReadError."""
        if not isinstance(node, Text) or "${" not in node:
            return node
        self._steps += 1
        if self._steps > MAX_STEPS or self._nesting >= MAX_NESTING:
            raise ReadError(node.place, "has variables nested too deeply, or too many of them")
        self._nesting += 1
        try:
            return self._expanded(node)
        finally:
            self._nesting -= 1

    def _expanded(self, node: Text) -> Any:
        pieces: list[Text] = []
        for start, end, is_variable in stretches(node):
            piece = node.part(start, end)
            expression = node[start + 2 : end - 1]
            if is_variable and expression[:1] == "{" and expression[-1:] == "}":
                expression = expression[1:-1]  # ${{…}}: what v1 projects set as variableSyntax
            if is_variable and SOURCE.match(alternatives(expression)[0]):
                value = self._variable(expression, node)
                if (start, end) == (0, len(node)) and not isinstance(value, str):
                    return value
                if not isinstance(value, str):
                    value = hole(node.place, f"{piece} is no text")
                piece = concat([value], node.place)
            pieces.append(piece)
        text = concat(pieces, node.place)
        if max(len(text), len(text.variables)) > MAX_LENGTH:
            raise ReadError(node.place, f"resolves to more than {MAX_LENGTH:,} characters")
        return text

    def at(self, path: str, within: Any = None) -> Any:
        """The resolved value under ``a.b.0.c`` in the configuration, or in ``within``; None for none."""
        node = self.expand(self.config if within is None else within)
        for key in filter(None, path.split(".")):
            if isinstance(node, Text) and node.reason:  # a file that is not there, say
                return hole(node.place, node.reason, bool(NAMED_SO.search(path)))
            varies = isinstance(node, Map | Seq) and node.varies
            if isinstance(node, Map):
                node = node.get(key)
            elif isinstance(node, Seq) and key.isdigit() and int(key) < len(node):
                node = node[int(key)]
            else:
                return None
            node = self.expand(node)
            if varies and isinstance(node, Text):
                node = from_variable(node, node.place, varies=True)
        return node

    def _variable(self, expression: str, node: Text) -> Any:
        """The value of ``${expression}``: that of its first alternative with one, marked as a variable."""
        reasons: list[str] = []
        varies = stands = False  # whether an alternative before depends on the environment, and whether one is it
        alternative = ""
        for alternative in alternatives(expression):
            if alternative[:1] in ("'", '"') and alternative[-1:] == alternative[:1]:
                return from_variable(Text(alternative[1:-1], node.place), node.place, varies)
            inner = self.expand(Text(alternative, node.place))
            if alternative.startswith("${") and close(alternative, 0) == len(alternative):
                if inner is not None and not (isinstance(inner, Text) and inner.reason):
                    return _varying(inner, node.place) if varies else inner
                reasons.append(f"no value for {alternative}" if inner is None else str(inner.reason))
                stands = stands or (inner is not None and not inner.unclear)
                varies = varies or stands
                continue
            depends = bool(GIVEN.match(inner)) or any(v.varies for v in inner.variables)
            named = bool(NAMED_SO.search(inner))
            try:
                value = self._source(inner)
            except Unknown as unknown:
                reasons.append(str(unknown))
                varies = varies or depends or named
                stands = stands or _stands_for_environment(inner)
                if unknown.final:
                    break
                continue
            if not isinstance(value, str):
                return _varying(value, node.place) if varies or depends else value
            unclear = isinstance(value, Text) and value.unclear
            return from_variable(value, node.place, (varies or depends or named) and not unclear)
        else:
            if alternative == "null":  # as a last default: nothing is stated here
                return None
        return hole(node.place, "; ".join(reasons), stands)

    def _source(self, reference: Text) -> Any:
        """The value of one reference such as ``self:provider.stage``. Raises Unknown."""
        if reference.reason:
            raise Unknown(reference.reason)
        if reference in self._known:
            return self._known[reference]
        if reference in self._open:
            raise Unknown(f"{reference} refers to itself", final=True)
        self._open.append(str(reference))
        try:
            value = self._read(reference)
        finally:
            self._open.pop()
        if value is None:
            raise Unknown(f"no value for {reference}")
        self._known[str(reference)] = value
        return value

    def _read(self, reference: Text) -> Any:
        given = self.given.get(reference)
        if given is not None:
            return Text(given, reference.place)
        source, _, address = reference.partition(":")
        source, address = source.strip(), address.strip()
        if match := FILE.match(reference):
            return self._file(match["name"].strip().strip("'\""), (match["address"] or "").strip())
        if source == "self":
            return self._self(address, reference)
        if source == "sls" and address == "stage":
            return self._stage(reference)
        if source == "aws" and address == "region":
            return self._self("provider.region", reference)
        if source == "param":
            return self._param(address, reference)
        if source in ("opt", "env"):
            raise Unknown(f"no value for {reference} (--var {reference}=…)")
        if source.startswith("strToBool("):
            return self.expand(Text(reference.strip()[10:-1], reference.place))
        if reference in ("true", "false") or reference.replace(".", "").isdigit():
            return reference
        if reference == "null":
            return None
        raise Unknown(f"{reference.replace(HOLE, '…')} is known only when deployed (--var {reference}=…)", final=True)

    def _self(self, address: str, reference: Text) -> Any:
        if address == "provider.stage" and "opt:stage" in self.given:
            return Text(self.given["opt:stage"], reference.place)
        value = self.at(address)
        if address == "service" and isinstance(value, Map):
            value = self.at("service.name")
        if address == "provider.stage" and isinstance(value, Text) and value.reason:
            return hole(value.place, value.reason, varies=True)  # unknown, and the environment for all that
        if value is None and (default := DEFAULTS.get(f"self:{address}")):
            return Text(default, reference.place)
        return value

    def _stage(self, reference: Text) -> Any:
        return self._self("provider.stage", reference)

    def _param(self, name: str, reference: Text) -> Any:
        """v3: ``params.<stage>.<name>``, else ``params.default.<name>``; v4: ``stages.<stage>.params``."""
        stage = self._stage(reference)
        for path in (f"params.{stage}", f"stages.{stage}.params", "params.default", "stages.default.params"):
            parameters = self.at(path)
            if isinstance(parameters, Map) and parameters.get(name) is not None:
                return self.expand(parameters[name])
        raise Unknown(f"no value for {reference} (--var {reference}=…)")

    def _file(self, name: str, address: str) -> Any:
        try:
            path = self.files.find(self.folder, name)
        except ValueError as error:
            raise Unknown(str(error), final=True) from error
        if path is None:
            raise Unknown(f"there is no file {name}")
        if path.suffix in (".yml", ".yaml", ".json"):
            content = self.files.load(path)
            return self.at(address, content) if content is not None else None
        if path.suffix in (".js", ".cjs", ".mjs", ".ts", ".mts", ".cts"):
            raise Unknown(f"{name} is code, which is not run", final=True)
        return Text(self.files.read_text(path).strip(), Location(self.files.shown(path), 1))
