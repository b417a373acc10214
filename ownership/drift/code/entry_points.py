"""Which functions infrastructure deploys, where their code starts, and what is in their environment.

::

    functions:
      create: {handler: src/users.create, environment: {TABLE: !Ref Users}}

is the entry point ``create`` with the file ``src/users.js``, the name ``create`` in it, and the variable ``TABLE``,
whose value is the name of the table ``Users`` in the same template.
Source: Serverless Framework documentation, "Functions"; AWS SAM documentation, "AWS::Serverless::Function" and
"Globals"; AWS CloudFormation Template Reference, "AWS::Lambda::Function"; AWS CDK documentation, "Assets".
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from posixpath import dirname, join, normpath

from ownership.drift.code import templating
from ownership.drift.code.imports import Imports
from ownership.drift.code.sources import JAVASCRIPT, Sources
from ownership.drift.diagnostics import Diagnostics
from ownership.drift.naming import Names, unregistered_service_name
from ownership.drift.readers.cloudformation import service_of_role
from ownership.drift.readers.serverless import (
    CODE_FILES,
    find_projects,
    load_project,
    service_name,
    service_of_project,
)
from ownership.drift.readers.serverless_variables import Variables
from ownership.drift.readers.template import NodeReader, Surroundings, Template, as_it_is
from ownership.drift.types import Location, ReadError, shortened
from ownership.drift.values import (
    UNKNOWN_LOCATION,
    Map,
    Seq,
    Text,
    Value,
    location_of,
    placeholder,
)

SIMPLE_TABLE = "AWS::Serverless::SimpleTable"
FUNCTION_TYPES = ("AWS::Serverless::Function", "AWS::Lambda::Function")
LAYER_TYPES = ("AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion")
NESTED_TYPES = ("AWS::CloudFormation::Stack", "AWS::Serverless::Application")
# Folders that hold the code of all services, so that their name is no service's.
GENERIC_FOLDERS = {
    "",
    ".",
    "app",
    "apps",
    "backend",
    "cfn",
    "cloudformation",
    "code",
    "deploy",
    "deployment",
    "functions",
    "handlers",
    "iac",
    "infra",
    "infrastructure",
    "lambda",
    "lambda_functions",
    "lambdas",
    "packages",
    "sam",
    "services",
    "source",
    "src",
    "stacks",
    "template",
    "templates",
}
BUILT_FOLDERS = {
    "dist",
    "build",
    "lib",
    "out",
    ".build",
    ".webpack",
    "compiled",
}
INLINE = "#inline"
CDK_OUTPUT = "cdk.out"


@dataclass(frozen=True)
class EntryPoint:
    """A deployed function.

    ``folder`` is the folder of its service's own code. ``file`` is where the handler is, None if it is not known
    (``problem`` says why). ``environment`` has the texts that each variable may be.
    """

    service: str
    function: str
    folder: str
    file: str | None
    handler: str
    location: Location
    environment: Mapping[str, list[Text]] = field(default_factory=dict)
    problem: str = ""


class DeployedTemplate(Template):
    """A template whose nested stacks are connected once all templates are read, and which knows SAM's tables."""

    def __init__(
        self,
        parts: list[Map],
        given: dict[str, str],
        exports: dict[str, list[Text]],
        tables: Mapping[str, str],
        variables: Variables | None = None,
    ) -> None:
        expand = as_it_is if variables is None else variables.expand
        super().__init__(parts, expand, given, exports, Surroundings(tables=tables))
        self.nested: dict[str, DeployedTemplate] = {}
        self.parameters_given = given
        self.given = given  # the same dict, also while it is empty

    def nested_stack(self, name: str) -> Template | None:
        """The template of a nested stack, by the stack's logical name; None if it is not known."""
        return self.nested.get(name)

    def table_names(self, name: str, location: Location, nesting: int = 0) -> list[Text]:
        """The physical names of a table, or its logical id if it has none."""
        resource = self.mapping(self.resources.get(name))
        if resource.get("Type") != SIMPLE_TABLE:
            return super().table_names(name, location, nesting)
        table_name = self.mapping(resource.get("Properties")).get("TableName")
        known_name = self.surroundings.tables.get(name)
        if known_name is not None or table_name is None:
            return [Text(known_name or name, location)]
        return self.texts(table_name, nesting) or [Text(name, location)]


@dataclass
class _Function:
    """A function as infrastructure describes it, before its values are resolved."""

    service: str
    name: str
    own_folder: str
    base: str  # where its code is: the project's folder, or CodeUri
    handler: Text
    template: DeployedTemplate
    environment: list[Map]
    problem: str = ""
    inline: Text | None = None


