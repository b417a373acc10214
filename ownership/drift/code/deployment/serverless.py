"""Functions of the Serverless Framework."""

from dataclasses import dataclass
from pathlib import Path
from posixpath import join, normpath

from ownership.drift.code.deployment.base import DeployedFunction, DeployedTemplate
from ownership.drift.code.deployment.handlers import Handlers
from ownership.drift.code.deployment.serverless_code import load_code
from ownership.drift.readers.node_reader import NodeReader
from ownership.drift.readers.serverless import (
    CODE_FILES,
    load_project,
    service_of_project,
)
from ownership.drift.readers.serverless_project import service_name
from ownership.drift.readers.serverless_variables import Variables
from ownership.drift.values import Map, Text, Value, as_mapping, location_of


class ServerlessProjects(Handlers):
    """Reads projects."""

    def _read_project(self, path: Path) -> None:
        """Read the functions of one project."""
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
        template = DeployedTemplate(
            parts, dict(self.given), self.exports, self.names.given, variables
        )
        self._add_serverless_layers(variables, folder)
        project = _Project(service, folder, variables, template)
        for part in NodeReader(variables.expand).items(variables.at("functions")):
            if not isinstance(part, Map):
                reason = "the functions can't be resolved"
                self._unresolved(service, location_of(part), "functions", reason)
                continue
            for name, node in part.items():
                self._add_project_function(project, str(name), node)

    def _add_project_function(self, project: "_Project", name: str, node: Value) -> None:
        variables = project.variables
        function = variables.expand(node)
        if not isinstance(function, Map):
            self._unresolved(
                project.service, location_of(node), name, "the function can't be resolved"
            )
            return
        module = variables.expand(function.get("module"))
        base = join(project.folder, module) if isinstance(module, Text) else project.folder
        handler = variables.expand(function.get("handler"))
        problem = ""
        if not isinstance(handler, Text) or handler.reason:
            problem = "has no handler that can be read"
            if function.get("image") is not None:
                problem = "runs an image, whose code is not read"
            handler = Text("", function.location)
        deployed = DeployedFunction(
            project.service,
            name,
            project.folder,
            normpath(base),
            handler,
            project.template,
            _environment(variables, function),
            problem,
        )
        self.functions.append(deployed)

    def _add_serverless_layers(self, variables: Variables, folder: str) -> None:
        for node in as_mapping(variables.at("layers")).values():
            layer = as_mapping(variables.expand(node))
            path = variables.expand(layer.get("path"))
            if isinstance(path, Text):
                self._add_layer(join(folder, path))


@dataclass(frozen=True)
class _Project:
    """What the functions of one project share."""

    service: str
    folder: str
    variables: Variables
    template: DeployedTemplate


def _environment(variables: Variables, function: Map) -> list[Map]:
    """The variables of a function's environment: those of the provider, then its own."""
    shared = variables.at("provider.environment")
    own = variables.expand(function.get("environment"))
    return [part for part in (shared, own) if isinstance(part, Map)]


def _section(variables: Variables, name: str) -> list[Map]:
    """The parts of a section that is a mapping or a list of mappings."""
    parts: list[Map] = []
    for part in NodeReader(variables.expand).items(variables.at(name)):
        if isinstance(part, Map):
            parts.append(part)
    return parts
