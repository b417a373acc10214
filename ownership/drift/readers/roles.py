"""Reads the IAM roles, users, groups and policies of a CloudFormation template.

::

    UsersRole:
      Type: AWS::IAM::Role
      Properties:
        ManagedPolicyArns: [arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess]
        Policies: [{PolicyDocument: {Statement: [{Effect: Allow, Action: …, Resource: …}]}}]

becomes the statements of both policies, and of every ``AWS::IAM::Policy`` that is attached to ``UsersRole``, by its
logical name or by its ``RoleName``. A user is read like a role, with what its groups permit.
Source: AWS CloudFormation Template Reference, "AWS::IAM::Role" and the other types of AWS::IAM.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from ownership.drift.diagnostics import Diagnostics
from ownership.drift.iam.actions import modes_of
from ownership.drift.iam.managed_policies import UnknownPolicyError, statements_of
from ownership.drift.iam.statements import PolicyStatement, StatementReader
from ownership.drift.naming import Names
from ownership.drift.readers.template import Template
from ownership.drift.readers.template_nodes import (
    MANAGED_POLICY,
    ROLE,
    calls_in,
    has_branches,
)
from ownership.drift.role_names import role_name
from ownership.drift.types import READ_AND_WRITE, ReadOrWrite
from ownership.drift.values import Map, Seq, Text, Value, as_text, location_of

USER = "AWS::IAM::User"
GROUP = "AWS::IAM::Group"
MEMBERSHIP = "AWS::IAM::UserToGroupAddition"
GROUP_ELSEWHERE = "the group is defined elsewhere"
ATTACHED_POLICIES = (
    "AWS::IAM::Policy",
    MANAGED_POLICY,
    "AWS::IAM::RolePolicy",
    "AWS::IAM::UserPolicy",
    "AWS::IAM::GroupPolicy",
)
# What runs in a role, and the property that names it.
ROLE_PROPERTIES = {
    "AWS::Lambda::Function": "Role",
    "AWS::StepFunctions::StateMachine": "RoleArn",
    "AWS::AppSync::DataSource": "ServiceRoleArn",
    "AWS::ECS::TaskDefinition": "TaskRoleArn",
}
# Of a role, user or group; and of what a policy is attached to.
NAME_PROPERTIES = ("RoleName", "UserName", "GroupName")
HOLDER_PROPERTIES = ("Roles", "Users", "Groups", *NAME_PROPERTIES)


@dataclass(frozen=True)
class AttachedPolicy:
    """A policy that is a resource of its own.

    ``holders`` are the roles, users and groups that it is attached to: those of the template by logical name, others
    by physical name. ``condition`` is the one on which the policy is made; empty without one.
    """

    name: str
    properties: Map
    holders: frozenset[str]
    condition: str = ""


class RoleUser(NamedTuple):
    """A resource that runs in a role. ``role`` is what its property holds; None where it names none."""

    name: str
    resource_type: str
    properties: Map
    role: Value


def users_of_roles(template: Template) -> Iterator[RoleUser]:
    """What runs in a role, of the types whose property is known."""
    for resource_type, key in ROLE_PROPERTIES.items():
        for name, properties in template.of_type(resource_type):
            yield RoleUser(name, resource_type, properties, properties.get(key))


class Principals:
    """The roles, users and groups of a template by logical name, and what is attached to them."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.roles = dict(template.of_type(ROLE))
        self.users = dict(template.of_type(USER))
        self.groups = dict(template.of_type(GROUP))

    @property
    def holders(self) -> dict[str, Map]:
        """Those that act: roles and users."""
        return self.roles | self.users

    @cached_property
    def policies(self) -> list[AttachedPolicy]:
        """The policies that are attached to roles, users and groups."""
        policies = []
        for name, properties in self.template.of_type(*ATTACHED_POLICIES):
            holders = self._names_in(properties, HOLDER_PROPERTIES)
            condition = self.template.condition_of(name)
            policies.append(AttachedPolicy(str(name), properties, frozenset(holders), condition))
        return policies

    def attached_to(self, name: str) -> list[AttachedPolicy]:
        """The policies that are attached to a role, user or group of the template."""
        return self._policies_by_holder.get(name, [])

    def attached_elsewhere(self) -> Iterator[tuple[AttachedPolicy, str]]:
        """The policies that are attached to what is not in the template, each with the name of that."""
        known = self.holders.keys() | self.groups.keys()
        for policy in self.policies:
            for holder in sorted(policy.holders - known):
                yield policy, holder

    def groups_of(self, user: str) -> list[str]:
        """The groups that a user is in, those of the template by logical name."""
        return sorted(self._groups_by_user.get(user, ()))

    @cached_property
    def groups_without_users(self) -> dict[str, Map]:
        """The groups of which users are not in the template: all of them, or some."""
        used: set[str] = set()
        for groups in self._groups_by_user.values():
            used |= groups
        for _, group in self.memberships_elsewhere:
            used.discard(group)
        return {name: properties for name, properties in self.groups.items() if name not in used}

    @cached_property
    def memberships_elsewhere(self) -> list[tuple[str, Text]]:
        """The users that are not in the template, each with a group that the template adds it to."""
        memberships = []
        for _, properties in self.template.of_type(MEMBERSHIP):
            groups = self._names_in(properties, ("GroupName",))
            for user in sorted(self._names_in(properties, ("Users",)) - self.users.keys()):
                for group in sorted(groups):
                    memberships.append((user, as_text(group, properties.location)))
        return memberships

    @property
    def groups_elsewhere(self) -> list[tuple[str, Text]]:
        """Those of the memberships whose group is not in the template either: what it permits is not known here."""
        return [
            (user, group) for user, group in self.memberships_elsewhere if group not in self.groups
        ]

    @cached_property
    def _groups_by_user(self) -> dict[str, set[str]]:
        by_user: dict[str, set[str]] = defaultdict(set)
        for user, properties in self.users.items():
            by_user[user] |= self._names_in(properties, ("Groups",))
        for _, properties in self.template.of_type(MEMBERSHIP):
            for user in self._names_in(properties, ("Users",)) & self.users.keys():
                by_user[user] |= self._names_in(properties, ("GroupName",))
        return by_user

    @cached_property
    def _policies_by_holder(self) -> dict[str, list[AttachedPolicy]]:
        by_holder = defaultdict(list)
        for policy in self.policies:
            for holder in policy.holders:
                by_holder[holder].append(policy)
        return by_holder

    @cached_property
    def _logical_names(self) -> dict[str, str]:
        """Physical name → logical name, for those that have one."""
        logical_names = {}
        for name, properties in (self.holders | self.groups).items():
            for key in NAME_PROPERTIES:
                for text in self.template.texts(properties.get(key)):
                    logical_names[str(text)] = name
        return logical_names

    def _names_in(self, properties: Map, keys: Iterable[str]) -> set[str]:
        """The roles, users or groups that some properties name: by reference, or by physical name."""
        names = set()
        for key in keys:
            for item in self.template.items(properties.get(key)):
                if isinstance(item, Map) and isinstance(item.get("Ref"), str):
                    names.add(str(item["Ref"]))
                    continue
                for text in self.template.texts(item):
                    names.add(self._logical_names.get(text) or role_name(text) or text)
        return names


