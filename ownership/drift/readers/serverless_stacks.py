"""The stacks that a project of the Serverless Framework has besides its own.

::

    resources: {Resources: {Tables: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ./tables.yml}}}}
    custom: {additionalStacks: {roles: {Resources: …}}}

``Tables`` is nested in the project's stack, and read from the file beside the project, or from the only template of its
folder that is called like the end of an address. ``roles`` is one that serverless-plugin-additional-stacks deploys. The
roles of such a stack are those of the project's service.
Source: AWS CloudFormation User Guide, "Nested stacks"; README of serverless-plugin-additional-stacks.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from ownership.drift.diagnostics import Diagnostics
from ownership.drift.naming import Names
from ownership.drift.readers.collector import Part, ServiceRole
from ownership.drift.readers.files import Files
from ownership.drift.readers.role_users import users_of_roles_elsewhere
from ownership.drift.readers.roles import (
    GROUP_ELSEWHERE,
    PolicyReader,
    Principals,
    users_of_roles,
)
from ownership.drift.readers.stacks import Stack, Stacks
from ownership.drift.readers.table_policies import table_policies
from ownership.drift.readers.tables import read_tables
from ownership.drift.readers.template import Expand, Exports, Surroundings, Template
from ownership.drift.readers.template_nodes import referenced
from ownership.drift.types import READ_AND_WRITE
from ownership.drift.values import Map, Text

SECTIONS = ("Resources", "Outputs", "Parameters", "Mappings", "Conditions", "Transform")


class ProjectStacks:
    """The further stacks of the project in a file."""

    def __init__(
        self, path: Path, files: Files, names: Names, given: Mapping[str, str], exports: Exports
    ) -> None:
        self.files = files
        self.names = names
        self.given = given
        self.exports = exports
        self._project = Stack(path, ())

    @cached_property
    def _stacks(self) -> Stacks:
        """The templates in the project's folder. What of them can't be read is reported where it is nested."""
        stacks = Stacks(self.files, self.given, self.names.given, self.exports)
        for _ in stacks.load([self._project.path.parent]):
            pass
        return stacks

    def load(self, template: Template, name: str, properties: Map) -> Template | None:
        """The template of a stack nested in the project's, for its outputs; None if it is not there."""
        return self._stacks.load_nested(self._project, template, name, properties)

    def nested(self, service: str, template: Template) -> list[Part]:
        """The stacks nested in the project's. One whose template is not there may permit the service anything."""
        return self._nested_in(self._project, service, template)

    def additional(self, service: str, sections: Map, expand: Expand) -> Part:
        """A stack beside the project's. The plugin's own settings are among its sections."""
        body = Map(
            sections.location, [(key, value) for key, value in sections.items() if key in SECTIONS]
        )
        template = Template(
            [body], expand, self.given, self.exports, Surroundings(tables=self.names.given)
        )
        return self._part(service, template, [])

    def _nested_in(self, stack: Stack, service: str, template: Template) -> list[Part]:
        if not template.has_nested_stacks():
            return []
        parts = []
        for name, nested in self._stacks.nested_in(stack, template).items():
            if nested is not None:
                self.files.included.add(nested.path)
                inner = self._stacks.template(nested)
                parts.append(self._part(service, inner, self._nested_in(nested, service, inner)))
                continue
            diagnostics = Diagnostics()
            reason = "the template of this nested stack is not in the project's folder"
            diagnostics.add_unresolved(name, reason, service, READ_AND_WRITE)
            parts.append(Part(service, Template([]), [], [], diagnostics))
        return parts

    def _part(self, service: str, template: Template, nested: list[Part]) -> Part:
        diagnostics = Diagnostics()
        principals = Principals(template)
        policies = PolicyReader(service, template, self.names, diagnostics, principals)
        roles = []
        for name, properties in (principals.holders | principals.groups_without_users).items():
            roles.append(ServiceRole(service, policies.role(name, properties), name))
        permitted = self._attached_elsewhere(service, principals, diagnostics)
        own_roles = dict.fromkeys(principals.holders, service)
        by_tables = table_policies(
            template, self.names, diagnostics, own_roles, lambda name: self.names.role([name])
        )
        by_tables.deny(roles)
        permitted += by_tables.permitted
        tables = read_tables(template, self.names, diagnostics)
        for user, group in principals.groups_elsewhere:
            owner = self.names.role([user]) or service
            diagnostics.add_unresolved(group, GROUP_ELSEWHERE, owner, READ_AND_WRITE)
        _report_roles_from_elsewhere(service, principals, diagnostics)
        return Part(
            service=service,
            template=template,
            roles=roles,
            tables=tables,
            diagnostics=diagnostics,
            permitted=permitted,
            denied=by_tables.denied_to_all,
            nested=nested,
        )

    def _attached_elsewhere(
        self, service: str, principals: Principals, diagnostics: Diagnostics
    ) -> list[ServiceRole]:
        """What policies permit that are attached to roles outside the stack: the project's, unless their name says."""
        permitted = []
        for policy, holder in principals.attached_elsewhere():
            holder_service = self.names.role([holder]) or service
            reader = PolicyReader(
                holder_service, principals.template, self.names, diagnostics, principals
            )
            statements = reader.document(policy.properties.get("PolicyDocument"))
            permitted.append(ServiceRole(holder_service, statements))
        return permitted


def _report_roles_from_elsewhere(
    service: str, principals: Principals, diagnostics: Diagnostics
) -> None:
    """Report what runs in a role that is not read: it may do anything."""
    template = principals.template
    roles: list[Text] = []
    for user in users_of_roles(template):
        if referenced(user.role) not in principals.roles:
            roles += template.texts(user.role)
    for other_user in users_of_roles_elsewhere(template):
        roles += other_user.roles
    for role in roles:
        diagnostics.add_role_use(role, "the role is defined elsewhere", service)
