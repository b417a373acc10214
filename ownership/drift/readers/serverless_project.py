"""The sections of one Serverless Framework project that say what its functions may do.

::

    provider:
      iamRoleStatements: […]            the role that the framework makes for all functions (v1, v2)
      iam: {role: {statements: […]}}    the same (v3, v4)
    functions:
      get: {iamRoleStatements: […]}     a function's own role: made by a plugin, or by v4 (iam.role.statements)
    resources: {Resources: {Role: …}}   a CloudFormation template, with roles of its own

Each becomes a list of statements, one list per role. serverless_roles.py has the rules of which role holds what, and
serverless_unread.py reports what may permit something and is not read.
Source: Serverless Framework documentation, "Serverless.yml Reference", "IAM Permissions For Functions" and
"Override AWS CloudFormation Resource".
"""

from collections.abc import Collection, Mapping
from copy import copy

from ownership.drift.diagnostics import Diagnostics
from ownership.drift.iam.statements import PolicyStatement
from ownership.drift.naming import Names
from ownership.drift.readers.collector import ServiceRole
from ownership.drift.readers.node_reader import NodeReader
from ownership.drift.readers.roles import (
    PolicyReader,
    Principals,
)
from ownership.drift.readers.sections import Section
from ownership.drift.readers.serverless_plugins import roles_of_plugins
from ownership.drift.readers.serverless_roles import (
    FrameworkRoles,
    RoleContent,
    RoleMaker,
)
from ownership.drift.readers.serverless_settings import (
    ADDITIONAL_STACKS,
    FUNCTION,
    PROVIDER,
    PROVIDER_IAM,
    PROVIDER_ROLE,
    ROLE_PER_FUNCTION,
    ROOT,
    framework_version,
)
from ownership.drift.readers.serverless_variables import Variables
from ownership.drift.readers.template import (
    Exports,
    NestedLoader,
    Surroundings,
    Template,
)
from ownership.drift.types import READ_AND_WRITE
from ownership.drift.values import (
    Map,
    Text,
    as_mapping,
    concat,
    known_text,
    location_of,
)

GENERATED_ROLE = "IamRoleLambdaExecution"  # made by the framework from the provider's statements