class Deployment:
    """All functions that the infrastructure below a folder deploys."""

    def __init__(
        self,
        sources: Sources,
        names: Names,
        given: Mapping[str, str],
        services: Mapping[str, str],
        diagnostics: Diagnostics,
    ) -> None:
        self.sources = sources
        self.files = sources.files
        self.names = names
        self.given = given
        self.services = services
        self.diagnostics = diagnostics
        self.top = self.files.root
        self.exports: dict[str, list[Text]] = {}
        self.functions: list[_Function] = []
        self.roots: set[str] = set()  # folders from which imports of Python start
        self.service_folders: dict[str, str] = {}  # folder → service
        self.templates: dict[str, DeployedTemplate] = {}

    def read(self, paths: list[Path]) -> None:
        """Read the projects and templates below, or at, these paths."""
        for path in paths:
            for project in find_projects(path):
                if project.name.startswith("serverless.") or path.is_file():
                    self._read_guarded(project, self._read_project)
        for path in self._templates(paths):
            self._read_guarded(path, self._read_template)
        self._connect_nested_stacks()

    def _read_guarded(self, path: Path, read: Callable[[Path], None]) -> None:
        try:
            read(path)
        except ReadError as error:
            self.diagnostics.add_error(error)

    def _folder(self, path: Path) -> str:
        folder = self.files.display_name(path.parent)
        return "" if folder == "." else folder

    # Serverless Framework

    def _read_project(self, path: Path) -> None:
        if path.suffix not in (".yml", ".yaml", ".json") and path.name not in CODE_FILES:
            return
        if not path.name.startswith("serverless"):
            return
        variables = Variables(load_project(path, self.files), path.parent, self.files, self.given)
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
                    _Function(
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

    def _add_layer(self, folder: str) -> None:
        folder = normpath(folder)
        if not folder.startswith(".."):
            self.roots.update((folder, join(folder, "python")))

    def _unresolved(self, service: str, location: Location, text: str, reason: str) -> None:
        self.diagnostics.add_unresolved(Text(text, location), reason, service, ("read", "write"))

    # Templates

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
        body = templating.load(text, name, path, self.files)
        if not isinstance(body, Map) or not isinstance(body.get("Resources"), Map):
            return
        given = dict(self.given)
        variables = (
            Variables(body, path.parent, self.files, self.given) if templating.is_templated(text, name) else None
        )
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
            code_folder = join(base, _folder_of_handler(handler))
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
            _Function(
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

    def _service_of(
        self,
        template: DeployedTemplate,
        folder: str,
        name: str,
        properties: Map,
        code: str | None,
    ) -> tuple[str, str]:
        """The service of a template's function, and the folder of the service's code."""
        if PurePosixPath(folder).name == CDK_OUTPUT:
            folder, code = dirname(folder), None
        tags = properties.get("Tags")
        tag = template.text(tags.get("service")) if isinstance(tags, Map) else None
        if tag:
            known = self.names.service((), str(tag)) or unregistered_service_name(str(tag))
            return known, code or folder
        # What a role permits counts for the same service.
        role = self._service_of_role(template, properties)
        if role:
            return role, code or folder
        # Of the folders of code and template, the innermost whose name is a service's on the map.
        for candidate in (*_with_parents(code or ""), *_with_parents(folder)):
            named = self.names.services.get(PurePosixPath(candidate).name.lower())
            if named:
                return named, candidate
        mentioned = self.names.role([name])
        if mentioned:
            return mentioned, code or folder
        if folder and PurePosixPath(folder).name.lower() not in GENERIC_FOLDERS:
            return unregistered_service_name(PurePosixPath(folder).name), folder
        if code is not None:
            inner, position = PurePosixPath(code), ""
            if folder and inner.is_relative_to(folder):
                inner, position = inner.relative_to(folder), folder
            for part in inner.parts:
                position = join(position, part)
                if part.lower() not in GENERIC_FOLDERS:
                    return unregistered_service_name(part), position
        return unregistered_service_name(PurePosixPath(folder).name or self.top.name), folder

    def _service_of_role(self, template: DeployedTemplate, properties: Map) -> str | None:
        node = template.expand(properties.get("Role"))
        if not isinstance(node, Map):
            return None
        reference = node.get("Ref") or node.get("Fn::GetAtt") or node.get("Fn::Sub")
        if isinstance(reference, Seq) and reference:
            reference = reference[0]
        if not isinstance(reference, Text):
            return None
        name = reference.strip("${}").partition(".")[0]
        if template.mapping(template.resources.get(name)).get("Type") != "AWS::IAM::Role":
            return None
        return service_of_role(template, name, template.properties(name), self.services, self.names)

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

    # Entry points

    def entry_points(self, imports: Imports) -> list[EntryPoint]:
        """All functions, with the files of their handlers and the values of their environment."""
        return [self._entry_point(function, imports) for function in self.functions]

    def _entry_point(self, function: _Function, imports: Imports) -> EntryPoint:
        location = function.handler.location
        file: str | None = None
        problem = function.problem
        name = str(function.handler).rpartition(".")[2]
        if function.inline is not None:
            file = self._inline(function, function.inline)
        elif not problem:
            file, name = self._handler_file_and_name(function, imports)
            if file is None:
                problem = (
                    f"the file of the handler {shortened(str(function.handler))} is not among those that were read"
                )
        return EntryPoint(
            function.service,
            function.name,
            function.own_folder,
            file,
            name,
            location,
            self._environment(function),
            problem,
        )

    def _inline(self, function: _Function, inline: Text) -> str:
        """Code that is written in the template itself, as a file of its own."""
        source = str(inline)
        is_python = "def " in source or "import boto3" in source
        suffix = ".py" if is_python else ".js"
        name = f"{inline.location.file}{INLINE}/{function.name}{suffix}"
        # Lines are counted as in the template.
        text = "\n" * (inline.location.line or 1) + source
        self.sources.add_text(name, suffix, text)
        return name

    def _handler_file_and_name(self, function: _Function, imports: Imports) -> tuple[str | None, str]:
        """The file of a handler, None if there is none, and the handler's name in it."""
        name = ""
        for path, name in _splits_of_handler(str(function.handler)):
            file = self._handler_file(function, path, imports)
            if file is not None:
                return file, name
        return None, name

    def _handler_file(self, function: _Function, path: str, imports: Imports) -> str | None:
        path = path.lstrip("/")
        stems = [normpath(join(function.base, path))]
        # Python's handlers may be written with dots, and compiled ones are built from another folder.
        if "/" not in path and "." in path:
            stems.append(normpath(join(function.base, path.replace(".", "/"))))
        for stem in list(stems):
            stems += _source_stems(stem)
        for stem in stems:
            for candidate in (f"{stem}.py", join(stem, "__init__.py")):
                if candidate in self.sources.paths:
                    return candidate
            found = imports.javascript_file(stem)
            if found is not None and PurePosixPath(found).suffix in JAVASCRIPT:
                return found
        return self._anywhere(function, path)

    def _anywhere(self, function: _Function, path: str) -> str | None:
        """The only file of that name, below the function's own folder or anywhere."""
        wanted = path.replace(".", "/")
        names: list[str] = []
        for name in self.sources.by_name.get(PurePosixPath(wanted).name, []):
            stem = name.removesuffix(PurePosixPath(name).suffix)
            if stem == wanted or stem.endswith("/" + wanted):
                names.append(name)
        own = [name for name in names if name.startswith(f"{function.own_folder}/")]
        for candidates in (own, names):
            if len(candidates) == 1:
                return candidates[0]
        # Archives are often named after the folder that they were made of.
        own_name = letters_of(function.name)
        named = [name for name in names if letters_of(PurePosixPath(name).parent.name) in own_name]
        return named[0] if len(named) == 1 else None

    def _environment(self, function: _Function) -> dict[str, list[Text]]:
        environment: dict[str, list[Text]] = {}
        for part in function.environment:
            for name, node in part.items():
                try:
                    texts = function.template.texts(node)
                except ReadError as error:
                    texts = [placeholder(error.location, error.reason)]
                environment[str(name)] = texts
        return environment


def _splits_of_handler(handler: str) -> Iterator[tuple[str, str]]:
    """What may be the file of a handler, and its name in that: ``users.Api.handler`` may be ``Api.handler``."""
    folder, slash, base = handler.rpartition("/")
    parts = base.split(".")
    for position in range(len(parts) - 1, 0, -1):
        yield folder + slash + ".".join(parts[:position]), ".".join(parts[position:])


def _folder_of_handler(handler: Text | None) -> str:
    """The folder in a handler: ``users/src`` of ``users/src/main.get`` and of Python's ``users.src.main.get``."""
    path = str(handler or "").rpartition(".")[0]
    return dirname(path if "/" in path else path.replace(".", "/"))


def letters_of(name: str) -> str:
    """A name without what separates its words."""
    return name.lower().replace("-", "").replace("_", "")


def _mapping(node: Value) -> Map | None:
    return node if isinstance(node, Map) else None


def _section(variables: Variables, name: str) -> list[Map]:
    """The parts of a section that is a mapping or a list of mappings."""
    parts: list[Map] = []
    for part in NodeReader(variables.expand).items(variables.at(name)):
        if isinstance(part, Map):
            parts.append(part)
    return parts


def _globals(template: DeployedTemplate, body: Map) -> Map:
    """What SAM's ``Globals`` state for all functions."""
    settings = template.expand(body.get("Globals"))
    if not isinstance(settings, Map):
        return Map(UNKNOWN_LOCATION)
    function = template.expand(settings.get("Function"))
    return function if isinstance(function, Map) else Map(UNKNOWN_LOCATION)


def _with_parents(folder: str) -> Iterator[str]:
    """A folder and those around it, innermost first."""
    while folder and folder != ".":
        yield folder
        folder = dirname(folder)


def _source_stems(stem: str) -> list[str]:
    """Where the source of a built file may be: ``dist/users`` is built from ``src/users`` or ``users``."""
    parts = stem.split("/")
    stems: list[str] = []
    for position, part in enumerate(parts):
        if part in BUILT_FOLDERS:
            before, after = parts[:position], parts[position + 1 :]
            stems.append("/".join([*before, "src", *after]))
            stems.append("/".join([*before, *after]))
            if after[:1] == ["src"]:
                stems.append("/".join([*before, *after]))
    return stems
