"""Reader of Serverless Framework projects: one, or a folder of them."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ownership.drift.cloudformation import Template, finish
from ownership.drift.iam import BOTH, Log, Statement
from ownership.drift.model import Infrastructure, Place, ReadError, TableShape
from ownership.drift.names import Names
from ownership.drift.source import Files, Map, Seq, Text
from ownership.drift.variables import Variables

READABLE = ("serverless.yml", "serverless.yaml", "serverless.json")
CODE = ("serverless.ts", "serverless.js", "serverless.cjs", "serverless.mjs")
SKIPPED = {"node_modules"}
GENERATED_ROLE = "IamRoleLambdaExecution"  # made by the framework, of the statements that are read here


def read_projects(
    path: Path, names: Names, given: Mapping[str, str], root: Path | None = None
) -> Infrastructure:
    """Read the project at ``path``, or all in that folder; ``${file(…)}`` may reach as far as ``root``.

    ``given`` are values of variables: ``{"opt:stage": "prod"}``. A file that can't be read is an error in the
    result, and the others are still read.
    """
    log = Log()
    files = Files(root or (path if path.is_dir() else path.parent))
    roles: dict[str, list[Sequence[Statement]]] = defaultdict(list)
    tables: list[TableShape] = []
    if not path.resolve().is_relative_to(files.root):
        log.fail(ReadError(Place(str(path)), f"lies outside {files.root}, the root"))
        return finish("serverless", roles, tables, names, log)
    for project in projects(path.resolve()):
        try:
            if project.name in CODE:
                place = Place(files.shown(project))
                log.fail(
                    ReadError(
                        place, "is code, which is not run (`serverless print` makes a serverless.yml of it)"
                    )
                )
                continue
            service, own, deployed = _Project(project, path, names, files, given, log).read()
            roles[service] += own
            tables += deployed
        except ReadError as error:
            log.fail(error)
    if not roles and not log.errors:
        log.fail(ReadError(Place(str(path)), "has no serverless.yml in it"))
    return finish("serverless", roles, tables, names, log)


def projects(path: Path) -> Iterator[Path]:
    """The configuration files of all projects in a folder, or the one file given; links are not followed."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, found in os.walk(path):
        folders[:] = sorted(f for f in folders if f not in SKIPPED and not f.startswith("."))
        if name := next((name for name in (*READABLE, *CODE) if name in found), None):
            yield Path(folder, name)


class _Project:
    def __init__(self, path: Path, top: Path, names: Names, files: Files, given: Mapping[str, str], log: Log):
        config = files.load(path)
        if not isinstance(config, Map):
            raise ReadError(Place(files.shown(path), 1), "is no mapping of settings")
        self.variables = Variables(config, path.parent, files, given)
        self.log = log
        self.service = self._service(path, top, names)
        parts = []
        for part in self._parts(config.get("resources")):
            if isinstance(part, Map):
                parts.append(part)
            elif isinstance(part, Text):
                log.unresolve(part, "resources that can't be resolved", self.service)
        self.template = Template(parts, names, log, self.variables.expand, given)

    def _parts(self, node: Any, nesting: int = 0) -> Iterator[Any]:
        node = self.variables.expand(node)
        if isinstance(node, Seq) and nesting < 5:
            for item in node:
                yield from self._parts(item, nesting + 1)
        else:
            yield node

    def _service(self, path: Path, top: Path, names: Names) -> str:
        own = self.variables.at("service")
        if isinstance(own, Map):
            own = self.variables.at("name", own)
        own = own if isinstance(own, Text) and not own.reason else None
        inside = path.parent.relative_to(top.resolve()).parts[::-1] if top.is_dir() else ()
        folder = path.parent.name
        return names.service(inside or (folder,), own) or next(iter(inside), None) or str(own or folder)

    def read(self) -> tuple[str, list[list[Statement]], list[TableShape]]:
        """The service, the statements of each of its roles, and the tables that it deploys."""
        provider = [
            *self._statements(self._at("provider.iamRoleStatements")),
            *self._statements(self._at("provider.iam.role.statements")),
            *self._managed(self._at("provider.iamManagedPolicies")),
            *self._managed(self._at("provider.iam.role.managedPolicies")),
        ]
        for policy in self.template.detached():
            provider += self.template.document(self.service, policy.get("PolicyDocument"))
        self._foreign(self._at("provider.role"))
        role = self._at("provider.iam.role")
        if not (
            isinstance(role, Map) and role.keys() & {"statements", "managedPolicies", "name", "tags", "path"}
        ):
            self._foreign(role)
        roles = [provider]
        for function in self._functions():
            self._foreign(function.get("role"))
            own = function.get("iamRoleStatements")
            if own is None:
                own = self.variables.at("iam.role.statements", function)
            if own is not None:
                inherited = function.get("iamRoleStatementsInherit") or self._at(
                    "custom.serverless-iam-roles-per-function.defaultInherit"
                )
                statements = self._statements(own)
                roles.append(
                    [*statements, *provider] if self.variables.expand(inherited) == "true" else statements
                )
        for name, properties in self.template.roles():
            roles.append(self.template.role_statements(self.service, name, properties))
        return self.service, roles, self.template.tables()

    def _at(self, path: str) -> Any:
        return self.variables.at(path)

    def _functions(self) -> Iterator[Map]:
        for part in self._parts(self._at("functions")):
            if isinstance(part, Text):
                self.log.unresolve(part, "functions that can't be resolved", self.service, BOTH)
            elif isinstance(part, Map):
                yield from map(self.template.mapping, part.values())

    def _statements(self, node: Any) -> list[Statement]:
        return self.template.statements(self.service, node)

    def _managed(self, node: Any) -> list[Statement]:
        found = []
        for item in self.template.items(node):
            found += self.template.managed(self.service, item, item.place)
        return found

    def _foreign(self, node: Any) -> None:
        """A role that is made elsewhere permits what isn't written here."""
        for text_or_call in self.template.items(node):
            names = [text_or_call] if isinstance(text_or_call, Text) else []
            if isinstance(text_or_call, Map):
                call = next(iter(text_or_call.values()), None)
                names = [call] if isinstance(call, Text) else list(call or [])[:1]
            known = {*self.template.resources, GENERATED_ROLE}
            if not any(str(name).partition(".")[0] in known for name in names):
                text = names[0] if names and isinstance(names[0], Text) else Text("role", text_or_call.place)
                self.log.unresolve(text, "a role that is made elsewhere", self.service, BOTH)
