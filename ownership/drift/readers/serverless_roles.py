"""The Serverless Framework's rules: which roles it makes for the functions of a project, and what they hold.

- One role is shared by all functions that have no role of their own. It is made from ``provider.iam.role``, or from
  the older ``provider.iamRoleStatements`` and ``iamManagedPolicies`` where the newer form does not say the same.
- ``provider.role``, or ``provider.iam.role`` as a reference, is an existing role. No role is made then.
- A function with ``role`` runs in that. One with statements of its own has a role for itself, made by v4 or by the
  plugin serverless-iam-roles-per-function: without the provider's managed policies, and with the provider's statements
  only if it inherits them.
- With ``provider.iam.role.mode: perFunction`` (v4) each function has a role for itself, which holds the provider's
  managed policies, and the provider's statements unless it declines them.
- Without functions, no role is made.

Source: Serverless Framework v3 and v4, merge-iam-templates.js, roles-per-function.js and
uses-dedicated-per-function-role.js; serverless-iam-roles-per-function 3.2, src/lib/index.ts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ownership.drift.readers.sections import Section
from ownership.drift.readers.serverless_settings import FUNCTION_ROLE
from ownership.drift.readers.template_nodes import function_name
from ownership.drift.values import PLACEHOLDER, Map, Seq, Text, Value

# Who makes roles from the statements of functions. "unknown": v4 would, v3 would not, and the project does not say.
RoleMaker = Literal["framework", "plugin", "nobody", "unknown"]


def is_role(node: Value) -> bool:
    """Whether a role is given: by name or ARN, or as a reference to it."""
    match node:
        case Text():
            return node not in ("", PLACEHOLDER)
        case Map():
            return function_name(node) is not None
    return False


def _roles_among(*nodes: Value) -> list[Value]:
    return [node for node in nodes if is_role(node)]


@dataclass
class RoleContent:
    """What a role holds that the framework makes: each entry is a list of statements, or of managed policies."""

    statements: list[Value] = field(default_factory=list)
    managed: list[Value] = field(default_factory=list)


class FunctionSettings:
    """What one function says of its role."""

    def __init__(self, section: Section) -> None:
        iam = section.section("iam")
        role = iam.section("role", FUNCTION_ROLE)
        self.role = section.get("role")
        self.existing_roles = _roles_among(self.role, role.value)
        self.has_old_statements = "iamRoleStatements" in section
        self.old_statements = section.get("iamRoleStatements")
        self.has_statements = "statements" in role
        self.statements = role.get("statements")
        self.own_statements = self.old_statements
        if self.has_statements:
            self.own_statements = self.statements
        self.managed = role.get("managedPolicies")
        self.inherits = iam.get("inheritStatements")
        self.old_inherits = section.get("iamRoleStatementsInherit")
        section.get("iamRoleStatementsName")
        boundaries = (role.get("permissionsBoundary"), section.get("iamPermissionsBoundary"))
        self.boundaries = [node for node in boundaries if node is not None]


class FrameworkRoles:
    """The roles of one project's functions.

    - ``shared``: what the role holds that functions share; None if no function runs in it.
    - ``own``: what each role holds that is made for one function.
    - ``existing``: references to roles that functions run in and the framework does not make.
    - ``without_effect``: what is written as if it permitted something, and permits nothing.
    - ``unresolved``: settings that decide what a role holds, and have no value.
    """

    def __init__(
        self,
        provider: Section,
        functions: Sequence[Section],
        maker: RoleMaker,
        inherits_by_default: Value,
        may_have_more_functions: bool,
    ) -> None:
        iam = provider.section("iam")
        role = iam.section("role")
        self.maker = maker
        self.inherits_by_default = inherits_by_default
        self.is_per_function = role.get("mode") == "perFunction"

        # v4's own roles for functions come before those of the plugin.
        self.is_made_by_plugin = maker == "plugin" and not self.is_per_function

        self.statements = role.get("statements")
        self.managed = role.get("managedPolicies")
        self.old_statements = provider.get("iamRoleStatements")
        self.old_managed = provider.get("iamManagedPolicies")
        self.has_new_form = iam.value is not None
        boundary_keys = (
            (provider, "rolePermissionsBoundary"),
            (role, "permissionBoundary"),
            (role, "permissionsBoundary"),
        )
        self.boundaries = [section.get(key) for section, key in boundary_keys if key in section]

        self.shared: RoleContent | None = None
        self.own: list[RoleContent] = []
        self.existing: list[Value] = []
        self.without_effect: list[Value] = []
        self.unresolved: list[Text] = []

        provider_role = provider.get("role")
        self._add_unknown_role(provider_role)
        existing = _roles_among(provider_role, role.value)
        self._assign(
            [FunctionSettings(section) for section in functions], existing, may_have_more_functions
        )

    def _assign(
        self,
        functions: Sequence[FunctionSettings],
        provider_roles: Sequence[Value],
        may_have_more_functions: bool,
    ) -> None:
        """Give each function its role."""
        is_shared = may_have_more_functions
        for function in functions:
            self.boundaries += function.boundaries
            self._add_unknown_role(function.role)
            if function.existing_roles:
                self.existing += function.existing_roles
            elif provider_roles or not self._has_own_role(function):
                is_shared = True
                self._add_without_effect(function)
            else:
                self.own.append(self._own_role(function))
                # Without the plugin, v3 leaves such a function in the shared role.
                is_shared = is_shared or (self.maker == "unknown" and not function.has_statements)
        if is_shared and provider_roles:
            self.existing += provider_roles
        elif is_shared:
            self.shared = self._shared_role()
        self._add_unused_statements()

    def _add_unknown_role(self, node: Value) -> None:
        """Note a role without a value: it may be any role, or none."""
        if isinstance(node, Text) and node.reason and not is_role(node):
            self.unresolved.append(node)

    def _has_own_role(self, function: FunctionSettings) -> bool:
        if self.is_per_function:
            return True
        if self.maker == "nobody":
            return False
        if self.maker == "plugin":
            return function.has_old_statements
        return function.has_old_statements or function.has_statements or bool(function.managed)

    def _own_role(self, function: FunctionSettings) -> RoleContent:
        content = RoleContent()
        inherited = self._inherited_statements()
        # Where there is nothing to inherit, an unresolved setting does not matter.
        if inherited and self._inherits(function):
            content.statements.append(inherited)
        if self.is_made_by_plugin:
            content.statements.append(function.old_statements)
        else:
            content.statements.append(function.own_statements)
            content.managed.append(function.managed)
        if self.is_per_function:
            content.managed.append(self.managed)
        return content

    def _inherits(self, function: FunctionSettings) -> bool:
        """Whether a function's own role holds the provider's statements as well."""
        if self.is_made_by_plugin:
            if self._is_true(function.old_inherits):
                return True
            return function.old_inherits != "false" and self._is_true(self.inherits_by_default)
        for setting in (function.inherits, function.old_inherits, self.inherits_by_default):
            if setting is not None:
                return self._is_true(setting)
        return self.is_per_function

    def _is_true(self, setting: Value) -> bool:
        if isinstance(setting, Text) and setting.reason:
            self.unresolved.append(setting)
        return setting == "true"

    def _inherited_statements(self) -> Value:
        # Other than in the shared role, the older form counts only where there is no `provider.iam` at all.
        if self.has_new_form:
            return self.statements
        return self.old_statements

    def _shared_role(self) -> RoleContent:
        statements, managed = self.old_statements, self.old_managed
        if self.statements is not None:
            statements = self.statements
        if self.managed is not None:
            managed = self.managed
        return RoleContent([statements], [managed])

    def _add_without_effect(self, function: FunctionSettings) -> None:
        """Note the statements of a function for which no role is made."""
        self.without_effect += [function.old_statements, function.statements, function.managed]

    def _add_unused_statements(self) -> None:
        """Note those of the provider's statements and policies that are in no role."""
        used: set[int] = set()
        for role in (self.shared or RoleContent(), *self.own):
            used.update(map(id, role.statements))
            used.update(map(id, role.managed))
        unused = list(self.without_effect)
        for node in (self.statements, self.old_statements, self.managed, self.old_managed):
            if id(node) not in used:
                unused.append(node)
        self.without_effect = [node for node in unused if isinstance(node, Map | Seq) and node]
