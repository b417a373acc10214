"""The sections of one Serverless Framework project that say what its functions may do.

::

    provider:
      iamRoleStatements: […]            the role that the framework makes for all functions (v1, v2)
      iam: {role: {statements: […]}}    the same (v3, v4)
    functions:
      get: {iamRoleStatements: […]}     a function's own role: made by a plugin, or by v4 (iam.role.statements)
    resources: {Resources: {Role: …}}   a CloudFormation template, with roles of its own

Each becomes a list of statements, one list per role. ``Project.roles`` has a method for each section.
Source: Serverless Framework documentation, "Serverless.yml Reference", "IAM Permissions For Functions" and
"Override AWS CloudFormation Resource"; serverless-iam-roles-per-function, README.
"""

from collections.abc import Mapping
from copy import copy

from ownership.drift.diagnostics import Diagnostics
from ownership.drift.iam.statements import READ_AND_WRITE, PolicyStatement, Role
from ownership.drift.naming import Names
from ownership.drift.readers.intrinsics import function_name
from ownership.drift.readers.roles import PolicyReader, attached_policies, roles_of
from ownership.drift.readers.serverless_variables import Variables
from ownership.drift.readers.template import NodeReader, Surroundings, Template
from ownership.drift.values import PLACEHOLDER, Map, Seq, Text, Value, location_of

GENERATED_ROLE = "IamRoleLambdaExecution"  # made by the framework from the provider's statements

