"""Functions of CloudFormation, SAM and CDK."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from posixpath import dirname, join, normpath

from ownership.drift.code.deployment.base import DeployedFunction, DeployedTemplate
from ownership.drift.code.deployment.serverless import ServerlessProjects
from ownership.drift.readers.cdk import CDK_OUTPUT, is_assembly
from ownership.drift.readers.cloudformation import FUNCTION
from ownership.drift.readers.loops import LOOP
from ownership.drift.readers.owners import (
    FunctionCode,
    Holder,
    Owner,
    Owners,
    code_of_function,
)
from ownership.drift.readers.sam import FUNCTION as SERVERLESS_FUNCTION
from ownership.drift.readers.sam import with_globals
from ownership.drift.readers.serverless import find_projects
from ownership.drift.readers.serverless_variables import Variables
from ownership.drift.readers.stacks import Stack, Stacks
from ownership.drift.readers.template import Exports
from ownership.drift.readers.template_files import is_template
from ownership.drift.readers.template_nodes import ROLE, STACK_TYPES, referenced
from ownership.drift.service_names import unregistered_service_name
from ownership.drift.templating import is_templated, load
from ownership.drift.types import ReadError
from ownership.drift.values import Map, Text, Value, as_mapping, as_text, location_of

FUNCTION_TYPES = (SERVERLESS_FUNCTION, FUNCTION)
LAYER_TYPES = ("AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion")


class Deployment(ServerlessProjects):
    """All functions that the infrastructure below a folder deploys."""

    def read(self, paths: list[Path]) -> None:
        """Read the projects and templates in these folders."""
        for path in paths:
            for project in find_projects(path):
                self._read_guarded(project, self._read_project)
        for path in self._templates(paths):
            self._read_guarded(path, self._read_template)
        self._connect_nested_stacks()
        self._add_functions(paths)

    def _templates(self, paths: list[Path]) -> Iterator[Path]:
        for path in paths:
            for candidate in self.sources.infrastructure:
                if candidate.is_relative_to(path) and not _is_project(candidate):
                    yield candidate
            for folder in cdk_outputs(path):
                yield from sorted(folder.glob("*.template.json"))

    def _read_template(self, path: Path) -> None:
        name = self.files.display_name(path)
        try:
            text = self.files.read_text(path)
        except ReadError:
            return  # whatever it is: nobody said that it is a template
        if not _may_have_functions(text):
            return
        body = load(text, name, path, self.files, self.given).value
        if not isinstance(body, Map) or not isinstance(body.get("Resources"), Map):
            return
        variables = None
        if is_templated(text, name):
            variables = Variables(body, path.parent, self.files, self.given)
        template = DeployedTemplate(
            [body], dict(self.given), self.exports, self.names.given, variables
        )
        self.templates[name] = template
        template.function_defaults = _globals(template, body)
        folder = self._folder(path)
        self._report_loops(template, folder)
        self._add_layers(template, folder)

    def _report_loops(self, template: DeployedTemplate, folder: str) -> None:
        """Report loops that could not be expanded."""
        service = self._service_of_folder(folder)
        for key, node in template.resources.items():
            if key.startswith(LOOP):
                reason = "is not expanded, and may make functions"
                self._unresolved(service, location_of(node), str(key), reason)

    def _add_layers(self, template: DeployedTemplate, folder: str) -> None:
        for _, properties in template.of_type(*LAYER_TYPES):
            for key in ("ContentUri", "Content"):
                content = template.expand(properties.get(key))
                if isinstance(content, Text):
                    self._add_layer(join(folder, content))

    def _service_of_folder(self, folder: str) -> str:
        """The service that code belongs to whose service nothing says: it is named like the folder."""
        return unregistered_service_name(PurePosixPath(folder).name or self.top.name)

    def _add_functions(self, paths: list[Path]) -> None:
        """Add the functions of all templates. Whose they are may depend on the stack that a template is nested in."""
        stacks = self._stacks(paths)
        owners = Owners(self.names, self.services)
        for name, template in self.templates.items():
            path = self.top / name
            stack = stacks.get(path) or Stack(path, (), folder=self._folder(path))
            for logical_name, properties in template.of_type(*FUNCTION_TYPES):
                self._add_function(template, stack, owners, logical_name, properties)

    def _stacks(self, paths: list[Path]) -> dict[Path, Stack]:
        """The stacks that the templates make, as the reader of grants finds them."""
        stacks = Stacks(self.files, self.given, self.names.given, Exports())
        assemblies: list[Path] = []
        for path in paths:
            assemblies += [folder for folder in cdk_outputs(path) if is_assembly(folder)]
        templates = [self.top / name for name in self.templates]
        others = [path for path in templates if path.parent not in assemblies]
        for _ in stacks.load([*assemblies, *others]):
            pass  # what can't be read was reported with its functions
        return stacks.by_path()

    def _add_function(
        self,
        template: DeployedTemplate,
        stack: Stack,
        owners: Owners,
        name: str,
        own_properties: Map,
    ) -> None:
        properties = own_properties
        if _type_of(template, name) == SERVERLESS_FUNCTION:
            properties = with_globals(properties, template.function_defaults)
        code = code_of_function(template, name, properties, stack.folder)
        asset = self._asset(template, name, stack.folder)
        base = code.base if asset is None else asset
        user = Holder(name, properties, code.own_folder, is_function=True)
        owner = owners.of_user(template, stack, user, self._role(template, properties))
        service = owner.service or self._service_of_folder(stack.folder)
        own_folder = _own_folder(owner, code, stack.folder)
        self.service_folders.setdefault(own_folder, service)
        self.roots.add(base)
        function = DeployedFunction(
            service,
            name,
            own_folder,
            base,
            _handler_text(code, name, properties),
            template,
            _environment(template, own_properties),
            _problem(template, code, properties),
            _inline_code(template, properties),
        )
        self.functions.append(function)

    def _asset(self, template: DeployedTemplate, name: str, folder: str) -> str | None:
        """The folder that CDK put a function's code into."""
        resource = template.resource(name)
        metadata = template.mapping(resource.get("Metadata"))
        path = template.expand(metadata.get("aws:asset:path"))
        if not isinstance(path, Text):
            return None
        asset = normpath(join(folder, path))
        if asset.startswith(".."):
            return None
        self.sources.include(asset)
        return asset

    def _role(self, template: DeployedTemplate, properties: Map) -> Holder | None:
        """The role that a function runs in, if the template has it."""
        name = referenced(template.expand(properties.get("Role")))
        if name is None or _type_of(template, name) != ROLE:
            return None
        return Holder(name, template.properties(name))

    def _connect_nested_stacks(self) -> None:
        for name, template in self.templates.items():
            for logical_name, properties in template.of_type(*STACK_TYPES):
                child = self._nested_template(name, template, properties)
                if child is not None and child is not template:
                    template.nested[str(logical_name)] = child
                    self._pass_parameters(template, child, properties)

    def _nested_template(
        self, name: str, template: DeployedTemplate, properties: Map
    ) -> DeployedTemplate | None:
        """The template of a nested stack by its path, seen from the file with that name; None if it is not there."""
        path = template.expand(properties.get("TemplateURL") or properties.get("Location"))
        if not isinstance(path, Text):
            return None
        return self.templates.get(normpath(join(dirname(name), path)))

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


