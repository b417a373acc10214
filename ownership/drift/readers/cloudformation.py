"""Reader of compiled CloudFormation templates, with those of SAM and CDK.

A template with the tables of the map and this role::

    UsersRole:
      Type: AWS::IAM::Role
      Properties: {Tags: [{Key: service, Value: users}], Policies: [{PolicyDocument: {Statement: …}}]}

gives the tables that it deploys, and grants of the service ``users``; owners.py says whose a role is. A stack that is
nested in another is read with the parameters that it is passed (stacks.py); SAM's resources are read as what SAM makes
of them (sam.py), and a CDK app as its stacks (cdk.py).
Source: AWS CloudFormation User Guide; tables.py and roles.py say which resources are read.
"""

import re
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from ownership.drift.diagnostics import Diagnostics
from ownership.drift.naming import Names
from ownership.drift.readers.collector import Collector, Part, ServiceRole
from ownership.drift.readers.files import Files, common_folder, resolved_path
from ownership.drift.readers.other_forms import IS_TERRAFORM, terraform_below
from ownership.drift.readers.owners import Holder, Owners, code_of_function
from ownership.drift.readers.role_users import users_of_roles_elsewhere
from ownership.drift.readers.roles import (
    GROUP_ELSEWHERE,
    PolicyReader,
    Principals,
    users_of_roles,
)
from ownership.drift.readers.serverless import find_projects, service_of_project
from ownership.drift.readers.stacks import Stack, Stacks
from ownership.drift.readers.table_policies import TablePermissions, table_policies
from ownership.drift.readers.tables import read_tables
from ownership.drift.readers.template import Template
from ownership.drift.readers.template_nodes import referenced
from ownership.drift.types import READ_AND_WRITE, Infrastructure, Location, ReadError, ReadOrWrite
from ownership.drift.values import Map, Text

# A custom resource of CDK that calls an API of AWS: {"service":"S3","action":"putObject",…}.
API_CALL = "Custom::AWS"
CALLED_SERVICE = re.compile(r'"service":"(?:@aws-sdk/client-)?(\w[\w-]*)"')
PERMITTING_SERVICES = frozenset(
    {"iam", "dynamodb", "cloudformation", "organizations", "sso-admin", "ssoadmin"}
)
FUNCTION = "AWS::Lambda::Function"
ELSEWHERE = "the role is defined elsewhere"


def read_templates(
    paths: Sequence[Path],
    names: Names,
    given: Mapping[str, str],
    services: Mapping[str, str],
    stacks: Sequence[str] = (),
    code: Sequence[Path] = (),
) -> Infrastructure:
    """Read compiled templates, those in folders, and the output of CDK apps.

    ``given`` are parameters (``{"param:Stage": "prod"}``). ``services`` maps roles, by logical or physical name,
    to services. ``stacks`` are patterns that select stacks of CDK apps. ``code`` are the folders of code that is read
    as well: folders between them and a template may say whose a function is. A file that can't be read is an error in
    the result, and the others are still read.
    """
    paths = [resolved_path(path) for path in paths]
    files = Files(common_folder([*paths, *code]))
    collector = Collector(names)
    templates = Stacks(files, given, names.given, collector.exports)
    for error in templates.load(paths, stacks):
        collector.add_unreadable_template(error)
    TemplateReader(templates, names, services, collector).read_all()
    for path in paths:
        if path.is_dir():
            _report_projects(path, names, templates.files, collector)
            _report_terraform(path, names, templates.files, collector)
    return collector.result("cloudformation")


def _report_projects(top: Path, names: Names, files: Files, collector: Collector) -> None:
    """Report projects of the Serverless Framework in a folder: they may permit their services anything."""
    for path in find_projects(top):
        text = Text(path.name, Location(files.display_name(path), 1))
        service = service_of_project(path, top, names, None)
        reason = "is a project of the Serverless Framework, which `drift serverless` reads"
        collector.diagnostics.add_unresolved(text, reason, service, READ_AND_WRITE)


def _report_terraform(top: Path, names: Names, files: Files, collector: Collector) -> None:
    """Report Terraform in the folders that are called like services: it may permit those anything."""
    for path in terraform_below(top):
        service = names.service(path.parent.relative_to(top).parts[::-1], None)
        if service is not None:
            text = Text(path.name, Location(files.display_name(path), 1))
            collector.diagnostics.add_unresolved(text, IS_TERRAFORM, service, READ_AND_WRITE)


