"""Reads serverless-compose.yml: the parameters that the projects of a folder get from it.

::

    services:
      tables: {path: services/tables}
      shop: {path: services/shop, params: {ordersArn: "${tables.OrdersArn}"}}
    stages:
      default: {params: {paymentsTable: payments}}

``${param:ordersArn}`` in the project ``services/shop`` is the output ``OrdersArn`` of the project ``tables``, and
``${param:paymentsTable}`` is ``payments`` in both.
Source: Serverless Framework documentation, "Composing services" (v3 and v4); for v4, runners/compose and
providers/param of sf-core.
"""

import os
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from ownership.drift.readers.files import Files, folders_below, resolved_path
from ownership.drift.readers.serverless_variables import Variables
from ownership.drift.readers.siblings import NoOutputError, Siblings
from ownership.drift.readers.variable_sources import NoValueError, Outside
from ownership.drift.types import ReadError
from ownership.drift.values import UNKNOWN_LOCATION, Map, Text, Value, as_mapping, concat

COMPOSE_FILES = ("serverless-compose.yml", "serverless-compose.yaml", "serverless-compose.json")
COMPOSE_CODE = (
    "serverless-compose.ts",
    "serverless-compose.js",
    "serverless-compose.cjs",
    "serverless-compose.mjs",
)
PROJECT_FILES = ("serverless.yml", "serverless.yaml", "serverless.json")

# `${tables.OrdersArn}`, and in v4 also `${service:tables.OrdersArn}`.
OUTPUT = re.compile(r"\$\{(?:service:)?(?P<service>[\w-]+)\.(?P<output>[\w-]+)\}")


class Compositions:
    """All files of this kind that concern the projects at or below ``top``. Unreadable ones are in ``errors``."""

    def __init__(
        self, top: Path, files: Files, given: Mapping[str, str], siblings: Siblings
    ) -> None:
        self.errors: list[ReadError] = []
        self._compositions: list[Composition] = []
        self._code: list[Path] = []
        for path in _compose_files(top, files.root):
            if path.name in COMPOSE_CODE:
                self._code.append(path)
                continue
            try:
                self._compositions.append(Composition(path, files, given, siblings))
            except ReadError as error:
                self.errors.append(error)

    def project_files(self, top: Path) -> Iterator[Path]:
        """The files at or below ``top`` of projects whose file is named here (``config:``)."""
        for composition in self._compositions:
            for file in composition.services:
                if file.name not in PROJECT_FILES and file.is_relative_to(top):
                    yield file

    def outside(self, file: Path, siblings: Siblings) -> Outside:
        """What the project in a file is given by others."""
        return Outside(partial(self._parameter, file), siblings.of_stack)

    def _parameter(self, file: Path, name: str) -> Value:
        """The value of a parameter for a project; None if it gets none. Raises NoValueError."""
        for composition in self._compositions:
            value = composition.parameter(file, name)
            if value is not None:
                return value
        for path in self._code:
            if file.is_relative_to(path.parent):
                raise NoValueError(f"{path.name} is code, which is not run (--var param:{name}=…)")
        return None


class Composition:
    """One serverless-compose.yml. ``services`` are the names of its services by the files of their projects."""

    def __init__(
        self, path: Path, files: Files, given: Mapping[str, str], siblings: Siblings
    ) -> None:
        self.path = path
        self.files = files
        self.given = given
        self.siblings = siblings
        config = files.load(path)
        self.config = config if isinstance(config, Map) else Map(UNKNOWN_LOCATION)
        variables = self._variables()
        self.services: dict[Path, str] = {}
        self._files: dict[str, Path] = {}
        for name, node in _mapping(variables, self.config.get("services")).items():
            file = self._project_file(variables, _mapping(variables, node))
            if file is not None:
                self.services[file] = str(name)
                self._files[str(name)] = file

    def parameter(self, file: Path, name: str) -> Value:
        """The value of a parameter for the project in a file; None if it gets none. Raises NoValueError."""
        service = self.services.get(file)
        if service is None:
            return None
        variables = self._variables()
        settings = _mapping(variables, _mapping(variables, self.config["services"]).get(service))
        node = _mapping(variables, settings.get("params")).get(name)
        match node:
            case None:
                return variables.own_parameter(name)
            case Text():
                return variables.expand(self._with_outputs(node))
        return variables.expand(node)

    def _variables(self) -> Variables:
        outside = Outside(lambda name: None, self.siblings.of_stack)
        return Variables(self.config, self.path.parent, self.files, self.given, outside)

    def _with_outputs(self, text: Text) -> Text:
        """The text with the outputs of other services in place of ``${service.output}``."""
        pieces = []
        position = 0
        for match in OUTPUT.finditer(text):
            pieces += [
                text.part(position, match.start()),
                self._output(match["service"], match["output"]),
            ]
            position = match.end()
        pieces.append(text.part(position, len(text)))
        return concat(pieces, text.location)

    def _output(self, service: str, output: str) -> Text:
        file = self._files.get(service)
        if file is None:
            raise NoValueError(
                f"{self.path.name} has no project that is read for the service {service}",
                final=True,
            )
        try:
            return self.siblings.of_file(file, service, output)
        except NoOutputError as error:
            raise NoValueError(str(error), final=True) from error

    def _project_file(self, variables: Variables, service: Map) -> Path | None:
        """The file of a service's project; None if it is of another framework, or not there."""
        path = variables.expand(service.get("path"))
        if not isinstance(path, Text) or path.reason:
            return None
        config = variables.expand(service.get("config"))
        names = (str(config),) if isinstance(config, Text) else PROJECT_FILES
        for name in names:
            try:
                file = self.files.find(self.path.parent, f"{path}/{name}", includes=False)
            except ValueError:
                continue
            if file is not None:
                return file
        return None


def _compose_files(top: Path, root: Path) -> Iterator[Path]:
    """The files of this kind below ``top``, beside it, and in the folders around it as far as ``root``."""
    around = [folder for folder in top.parents if folder.is_relative_to(root)]
    folders = [(folder, set(os.listdir(folder))) for folder in around]
    for folder, names in (*folders, *folders_below(top)):
        for name in (*COMPOSE_FILES, *COMPOSE_CODE):
            if name in names:
                yield resolved_path(folder / name)
                break


def _mapping(variables: Variables, node: Value) -> Map:
    return as_mapping(variables.expand(node))