def _is_project(path: Path) -> bool:
    """Whether a file is a project of the Serverless Framework by its name."""
    return path.name.startswith("serverless.")


def _may_have_functions(text: str) -> bool:
    """Whether a file may be a template with functions, or with what they need."""
    known_types = (*FUNCTION_TYPES, *LAYER_TYPES, *STACK_TYPES, "AWS::DynamoDB")
    if any(kind in text for kind in known_types):
        return True
    # A template in Jinja2 may take all resources from macros in other files.
    return "{%" in text and is_template(text)


def _type_of(template: DeployedTemplate, name: str) -> Value:
    """The type of a resource; None if the template does not have it."""
    return template.resource(name).get("Type")


def _handler_text(code: FunctionCode, name: str, properties: Map) -> Text:
    """The handler, or an empty text at the place of the function."""
    if code.handler is not None:
        return code.handler
    return Text("", as_text(name, properties.location).location)


def _problem(template: DeployedTemplate, code: FunctionCode, properties: Map) -> str:
    """Why a function's code can't be read; empty if it can."""
    if template.text(properties.get("PackageType")) == "Image":
        return "runs an image, whose code is not read"
    if code.handler is None or code.handler.reason:
        return "has no handler that can be read"
    return ""


def _inline_code(template: DeployedTemplate, properties: Map) -> Text | None:
    """Code that is written in the template; None if there is none."""
    inline = properties.get("InlineCode")
    source = template.expand(properties.get("Code"))
    if inline is None and isinstance(source, Map):
        inline = source.get("ZipFile")
    if inline is None:
        return None
    return template.text(inline)


def _environment(template: DeployedTemplate, properties: Map) -> list[Map]:
    """The variables of a function's environment: those of SAM's ``Globals``, then its own."""
    parts: list[Map] = []
    for holder in (template.function_defaults, properties):
        settings = template.mapping(holder.get("Environment"))
        parts.append(template.mapping(settings.get("Variables")))
    return parts


def _own_folder(owner: Owner, code: FunctionCode, folder: str) -> str:
    """The folder of the code of a function's service."""
    if owner.folder is not None:
        return owner.folder
    if owner.service is not None and code.own_folder is not None:
        return code.own_folder
    if PurePosixPath(folder).name == CDK_OUTPUT:
        return dirname(folder)
    return folder


def cdk_outputs(path: Path) -> Iterator[Path]:
    """The output of CDK apps below a folder."""
    for folder in sorted(path.glob(f"**/{CDK_OUTPUT}")):
        if "node_modules" not in folder.parts and not folder.is_symlink():
            yield folder


def _globals(template: DeployedTemplate, body: Map) -> Map:
    """What SAM's ``Globals`` state for all functions."""
    settings = as_mapping(template.expand(body.get("Globals")))
    return as_mapping(template.expand(settings.get("Function")))
