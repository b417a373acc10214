"""Reader of Serverless Framework projects: one, or a folder of them."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from ownership.drift.iam.policies import BOTH, Log, Role, Statement
from ownership.drift.naming import Names, stranger
from ownership.drift.readers.cloudformation import Policies, attached, evaluate, list_unread, read_all, roles, tables
from ownership.drift.readers.intrinsics import Template, function
from ownership.drift.readers.serverless_variables import Variables
from ownership.drift.readers.yaml_values import HOLE, Files, Map, Seq, Text, real
from ownership.drift.types import Infrastructure, Location, ReadError, TableShape

READABLE = ("serverless.yml", "serverless.yaml", "serverless.json")
CODE = ("serverless.ts", "serverless.js", "serverless.cjs", "serverless.mjs")
GENERATED_ROLE = "IamRoleLambdaExecution"  # made by the framework, of the statements that are read here
BOUNDARIES = (
    ("provider", "rolePermissionsBoundary"),
    ("provider.iam.role", "permissionBoundary"),
    ("provider.iam.role", "permissionsBoundary"),
)
PLUGINS = ("stepFunctions", "appSync", "custom.appSync", "custom.apiGatewayServiceProxies")  # which make roles
PER_FUNCTION = "serverless-iam-roles-per-function"  # a plugin: a role for each function with statements of its own


def read_projects(path: Path, names: Names, given: Mapping[str, str], root: Path | None = None) -> Infrastructure:
    """Read the project at ``path``, or all in that folder; ``${file(…)}`` may reach as far as ``root``.

    ``given`` are values of variables: ``{"opt:stage": "prod"}``. A file that can't be read is an error in the
    result, and the others are still read.
    """
    log = Log()
    top = real(path)
    files = Files(root or (top if top.is_dir() else top.parent))
    found: dict[str, list[Role]] = defaultdict(list)
    deployed: list[TableShape] = []
    unread: set[str] = set()
    exports: dict[str, list[Text]] = {}

    def read(project: Path, last: bool) -> bool:
        own = Log()
        try:
            service, roles_here, template = read_project(project, top, names, files, given, exports, own)
            tables_here = tables(template, names, own)
        except ReadError as error:
            log.fail(error)
            unread.add(_service(project, top, None, names))
            return True
        if template.misses and not last:
            return False
        list_unread(template, service, own)
        found[service] += roles_here
        deployed.extend(tables_here)
        log.add(own)
        return True

    if not top.is_relative_to(files.root):
        log.fail(ReadError(Location(str(path)), f"lies outside {files.root}, the root"))
    else:
        read_all(projects(top), read)
        if not found and not log.errors:
            log.fail(ReadError(Location(str(path)), "has no serverless.yml in it"))
    return replace(evaluate("serverless", found, deployed, names, log), unread=frozenset(unread))


def projects(path: Path) -> Iterator[Path]:
    """The configuration files of all projects in a folder, or the one file given; links are not followed."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(f for f in folders if f != "node_modules" and not f.startswith("."))
        if name := next((name for name in (*READABLE, *CODE) if name in names), None):
            yield Path(folder, name)


def read_project(
    path: Path,
    top: Path,
    names: Names,
    files: Files,
    given: Mapping[str, str],
    exports: dict[str, list[Text]],
    log: Log,
) -> tuple[str, list[Role], Template]:
    """The service, its roles, and the template that it deploys. Raises ReadError."""
    if path.name in CODE:
        reason = "is code, which is not run (`serverless print` makes a serverless.yml of it)"
        raise ReadError(Location(files.shown(path)), reason)
    config = files.load(path)
    if not isinstance(config, Map):
        raise ReadError(Location(files.shown(path), 1), "is no mapping of settings")
    variables = Variables(config, path.parent, files, given)
    stated = variables.at("service")
    if isinstance(stated, Map):
        stated = variables.at("name", stated)
    service = _service(path, top, str(stated) if isinstance(stated, Text) and not stated.reason else None, names)
    project = _Project(service, variables, names, given, exports, log)
    found = project.roles()
    project.point_out()
    return service, found, project.template


