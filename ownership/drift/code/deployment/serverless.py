"""Functions of the Serverless Framework."""

from pathlib import Path
from posixpath import join, normpath

from ownership.drift.code.deployment.base import DeployedFunction, DeployedTemplate
from ownership.drift.code.deployment.handlers import Handlers
from ownership.drift.code.deployment.serverless_code import load_code
from ownership.drift.readers.serverless import (
    CODE_FILES,
    load_project,
    service_of_project,
)
from ownership.drift.readers.serverless_project import service_name
from ownership.drift.readers.serverless_variables import Variables
from ownership.drift.readers.template import NodeReader
from ownership.drift.values import (
    Map,
    Text,
    Value,
    location_of,
)


class ServerlessProjects(Handlers):
    """Reads projects."""

    def _read_project(self, path: Path) -> None:
        if path.suffix not in (".yml", ".yaml", ".json") and path.name not in CODE_FILES:
            return
        if not path.name.startswith("serverless"):
            return
        if path.name in CODE_FILES:
            content = load_code(self.files.display_name(path), self.sources)
        else:
            content = load_project(path, self.files)
        variables = Variables(content, path.parent, self.files, self.given)
        service = service_of_project(path, self.top, self.names, service_name(variables))
        folder = self._folder(path)
        self.service_folders[folder] = service
        self.roots.add(folder)
        parts = _section(variables, "resources")
        template = DeployedTemplate(parts, dict(self.given), self.exports, self.names.given, variables)
        self._add_serverless_layers(variables, folder)
        shared = _mapping(variables.at("provider.environment"))
        for part in _section(variables, "functions"):
            for name, node in part.items():
                function = variables.expand(node)
                if not isinstance(function, Map):
                    self._unresolved(
                        service,
                        location_of(node),
                        str(name),
                        "the function can't be resolved",
                    )
                    continue
                handler = variables.expand(function.get("handler"))
                module = variables.expand(function.get("module"))
                base = join(folder, module) if isinstance(module, Text) else folder
                own = _mapping(variables.expand(function.get("environment")))
                environment = [part for part in (shared, own) if part is not None]
                problem = ""
                if not isinstance(handler, Text) or handler.reason:
                    problem = "has no handler that can be read"
                    if function.get("image") is not None:
                        problem = "runs an image, whose code is not read"
                    handler = Text("", function.location)
                self.functions.append(
                    DeployedFunction(
                        service,
                        str(name),
                        folder,
                        normpath(base),
                        handler,
                        template,
                        environment,
                        problem,
                    )
                )

    def _add_serverless_layers(self, variables: Variables, folder: str) -> None:
        layers = variables.at("layers")
        for node in layers.values() if isinstance(layers, Map) else ():
            layer = variables.expand(node)
            path = variables.expand(layer.get("path")) if isinstance(layer, Map) else None
            if isinstance(path, Text):
                self._add_layer(join(folder, path))


def _mapping(node: Value) -> Map | None:
    return node if isinstance(node, Map) else None


def _section(variables: Variables, name: str) -> list[Map]:
    """The parts of a section that is a mapping or a list of mappings."""
    parts: list[Map] = []
    for part in NodeReader(variables.expand).items(variables.at(name)):
        if isinstance(part, Map):
            parts.append(part)
    return parts
