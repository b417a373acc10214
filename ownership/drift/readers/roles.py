"""Reads the IAM roles and policies of a CloudFormation template.

::

    UsersRole:
      Type: AWS::IAM::Role
      Properties:
        ManagedPolicyArns: [arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess]
        Policies: [{PolicyDocument: {Statement: [{Effect: Allow, Action: …, Resource: …}]}}]

becomes the statements of both policies, and of every ``AWS::IAM::Policy`` that is attached to ``UsersRole``.
Source: AWS CloudFormation Template Reference, "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::RolePolicy" and
"AWS::IAM::ManagedPolicy".
"""

from dataclasses import dataclass

from ownership.drift.diagnostics import Diagnostics
from ownership.drift.iam.managed_policies import UnknownPolicyError, statements_of
from ownership.drift.iam.statements import READ_AND_WRITE, PolicyStatement, StatementReader
from ownership.drift.naming import Names
from ownership.drift.readers.template import Template
from ownership.drift.values import Map, Seq, Text, Value, location_of

ROLE = "AWS::IAM::Role"
MANAGED_POLICY = "AWS::IAM::ManagedPolicy"
ATTACHED_POLICIES = ("AWS::IAM::Policy", MANAGED_POLICY, "AWS::IAM::RolePolicy")


@dataclass(frozen=True)
class AttachedPolicy:
    """A policy that is a resource of its own; ``roles`` are those it is attached to, by logical or physical name."""

    properties: Map
    roles: frozenset[str]


def roles_of(template: Template) -> dict[str, Map]:
    """The roles of a template: logical name → properties."""
    return dict(template.of_type(ROLE))


def role_name_in_arn(arn: str) -> str:
    """The name of the role in its ARN, ``arn:aws:iam::1:role/path/NAME``; empty for anything else."""
    _, is_arn, path = arn.partition(":role/")
    return path.rpartition("/")[2] if is_arn else ""


def attached_policies(template: Template) -> list[AttachedPolicy]:
    """The policies of a template that are attached to roles."""
    policies = []
    for _, properties in template.of_type(*ATTACHED_POLICIES):
        roles = set()
        for property_name in ("Roles", "RoleName"):
            for role in template.items(properties.get(property_name)):
                roles.add(str(role.get("Ref")) if isinstance(role, Map) else str(role))
        policies.append(AttachedPolicy(properties, frozenset(roles)))
    return policies


class PolicyReader:
    """Reads what the policies of a template permit a service."""

    def __init__(self, service: str, template: Template, names: Names, diagnostics: Diagnostics) -> None:
        self.service = service
        self.template = template
        self.diagnostics = diagnostics
        self.statement_reader = StatementReader(service, template.texts, names, diagnostics)

    def role(self, name: str, properties: Map) -> list[PolicyStatement]:
        """The statements of a role: its own policies, managed ones, and those attached to it."""
        resource = self.template.mapping(self.template.resources.get(name))
        # `properties` is empty for a role whose properties are an unresolved variable.
        raw_properties = self.template.expand(resource.get("Properties"))
        if isinstance(raw_properties, Text):
            self._unresolved(raw_properties, "the role can't be resolved")
        self.note_boundary(properties.get("PermissionsBoundary"))
        statements = self.managed(properties.get("ManagedPolicyArns"))
        for policy in self.template.items(properties.get("Policies")):
            if isinstance(policy, Map):
                statements += self.document(policy.get("PolicyDocument"))
            else:
                self._unresolved(policy, "the policy can't be resolved")
        for attached in attached_policies(self.template):
            if name in attached.roles:
                statements += self.document(attached.properties.get("PolicyDocument"))
        return statements

    def document(self, node: Value) -> list[PolicyStatement]:
        """The statements of a policy document."""
        document = self.template.expand(node)
        if isinstance(document, Text):
            self._unresolved(document, "the policy document is not a mapping")
        return self.statements(self.template.mapping(document).get("Statement"))

    def statements(self, node: Value) -> list[PolicyStatement]:
        """The statements in a list, or a single one."""
        statements = []
        for item in self.template.items(node):
            if not isinstance(item, Map):
                self._unresolved(item, "the statement is not a mapping")
                continue
            statement = self.statement_reader.read(item)
            if statement:
                statements.append(statement)
        return statements

    def managed(self, node: Value) -> list[PolicyStatement]:
        """The statements of a list of managed policies: of this template, of AWS, or from elsewhere."""
        own_policies = dict(self.template.of_type(MANAGED_POLICY))
        statements = []
        for item in self.template.items(node):
            # `!Ref` of a managed policy in this template: its own statements are read.
            logical_name = item.get("Ref") if isinstance(item, Map) else None
            if isinstance(logical_name, str) and logical_name in own_policies:
                statements += self.document(own_policies[logical_name].get("PolicyDocument"))
                continue
            for arn in self.template.texts(item):
                statements += self._managed_elsewhere(arn)
        return statements

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

    def _unresolved(self, text: Text, reason: str) -> None:
        """Report something that might grant the service anything."""
        self.diagnostics.add_unresolved(text, reason, self.service, READ_AND_WRITE)