class _Project:
    """One project, opened: its settings, its functions, and the template that its resources make."""

    def __init__(
        self,
        service: str,
        variables: Variables,
        names: Names,
        given: Mapping[str, str],
        exports: dict[str, list[Text]],
        log: Log,
    ):
        self.service, self.log, self.at, self.expand = service, log, variables.at, variables.expand
        self.template = Template(self._section("resources"), self.expand, given, exports)
        for unread in self.template.unread_resources():
            log.unresolve(unread, "is no mapping", service, BOTH)
        self.policies = Policies(service, self.template, names, log)
        functions = [self.expand(node) for part in self._section("functions") for node in part.values()]
        self.functions = [each if isinstance(each, Map) else Map() for each in functions]
        for each in functions:
            if isinstance(each, Text):
                log.unresolve(each, "a function that can't be resolved", service, BOTH)

    def _section(self, name: str) -> list[Map]:
        """The parts of a section that may be a mapping or a list of them."""
        parts = []
        for part in Template([], self.expand).items(self.at(name)):
            if isinstance(part, Map):
                parts.append(part)
            else:  # code, most often: both may have roles and policies
                self.log.unresolve(part, f"{name} that can't be resolved", self.service, BOTH)
        return parts

    def roles(self) -> list[Role]:
        """The statements of the framework's role, of those among the resources, and of functions' own."""
        made = _extend(self.template)
        generated = made.pop(GENERATED_ROLE, Map())
        own = roles(self.template) | made
        own.pop(GENERATED_ROLE, None)
        provider = self._provider(generated)
        for policy, holders in attached(self.template):
            if holders - own.keys():
                provider += self.policies.document(policy.get("PolicyDocument"))
        resources = [self.policies.role(name, properties) for name, properties in own.items()]
        return [provider, *resources, *self._of_functions(provider)]

    def _provider(self, extension: Map) -> list[Statement]:
        """The role that the framework makes of the provider's statements, unless no function runs in it."""
        found = self.policies.role(GENERATED_ROLE, self.template.properties(GENERATED_ROLE))
        statements = [self.at("provider.iamRoleStatements"), self.at("provider.iam.role.statements")]
        elsewhere = [self._runs_elsewhere(each) for each in self.functions]
        if _is_role(self.at("provider.role")) or _is_role(self.at("provider.iam.role")) or all(elsewhere or [False]):
            for node in filter(None, statements):
                said = "these statements permit nothing, for no function runs in the role of them"
                self.log.note(node.place, f"{self.service}: {said}")
            return found
        if "Policies" not in extension:
            found += self.policies.statements(Seq(statements))
        if "ManagedPolicyArns" not in extension:
            found += self.policies.managed(self.at("provider.iamManagedPolicies"))
            found += self.policies.managed(self.at("provider.iam.role.managedPolicies"))
        return found

    def _of_functions(self, provider: Role) -> Iterator[Role]:
        """The roles that a plugin, or v4, makes for functions with statements of their own."""
        for each in self.functions:
            stated = each.get("iamRoleStatements") or self.at("iam.role.statements", each)
            managed = self.at("iam.role.managedPolicies", each)
            if stated is not None or managed is not None:
                own = [*self.policies.statements(stated), *self.policies.managed(managed)]
                yield [*own, *(provider if self._inherits(each) else ())]

    def _inherits(self, function: Map) -> bool:
        """Whether a function's own role has the provider's statements, too."""
        stated = self.expand(function.get("iamRoleStatementsInherit")) or self.at("iam.inheritStatements", function)
        return (stated or self.at(f"custom.{PER_FUNCTION}.defaultInherit")) == "true"

    def _runs_elsewhere(self, function: Map) -> bool:
        """Whether a function runs in another role than the provider's, which has none of its statements."""
        own = self.at("iam.role.statements", function)
        if any(PER_FUNCTION in name for name in self.template.texts(self.at("plugins.modules") or self.at("plugins"))):
            own = function.get("iamRoleStatements", own)
        return _is_role(self.at("role", function)) or (own is not None and not self._inherits(function))

    def point_out(self) -> None:
        """Log what may permit or forbid more than is written here: boundaries, roles made elsewhere, plugins."""
        for holder, boundary in BOUNDARIES:
            if isinstance(settings := self.at(holder), Map):
                self.policies.within(settings.get(boundary))
        for each in self.functions:
            self.policies.within(each.get("iamPermissionsBoundary"))
        stated = [self.at("provider.role"), self.at("provider.iam.role")]
        for node in (*stated, *(self.at(name, each) for each in self.functions for name in ("role", "iam.role"))):
            _foreign(node, self.template, self.service, self.log)
        for plugin in PLUGINS:
            holder, _, key = plugin.rpartition(".")
            if isinstance(settings := self.at(holder), Map) and settings.get(key) is not None:
                said = f"what a plugin permits for {plugin} is not read"
                self.log.note(settings.key_place(key), f"{self.service}: {said}")


def _extend(template: Template) -> dict[str, Map]:
    """Apply ``resources.extensions``: each property of an extension replaces the resource's of that name.

    Gives those of resources that the framework makes. Source: Serverless Framework documentation, "Override AWS
    CloudFormation Resource".
    """
    made: dict[str, Map] = {}
    for name, node in template.extensions.items():
        extension = template.mapping(template.mapping(node).get("Properties"))
        if name not in template.resources or name == GENERATED_ROLE:
            made[str(name)] = extension
        resource = copy(template.mapping(template.resources.get(name)))
        resource["Properties"] = copy(template.properties(name))
        resource["Properties"].update(extension)
        template.resources[name] = resource
    return made


def _service(path: Path, top: Path, own: str | None, names: Names) -> str:
    """The service whose project this is, by its folders and by what it calls itself."""
    inside = path.parent.relative_to(top).parts[::-1] if top.is_dir() else ()
    around = inside or (path.parent.name,)
    return names.service(around, own) or stranger(next(iter(inside), None) or own or around[0])


def _is_role(node: Any) -> bool:
    """Whether a role is stated: by name or ARN, or as a reference to it."""
    return bool(node) and (node != HOLE if isinstance(node, Text) else isinstance(node, Map) and bool(function(node)))


def _foreign(node: Any, template: Template, service: str, log: Log) -> None:
    """A role that is made elsewhere permits what isn't written here."""
    node = template.expand(node)
    name = function(node) if isinstance(node, Map) else None
    argument = node[name] if isinstance(node, Map) and name else node
    if isinstance(argument, list):  # Fn::GetAtt: [Role, Arn]
        argument = next(iter(argument), None)
    if isinstance(argument, Text) and argument.strip("${}").partition(".")[0] not in {*roles(template), GENERATED_ROLE}:
        log.unresolve(argument, "a role that is made elsewhere", service, BOTH)
