"""Reader of Serverless Framework projects: one, or a folder of them."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from ownership.drift.cloudformation import Policies, attached, evaluate, list_unread, roles, tables
from ownership.drift.iam import BOTH, Log, Role
from ownership.drift.model import Infrastructure, Place, ReadError, TableShape
from ownership.drift.names import Names, stranger
from ownership.drift.source import HOLE, Files, Map, Seq, Text, real
from ownership.drift.template import Template, function
from ownership.drift.variables import Variables

READABLE = ("serverless.yml", "serverless.yaml", "serverless.json")
CODE = ("serverless.ts", "serverless.js", "serverless.cjs", "serverless.mjs")
GENERATED_ROLE = "IamRoleLambdaExecution"  # made by the framework, of the statements that are read here
BOUNDARIES = (
    ("provider", "rolePermissionsBoundary"),
    ("provider.iam.role", "permissionBoundary"),
    ("provider.iam.role", "permissionsBoundary"),
)
PLUGINS = ("stepFunctions", "appSync", "custom.appSync", "custom.apiGatewayServiceProxies")  # which make roles
INHERIT = "custom.serverless-iam-roles-per-function.defaultInherit"


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
    if not top.is_relative_to(files.root):
        log.fail(ReadError(Place(str(path)), f"lies outside {files.root}, the root"))
    else:
        for project in projects(top):
            try:
                service, own, shapes = read_project(project, top, names, files, given, log)
            except ReadError as error:
                log.fail(error)
                unread.add(_service(project, top, None, names))
                continue
            found[service] += own
            deployed += shapes
        if not found and not log.errors:
            log.fail(ReadError(Place(str(path)), "has no serverless.yml in it"))
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
    path: Path, top: Path, names: Names, files: Files, given: Mapping[str, str], log: Log
) -> tuple[str, list[Role], list[TableShape]]:
    """The service, its roles, and the tables that it deploys. Raises ReadError."""
    if path.name in CODE:
        reason = "is code, which is not run (`serverless print` makes a serverless.yml of it)"
        raise ReadError(Place(files.shown(path)), reason)
    config = files.load(path)
    if not isinstance(config, Map):
        raise ReadError(Place(files.shown(path), 1), "is no mapping of settings")
    variables = Variables(config, path.parent, files, given)
    stated = variables.at("service")
    if isinstance(stated, Map):
        stated = variables.at("name", stated)
    service = _service(path, top, str(stated) if isinstance(stated, Text) and not stated.reason else None, names)
    sections: dict[str, list[Map]] = {"resources": [], "functions": []}
    for name, parts in sections.items():
        for part in Template([], variables.expand).items(variables.at(name)):
            if isinstance(part, Map):
                parts.append(part)
            else:  # code, most often: both may have roles and policies
                log.unresolve(part, f"{name} that can't be resolved", service, BOTH)
    template = Template(sections["resources"], variables.expand, given)
    for unread in template.unread_resources():
        log.unresolve(unread, "is no mapping", service, BOTH)
    policies = Policies(service, template, names, log)

    made = _extend(template)
    generated = made.pop(GENERATED_ROLE, Map())
    provider = policies.role(GENERATED_ROLE, template.properties(GENERATED_ROLE))
    functions = [variables.expand(node) for part in sections["functions"] for node in part.values()]
    foreign = [variables.at("provider.role"), variables.at("provider.iam.role")]
    own_roles = [isinstance(each, Map) and _is_role(variables.at("role", each)) for each in functions]
    idle = any(map(_is_role, foreign)) or (own_roles and all(own_roles))
    statements = [variables.at("provider.iamRoleStatements"), variables.at("provider.iam.role.statements")]
    if idle:  # the framework makes no role then
        for node in filter(None, statements):
            log.note(
                node.place, f"{service}: these statements permit nothing, for no function runs in the role of them"
            )
    elif "Policies" not in generated:
        provider += policies.statements(Seq(statements))
    if not idle and "ManagedPolicyArns" not in generated:
        provider += policies.managed(variables.at("provider.iamManagedPolicies"))
        provider += policies.managed(variables.at("provider.iam.role.managedPolicies"))
    for holder, boundary in BOUNDARIES:
        if isinstance(settings := variables.at(holder), Map):
            policies.within(settings.get(boundary))
    own = roles(template) | made
    own.pop(GENERATED_ROLE, None)
    for policy, holders in attached(template):
        if holders - own.keys():
            provider += policies.document(policy.get("PolicyDocument"))
    found: list[Role] = [provider, *(policies.role(name, properties) for name, properties in own.items())]
    for each in functions:
        if isinstance(each, Text):
            log.unresolve(each, "a function that can't be resolved", service, BOTH)
        if not isinstance(each, Map):
            continue
        foreign += [each.get("role"), variables.at("iam.role", each)]
        policies.within(each.get("iamPermissionsBoundary"))
        stated = each.get("iamRoleStatements") or variables.at("iam.role.statements", each)
        managed = variables.at("iam.role.managedPolicies", each)
        if stated is not None or managed is not None:
            inherits = variables.expand(each.get("iamRoleStatementsInherit")) or variables.at(INHERIT)
            inherits = inherits or variables.at("iam.inheritStatements", each)
            own_role = [*policies.statements(stated), *policies.managed(managed)]
            found.append([*own_role, *(provider if inherits == "true" else ())])
    for node in foreign:
        _foreign(node, template, service, log)
    for plugin in PLUGINS:
        holder, _, key = plugin.rpartition(".")
        if isinstance(settings := variables.at(holder), Map) and settings.get(key) is not None:
            log.note(settings.key_place(key), f"{service}: what a plugin permits for {plugin} is not read")
    deployed = tables(template, names, log)
    list_unread(template, service, log)
    return service, found, deployed


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