# Mappings and their keys that hold a permissions boundary.
BOUNDARIES = (
    ("provider", "rolePermissionsBoundary"),
    ("provider.iam.role", "permissionBoundary"),
    ("provider.iam.role", "permissionsBoundary"),
)
# Mappings and their keys that hold the settings of plugins which make roles of their own.
PLUGINS = (
    ("", "stepFunctions"),
    ("", "appSync"),
    ("custom", "appSync"),
    ("custom", "apiGatewayServiceProxies"),
)
ROLE_PER_FUNCTION = "serverless-iam-roles-per-function"  # a plugin


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
        exports: dict[str, list[Text]],
        diagnostics: Diagnostics,
    ) -> None:
        self.service = service
        self.diagnostics = diagnostics
        self.at = variables.at
        self.expand = variables.expand
        self.template = Template(
            self._section("resources"),
            self.expand,
            given,
            exports,
            Surroundings(tables=names.given),
        )
        for unread in self.template.unread_resources():
            self._unresolved(unread, "is not a mapping")
        self.policies = PolicyReader(service, self.template, names, diagnostics)
        self.functions = self._functions()

    def roles(self) -> list[Role]:
        """The statements of each role of the project."""
        generated_extension, made_elsewhere = self._apply_extensions()
        resource_roles = roles_of(self.template) | made_elsewhere
        resource_roles.pop(GENERATED_ROLE, None)
        generated_role = self._generated_role(generated_extension)
        generated_role += self._attached_to_other_roles(resource_roles)
        roles: list[Role] = [generated_role]
        for name, properties in resource_roles.items():
            roles.append(self.policies.role(name, properties))
        roles += self._function_roles(generated_role)
        return roles

    def add_notes(self) -> None:
        """Report what may permit more, or less, than is written here."""
        self._note_boundaries()
        self._report_roles_from_elsewhere()
        self._note_plugins()

    def _unresolved(self, text: Text, reason: str) -> None:
        """Report something that might grant the service anything."""
        self.diagnostics.add_unresolved(text, reason, self.service, READ_AND_WRITE)

    # Sections

    def _section(self, name: str) -> list[Map]:
        """The parts of a section that is a mapping or a list of mappings."""
        parts = []
        for part in NodeReader(self.expand).items(self.at(name)):
            if isinstance(part, Map):
                parts.append(part)
            else:  # code, most often
                self._unresolved(part, f"the section {name} can't be resolved")
        return parts

    def _functions(self) -> list[Map]:
        """The settings of each function; empty for one that can't be read."""
        functions = []
        for part in self._section("functions"):
            for node in part.values():
                function = self.expand(node)
                if isinstance(function, Text):
                    self._unresolved(function, "the function can't be resolved")
                functions.append(function if isinstance(function, Map) else Map(location_of(function)))
        return functions

    def _apply_extensions(self) -> tuple[Map, dict[str, Map]]:
        """Apply ``resources.extensions``: each property of an extension replaces the resource's own.

        Returns the extension of the framework's role, and those of other roles that are not in the template.
        """
        template = self.template
        generated_extension = Map(location_of(None))
        made_elsewhere: dict[str, Map] = {}
        for name, node in template.extensions.items():
            extension = template.mapping(template.mapping(node).get("Properties"))
            if name == GENERATED_ROLE:
                generated_extension = extension
            elif name not in template.resources:
                made_elsewhere[str(name)] = extension
            # Copies, because an alias may share a resource with another part of the file.
            properties = copy(template.properties(name))
            properties.update(extension)
            resource = copy(template.mapping(template.resources.get(name)))
            resource["Properties"] = properties
            template.resources[name] = resource
        return generated_extension, made_elsewhere

    # provider

    def _generated_role(self, extension: Map) -> list[PolicyStatement]:
        """The role that the framework makes for the functions, which an extension may have changed."""
        statements = self.policies.role(GENERATED_ROLE, self.template.properties(GENERATED_ROLE))
        provider_statements = self._provider_statements()
        # What an extension or the resources add to the role above counts even if no function uses the role.
        if not self._uses_generated_role():
            for node in provider_statements:
                if node:
                    note = f"{self.service}: these statements permit nothing: no function runs in their role"
                    self.diagnostics.add_note(node.location, note)
            return statements
        if "Policies" not in extension:
            for node in provider_statements:
                statements += self.policies.statements(node)
        if "ManagedPolicyArns" not in extension:
            statements += self.policies.managed(self.at("provider.iamManagedPolicies"))
            statements += self.policies.managed(self.at("provider.iam.role.managedPolicies"))
        return statements

    def _provider_statements(self) -> list[Map | Seq | Text]:
        nodes = []
        for path in ("provider.iamRoleStatements", "provider.iam.role.statements"):
            node = self.at(path)
            if node is not None:
                nodes.append(node)
        return nodes

    def _uses_generated_role(self) -> bool:
        """Whether functions run in the role that the framework makes."""
        if _is_role(self.at("provider.role")) or _is_role(self.at("provider.iam.role")):
            return False
        if not self.functions:
            return True
        return not all(self._has_other_role(function) for function in self.functions)

    def _attached_to_other_roles(self, resource_roles: Mapping[str, Map]) -> list[PolicyStatement]:
        """The statements of policies attached to a role that is not among the resources: the framework's, often."""
        statements = []
        for policy in attached_policies(self.template):
            if policy.roles - resource_roles.keys():
                statements += self.policies.document(policy.properties.get("PolicyDocument"))
        return statements

    # functions

    def _function_roles(self, generated_role: Role) -> list[Role]:
        """The roles that a plugin, or v4, makes for functions with statements of their own."""
        roles: list[Role] = []
        for function in self.functions:
            own_statements = function.get("iamRoleStatements") or self.at("iam.role.statements", function)
            managed = self.at("iam.role.managedPolicies", function)
            if own_statements is None and managed is None:
                continue
            role = self.policies.statements(own_statements)
            role += self.policies.managed(managed)
            if self._inherits(function):
                role += generated_role
            roles.append(role)
        return roles

    def _inherits(self, function: Map) -> bool:
        """Whether a function's own role has the provider's statements as well."""
        setting = (
            self.expand(function.get("iamRoleStatementsInherit"))
            or self.at("iam.inheritStatements", function)
            or self.at(f"custom.{ROLE_PER_FUNCTION}.defaultInherit")
        )
        return setting == "true"

    def _has_other_role(self, function: Map) -> bool:
        """Whether a function runs in a role that has none of the provider's statements."""
        if _is_role(self.at("role", function)):
            return True
        own_statements = self.at("iam.role.statements", function)
        if self._makes_role_per_function():
            # Without the plugin this setting has no effect.
            own_statements = function.get("iamRoleStatements", own_statements)
        return own_statements is not None and not self._inherits(function)

    def _makes_role_per_function(self) -> bool:
        plugins = self.at("plugins.modules") or self.at("plugins")
        return any(ROLE_PER_FUNCTION in name for name in self.template.texts(plugins))

    # What is not read

    def _note_boundaries(self) -> None:
        for path, key in BOUNDARIES:
            settings = self.at(path)
            if isinstance(settings, Map):
                self.policies.note_boundary(settings.get(key))
        for function in self.functions:
            self.policies.note_boundary(function.get("iamPermissionsBoundary"))

    def _report_roles_from_elsewhere(self) -> None:
        """Report roles that the project refers to and doesn't define: what they permit is not known here."""
        nodes = [self.at("provider.role"), self.at("provider.iam.role")]
        for function in self.functions:
            nodes += [self.at("role", function), self.at("iam.role", function)]
        own_roles = {GENERATED_ROLE, *roles_of(self.template)}
        for node in nodes:
            reference = _role_reference(self.template.expand(node))
            if isinstance(reference, Text):
                name = reference.strip("${}").partition(".")[0]
                if name not in own_roles:
                    self._unresolved(reference, "the role is defined elsewhere")

    def _note_plugins(self) -> None:
        for path, key in PLUGINS:
            settings = self.at(path)
            if isinstance(settings, Map) and settings.get(key) is not None:
                plugin = f"{path}.{key}" if path else key
                note = f"{self.service}: what the plugin behind {plugin} permits is not read"
                self.diagnostics.add_note(settings.key_location(key), note)


def _is_role(node: Value) -> bool:
    """Whether a role is given: by name or ARN, or as a reference to it."""
    if isinstance(node, Text):
        return node not in ("", PLACEHOLDER)
    if isinstance(node, Map):
        return function_name(node) is not None
    return False


def _role_reference(node: Value) -> Value:
    """What names the role in ``name``, ``!Ref Name``, ``!Sub "${Name.Arn}"`` or ``!GetAtt Name.Arn``."""
    if isinstance(node, Map):
        function = function_name(node)
        if function is None:
            return None
        node = node[function]
    if isinstance(node, Seq):
        return node[0] if node else None
    return node
