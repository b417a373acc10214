"""Whose a role or function of a template is. The readers of grants and of code both ask here, so that they agree.

In this order:

1. ``--roles``, by the name of the role, then by that of what runs in it;
2. the tag ``service`` of the role, of what runs in it, or of the stack;
3. the innermost folder, of the function's code or of the template, that is called like a service of the map;
4. the one service whose name is among the words of the role's name, then of the name of what runs in it;
5. the stack's name;
6. a folder that is called like no service of the map, but not like folders of all services are: ``src``.

A role without anything that runs in it has no 3 and 6, but the template's folders after the stack's name. A role that
functions of several services run in belongs to each of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import dirname, join, normpath

from ownership.drift.naming import Names
from ownership.drift.readers.cdk import CDK_OUTPUT
from ownership.drift.readers.stacks import Stack
from ownership.drift.readers.template import Template
from ownership.drift.service_names import unregistered_service_name
from ownership.drift.values import Map, Text, as_mapping

NAME_PROPERTIES = ("RoleName", "UserName", "FunctionName", "StateMachineName")
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


@dataclass(frozen=True)
class Holder:
    """A role, or a resource that runs in one. ``code`` is the folder of a function's own code, where it is known."""

    name: str
    properties: Map
    code: str | None = None
    is_function: bool = False


@dataclass(frozen=True)
class Owner:
    """A service, None if it is not known. ``folder`` is the one that says so, None if it is something else."""

    service: str | None
    folder: str | None = None


@dataclass(frozen=True)
class Owners:
    """Names services. ``given`` maps roles, by logical or physical name, to services (``--roles``)."""

    names: Names
    given: Mapping[str, str]

    def of_role(
        self, template: Template, stack: Stack, role: Holder, users: Sequence[Holder] = ()
    ) -> list[str]:
        """The services that a role belongs to: those of what runs in it, else its own; none if it is not known."""
        services: dict[str, None] = {}
        for user in users:
            service = self.of_user(template, stack, user, role).service
            if service is not None:
                services[service] = None
        if services or users:
            return list(services)
        service = (
            self._told(template, stack, [role])
            or self._mentioned(template, role)
            or stack.service(self.names)
        )
        return [] if service is None else [service]

    def of_user(
        self, template: Template, stack: Stack, user: Holder, role: Holder | None = None
    ) -> Owner:
        """The service of what runs in a role, a function most often; ``role`` where the template has it."""
        holders = [user] if role is None else [role, user]
        told = self._told(template, stack, holders)
        if told:
            return Owner(told)
        folder = stack.folder
        if PurePosixPath(folder).name == CDK_OUTPUT:
            folder = dirname(folder)  # a function of CDK has its code in the folder of the app
        for candidate in (*_with_parents(user.code or ""), *_with_parents(folder)):
            service = self.names.services.get(PurePosixPath(candidate).name.lower())
            if service:
                return Owner(service, candidate)
        named = self._mentioned_for(user, holders, template) or stack.service(self.names)
        if named:
            return Owner(named)
        if user.is_function:
            return _by_unregistered_folder(folder, user.code)
        return Owner(None)

    def _mentioned_for(
        self, user: Holder, holders: Sequence[Holder], template: Template
    ) -> str | None:
        """The service that the first of these names mentions, the role's or the user's."""
        for holder in holders:
            # SAM calls the role that it makes by the function.
            is_called_by_function = holder.name == f"{user.name}Role"
            mentioned = None if is_called_by_function else self._mentioned(template, holder)
            if mentioned:
                return mentioned
        return None

    def _told(self, template: Template, stack: Stack, holders: Sequence[Holder]) -> str | None:
        """The service that ``--roles`` or a tag says."""
        for holder in holders:
            for name in _names_of(template, holder):
                if name in self.given:
                    return self.given[name]
        for holder in holders:
            tag = _service_tag(template, holder.properties)
            if tag:
                return self.names.tagged_service(tag)
        return stack.tagged_service(self.names)

    def _mentioned(self, template: Template, holder: Holder) -> str | None:
        return self.names.role(_names_of(template, holder))


def _by_unregistered_folder(folder: str, code: str | None) -> Owner:
    """The service by a folder that is not on the map: the template's, or the outermost of the code inside that."""
    name = PurePosixPath(folder).name
    if name.lower() not in GENERIC_FOLDERS:
        return Owner(unregistered_service_name(name), folder)
    if code is None:
        return Owner(None)
    inner, position = PurePosixPath(code), ""
    if folder and inner.is_relative_to(folder):
        inner, position = inner.relative_to(folder), folder
    for part in inner.parts:
        position = join(position, part)
        if part.lower() not in GENERIC_FOLDERS:
            return Owner(unregistered_service_name(part), position)
    return Owner(None)


@dataclass(frozen=True)
class FunctionCode:
    """Where a function's code is: the handler with the folder that it is named in.

    ``own_folder`` is the folder of the function's own code; None where the template does not say it.
    """

    handler: Text | None
    base: str
    own_folder: str | None


def code_of_function(template: Template, name: str, properties: Map, folder: str) -> FunctionCode:
    """Where the code of a function is; ``folder`` is the template's, and ``properties`` have what Globals say."""
    metadata = template.mapping(template.resource(name).get("Metadata"))
    handler = template.text(properties.get("Handler"))
    handler = _handler_of_entry_point(template, metadata, handler)
    code = template.expand(properties.get("CodeUri") or properties.get("Code"))
    is_asset = template.expand(metadata.get("aws:asset:path")) is not None
    if is_asset or not isinstance(code, Text) or code.endswith(".zip") or "://" in code:
        return FunctionCode(handler, folder, None)
    base = normpath(join(folder, code))
    if base.startswith(".."):
        return FunctionCode(handler, folder, None)
    base = "" if base == "." else base
    return FunctionCode(handler, base, join(base, _folder_of_handler(handler)).rstrip("/"))


def _handler_of_entry_point(template: Template, metadata: Map, handler: Text | None) -> Text | None:
    """SAM builds TypeScript from an entry point, and the handler is in what that becomes."""
    properties = template.mapping(metadata.get("BuildProperties"))
    points = template.texts(properties.get("EntryPoints"))
    if not points or handler is None:
        return handler
    stem = points[0].removesuffix(PurePosixPath(points[0]).suffix)
    return Text(f"{stem}.{handler.rpartition('.')[2]}", handler.location)


def _folder_of_handler(handler: Text | None) -> str:
    """The folder in a handler: ``users/src`` of ``users/src/main.get`` and of Python's ``users.src.main.get``."""
    path = str(handler or "").rpartition(".")[0]
    return dirname(path if "/" in path else path.replace(".", "/"))


def _with_parents(folder: str) -> Iterator[str]:
    """A folder and those around it, innermost first."""
    while folder and folder != ".":
        yield folder
        folder = dirname(folder)


def _names_of(template: Template, holder: Holder) -> list[str]:
    """The logical and the physical name. One with several values (`!If`) counts with the first."""
    names = [holder.name]
    for key in NAME_PROPERTIES:
        names += template.texts(holder.properties.get(key))[:1]
    return names


def _service_tag(template: Template, properties: Map) -> str | None:
    """The value of a resource's tag ``service``, in any case."""
    tags = template.expand(properties.get("Tags"))
    pairs = list(as_mapping(tags).items())  # as some resources have them
    for tag in template.mappings_in(tags):
        pairs.append((template.text(tag.get("Key")) or "", tag.get("Value")))
    for key, node in pairs:
        value = template.text(node)
        if value and key.lower() == "service":
            return str(value)
    return None
