"""Reader of Serverless Framework projects: one, or a folder of them."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ownership.drift.cloudformation import Policies, attached, evaluate, roles, tables
from ownership.drift.iam import BOTH, Log, Role
from ownership.drift.model import Infrastructure, Place, ReadError, TableShape
from ownership.drift.names import Names
from ownership.drift.source import Files, Map, Text
from ownership.drift.template import Template, function
from ownership.drift.variables import Variables

READABLE = ("serverless.yml", "serverless.yaml", "serverless.json")
CODE = ("serverless.ts", "serverless.js", "serverless.cjs", "serverless.mjs")
GENERATED_ROLE = "IamRoleLambdaExecution"  # made by the framework, of the statements that are read here
INHERIT = "custom.serverless-iam-roles-per-function.defaultInherit"


def read_projects(path: Path, names: Names, given: Mapping[str, str], root: Path | None = None) -> Infrastructure:
    """Read the project at ``path``, or all in that folder; ``${file(…)}`` may reach as far as ``root``.

    ``given`` are values of variables: ``{"opt:stage": "prod"}``. A file that can't be read is an error in the
    result, and the others are still read.
    """
    log = Log()
    files = Files(root or (path if path.is_dir() else path.parent))
    found: dict[str, list[Role]] = defaultdict(list)
    deployed: list[TableShape] = []
    top = path.resolve()
    if not top.is_relative_to(files.root):
        log.fail(ReadError(Place(str(path)), f"lies outside {files.root}, the root"))
    else:
        for project in projects(top):
            try:
                service, own, shapes = read_project(project, top, names, files, given, log)
            except ReadError as error:
                log.fail(error)
                continue
            found[service] += own
            deployed += shapes
        if not found and not log.errors:
            log.fail(ReadError(Place(str(path)), "has no serverless.yml in it"))
    return evaluate("serverless", found, deployed, names, log)


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
    service = _service(path, top, variables, names)
    sections: dict[str, list[Map]] = {"resources": [], "functions": []}
    for name, parts in sections.items():
        for part in Template([], variables.expand).items(variables.at(name)):
            if isinstance(part, Map):
                parts.append(part)
            else:  # code, most often: functions may have statements, resources seldom do
                modes = BOTH if name == "functions" else ()
                log.unresolve(part, f"{name} that can't be resolved", service, modes)
    template = Template(sections["resources"], variables.expand, given)
    policies = Policies(service, template, names, log)

    provider = [
        *policies.statements(variables.at("provider.iamRoleStatements")),
        *policies.statements(variables.at("provider.iam.role.statements")),
        *policies.managed(variables.at("provider.iamManagedPolicies")),
        *policies.managed(variables.at("provider.iam.role.managedPolicies")),
    ]
    own = roles(template)
    for policy, holders in attached(template):
        if holders - own.keys():
            provider += policies.document(policy.get("PolicyDocument"))
    found: list[Role] = [provider, *(policies.role(name, properties) for name, properties in own.items())]
    foreign = [variables.at("provider.role"), variables.at("provider.iam.role")]
    for each in (template.mapping(node) for part in sections["functions"] for node in part.values()):
        foreign.append(each.get("role"))
        stated = each.get("iamRoleStatements") or variables.at("iam.role.statements", each)
        if stated is not None:
            inherits = variables.expand(each.get("iamRoleStatementsInherit")) or variables.at(INHERIT)
            found.append([*policies.statements(stated), *(provider if inherits == "true" else ())])
    for node in foreign:
        _foreign(node, template, service, log)
    return service, found, tables(template, names, log)


def _service(path: Path, top: Path, variables: Variables, names: Names) -> str:
    stated = variables.at("service")
    if isinstance(stated, Map):
        stated = variables.at("name", stated)
    own = str(stated) if isinstance(stated, Text) and not stated.reason else None
    inside = path.parent.relative_to(top).parts[::-1] if top.is_dir() else ()
    around = inside or (path.parent.name,)
    return names.service(around, own) or next(iter(inside), None) or own or around[0]


def _foreign(node: Any, template: Template, service: str, log: Log) -> None:
    """A role that is made elsewhere permits what isn't written here."""
    node = template.expand(node)
    name = function(node) if isinstance(node, Map) else None
    argument = node[name] if isinstance(node, Map) and name else node
    if isinstance(argument, list):  # Fn::GetAtt: [Role, Arn]
        argument = next(iter(argument), None)
    if isinstance(argument, Text) and argument.partition(".")[0] not in {*roles(template), GENERATED_ROLE}:
        log.unresolve(argument, "a role that is made elsewhere", service, BOTH)