class TemplateSource(Protocol):
    """Where templates come from: files of CloudFormation, or what another form's resources are as a template."""

    def outermost(self) -> list[Stack]:
        """The stacks that are nested in no other."""

    def template(self, stack: Stack) -> Template:
        """The template of a stack. Raises ReadError."""

    def unread(self, stack: Stack) -> list[tuple[Text, str]]:
        """What a stack may hold besides its template and what may permit something, each with the reason."""

    def nested_in(self, stack: Stack, template: Template) -> dict[Text, Stack | None]:
        """The stacks nested in a stack, by logical name; None for one whose template is not there."""


class TemplateReader:
    """Reads the roles, tables and policies of templates. ``services`` maps roles, by name, to services."""

    def __init__(
        self,
        stacks: TemplateSource,
        names: Names,
        services: Mapping[str, str],
        collector: Collector,
    ) -> None:
        self.stacks = stacks
        self.names = names
        self.services = services
        self.owners = Owners(names, services)
        self.collector = collector

    def read_all(self) -> None:
        """Read all templates; those of nested stacks with the stack that they are nested in."""
        self.collector.read_all(self.stacks.outermost(), self.read)

    def read(self, stack: Stack) -> Part | None:
        """Read a stack and those nested in it."""
        diagnostics = Diagnostics()
        try:
            template = self.stacks.template(stack)
            services_of_roles: dict[str, str] = {}
            principals = Principals(template)
            roles = self._roles(stack, principals, services_of_roles, diagnostics)
            missing: set[str] = set()
            permitted = self._attached_elsewhere(principals, missing, diagnostics)
            by_tables = self._permitted_by_tables(template, services_of_roles, missing, diagnostics)
            by_tables.deny(roles)
            self._count_api_calls(template)
            for text, reason in self.stacks.unread(stack):
                diagnostics.add_unresolved(text, reason, None, READ_AND_WRITE)
            tables = read_tables(template, self.names, diagnostics)
            nested = self._nested(stack, template, diagnostics)
        except ReadError as error:
            self.collector.add_unreadable_template(error)
            return None
        permitted += by_tables.permitted
        return Part(
            service=None,
            template=template,
            roles=roles,
            tables=tables,
            diagnostics=diagnostics,
            permitted=permitted,
            denied=by_tables.denied_to_all,
            nested=nested,
            misses_role=bool(missing),
        )

    def _nested(self, stack: Stack, template: Template, diagnostics: Diagnostics) -> list[Part]:
        """The stacks nested in a stack. One whose template is not there may permit anything to anyone."""
        parts = []
        for name, nested in self.stacks.nested_in(stack, template).items():
            if nested is None:
                reason = "the template of this nested stack is not among the files"
                diagnostics.add_unresolved(name, reason, None, READ_AND_WRITE)
                continue
            part = self.read(nested)
            if part is not None:
                parts.append(part)
        return parts

    def _roles(
        self,
        stack: Stack,
        principals: Principals,
        services_of_roles: dict[str, str],
        diagnostics: Diagnostics,
    ) -> list[ServiceRole]:
        """The roles and users whose service is known. It goes into ``services_of_roles``; the others are reported."""
        roles = []
        template = principals.template
        users = self._users_of_roles(stack, template, principals.roles, diagnostics)
        for name, properties in principals.holders.items():
            services = self.owners.of_role(
                template, stack, Holder(name, properties), users.get(name, ())
            )
            for service in services:
                services_of_roles.setdefault(name, service)
                policies = PolicyReader(service, template, self.names, diagnostics, principals)
                roles.append(ServiceRole(service, policies.role(name, properties), name))
            if services:
                continue
            reason = "the role's service is not known: tag the role with `service`, or use --roles"
            self._report_unowned(principals, name, properties, reason, diagnostics)
        for name, properties in principals.groups_without_users.items():
            reason = "the group's users are not in the template"
            self._report_unowned(principals, name, properties, reason, diagnostics)
        for user, group in principals.groups_elsewhere:
            services = self._services_of_holder(user)
            # A user of several services, or of none that is known, may be anybody's.
            owner = services[0] if len(services) == 1 else None
            diagnostics.add_unresolved(group, GROUP_ELSEWHERE, owner, READ_AND_WRITE)
        return roles

    def _attached_elsewhere(
        self, principals: Principals, missing: set[str], diagnostics: Diagnostics
    ) -> list[ServiceRole]:
        """What policies permit that are attached to roles outside the template, where it is known whose they are.

        Roles that nobody is known to have are added to ``missing``.
        """
        permitted = []
        for policy, holder in principals.attached_elsewhere():
            document = policy.properties.get("PolicyDocument")
            services = self._services_of_holder(holder)
            for service in services:
                policies = PolicyReader(
                    service, principals.template, self.names, diagnostics, principals
                )
                permitted.append(ServiceRole(service, policies.document(document)))
            if services:
                continue
            missing.add(holder)
            unowned = self._unowned(principals)
            modes = unowned.modes(unowned.document(document))
            text = Text(policy.name, policy.properties.location)
            reason = (
                "is attached to a role that is not in the files (--roles FILE says whose it is)"
            )
            _report_permitted(text, reason, modes, diagnostics)
        return permitted

    def _services_of_holder(self, holder: str) -> list[str]:
        """The services of a role outside the template: as given, as another template says, or by its name."""
        if holder in self.services:
            return [self.services[holder]]
        services = self.collector.services_of_role(holder)
        # A role without a name goes by its file, whose words say nothing.
        if services or ":" in holder:
            return services
        service = self.names.role([holder])
        return [] if service is None else [service]

    def _report_unowned(
        self,
        principals: Principals,
        name: str,
        properties: Map,
        reason: str,
        diagnostics: Diagnostics,
    ) -> None:
        """Report a role, user or group whose service is not known, if it permits something."""
        unowned = self._unowned(principals)
        modes = unowned.modes(unowned.role(name, properties))
        _report_permitted(Text(name, properties.location), reason, modes, diagnostics)

    def _unowned(self, principals: Principals) -> PolicyReader:
        """Reads what nobody is known to have; only what it permits matters, and not what is reported of it."""
        return PolicyReader("", principals.template, self.names, Diagnostics(), principals)

    def _permitted_by_tables(
        self,
        template: Template,
        services_of_roles: Mapping[str, str],
        missing: set[str],
        diagnostics: Diagnostics,
    ) -> TablePermissions:
        """What the tables of a template permit and deny by policies of their own.

        Roles that nobody is known to have are added to ``missing``.
        """

        def service_of(role_name: str) -> str | None:
            services = self._services_of_holder(role_name)
            if not services:
                missing.add(role_name)
            return services[0] if len(services) == 1 else None

        return table_policies(template, self.names, diagnostics, services_of_roles, service_of)

    def _count_api_calls(self, template: Template) -> None:
        """Count CDK's custom resources that call an API as read, unless the call may permit something."""
        for name, node in template.resources.items():
            if not isinstance(node, Map) or node.get("Type") != API_CALL:
                continue
            properties = template.properties(name)
            calls = []
            for key in ("Create", "Update", "Delete"):
                calls += template.texts(properties.get(key))
            if all(_permits_nothing(call) for call in calls):
                template.count_as_read(name)

    def _users_of_roles(
        self,
        stack: Stack,
        template: Template,
        own_roles: Container[str],
        diagnostics: Diagnostics,
    ) -> dict[str, list[Holder]]:
        """What runs in each role of the template. What runs in a role from elsewhere may do anything."""
        users: dict[str, list[Holder]] = {}
        for name, resource_type, properties, role_node in users_of_roles(template):
            is_function = resource_type == FUNCTION
            code = None
            if is_function:
                code = code_of_function(template, name, properties, stack.folder).own_folder
            user = Holder(name, properties, code, is_function)
            role = referenced(role_node)
            if role in own_roles:
                users.setdefault(str(role), []).append(user)
                continue
            service = self.owners.of_user(template, stack, user).service
            for text in template.texts(role_node):
                diagnostics.add_role_use(text, ELSEWHERE, service)
        for name, properties, roles in users_of_roles_elsewhere(template):
            service = self.owners.of_user(template, stack, Holder(name, properties)).service
            for text in roles:
                diagnostics.add_role_use(text, ELSEWHERE, service)
        return users


def _report_permitted(
    text: Text, reason: str, modes: frozenset[ReadOrWrite], diagnostics: Diagnostics
) -> None:
    """Report what permits something to a service that is not known, and so may permit it to any."""
    if modes:
        diagnostics.add_unresolved(text, reason, None, modes)


def _permits_nothing(call: str) -> bool:
    """Whether a call of an API, as CDK writes it, is one of a service that gives nobody permissions."""
    match = CALLED_SERVICE.search(call)
    return match is not None and match[1].lower() not in PERMITTING_SERVICES