class Project:
    """One project: its settings, its functions, and the template that its resources make.

    What can't be resolved goes into the diagnostics.
    """

    def __init__(
        self,
        service: str,
        variables: Variables,
        names: Names,
        given: Mapping[str, str],
        exports: Exports,
        diagnostics: Diagnostics,
        load_nested: NestedLoader,
    ) -> None:
        self.service = service
        self.diagnostics = diagnostics
        self.at = variables.at
        self.expand = variables.expand
        self.root = Section(variables.config, self.expand, ROOT)
        self.provider = self.root.section("provider", PROVIDER)
        self.provider_iam = self.provider.section("iam", PROVIDER_IAM)
        self.provider_role = self.provider_iam.section("role", PROVIDER_ROLE)
        self.template = Template(
            self._parts("resources"),
            self.expand,
            given,
            exports,
            Surroundings(names.given, self._pseudo_parameters(variables), load_nested=load_nested),
        )
        for unread in self.template.unread_resources():
            self.add_unresolved(unread, "is not a mapping")
        self.names = names
        self.permitted: list[ServiceRole] = []  # to the roles of other services
        self.has_local_plugins = False
        self.plugins = self._plugins()
        self.has_unread_functions = False
        self.functions = self._functions()
        self.framework = FrameworkRoles(
            self.provider,
            self.functions,
            self._role_maker(),
            self.at(f"custom.{ROLE_PER_FUNCTION}.defaultInherit"),
            self.has_unread_functions,
        )
        self.generated_extension, self.made_elsewhere = self._apply_extensions()
        self.principals = Principals(self.template)
        self.policies = self._policies_for(service)

    def roles(self) -> list[ServiceRole]:
        """The roles and users of the project."""
        resource_roles = self.principals.holders | self.made_elsewhere
        resource_roles.pop(GENERATED_ROLE, None)
        shared_role = self._shared_role()
        roles = [ServiceRole(self.service, shared_role, GENERATED_ROLE)]
        for name, properties in resource_roles.items():
            roles.append(ServiceRole(self.service, self.policies.role(name, properties), name))
        for name, properties in self.principals.groups_without_users.items():
            roles.append(ServiceRole(self.service, self.policies.role(name, properties)))
        for content in self.framework.own:
            roles.append(ServiceRole(self.service, self._statements(content)))
        for statements in self._roles_of_plugins():
            roles.append(ServiceRole(self.service, statements))
        known = resource_roles.keys() | self.principals.groups.keys()
        self._read_attached_elsewhere(known, shared_role)
        return roles

    def add_unresolved(self, text: Text, reason: str) -> None:
        """Report something that might grant the service anything."""
        self.diagnostics.add_unresolved(text, reason, self.service, READ_AND_WRITE)

    # Sections

    def _pseudo_parameters(self, variables: Variables) -> dict[str, Text]:
        """The pseudo parameters of the project's stack that its settings state."""
        stated = {
            "AWS::StackName": stack_name(variables),
            "AWS::Region": variables.at("provider.region"),
        }
        return {name: value for name, value in stated.items() if isinstance(value, Text)}

    def _parts(self, name: str) -> list[Map]:
        """The parts of a section that is a mapping or a list of mappings."""
        parts = []
        for part in NodeReader(self.expand).items(self.root.get(name)):
            if isinstance(part, Map):
                parts.append(part)
            else:  # code, most often
                self.add_unresolved(part, f"the section {name} can't be resolved")
        return parts

    def _functions(self) -> list[Section]:
        """The settings of each function; empty for one that can't be read."""
        functions = []
        before = len(self.diagnostics.unresolved)
        for part in self._parts("functions"):
            for node in part.values():
                function = Section(node, self.expand, FUNCTION)
                if isinstance(function.value, Text):
                    self.add_unresolved(function.value, "the function can't be resolved")
                functions.append(function)
        self.has_unread_functions = len(self.diagnostics.unresolved) > before
        return functions

    def _plugins(self) -> list[Text]:
        """The names of the project's plugins. With ``localPath``, any of them may be code of the project."""
        node = self.root.get("plugins")
        if isinstance(node, Map):
            self.has_local_plugins = node.get("localPath") is not None
            node = self.expand(node.get("modules"))
        return self.template.texts(node)

    def _role_maker(self) -> RoleMaker:
        """Who makes roles from the statements of functions."""
        if ROLE_PER_FUNCTION in self.plugins:
            return "plugin"
        version = framework_version(self.root.get("frameworkVersion"))
        if version is None and self._has_settings_of_v4():
            version = 4
        if version is None:
            return "unknown"
        return "framework" if version >= 4 else "nobody"

    def _has_settings_of_v4(self) -> bool:
        if "stages" in self.root or "build" in self.root:
            return True
        if "mode" in self.provider_role:
            return True
        return any("iam" in function for function in self.functions)

    def _apply_extensions(self) -> tuple[Map, dict[str, Map]]:
        """Apply ``resources.extensions``: each property of an extension replaces the resource's own.

        Returns the extension of the framework's role, and those of other roles that are not in the template.
        """
        template = self.template
        template.count_as_read(GENERATED_ROLE)
        generated_extension = Map(location_of(None))
        made_elsewhere: dict[str, Map] = {}
        for name, node in template.extensions.items():
            extension = template.mapping(template.mapping(node).get("Properties"))
            if name == GENERATED_ROLE:
                generated_extension = extension
            elif name not in template.resources:
                made_elsewhere[str(name)] = extension
                # What a role has is read below; a policy that a plugin makes is not.
                if "PolicyDocument" not in extension:
                    template.count_as_read(name)
            # Copies, because an alias may share a resource with another part of the file.
            properties = copy(template.properties(name))
            properties.update(extension)
            resource = copy(template.resource(name))
            resource["Properties"] = properties
            template.resources[name] = resource
        return generated_extension, made_elsewhere

    # Roles

    def _shared_role(self) -> list[PolicyStatement]:
        """The role that the framework makes for the functions, which an extension may have changed."""
        statements = self.policies.role(GENERATED_ROLE, self.template.properties(GENERATED_ROLE))
        content = self.framework.shared
        # What an extension or the resources add to the role above counts even if no function uses the role.
        if content is None:
            return statements
        if "Policies" in self.generated_extension:
            content.statements.clear()
        if "ManagedPolicyArns" in self.generated_extension:
            content.managed.clear()
        return statements + self._statements(content)

    def _roles_of_plugins(self) -> list[list[PolicyStatement]]:
        """The roles that plugins make for AppSync, Step Functions and API Gateway."""
        custom = as_mapping(self.at("custom"))
        made = roles_of_plugins(self.plugins, self.root.get, custom, NodeReader(self.expand))
        self.framework.existing += made.existing
        for setting in made.unresolved:
            self.add_unresolved(setting, "the setting can't be resolved")
        return [self.policies.statements(statements) for statements in made.made]

    def additional_stacks(self) -> list[Map]:
        """The templates of stacks that are deployed beside the project's own."""
        if ADDITIONAL_STACKS not in self.plugins:
            return []
        stacks = []
        for part in NodeReader(self.expand).items(self.at("custom.additionalStacks")):
            if not isinstance(part, Map):
                self.add_unresolved(part, "the stacks can't be resolved")
                continue
            for name, node in part.items():
                stack = self.expand(node)
                if isinstance(stack, Map):
                    stacks.append(stack)
                else:
                    self.add_unresolved(
                        Text(name, location_of(node)), "the stack can't be resolved"
                    )
        return stacks

    def _statements(self, content: RoleContent) -> list[PolicyStatement]:
        statements = []
        for node in content.statements:
            statements += self.policies.statements(node)
        for node in content.managed:
            statements += self.policies.managed(node)
        return statements

    def _read_attached_elsewhere(
        self, known: Collection[str], shared_role: list[PolicyStatement]
    ) -> None:
        """Read the policies attached to a role that is not among the resources.

        It is the framework's, often, whose statements are added; or by its name that of another service.
        """
        for policy in self.principals.policies:
            document = policy.properties.get("PolicyDocument")
            for holder in sorted(policy.holders - set(known)):
                service = self.names.role([holder]) or self.service
                if service != self.service and not holder.endswith(GENERATED_ROLE):
                    statements = self._policies_for(service).document(document)
                    self.permitted.append(ServiceRole(service, statements))
                # What is attached by the logical name of the shared role was read with it.
                # Whether any other is the shared role is not certain, so nothing is denied to that.
                elif holder != GENERATED_ROLE:
                    shared_role += self.policies.effective(
                        self.policies.document(document), is_certain=False
                    )

    def _policies_for(self, service: str) -> PolicyReader:
        return PolicyReader(service, self.template, self.names, self.diagnostics, self.principals)


def stack_name(variables: Variables) -> Text | None:
    """What a project's stack is called: ``provider.stackName``, or its name and stage; None if it has neither."""
    own = variables.at("provider.stackName")
    if isinstance(own, Text):
        return own
    service = service_name(variables)
    if service is None:
        return None
    stage = variables.stage()
    return concat([service, "-", stage], stage.location)


def service_name(variables: Variables) -> str | None:
    """What a project calls itself: ``service: name`` or, in v1, ``service: {name: …}``."""
    service = variables.at("service")
    if isinstance(service, Map):
        service = variables.at("name", service)
    name = known_text(service)
    return None if name is None else str(name)