class PolicyReader:
    """Reads what the policies of a template permit a service."""

    def __init__(
        self,
        service: str,
        template: Template,
        names: Names,
        diagnostics: Diagnostics,
        principals: Principals | None = None,
    ) -> None:
        self.service = service
        self.template = template
        self.diagnostics = diagnostics
        self.principals = principals or Principals(template)
        self.statement_reader = StatementReader(service, template.texts, names, diagnostics)

    def role(self, name: str, properties: Map) -> list[PolicyStatement]:
        """The statements of a role or user: its own policies, managed ones, those attached to it, and its groups'."""
        statements = self._own(name, properties)
        for group in self.principals.groups_of(name):
            if group in self.principals.groups:
                statements += self._own(group, self.principals.groups[group])
                continue
            self._unresolved(as_text(group, properties.location), GROUP_ELSEWHERE)
        return statements

    def _own(self, name: str, properties: Map) -> list[PolicyStatement]:
        resource = self.template.resource(name)
        # `properties` is empty for a role whose properties are an unresolved variable.
        raw_properties = self.template.expand(resource.get("Properties"))
        if isinstance(raw_properties, Text):
            self._unresolved(raw_properties, "the role can't be resolved")
        self._report_calls(properties)
        self.note_boundary(properties.get("PermissionsBoundary"))
        statements = self.managed(properties.get("ManagedPolicyArns"))
        for policy, is_certain in self.template.items_and_whether_certain(
            properties.get("Policies")
        ):
            if isinstance(policy, Map):
                self._report_calls(policy)
                statements += self.effective(
                    self.document(policy.get("PolicyDocument")), is_certain
                )
            else:
                self._unresolved(policy, "the policy can't be resolved")
        for attached in self.principals.attached_to(name):
            is_certain = attached.condition in ("", self.template.condition_of(name))
            statements += self.effective(
                self.document(attached.properties.get("PolicyDocument")), is_certain
            )
        return statements

    def effective(
        self, statements: Iterable[PolicyStatement], is_certain: bool
    ) -> list[PolicyStatement]:
        """The statements; without each Deny where it is not certain that they apply."""
        effective = []
        for statement in statements:
            if statement.allow or is_certain:
                effective.append(statement)
            else:
                note = "a Deny that may not apply is ignored: a condition decides, or it is for a role from elsewhere"
                self.diagnostics.add_note(statement.location, f"{self.service}: {note}")
        return effective

    def document(self, node: Value) -> list[PolicyStatement]:
        """The statements of a policy document."""
        document = self.template.expand(node)
        if isinstance(document, Text):
            self._unresolved(document, "the policy document is not a mapping")
            return []
        if isinstance(document, Map):
            self._report_calls(document)
        return self.statements(self.template.mapping(document).get("Statement"))

    def statements(self, node: Value) -> list[PolicyStatement]:
        """The statements in a list, or a single one."""
        statements: list[PolicyStatement] = []
        for item, is_certain in self.template.items_and_whether_certain(node):
            if not isinstance(item, Map):
                self._unresolved(item, "the statement is not a mapping")
                continue
            if self._report_calls(item):
                continue
            statement = self.statement_reader.read(item)
            if statement:
                statements += self.effective([statement], is_certain and not has_branches(item))
        return statements

    def managed(self, node: Value) -> list[PolicyStatement]:
        """The statements of a list of managed policies: of this template, of AWS, or from elsewhere."""
        statements: list[PolicyStatement] = []
        for item, is_certain in self.template.items_and_whether_certain(node):
            for arn in self.template.texts(item):
                own = self._managed_in_files(arn)
                found = self._managed_elsewhere(arn) if own is None else own
                statements += self.effective(found, is_certain)
        return statements

    def _managed_in_files(self, arn: Text) -> list[PolicyStatement] | None:
        """The statements of a managed policy of this template or another of the run; None if none makes it."""
        account, is_policy, path = arn.partition(":policy/")
        if not is_policy or account.endswith("::aws"):
            return None
        policy = self.template.exports.policies.get(path.rpartition("/")[2])
        if policy is None:
            self.template.misses_export = True  # a template that is read later may make it
            return None
        template, properties = policy
        if template is self.template:
            return self.document(properties.get("PolicyDocument"))
        reader = PolicyReader(self.service, template, self.statement_reader.names, self.diagnostics)
        return reader.document(properties.get("PolicyDocument"))

    def note_boundary(self, boundary: Value) -> None:
        """Note a permissions boundary: it grants nothing, and may take away what is granted."""
        if boundary is not None:
            note = f"{self.service}: granted only within a permissions boundary, which is not read"
            self.diagnostics.add_note(location_of(boundary), note)

    def _managed_elsewhere(self, policy: Text) -> list[PolicyStatement]:
        """The statements of one of AWS's policies; nothing, with a diagnostic, for any other."""
        try:
            return self.statements(Seq(policy.location, statements_of(policy)))
        except UnknownPolicyError as error:
            self._unresolved(policy, str(error))
            return []

    def modes(self, statements: Iterable[PolicyStatement]) -> frozenset[ReadOrWrite]:
        """What the statements permit with items, on whichever table, or may permit by what is unresolved."""
        modes: set[ReadOrWrite] = set()
        for statement in statements:
            if statement.allow:
                modes |= modes_of(statement.actions)
        for unresolved in self.diagnostics.unresolved:
            modes |= unresolved.modes
        return frozenset(modes)

    def _report_calls(self, mapping: Map) -> bool:
        """Report functions that make a part of a policy which is not in the files, such as ``Fn::Transform``."""
        calls = calls_in(mapping)
        for key in calls:
            reason = f"what {key} makes of the policy is not known"
            self._unresolved(as_text(key, mapping.location), reason)
        return bool(calls)

    def _unresolved(self, text: Text, reason: str) -> None:
        """Report something that might grant the service anything."""
        self.diagnostics.add_unresolved(text, reason, self.service, READ_AND_WRITE)
