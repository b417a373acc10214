"""Functions of CloudFormation, SAM and CDK."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from posixpath import dirname, join, normpath

from ownership.drift.code.deployment.base import DeployedFunction, DeployedTemplate
from ownership.drift.code.deployment.services import CDK_OUTPUT, Services, folder_of_handler
from ownership.drift.naming import unregistered_service_name
from ownership.drift.readers.serverless import (
    find_projects,
)
from ownership.drift.readers.serverless_variables import Variables
from ownership.drift.templating import is_templated, load
from ownership.drift.types import ReadError
from ownership.drift.values import (
    UNKNOWN_LOCATION,
    Map,
    Text,
    location_of,
)

FUNCTION_TYPES = ("AWS::Serverless::Function", "AWS::Lambda::Function")
LAYER_TYPES = ("AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion")
NESTED_TYPES = ("AWS::CloudFormation::Stack", "AWS::Serverless::Application")


class Deployment(Services):
    """All functions that the infrastructure below a folder deploys."""

    def read(self, paths: list[Path]) -> None:
        """Read the projects and templates below, or at, these paths."""
        for path in paths:
            for project in find_projects(path):
                if project.name.startswith("serverless.") or path.is_file():
                    self._read_guarded(project, self._read_project)
        for path in self._templates(paths):
            self._read_guarded(path, self._read_template)
        self._connect_nested_stacks()

    def _templates(self, paths: list[Path]) -> Iterator[Path]:
        for path in paths:
            if path.is_file():
                if not path.name.startswith("serverless."):
                    yield path
                continue
            for candidate in self.sources.infrastructure:
                if candidate.is_relative_to(path) and not candidate.name.startswith("serverless."):
                    yield candidate
            for folder in sorted(path.glob(f"**/{CDK_OUTPUT}")):
                if "node_modules" not in folder.parts and not folder.is_symlink():
                    yield from sorted(folder.glob("*.template.json"))

    def _read_template(self, path: Path) -> None:
        name = self.files.display_name(path)
        try:
            text = self.files.read_text(path)
        except ReadError:
            return  # whatever it is: nobody said that it is a template
        if not any(
            kind in text
            for kind in (
                *FUNCTION_TYPES,
                *LAYER_TYPES,
                *NESTED_TYPES,
                "AWS::DynamoDB",
            )
        ):
            return
        body = load(text, name, path, self.files, self.given).value
        if not isinstance(body, Map) or not isinstance(body.get("Resources"), Map):
            return
        given = dict(self.given)
        variables = None
        if is_templated(text, name):
            variables = Variables(body, path.parent, self.files, self.given)
        template = DeployedTemplate([body], given, self.exports, self.names.given, variables)
        self.templates[name] = template
        folder = self._folder(path)
        defaults = _globals(template, body)
        for key, node in template.resources.items():
            if key.startswith("Fn::ForEach"):
                service = unregistered_service_name(PurePosixPath(folder).name or self.top.name)
                self._unresolved(service, location_of(node), str(key), "is not expanded, and may make functions")
        for _, properties in template.of_type(*LAYER_TYPES):
            for key in ("ContentUri", "Content"):
                content = template.expand(properties.get(key))
                if isinstance(content, Text):
                    self._add_layer(join(folder, content))
        for logical_name, properties in template.of_type(*FUNCTION_TYPES):
            self._add_function(template, folder, str(logical_name), properties, defaults)

    def _add_function(
        self,
        template: DeployedTemplate,
        folder: str,
        name: str,
        properties: Map,
        defaults: Map,
    ) -> None:
        handler = template.text(properties.get("Handler") or defaults.get("Handler"))
        code = template.expand(properties.get("CodeUri") or properties.get("Code") or defaults.get("CodeUri"))
        base, inline = folder, None
        has_own_code = False
        asset = self._asset(template, name, folder)
        if asset is not None:
            base = asset
        elif isinstance(code, Text):
            base = normpath(join(folder, code))
            has_own_code = True
            if base.endswith(".zip") or "://" in code or base.startswith(".."):
                base, has_own_code = folder, False
        inline_code = properties.get("InlineCode")
        if isinstance(code, Map) and inline_code is None:
            inline_code = code.get("ZipFile")
        if inline_code is not None:
            inline = template.text(inline_code)
        handler = self._esbuild_handler(template, name, handler)
        problem = "" if handler is not None and not handler.reason else "has no handler that can be read"
        if template.text(properties.get("PackageType")) == "Image":
            problem = "runs an image, whose code is not read"
        base = "" if base == "." else base
        code_folder = None
        if has_own_code:
            code_folder = join(base, folder_of_handler(handler)).rstrip("/")
        service, own_folder = self._service_of(template, folder, name, properties, code_folder)
        self.service_folders.setdefault(own_folder, service)
        self.roots.add(base)
        environment: list[Map] = []
        for holder in (defaults, properties):
            settings = template.mapping(holder.get("Environment"))
            environment.append(template.mapping(settings.get("Variables")))
        location = name.location if isinstance(name, Text) else properties.location
        text = handler if handler is not None else Text("", location)
        self.functions.append(
            DeployedFunction(
                service,
                name,
                own_folder,
                base,
                text,
                template,
                environment,
                problem,
                inline,
            )
        )

    def _asset(self, template: DeployedTemplate, name: str, folder: str) -> str | None:
        """The folder that CDK put a function's code into."""
        metadata = template.mapping(template.mapping(template.resources.get(name)).get("Metadata"))
        path = template.expand(metadata.get("aws:asset:path"))
        if not isinstance(path, Text):
            return None
        asset = normpath(join(folder, path))
        if asset.startswith(".."):
            return None
        self.sources.include(asset)
        return asset

    def _esbuild_handler(self, template: DeployedTemplate, name: str, handler: Text | None) -> Text | None:
        """SAM builds TypeScript from an entry point, and the handler is in what that becomes."""
        metadata = template.mapping(template.mapping(template.resources.get(name)).get("Metadata"))
        properties = template.mapping(metadata.get("BuildProperties"))
        points = template.texts(properties.get("EntryPoints"))
        if not points or handler is None:
            return handler
        stem = points[0].removesuffix(PurePosixPath(points[0]).suffix)
        return Text(f"{stem}.{handler.rpartition('.')[2]}", handler.location)

    def _connect_nested_stacks(self) -> None:
        for name, template in self.templates.items():
            for logical_name, properties in template.of_type(*NESTED_TYPES):
                location = template.expand(properties.get("TemplateURL") or properties.get("Location"))
                if not isinstance(location, Text):
                    continue
                child = self.templates.get(normpath(join(dirname(name), location)))
                if child is None or child is template:
                    continue
                template.nested[str(logical_name)] = child
                self._pass_parameters(template, child, properties)

    def _pass_parameters(
        self,
        template: DeployedTemplate,
        child: DeployedTemplate,
        properties: Map,
    ) -> None:
        for parameter, node in template.mapping(properties.get("Parameters")).items():
            try:
                texts = template.texts(node)
            except ReadError:
                continue
            if len(texts) == 1:
                child.parameters_given.setdefault(f"param:{parameter}", texts[0])


def _globals(template: DeployedTemplate, body: Map) -> Map:
    """What SAM's ``Globals`` state for all functions."""
    settings = template.expand(body.get("Globals"))
    if not isinstance(settings, Map):
        return Map(UNKNOWN_LOCATION)
    function = template.expand(settings.get("Function"))
    return function if isinstance(function, Map) else Map(UNKNOWN_LOCATION)
