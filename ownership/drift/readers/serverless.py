"""Reader of Serverless Framework projects: one, or all in a folder.

A monorepo with the project ``services/users/serverless.yml``, whose ``provider.iamRoleStatements`` allow
``dynamodb:GetItem`` on ``table/biztechUsers${opt:stage}``, gives the grant ``users read biztechUsers`` with the
file and line of the resource. serverless_project.py has the sections of a project.
Source: Serverless Framework documentation, "Serverless.yml Reference" (v1 to v4).
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ownership.drift.diagnostics import Diagnostics
from ownership.drift.naming import Names
from ownership.drift.readers.collector import Collector, Part
from ownership.drift.readers.files import Files, folders_below, resolved_path
from ownership.drift.readers.other_forms import (
    IS_TEMPLATE,
    IS_TERRAFORM,
    separate_templates_below,
    terraform_below,
)
from ownership.drift.readers.serverless_compose import Compositions
from ownership.drift.readers.serverless_project import (
    GENERATED_ROLE,
    Project,
    service_name,
    stack_name,
)
from ownership.drift.readers.serverless_stacks import ProjectStacks
from ownership.drift.readers.serverless_unread import report_unread
from ownership.drift.readers.serverless_variables import Variables
from ownership.drift.readers.siblings import Siblings
from ownership.drift.readers.table_policies import TablePermissions, table_policies
from ownership.drift.readers.tables import read_tables
from ownership.drift.service_names import unregistered_service_name
from ownership.drift.types import READ_AND_WRITE, Infrastructure, Location, ReadError
from ownership.drift.values import Map, Text

DATA_FILES = ("serverless.yml", "serverless.yaml", "serverless.json")
CODE_FILES = ("serverless.ts", "serverless.js", "serverless.cjs", "serverless.mjs")
IS_CODE = (
    "is code, which is not run: read what `serverless print` writes, as the serverless.yml of another folder; or the "
    "template of `serverless package`, with `drift cloudformation`"
)
DATA_SUFFIXES = (".yml", ".yaml", ".json")
# `serverless.api.yml`, `serverless-api.yml`
CONFIGURATION = re.compile(r"serverless(?!-compose\.)\W.+")


def read_projects(
    path: Path, names: Names, given: Mapping[str, str], root: Path | None = None
) -> Infrastructure:
    """Read the project at ``path``, or all in that folder; ``${file(…)}`` may reach as far as ``root``.

    ``given`` are values of variables: ``{"opt:stage": "prod"}``. A file that can't be read is an error in the
    result, and the others are still read.
    """
    top = resolved_path(path)
    if root is None:
        root = top if top.is_dir() else top.parent
    reader = _ProjectReader(top, Files(root), names, given)
    collector = reader.collector
    if not top.is_relative_to(reader.files.root):
        collector.add_error(
            ReadError(Location(str(path)), f"is outside the root, {reader.files.root}")
        )
        return collector.result("serverless")
    collector.read_all(reader.project_files(), reader.read)
    reader.report_files_left_out()
    if not collector.roles and not collector.diagnostics.errors:
        collector.add_error(ReadError(Location(str(path)), "contains no serverless.yml"))
    return collector.result("serverless")


def find_projects(path: Path) -> Iterator[Path]:
    """The configuration files of all projects in a folder, or the one file given. Links are not followed."""
    if not path.is_dir():
        yield path
        return
    for folder, file_names in folders_below(path):
        # A folder is one project, whatever other configuration files are in it.
        for name in (*DATA_FILES, *CODE_FILES):
            if name in file_names:
                yield folder / name
                break


class _ProjectReader:
    """Reads projects below ``top``, which is a folder or one project's file."""

    def __init__(self, top: Path, files: Files, names: Names, given: Mapping[str, str]) -> None:
        self.top = top
        self.files = files
        self.names = names
        self.given = given
        self.collector = Collector(names)
        self.siblings = Siblings()
        self.compositions = Compositions(top, files, given, self.siblings)
        for error in self.compositions.errors:
            self.collector.add_error(error)
        self._projects: dict[Path, str] = {}  # those that were read, each with its service
        self._fragments: list[Path] = []  # files that are called like a project's and are none

    def project_files(self) -> list[Path]:
        """The files of all projects, also those whose file only serverless-compose.yml names."""
        found = list(find_projects(self.top))
        named = set(self.compositions.project_files(self.top)) - set(found)
        return found + sorted(named)

    def read(self, path: Path) -> Part | None:
        try:
            return self._read_project(path)
        except ReadError as error:
            self.collector.add_error(error)
            self.collector.unread.add(service_of_project(path, self.top, self.names, None))
            return None

    def report_files_left_out(self) -> None:
        """Report what is in the folders of the projects, belongs to no project that was read, and might be one."""
        for path in self._fragments:
            if path not in self.files.included:
                location = Location(self.files.display_name(path), 1)
                note = "has neither service nor provider, so it is not read as a project"
                self.collector.diagnostics.add_note(location, note)
        for project, service in self._projects.items():
            for path in self._other_configurations(project):
                reason = "a second configuration in the folder of a project is not read, and may permit something"
                self._unread(path, reason, service)
        if self.top.is_dir():
            self._report_other_forms()

    def _report_other_forms(self) -> None:
        """Report what else may be deployed from the projects' folders: it may permit their services anything."""
        for path in terraform_below(self.top):
            self._report_other_form(path, IS_TERRAFORM)
        try:
            for path in separate_templates_below(self.top, self.files):
                self._report_other_form(path, IS_TEMPLATE)
        except ReadError as error:
            self._unread(self.top, error.reason, None)

    def _report_other_form(self, path: Path, reason: str) -> None:
        services = {project.parent: service for project, service in self._projects.items()}
        folder = next((folder for folder in path.parents if folder in services), None)
        if folder is not None:
            self._unread(path, reason, services[folder])

    def _unread(self, path: Path, reason: str, service: str | None) -> None:
        """Report a file that may permit a service anything, or any service if it is not known which."""
        text = Text(path.name, Location(self.files.display_name(path), 1))
        self.collector.diagnostics.add_unresolved(text, reason, service, READ_AND_WRITE)

    def _other_configurations(self, project: Path) -> Iterator[Path]:
        """The files beside a project's that may be deployed in its place (``serverless deploy --config``)."""
        if not self.top.is_dir():
            return
        for name in sorted(os.listdir(project.parent)):
            path = project.parent / name
            if (
                path in self._projects
                or path in self.files.included
                or not CONFIGURATION.fullmatch(name)
            ):
                continue
            if name in CODE_FILES or (path.suffix in DATA_SUFFIXES and self._is_project(path)):
                yield path

    def _is_project(self, path: Path) -> bool:
        try:
            config = self.files.load(path)
        except ReadError:
            return True
        return isinstance(config, Map) and "service" in config

    def _read_project(self, path: Path) -> Part | None:
        config = load_project(path, self.files)
        if "service" not in config and "provider" not in config:
            self._fragments.append(path)
            return None
        self.siblings.missed = False
        outside = self.compositions.outside(path, self.siblings)
        variables = Variables(config, path.parent, self.files, self.given, outside)
        service = service_of_project(path, self.top, self.names, service_name(variables))
        self._projects[path] = service
        diagnostics = Diagnostics()
        stacks = ProjectStacks(path, self.files, self.names, self.given, self.collector.exports)
        project = Project(
            service,
            variables,
            self.names,
            self.given,
            self.collector.exports,
            diagnostics,
            stacks.load,
        )
        roles = project.roles()
        tables = read_tables(project.template, self.names, diagnostics)
        by_tables = self._permitted_by_tables(project, diagnostics)
        by_tables.deny(roles)
        report_unread(project)
        self.siblings.add(path, stack_name(variables), project.template)
        # What a project misses of another may be there when that is read.
        project.template.misses_export = project.template.misses_export or self.siblings.missed
        nested = stacks.nested(service, project.template)
        for sections in project.additional_stacks():
            nested.append(stacks.additional(service, sections, project.expand))
        return Part(
            service=service,
            template=project.template,
            roles=roles,
            tables=tables,
            diagnostics=diagnostics,
            permitted=by_tables.permitted + project.permitted,
            denied=by_tables.denied_to_all,
            nested=nested,
        )

    def _permitted_by_tables(self, project: Project, diagnostics: Diagnostics) -> TablePermissions:
        """What the tables of a project permit by policies of their own. The project's roles are its service's."""
        own_roles = dict.fromkeys([GENERATED_ROLE, *project.principals.holders], project.service)

        def service_of(role_name: str) -> str | None:
            return self.names.role([role_name])

        return table_policies(project.template, self.names, diagnostics, own_roles, service_of)


def load_project(path: Path, files: Files) -> Map:
    """The settings in a project's file. Raises ReadError."""
    file = files.display_name(path)
    if path.name in CODE_FILES:
        raise ReadError(Location(file, 1), IS_CODE)
    config = files.load(path)
    if not isinstance(config, Map):
        raise ReadError(Location(file, 1), "is not a mapping of settings")
    return config


def service_of_project(path: Path, top: Path, names: Names, own_name: str | None) -> str:
    """The service whose project a file below ``top`` is, by its folders and by its own name."""
    folders = _folders_between(top, path)
    if folders:
        return names.service(folders, own_name) or unregistered_service_name(folders[0])
    # A project at the top is known by its own name: its folder may be called anything, like a checkout's.
    folder = path.parent.name
    return names.service((folder,), own_name) or unregistered_service_name(own_name or folder)


def _folders_between(top: Path, path: Path) -> tuple[str, ...]:
    """The folders between the top and a project, innermost first."""
    if not top.is_dir():
        return ()
    return path.parent.relative_to(top).parts[::-1]
